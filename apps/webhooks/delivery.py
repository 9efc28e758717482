"""Delivery after the commit: at least once, in order for each case, by any number of workers.

As in `messaging.delivery` a row is claimed by compare-and-set for the length of a lease; a worker that dies
lets it run out and the next one sends again under the same id. An endpoint has a lease of its own, so that
one slow receiver never holds more than one worker. A delivery waits while an earlier one of its case and
endpoint is open; other cases are not held up.
"""

from __future__ import annotations

import logging
import random
import time
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from apps.accounts.actors import actor_of_client
from apps.accounts.visibility import is_visible
from apps.core.queue import enqueue
from apps.messaging.models import Message
from apps.messaging.outbox import queue_message
from apps.webhooks import signing
from apps.webhooks.catalog import PING
from apps.webhooks.journal import log_event
from apps.webhooks.models import OPEN, Attempt, Delivery, Endpoint, EndpointEvent
from apps.webhooks.payload import body_of
from apps.webhooks.recording import SCOPE
from apps.webhooks.sending import Answer, post

log = logging.getLogger(__name__)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
# Pauses after the first, second, … failed attempt; after the last one is given up: 10 attempts in 3 days 4 hours.
PAUSES = (
    timedelta(seconds=30), 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR,
)  # fmt: skip
JITTER = 0.1
MOST_ATTEMPTS = len(PAUSES) + 1
SUSPEND_AFTER = timedelta(days=3)
GONE = 410
LEASE = timedelta(minutes=2)  # many times the timeout of a request
TURN = timedelta(seconds=20)  # then the worker looks after others
LONGEST_REST = 5 * MINUTE
KEPT_DAYS = 180
CHUNK = 1000


# --- Who is due -------------------------------------------------------------------------------


def due(now: datetime) -> QuerySet[Delivery]:
    """Deliveries that may go out now, oldest first. Pings go to suspended and resting endpoints, too."""
    earlier = Delivery.objects.filter(
        endpoint=OuterRef("endpoint"), case=OuterRef("case"), pk__lt=OuterRef("pk"), state__in=OPEN
    )
    awake = Q(endpoint__resting_until=None) | Q(endpoint__resting_until__lte=now)
    listening = Q(endpoint__state=Endpoint.State.ACTIVE, endpoint__client__active=True) & awake
    rows = Delivery.objects.filter(~Exists(earlier), state__in=OPEN, next_attempt_at__lte=now)
    return rows.filter(listening | Q(event=PING)).order_by("next_attempt_at", "pk")


def sweep(now: datetime | None = None) -> int:
    """Find what a killed worker or an absent queue left; returns how many endpoints had work."""
    from apps.webhooks.tasks import deliver_to

    endpoints = due(now or timezone.now()).order_by().values_list("endpoint", flat=True).distinct()
    found = sorted(endpoints)
    queued = all(enqueue(deliver_to, pk) for pk in found)
    if not queued:
        for pk in found:
            deliver_all(pk)
    return len(found)


def deliver_all(endpoint_id: int) -> int:
    """Send what is due to one endpoint, for at most a turn; returns how many went out. 0 when another
    worker does it: what it does not see any more is the next sweep's."""
    sent, ends = 0, time.monotonic() + TURN.total_seconds()
    if not _take(endpoint_id):
        return 0
    try:
        while time.monotonic() < ends:
            pk = due(timezone.now()).filter(endpoint=endpoint_id).values_list("pk", flat=True).first()
            if pk is None:
                break
            sent += deliver(pk)
            _keep(endpoint_id)
    finally:
        Endpoint.objects.filter(pk=endpoint_id).update(busy_until=None)
    return sent


def _take(endpoint_id: int) -> bool:
    now = timezone.now()
    free = Q(busy_until=None) | Q(busy_until__lte=now)
    return bool(Endpoint.objects.filter(free, pk=endpoint_id).update(busy_until=now + LEASE))


