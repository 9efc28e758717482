"""One rounding function; sums always hold."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.adjudication.money import pretty, round_fen, share_of, split

AMOUNTS = st.lists(st.integers(0, 10**7).map(lambda fen: Decimal(fen) / 100), max_size=12)
RATES = st.integers(0, 1000).map(lambda mille: Decimal(mille) / 1000)


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [("0.005", "0.01"), ("0.004", "0.00"), ("1.115", "1.12"), ("1.125", "1.13"), ("2", "2.00")],
)
def test_half_up_to_the_fen(amount: str, rounded: str) -> None:
    assert round_fen(Decimal(amount)) == Decimal(rounded)


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        ("100.00", ["1", "1", "1"], ["33.33", "33.34", "33.33"]),
        ("0.01", ["5", "5"], ["0.01", "0.00"]),
        ("10.00", ["0", "0"], ["0.00", "0.00"]),
        ("0.00", ["1", "2"], ["0.00", "0.00"]),
        ("30.00", ["10", "0", "20"], ["10.00", "0.00", "20.00"]),
        ("5.00", [], []),
    ],
)
def test_split(total: str, weights: list[str], parts: list[str]) -> None:
    assert split(Decimal(total), [Decimal(one) for one in weights]) == [Decimal(one) for one in parts]


@given(AMOUNTS, st.integers(0, 100))
def test_split_loses_no_fen_and_never_exceeds_a_part(weights: list[Decimal], percent: int) -> None:
    total = round_fen(sum(weights, Decimal(0)) * percent / 100)
    parts = split(total, weights)
    assert sum(parts, Decimal(0)) == (total if sum(weights) else 0)
    assert all(0 <= part <= weight for part, weight in zip(parts, weights, strict=True))


@given(AMOUNTS, RATES)
def test_a_rate_is_rounded_once_over_all_lines(amounts: list[Decimal], rate: Decimal) -> None:
    parts = share_of(rate, amounts)
    assert sum(parts, Decimal(0)) == round_fen(sum(amounts, Decimal(0)) * rate)
    assert all(0 <= part <= amount for part, amount in zip(parts, amounts, strict=True))


def test_pretty() -> None:
    assert pretty(Decimal("12000")) == "12,000.00"
