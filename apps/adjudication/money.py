"""Yuan with two places: the one rounding function, and splitting a sum without losing a fen.

**Policy.** Half up to the fen (0.005 → 0.01). A sum is split by *cumulative* rounding: part k is
`round(cumulated k) − round(cumulated k−1)`. So the parts always add up to the rounded total, none
is negative, and none exceeds its own weight when the total does not exceed the weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

FEN = Decimal("0.01")
ZERO = Decimal("0.00")


def round_fen(amount: Decimal) -> Decimal:
    """Half up to the fen."""
    return amount.quantize(FEN, ROUND_HALF_UP)


def split(total: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """`total` spread over `weights` in proportion, in their order; all zero without weights."""
    whole = sum(weights, ZERO)
    if not whole or not total:
        return [ZERO] * len(weights)
    parts, cumulated, given = [], ZERO, ZERO
    for weight in weights:
        cumulated += weight
        reached = round_fen(total * cumulated / whole)
        parts.append(reached - given)
        given = reached
    return parts


def share_of(rate: Decimal, amounts: Sequence[Decimal]) -> list[Decimal]:
    """`rate` of each amount so that the parts add up to the rounded rate of their sum."""
    if rate == 1:
        return list(amounts)
    parts, cumulated, given = [], ZERO, ZERO
    for amount in amounts:
        cumulated += amount
        reached = round_fen(cumulated * rate)
        parts.append(reached - given)
        given = reached
    return parts


def pretty(amount: Decimal) -> str:
    """12,000.00"""
    return f"{amount:,.2f}"
