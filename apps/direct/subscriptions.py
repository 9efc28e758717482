"""What direct billing listens to: a refusal that reached the family."""

from __future__ import annotations

import logging

from apps.accounts.actors import SYSTEM
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.core.errors import Blocked
from apps.messaging.models import Message
from apps.messaging.outbox import on_delivered

log = logging.getLogger(__name__)


def connect() -> None:
    on_delivered(refusal_delivered)


def refusal_delivered(message: Message) -> None:
    """LAW-04: the refusal with its reasons has gone out; its clock stops."""
    if message.template != "direct_refusal" or message.case_id is None:
        return
    case = CaseFile.objects.filter(pk=message.case_id, kind="direct").first()
    if case is None:
        return
    way = message.get_channel_display()
    evidence = f"{way} {message.recipient_masked} #{message.pk}"
    try:
        perform(
            case, "refusal_delivered", SYSTEM, at=message.delivered_at, evidence=evidence,
            reached=f"{way} {message.recipient_masked}",
        )  # fmt: skip
    except Blocked:  # reopened meanwhile; the delivery stands on the message
        log.info("delivery came after the claim had moved on", extra={"case": case.number})
