"""What authorizations listen to: the letter that reached the hospital, the card that stops or serves again.

What the public page says of letters on a greyed card follows from the card; it needs no listener.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from apps.accounts.actors import SYSTEM
from apps.authorizations.queries import letters_out, waiting_for_card
from apps.authorizations.workflow import LETTER_OUT
from apps.cards.models import Card, card_greyed, card_restored
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.core.errors import Blocked, DomainError
from apps.documents.models import Letter
from apps.documents.public_views import suspended_while, used_when
from apps.messaging.models import Message
from apps.messaging.outbox import on_delivered

log = logging.getLogger(__name__)
ON_A_GREYED_CARD = Q(
    kind=Letter.Kind.GUARANTEE, case__state__in=LETTER_OUT, case__policy__card__greyed_at__isnull=False
)
STAY_OVER = Q(kind=Letter.Kind.GUARANTEE, case__kind="authorization", case__state="CLOSED")


def connect() -> None:
    on_delivered(letter_delivered)
    suspended_while(ON_A_GREYED_CARD)
    used_when(STAY_OVER)
    card_greyed.connect(letter_waits, dispatch_uid="authorizations.letter_waits")
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


def letter_waits(sender: Any, card: Card, **kwargs: Any) -> None:
    """BIL-03, BIL-21: the hospital that has a letter hears that it is suspended."""
    carry_out((number, "suspend_letter") for number in letters_out(card.policy_id))


def letter_follows(sender: Any, card: Card, **kwargs: Any) -> None:
    """BIL-03: what was approved while the card was greyed gets its letter, what was suspended serves again."""
    carry_out((number, "issue_letter") for number in waiting_for_card(card.policy_id))
    carry_out((number, "resume_letter") for number in letters_out(card.policy_id))


def carry_out(steps: Iterable[tuple[str, str]]) -> int:
    """(number, action) each by the system in its own transaction; how many were done."""
    done = 0
    for number, action in steps:
        try:
            perform(number, action, SYSTEM)
            done += 1
        except DomainError as error:  # its days are over, or somebody was faster: the case page says which
            log.info("letter stays as it is", extra={"case": number, "action": action, "why": error.code})
    return done
