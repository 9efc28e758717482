"""Demo cards of every state: linked with the family's accounts, one greyed, one restored, one ended, one to come."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta

from django.utils import timezone

from apps.accounts.actions import create_api_client
from apps.accounts.actors import SYSTEM, actor_of_client, actor_of_user
from apps.accounts.models import User
from apps.cards.actions import Binding, bind, grey, restore
from apps.cards.models import Card, CardEvent
from apps.core.errors import DomainError
from apps.members.models import Policy

FRONT_END = "演示小程序"


def build() -> int:
    """Does nothing when cards were touched before; returns how many cards changed."""
    if CardEvent.objects.exists():
        return 0
    cards = list(
        Card.objects.filter(policy__number__startswith="DEMO-P2026").select_related("policy", "member")[:6]
    )
    clerk = User.objects.filter(username="collections").first()
    if len(cards) < 6 or clerk is None:
        return 0
    actor, today = actor_of_user(clerk), timezone.localdate()
    _bind(cards[:3])
    grey(SYSTEM, cards[3], reason="自付账单经三次提醒仍未支付", rule="BIL-03")
    restore(actor, grey(actor, cards[4], reason="自付账单逾期，家属要求核对"), reason="账单已付清")
    _neighbor(cards[5].policy, today + timedelta(days=126), "NEXT")
    _neighbor(cards[5].policy, today - timedelta(days=606), "LAST")
    return len(cards)


def _bind(cards: list[Card]) -> None:
    """A mother holds two children's cards, a father one of them; somebody mistypes a name."""
    client, _key = create_api_client(
        SYSTEM, name=FRONT_END, kind="MEMBER_APP", scopes=["cards:read", "cards:write"], series=["2026"]
    )
    actor = actor_of_client(client)
    for account, relation, card in (("wx-mother", "MOTHER", cards[0]), ("wx-mother", "MOTHER", cards[1]),
                                    ("wx-father", "FATHER", cards[0])):  # fmt: skip
        bind(actor, _binding(account, relation, card, card.member.name))
    with suppress(DomainError):  # kept for the hotline (CRD-07)
        bind(actor, _binding("wx-aunt", "OTHER", cards[2], f"{cards[2].member.name}儿"))


def _binding(account: str, relation: str, card: Card, name: str) -> Binding:
    member = card.member
    return Binding(account=account, series="2026", name=name, relation=relation, id_type=member.id_type,
                   id_number=member.id_number)  # fmt: skip


def _neighbor(policy: Policy, starts: date, mark: str) -> None:
    """The policy before or after, with a card that has ended or is to come."""
    policy.pk = None
    policy._state.adding = True
    policy._state.fields_cache.pop("card", None)
    policy.number = f"{policy.number.split('/')[0]}/{mark}"
    policy.effective_on, policy.expires_on = starts, starts + timedelta(days=364)
    policy.save()
