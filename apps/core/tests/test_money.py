"""Yuan at the edge, fen inside: exact in both directions, and never a silent rounding."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import InvalidInput
from apps.core.money import MOST_YUAN, format_yuan, in_capitals, to_fen, to_yuan

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


@pytest.mark.parametrize(
    ("fen", "words"),
    [
        (0, "零元整"), (5, "伍分"), (50, "伍角整"), (105, "壹元零伍分"), (150, "壹元伍角整"), (1_719_000, "壹万柒仟壹佰玖拾元整"),
        (10_000_000, "壹拾万元整"), (1_000_100, "壹万零壹元整"), (140_900_050, "壹佰肆拾万零玖仟元伍角整"),
        (10_001_000_100, "壹亿零壹万零壹元整"), (10_000_000_000, "壹亿元整"),
    ],
)  # fmt: skip
def test_capitals_say_the_amount_as_on_a_bill(fen, words):
    assert in_capitals(fen) == f"人民币{words}"
