"""What claims listen to: a notice or letter that reached the member moves their clocks."""

from __future__ import annotations

import logging
from typing import Any

from apps.accounts.actors import SYSTEM
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.core.errors import Blocked
from apps.messaging.models import Message
from apps.messaging.outbox import on_delivered

log = logging.getLogger(__name__)

ACTIONS = {"supplement": "supplement_delivered", "refusal": "refusal_delivered"}


def connect() -> None:
    on_delivered(notice_delivered)


def notice_delivered(message: Message) -> None:
    """LAW-02: the pause starts when the supplement notice reaches the claimant; LAW-04: the clock of
    the refusal letter stops when it was sent."""
    action = ACTIONS.get(message.template)
    if action is None or message.case_id is None:
        return
    case = CaseFile.objects.filter(pk=message.case_id, kind="claim").first()
    if case is None:
        return
    evidence = f"{message.get_channel_display()} {message.recipient_masked} #{message.pk}"
    proof: dict[str, Any] = {
        "evidence": evidence,
        "reached": f"{message.get_channel_display()} {message.recipient_masked}",
    }
    try:
        perform(case, action, SYSTEM, at=message.delivered_at, **proof)
    except Blocked:  # the claim went on meanwhile; the delivery stands on the message
        log.info("delivery came after the claim had moved on", extra={"case": case.number})