def _keep(endpoint_id: int) -> None:
    Endpoint.objects.filter(pk=endpoint_id).update(busy_until=timezone.now() + LEASE)


# --- One delivery -----------------------------------------------------------------------------


def deliver(delivery_id: int) -> bool:
    """Send one delivery if it is due and nobody else does; True when it was taken."""
    delivery = _claim(delivery_id)
    if delivery is None:
        return False
    if not _may_hear(delivery):
        _close(
            delivery,
            state=Delivery.State.CANCELED,
            next_attempt_at=None,
            error=_("no longer visible to the client"),
        )
        return False
    now = timezone.now()
    try:
        answer = _send(delivery, now)
    except Exception as error:  # a row that cannot even be written out must not stop the others
        log.exception("webhook not sent", extra={"delivery": delivery.pk})
        answer = Answer(0, error=f"{type(error).__name__}: {error}"[:300])
    with transaction.atomic():
        _settle(delivery, answer, now)
    return answer.ok


def _send(delivery: Delivery, now: datetime) -> Answer:
    body, secrets = body_of(delivery), secrets_of(delivery.endpoint, now)
    signed = signing.headers(secrets, delivery.message_id, int(now.timestamp()), body)
    return post(delivery.endpoint.url, body, signed)


def secrets_of(endpoint: Endpoint, now: datetime) -> list[str]:
    """The secrets that sign, the newest first; the former one until its day is over."""
    former = endpoint.previous_until is not None and now < endpoint.previous_until
    return [endpoint.secret, endpoint.previous_secret] if former else [endpoint.secret]


def _claim(delivery_id: int) -> Delivery | None:
    now = timezone.now()
    claimed = due(now).filter(pk=delivery_id).order_by()
    if not Delivery.objects.filter(
        pk__in=claimed.values("pk"), state__in=OPEN, next_attempt_at__lte=now
    ).update(state=Delivery.State.SENDING, attempts=F("attempts") + 1, next_attempt_at=now + LEASE):
        return None
    return Delivery.objects.select_related("endpoint__client", "case").get(pk=delivery_id)


def _may_hear(delivery: Delivery) -> bool:
    """Asked again: client and case may have changed since the event. One query."""
    actor = actor_of_client(delivery.endpoint.client)
    return delivery.case is None or (SCOPE in actor.scopes and is_visible(delivery.case, actor))


def _close(delivery: Delivery, **values: object) -> bool:
    """False when the lease ran out and somebody else has the row by now."""
    own = Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.SENDING, attempts=delivery.attempts)
    return bool(own.update(**values))


def _settle(delivery: Delivery, answer: Answer, now: datetime) -> None:
    """Write down the attempt and what follows from it."""
    Attempt.objects.create(
        delivery=delivery,
        at=now,
        status=answer.status,
        took_ms=answer.took_ms,
        error=answer.error,
        answer=answer.text,
    )
    if answer.ok:
        _close(
            delivery,
            state=Delivery.State.DELIVERED,
            delivered_at=timezone.now(),
            next_attempt_at=None,
            error="",
        )
        _answered(delivery.endpoint)
        return
    words = answer.error or f"HTTP {answer.status}"
    last = delivery.event == PING or delivery.attempts >= MOST_ATTEMPTS
    if last:
        state, again = Delivery.State.DEAD, None
    else:
        pause = PAUSES[delivery.attempts - 1] * random.uniform(1, 1 + JITTER)
        state, again = Delivery.State.QUEUED, timezone.now() + pause
    closed = _close(delivery, state=state, next_attempt_at=again, error=words)
    if delivery.event == PING:
        return
    _failed(delivery.endpoint_id, answer, now)
    if last and closed:
        log.error("webhook given up", extra={"delivery": delivery.pk, "endpoint": delivery.endpoint_id})
        _tell(
            delivery.endpoint,
            "webhook_dead",
            f"{now:%Y%m%d}",
            {"message": delivery.message_id, "error": words},
        )


# --- Health of an endpoint --------------------------------------------------------------------


