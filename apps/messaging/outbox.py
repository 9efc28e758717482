"""Messages are rows written with the event that caused them. (Heads; bodies follow.)"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from apps.cases.models import CaseFile
from apps.messaging.models import CallTask, Message


def queue_message(
    ctx: Any,
    *,
    case: CaseFile,
    channel: str,
    template: str,
    recipient: str,
    context: Mapping[str, Any],
    key: str,
    letter: Any = None,
    language: str = "zh-hans",
) -> Message | CallTask:
    """Write a message (channel EMAIL | SMS) or, without a recipient, a call task with the same words.

    `ctx` None: saved at once (the caller's transaction), and a used key is left alone. `letter`: anything with `.token`.
    Templates: report_received, supplement, decision, refusal, payment_done, payment_returned, clock_reminder,
    clock_escalation, originals_reminder, papers_reminder.
    """
    raise NotImplementedError


def notify_member(
    ctx: Any, *, template: str, context: Mapping[str, Any], key: str, letter: Any = None, case: CaseFile | None = None,
    language: str = "zh-hans",
) -> Message | CallTask:
    """queue_message to the policyholder or another guardian: e-mail with the letter, else SMS, else a call task."""
    raise NotImplementedError


def queue_call(ctx: Any, *, case: CaseFile, purpose: str, script: str, key: str, due_at: datetime | None = None) -> CallTask:
    raise NotImplementedError


def on_delivered(handler: Any) -> None:
    """Run handler(message) once, in a transaction of its own, after a message was delivered (LAW-02, LAW-04)."""
    raise NotImplementedError
