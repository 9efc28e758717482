"""Yuan at the edge, fen inside: exact in both directions, and never a silent rounding."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import InvalidInput
from apps.core.money import MOST_YUAN, format_yuan, to_fen, to_yuan

FEN = st.integers(min_value=-int(MOST_YUAN) * 100, max_value=int(MOST_YUAN) * 100)


@given(FEN)
def test_fen_to_yuan_and_back_is_the_same(fen):
    assert to_fen(to_yuan(fen)) == fen


@given(FEN, FEN)
def test_sums_agree_in_both_units(one, other):
    assert to_yuan(one) + to_yuan(other) == to_yuan(one + other)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=4))
def test_yuan_is_taken_exactly_or_refused(yuan):
    if (yuan * 100) % 1:
        with pytest.raises(InvalidInput):
            to_fen(yuan)
    else:
        assert Decimal(to_fen(yuan)) == yuan * 100


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("0.001", "decimals"),
        ("0.100000000000000000000000000000001", "decimals"),  # more digits than the context keeps
        ("NaN", "not_an_amount"),
        ("sNaN", "not_an_amount"),
        ("Infinity", "not_an_amount"),
        ("1E+1000", "too_large"),
        ("-1000000000000.01", "too_large"),
    ],
)
def test_what_is_not_a_sum_of_money_is_refused(text, code):
    with pytest.raises(InvalidInput) as refusal:
        to_fen(Decimal(text))
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("fen", "shown"), [(842000, "8,420.00"), (0, "0.00"), (-5, "-0.05"), (9999, "99.99"), (None, "")]
)
def test_people_read_two_places_and_thousands(fen, shown):
    assert format_yuan(fen) == shown
