"""A card for each issued policy (CRD-01, CRD-20)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from typing import Any

from django.utils import timezone
from stdnum import luhn

from apps.cards.models import Card, cards_issued
from apps.members.models import Policy

PREFIX = "80"


def on_policies_written(sender: Any, policies: Sequence[Policy], **kwargs: Any) -> None:
    issue(policies)


def issue(policies: Iterable[Policy]) -> int:
    """A card for each issued policy that has none (CRD-01; CRD-20: paid and issued); two statements,
    and those of who listens to `cards_issued`.

    A policy applied for only (PENDING) gets its card when a later roster says that it was issued.
    """
    issued = {policy.pk: policy for policy in policies if policy.status != Policy.Status.PENDING}
    held = set(Card.objects.filter(policy__in=issued).values_list("policy", flat=True)) if issued else set()
    now = timezone.now()
    cards = [
        Card(number=new_number(), policy=policy, member_id=policy.member_id, issued_at=now)
        for pk, policy in issued.items() if pk not in held
    ]  # fmt: skip
    Card.objects.bulk_create(cards, ignore_conflicts=True)  # two imports at once: one card
    if cards:
        cards_issued.send(Card, policies=[card.policy_id for card in cards])
    return len(cards)


def new_number() -> str:
    """'80' and 13 random digits with a check digit behind them."""
    body = f"{PREFIX}{secrets.randbelow(10**13):013d}"
    return body + str(luhn.calc_check_digit(body))
