"""Greying and restoring the child's cards for unpaid bills (BIL-03, BIL-21).

The cards are locked before anything is asked, so that of two bills paid at the same instant the second
sees the first, and the card is restored exactly once.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from apps.accounts.actors import SYSTEM
from apps.billing.models import SelfPayBill
from apps.billing.terms import terms_of
from apps.cards.actions import grey, restore
from apps.cards.models import Card
from apps.cases.engine import Ctx
from apps.core.money import format_yuan
from apps.messaging.outbox import notify_member

GREYED, RESTORED = "card_greyed", "card_restored"


def grey_cards(ctx: Ctx[Any]) -> list[str]:
    """Grey those of the child's cards that have not ended; brothers and sisters keep theirs (CRD-04).

    A card that is grey already stays as it is, with its reason. Returns the numbers greyed now.
    """
    rule, bill = terms_of(ctx.handbook).grey_rule, ctx.subject
    with translation.override("zh-hans"):
        reason = _("Self-pay bill %(number)s is unpaid after %(count)d reminders") % {
            "number": ctx.case.number, "count": bill.reminders,
        }  # fmt: skip
    greyed = [
        grey(SYSTEM, card, reason=reason, rule=rule, now=ctx.now).number
        for card in _locked_cards(ctx)
        if card.greyed_at is None
    ]
    _tell(ctx, GREYED)
    return greyed


def release_cards(ctx: Ctx[Any]) -> list[str]:
    """Restore the cards that were greyed for bills when this was the last exhausted one.

    To be called once the bill no longer counts in the database (`live`, `exhausted_at`). A card that a
    person greyed for another reason stays grey. Returns the numbers restored.
    """
    cards = [card for card in _locked_cards(ctx) if card.greyed_at is not None]
    others = SelfPayBill.objects.filter(
        case__member=ctx.case.member_id, live=True, exhausted_at__isnull=False
    ).exclude(pk=ctx.case.pk)
    if not cards or others.exists():
        return []
    with translation.override("zh-hans"):
        reason = _("No exhausted bill is left; the last was %(number)s") % {"number": ctx.case.number}
    rules = {rule for rule in (card.greyed_rule for card in cards) if rule.startswith("BIL-")}
    restored = [
        restore(SYSTEM, card, reason=reason, rule=card.greyed_rule, now=ctx.now).number
        for card in cards
        if card.greyed_rule in rules
    ]
    if restored:
        _tell(ctx, RESTORED)
    return restored


def _locked_cards(ctx: Ctx[Any]) -> list[Card]:
    today = timezone.localtime(ctx.now).date()
    cards = Card.objects.select_for_update(of=("self",)).select_related("policy")
    found = cards.filter(member=ctx.case.member_id).order_by("pk")
    return [card for card in found if card.policy.covered_until >= today]


def _tell(ctx: Ctx[Any], template: str) -> None:
    bill = ctx.subject
    context = {
        "hospital": str(bill.hospital),
        "amount": format_yuan(bill.open_fen),
        "visited_on": bill.visited_on,
    }
    notify_member(
        ctx, template=template, context=context, key=f"{ctx.case.number}:{template}:{ctx.case.version}"
    )
