"""Reads of the books."""

from __future__ import annotations

from apps.ledger.models import LimitAccount


def limits_of(policy_id: int) -> list[LimitAccount]:
    """All limits of one policy period, for the panel and APP-20 (limit, used, reserved, left)."""
    return list(LimitAccount.objects.filter(policy=policy_id).order_by("key"))
