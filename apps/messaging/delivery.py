"""Delivery of the outbox: at least once, with back-off, past poisoned rows, by any number of workers.

A row is claimed by compare-and-set for the length of a lease. A worker that dies lets the lease run
out; the next one sends again under the same idempotency key.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.messaging.attachments import Waiting, Withdrawn, attachment_of
from apps.messaging.backends import email_connection, sms_backend
from apps.messaging.headers import headers_of, message_id
from apps.messaging.models import Message
from apps.messaging.outbox import DELIVERED, queue_call

log = logging.getLogger(__name__)
LEASE = timedelta(minutes=5)
LOOK_AGAIN = timedelta(minutes=1)  # while a letter is being rendered
GIVE_UP_AFTER = 8  # after about two hours
CHUNK = 500
OPEN = [Message.State.QUEUED, Message.State.SENDING]


def deliver_due(now: datetime | None = None, limit: int = CHUNK) -> int:
    """Deliver what is due, oldest first, then tell who waits for deliveries; returns how many went out."""
    now = now or timezone.now()
    due = Message.objects.filter(state__in=OPEN, next_attempt_at__lte=now).order_by("next_attempt_at", "pk")
    delivered = sum(deliver(pk) for pk in list(due.values_list("pk", flat=True)[:limit]))
    report_deliveries(limit)
    return delivered


def deliver(message_id: int) -> bool:
    """Deliver one message if nobody else does; True when it went out now."""
    message = _claim(message_id)
    if message is None:
        return False
    try:
        _send(message)
    except Waiting as reason:
        _wait(message, str(reason))
    except Withdrawn as reason:
        _close(message, state=Message.State.CANCELLED, error=str(reason)[:2000], next_attempt_at=None)
    except Exception as error:
        log.warning("message not delivered", extra={"message_id": message.pk}, exc_info=True)
        _put_off(message, error)
    else:
        _close(
            message,
            state=Message.State.DELIVERED,
            delivered_at=timezone.now(),
            error="",
            next_attempt_at=None,
        )
        return True
    return False


def _claim(message_id: int) -> Message | None:
    now = timezone.now()
    claimed = Message.objects.filter(pk=message_id, state__in=OPEN, next_attempt_at__lte=now).update(
        state=Message.State.SENDING, attempts=F("attempts") + 1, next_attempt_at=now + LEASE
    )
    return Message.objects.select_related("case").get(pk=message_id) if claimed else None


def _send(message: Message) -> None:
    if message.channel == Message.Channel.SMS:
        sms_backend().send(message.recipient, message.body, key=message.idempotency_key)
        return
    email = EmailMessage(
        message.subject,
        message.body,
        to=[message.recipient],
        headers={
            **headers_of(message),
            "Message-ID": message_id(message),
            "X-Idempotency-Key": message.idempotency_key,
        },
        connection=email_connection(),
    )
    attachment = attachment_of(message)
    if attachment:
        email.attach(attachment.name, attachment.data, attachment.content_type)
    email.send()


# --- After an attempt -----------------------------------------------------------------------------------


def _close(message: Message, **values: object) -> None:
    Message.objects.filter(pk=message.pk, state=Message.State.SENDING).update(**values)


def _wait(message: Message, why: str) -> None:
    """Not an attempt: the letter wakes the message when it is rendered."""
    _close(
        message,
        state=Message.State.QUEUED,
        attempts=F("attempts") - 1,
        next_attempt_at=timezone.now() + LOOK_AGAIN,
        error=why,
    )


def _put_off(message: Message, error: Exception) -> None:
    """Back off 1, 2, 4, … minutes; after GIVE_UP_AFTER attempts a person is asked to call instead."""
    words = f"{type(error).__name__}: {error}"[:2000]
    if message.attempts < GIVE_UP_AFTER:
        pause = min(timedelta(minutes=2 ** (message.attempts - 1)), timedelta(hours=1))
        _close(message, state=Message.State.QUEUED, next_attempt_at=timezone.now() + pause, error=words)
        return
    with transaction.atomic():
        _close(message, state=Message.State.FAILED, next_attempt_at=None, error=words)
        if message.case is not None:
            queue_call(
                None,
                case=message.case,
                purpose="delivery_failed",
                script=_(
                    "This message could not be delivered (%(error)s). Please pass it on by phone:\n\n%(text)s"
                )
                % {"error": words[:200], "text": message.body},
                key=f"failed:{message.idempotency_key}"[:120],
            )


def resend(message: Message) -> None:
    """A person sends a message that failed, was cancelled, or went out already once more."""
    Message.objects.filter(pk=message.pk).exclude(state=Message.State.SENDING).update(
        state=Message.State.QUEUED, attempts=0, next_attempt_at=timezone.now(), error="", delivered_at=None
    )


# --- Who waits for deliveries ---------------------------------------------------------------------------


def report_deliveries(limit: int = CHUNK) -> int:
    """Run the `on_delivered` handlers, once a message; one that fails is tried by the next sweep."""
    waiting = Message.objects.filter(state=Message.State.DELIVERED, reported=False).order_by("delivered_at")
    return sum(_report(pk) for pk in list(waiting.values_list("pk", flat=True)[:limit]))


def _report(message_id: int) -> bool:
    try:
        with transaction.atomic():
            done = Message.objects.filter(pk=message_id, state=Message.State.DELIVERED, reported=False)
            if not done.update(reported=True):
                return False
            message = Message.objects.select_related("case").get(pk=message_id)
            for handler in DELIVERED:
                handler(message)
        return True
    except Exception:
        log.exception("delivery could not be reported", extra={"message_id": message_id})
        return False
