"""Messages and call tasks are rows written with the event that caused them; delivered later.

Templates: report_received, originals_wanted, supplement, decision, refusal, payment_done,
payment_returned, papers_reminder, member_reminder, clock_reminder, clock_escalation, card_code, direct_decision, direct_refusal,
direct_decided, direct_papers, direct_identity.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from django.utils import timezone

from apps.cases.models import CaseFile
from apps.messaging.contacts import contact_of, mask_recipient
from apps.messaging.models import CallTask, Message
from apps.messaging.texts import words_for

Row = TypeVar("Row", Message, CallTask)
DELIVERED: list[Callable[[Message], None]] = []


def queue_message(
    ctx: Any,
    *,
    case: CaseFile | None,
    channel: str,
    template: str,
    recipient: str,
    context: Mapping[str, Any],
    key: str,
    letter: Any = None,
    language: str = "zh-hans",
) -> Message | CallTask:
    """Write a message (EMAIL | SMS) or, without a recipient, a call task with the same words.

    With `ctx` the row is queued in the action's batch. Without, it is saved at once and a key used
    before is left alone. A message about no case needs a recipient. `letter` is anything with `token` (a `Letter`); it is attached at delivery.
    """
    if not recipient:
        assert case is not None
        script = words_for(template, "CALL", language, case, context).body
        return queue_call(ctx, case=case, purpose=template, script=script, key=key)
    now = ctx.now if ctx else timezone.now()
    words = words_for(template, channel, language, case, context)
    message = Message(
        case=case,
        idempotency_key=key,
        channel=channel,
        template=template,
        recipient=recipient,
        recipient_masked=mask_recipient(recipient),
        language=language,
        subject=words.subject,
        body=words.body,
        letter_token=letter.token if letter is not None else "",
        created_at=now,
        next_attempt_at=now,
    )
    return _write(ctx, message)


def notify_member(
    ctx: Any,
    *,
    template: str,
    context: Mapping[str, Any],
    key: str,
    letter: Any = None,
    case: CaseFile | None = None,
    language: str = "zh-hans",
) -> Message | CallTask:
    """Tell the policyholder or another guardian: by e-mail, else by SMS, else by a call task."""
    case = case or ctx.case
    assert case is not None
    person = contact_of(ctx, case)
    channel = Message.Channel.EMAIL if person.email else Message.Channel.SMS
    return queue_message(
        ctx,
        case=case,
        channel=channel,
        template=template,
        recipient=person.email or person.mobile,
        context={"addressee": person.name, **context},
        key=key,
        letter=letter if channel == Message.Channel.EMAIL else None,
        language=language,
    )


def queue_call(
    ctx: Any,
    *,
    case: CaseFile,
    purpose: str,
    script: str,
    key: str,
    due_at: datetime | None = None,
    attempt: int = 1,
) -> CallTask:
    """A phone call for a person to make."""
    task = CallTask(
        case=case,
        idempotency_key=key,
        purpose=purpose,
        script=script,
        attempt=attempt,
        due_at=due_at,
        created_at=ctx.now if ctx else timezone.now(),
    )
    return _write(ctx, task)


def _write(ctx: Any, row: Row) -> Row:
    if ctx is not None:
        ctx.add(row)
        return row
    model = type(row)
    model._default_manager.bulk_create([row], ignore_conflicts=True)
    return model._default_manager.get(idempotency_key=row.idempotency_key)


def on_delivered(handler: Callable[[Message], None]) -> None:
    """Run handler(message) exactly once after a message was delivered, in a transaction of its own.

    For clocks that run from the moment a letter reaches the member (LAW-02, LAW-04).
    """
    if handler not in DELIVERED:
        DELIVERED.append(handler)
