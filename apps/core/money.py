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


DIGITS, PLACES, GROUPS = "零壹贰叁肆伍陆柒捌玖", ("", "拾", "佰", "仟"), ("", "万", "亿", "万亿")


def in_capitals(fen: int) -> str:
    """'人民币壹万柒仟壹佰玖拾元整' for 17,190.00, as on bills and deeds, where a figure could be altered."""
    yuan, rest = divmod(fen, 100)
    jiao, cents = divmod(rest, 10)
    words = f"{_capitals(yuan)}元" if yuan or not rest else ""
    if jiao:
        words += f"{DIGITS[jiao]}角"
    elif cents and yuan:
        words += DIGITS[0]
    return f"人民币{words}{DIGITS[cents]}分" if cents else f"人民币{words}整"


def _capitals(whole: int) -> str:
    """By groups of four digits; zeros between figures are said once, at the end not at all."""
    words, skipped = "", False
    for group in range((len(str(whole)) - 1) // 4, -1, -1):
        figures = whole // 10 ** (4 * group) % 10_000
        for place in range(3, -1, -1):
            digit = figures // 10**place % 10
            if digit == 0:
                skipped = True
                continue
            words += (DIGITS[0] if skipped and words else "") + DIGITS[digit] + PLACES[place]
            skipped = False
        words += GROUPS[group] if figures else ""
    return words or DIGITS[0]
