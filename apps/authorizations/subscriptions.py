"""What authorizations listen to: the letter that reached the hospital, the card that serves again."""

from __future__ import annotations

import logging
from typing import Any

from apps.accounts.actors import SYSTEM
from apps.authorizations.queries import waiting_for_card
from apps.cards.models import Card, card_restored
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.core.errors import Blocked, DomainError
from apps.messaging.models import Message
from apps.messaging.outbox import on_delivered

log = logging.getLogger(__name__)


def connect() -> None:
    on_delivered(letter_delivered)
    card_restored.connect(letter_follows, dispatch_uid="authorizations.letter_follows")


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


def letter_follows(sender: Any, card: Card, **kwargs: Any) -> None:
    """BIL-03: what was approved while the card was greyed gets its letter, each in its own transaction."""
    for number in waiting_for_card(card.policy_id):
        try:
            perform(number, "issue_letter", SYSTEM)
        except DomainError as error:  # its days are over, or somebody was faster: the case page says which
            log.info("letter does not follow the card", extra={"case": number, "why": error.code})
