"""Reads of the books."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from apps.ledger.models import LimitAccount


def limits_of(policy_id: int) -> list[LimitAccount]:
    """All limits of one policy period, for the panel and APP-20 (limit, used, reserved, left)."""
    return list(LimitAccount.objects.filter(policy=policy_id).order_by("key"))


def limits_of_many(policies: Collection[int]) -> dict[int, list[LimitAccount]]:
    """The same by policy; one query."""
    found = defaultdict(list)
    for account in LimitAccount.objects.filter(policy__in=policies).order_by("policy", "key"):
        found[account.policy_id].append(account)
    return dict(found)
