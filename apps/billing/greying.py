"""Greying and restoring the child's cards for unpaid bills (BIL-03, BIL-21).

The child and its cards are locked before anything is asked, so that of two bills paid at the same instant
the second sees the first, the card is restored exactly once, and a card issued meanwhile is not missed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from apps.accounts.actors import SYSTEM
from apps.billing.models import SelfPayBill
from apps.billing.terms import terms_of
from apps.cards.actions import grey, restore, reword
from apps.cards.models import Card
from apps.cases.context import Ctx
from apps.core.money import format_yuan
from apps.members.models import Member
from apps.messaging.outbox import notify_member

GREYED, RESTORED = "card_greyed", "card_restored"


def grey_cards(ctx: Ctx[Any]) -> list[str]:
    """Grey those of the child's cards that have not ended; brothers and sisters keep theirs (CRD-04).

    A card that is grey already stays as it is, with its reason. Returns the numbers greyed now.
    """
    reason, rule = _why(ctx.subject)
    greyed = [
        grey(SYSTEM, card, reason=reason, rule=rule, now=ctx.now).number
        for card in _locked_cards(ctx.case.member_id, ctx.now)
        if card.greyed_at is None
    ]
    _tell(ctx, GREYED)
    return greyed


def grey_issued(sender: Any, policies: Sequence[int], **kwargs: Any) -> None:
    """A card issued while a bill of the child is exhausted begins grey, as the child's others are: a renewal
    does not pay. One statement where nobody owes anything."""
    with transaction.atomic():
        live = SelfPayBill.objects.filter(live=True, case__member__policies__in=policies)
        now = timezone.now()
        for member in sorted(set(live.values_list("case__member", flat=True))):
            cards = [card for card in _locked_cards(member, now) if card.policy_id in policies]
            bill = _exhausted(member).first()
            if bill is None:
                continue
            reason, rule = _why(bill)
            for card in cards:
                if card.greyed_at is None:
                    grey(SYSTEM, card, reason=reason, rule=rule, now=now)


def _why(bill: SelfPayBill) -> tuple[str, str]:
    """What stands on a card that is grey for a bill, and the rule. Needs the case with its handbook."""
    with translation.override("zh-hans"):
        reason = _("Self-pay bill %(number)s is unpaid after %(count)d reminders") % {
            "number": bill.case.number, "count": bill.reminders,
        }  # fmt: skip
    return reason, terms_of(bill.case.handbook.handbook).grey_rule


def _exhausted(member: int) -> QuerySet[SelfPayBill]:
    """The child's exhausted bills, the oldest first."""
    bills = SelfPayBill.objects.filter(case__member=member, live=True, exhausted_at__isnull=False)
    return bills.select_related("case__handbook").order_by("exhausted_at", "pk")


def release_cards(ctx: Ctx[Any]) -> list[str]:
    """Restore the cards that were greyed for bills when this was the last exhausted one.

    To be called once the bill no longer counts in the database (`live`, `exhausted_at`). A card that a
    person greyed for another reason stays grey; one that names this bill names the oldest of the others from
    now on. Returns the numbers restored.
    """
    cards = [card for card in _locked_cards(ctx.case.member_id, ctx.now) if card.greyed_at is not None]
    other = _exhausted(ctx.case.member_id).exclude(pk=ctx.case.pk).first()
    if other is not None:
        reason, rule = _why(other)
        for card in cards:
            if card.greyed_rule.startswith("BIL-") and ctx.case.number in card.greyed_for:
                reword(SYSTEM, card, reason=reason, rule=rule, now=ctx.now)
    if not cards or other is not None:
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


def _locked_cards(member: int, now: datetime) -> list[Card]:
    """Cards that have not ended. The child is locked first: what is issued to it now waits or is seen."""
    today = timezone.localtime(now).date()
    Member.objects.select_for_update(no_key=True).filter(pk=member).values_list("pk").first()
    cards = Card.objects.select_for_update(of=("self",)).select_related("policy")
    found = cards.filter(member=member).order_by("pk")
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
