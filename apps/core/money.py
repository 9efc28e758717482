"""Money at the edge is `Decimal` yuan with two places; in the database it is integer fen."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from apps.core.errors import InvalidInput

FEN = Decimal("0.01")
MOST_YUAN = Decimal("1_000_000_000_000")  # beyond any sum of this house, far inside a 64-bit integer of fen


def to_fen(yuan: Decimal) -> int:
    """Yuan to fen, exactly; raises InvalidInput for what is not a sum of money."""
    if not yuan.is_finite():
        raise InvalidInput(_("Enter an amount in yuan."), code="not_an_amount")
    if abs(yuan) > MOST_YUAN:
        raise InvalidInput(_("The amount is too large."), code="too_large")
    rounded = yuan.quantize(FEN)
    if rounded != yuan:
        raise InvalidInput(_("Amounts have at most two decimals."), code="decimals")
    return int(rounded.scaleb(2))


def to_yuan(fen: int) -> Decimal:
    """Fen to yuan with exactly two places."""
    return Decimal(fen).scaleb(-2)


def format_yuan(fen: int | None) -> str:
    """'8,420.00' for people; '' for None."""
    return "" if fen is None else f"{to_yuan(fen):,.2f}"
