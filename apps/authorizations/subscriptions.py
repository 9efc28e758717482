"""What authorizations listen to: the letter that reached the hospital."""

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
    on_delivered(letter_delivered)


def letter_delivered(message: Message) -> None:
    """The receipt (PA-21): to whom the letter went and when, kept on the case."""
    if message.template != "guarantee" or message.case_id is None or not message.letter_token:
        return
    case = CaseFile.objects.filter(pk=message.case_id, kind="authorization").first()
    if case is None:
        return
    evidence = f"{message.get_channel_display()} {message.recipient_masked} #{message.pk}"
    try:
        perform(case, "letter_delivered", SYSTEM, at=message.delivered_at, evidence=evidence)
    except Blocked:  # voided meanwhile; the delivery stands on the message
        log.info("letter delivered after the authorization had ended", extra={"case": case.number})
