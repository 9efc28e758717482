"""What is wrong with a payee is said by field (RMB-12, RMB-33)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.core.errors import InvalidInputs
from apps.members.models import Member
from apps.payments.payees import PayeeInput, build_payee

GOOD = PayeeInput(
    name="王芳", relation="MOTHER", bank="招商银行", account="6225 8800 0000 0000 007".replace(" ", "")
)


def problems(data: PayeeInput, branch_rule: str = "") -> list[tuple[str, str]]:
    try:
        build_payee(Member(number="M1"), data, branch_rule=branch_rule)
    except InvalidInputs as several:
        return [(error.field, error.code) for error in several.errors]
    return []


def card(prefix: str) -> str:
    """A 19-digit card number with the right check digit."""
    from stdnum import luhn

    return prefix + luhn.calc_check_digit(prefix)


def test_a_good_payee_is_masked_and_indexed() -> None:
    payee = build_payee(Member(number="M1"), replace(GOOD, account=card("622588000000000000")))
    assert payee.account_masked.startswith("6225")
    assert "*" in payee.account_masked
    assert len(payee.account_index) == 40


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"account": "12AB"}, ("payee.account", "account")),
        ({"account": "1234567"}, ("payee.account", "account")),
        ({"account": "６２２５８８００００００００００００"}, ("payee.account", "account")),
        ({"clearing_number": "12"}, ("payee.clearing_number", "clearing")),
    ],
)
def test_a_wrong_value_is_named(change: dict[str, str], expected: tuple[str, str]) -> None:
    assert problems(replace(GOOD, account=card("622588000000000000"))) == []
    assert problems(replace(GOOD, **{"account": card("622588000000000000"), **change})) == [expected]


def test_a_wrong_check_digit_names_the_right_one() -> None:
    right = card("622588000000000000")
    wrong = right[:-1] + str((int(right[-1]) + 1) % 10)
    with pytest.raises(InvalidInputs) as caught:
        build_payee(Member(number="M1"), replace(GOOD, account=wrong))
    assert right[-1] in str(caught.value.errors[0].message)


def test_a_corporate_account_needs_no_card_check_digit() -> None:
    right = card("622588000000000000")
    wrong = right[:-1] + str((int(right[-1]) + 1) % 10)
    assert problems(replace(GOOD, account=wrong, corporate=True)) == []


def test_rmb_33_asks_for_the_branch_where_the_series_prints_it() -> None:
    good = replace(GOOD, account=card("622588000000000000"))
    assert problems(good, branch_rule="RMB-33") == [("payee.branch", "required")]
    assert problems(replace(good, branch="徐汇支行"), branch_rule="RMB-33") == []