def _answered(endpoint: Endpoint) -> None:
    """A success ends a row of failures; after a silence, what found nobody is due now."""
    now = timezone.now()
    Endpoint.objects.filter(pk=endpoint.pk).update(
        delivered_at=now, failing_since=None, failures=0, unreachable=0, resting_until=None
    )
    if endpoint.unreachable:
        waiting = Delivery.objects.filter(
            endpoint=endpoint, state=Delivery.State.QUEUED, next_attempt_at__gt=now
        )
        waiting.exclude(error__startswith="HTTP ").update(next_attempt_at=now)


def _failed(endpoint_id: int, answer: Answer, now: datetime) -> None:
    """Count, rest when nobody answers at all, suspend what has failed for days or says it is gone."""
    endpoint = Endpoint.objects.select_for_update().select_related("client").get(pk=endpoint_id)
    endpoint.failures += 1
    endpoint.failing_since = endpoint.failing_since or now
    endpoint.unreachable = 0 if answer.status else min(endpoint.unreachable + 1, 100)
    endpoint.resting_until = _rest(endpoint.unreachable)
    endpoint.save(update_fields=["failures", "failing_since", "unreachable", "resting_until"])
    if endpoint.state != Endpoint.State.ACTIVE:
        return
    with override(endpoint.language):
        if answer.status == GONE:
            suspend(endpoint, _("The receiver says that this address is gone (410)."))
        elif now - endpoint.failing_since >= SUSPEND_AFTER:
            since = f"{timezone.localtime(endpoint.failing_since):%Y-%m-%d %H:%M}"
            suspend(endpoint, _("Nothing could be delivered since %(since)s.") % {"since": since})


def _rest(unreachable: int) -> datetime | None:
    """From the second silence in a row on the whole endpoint rests, 20 s to 5 min, so that it takes no worker's time."""
    if unreachable < 2:
        return None
    return timezone.now() + min(timedelta(seconds=20 * 2 ** (min(unreachable, 8) - 2)), LONGEST_REST)


def suspend(endpoint: Endpoint, why: str) -> None:
    """Stop sending; events go on to be written and wait. The contact is told."""
    now = timezone.now()
    endpoint.state, endpoint.suspended_at, endpoint.suspended_for = Endpoint.State.SUSPENDED, now, why[:300]
    endpoint.save(update_fields=["state", "suspended_at", "suspended_for"])
    log_event(None, endpoint, EndpointEvent.Kind.SUSPENDED, reason=why)
    log.error("webhook endpoint suspended", extra={"endpoint": endpoint.pk})
    _tell(endpoint, "webhook_suspended", f"{now:%Y%m%d%H%M%S}", {"why": why})


def _tell(endpoint: Endpoint, template: str, when: str, context: dict[str, str]) -> None:
    """An e-mail to the endpoint's contact; the key makes one of a day's many."""
    if not endpoint.contact:
        return
    queue_message(
        None,
        case=None,
        channel=Message.Channel.EMAIL,
        template=template,
        recipient=endpoint.contact,
        context={"url": endpoint.url, "client": endpoint.client.name, **context},
        key=f"{template}:{endpoint.pk}:{when}",
        language=endpoint.language,
    )


# --- Housekeeping -----------------------------------------------------------------------------


def forget_old(now: datetime | None = None) -> int:
    """Drop deliveries (with their attempts) after 180 days, and secrets that no longer sign.

    The events themselves stay with their cases.
    """
    now = now or timezone.now()
    before = now - timedelta(days=KEPT_DAYS)
    Endpoint.objects.filter(previous_until__lte=now).update(previous_secret="", previous_until=None)
    forgotten = 0
    while some := list(Delivery.objects.filter(created_at__lt=before).values_list("pk", flat=True)[:CHUNK]):
        with transaction.atomic():
            Attempt.objects.filter(delivery__in=some).delete()
            forgotten += Delivery.objects.filter(pk__in=some).delete()[0]
    return forgotten
