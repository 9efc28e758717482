"""Route and visits (RMB-20, RMB-22, RMB-38, RMB-39; PR-12, PR-13, PR-15)."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.adjudication.facts import VisitFacts
from apps.adjudication.routing import DIRECT, MAIL, ONLINE, group_visits, route, same_visit
from apps.adjudication.tests.builders import (
    DAY,
    bill,
    hospital,
    line,
    make_facts,
    make_handbook,
    make_plan,
    paid,
    printed,
    visit,
    yuan,
)

H2 = hospital("H2")
NEXT = DAY + timedelta(days=1)


def routed(series: str, *visits: VisitFacts, **more: Any) -> Any:
    return route(make_facts(*visits, handbook=printed(series), plan=make_plan(series=series), **more))


@pytest.mark.parametrize(
    ("amount", "third_party", "expected"),
    [
        ("10000.00", 0, ONLINE),  # S22: ≤ includes the figure
        ("10000.01", 0, MAIL),
        ("12000.00", "2000.00", ONLINE),  # PR-12: after third-party settlement
        ("12000.00", "1999.99", MAIL),
    ],
)
def test_rmb20_rmb22_by_the_amount_of_one_visit(amount: str, third_party: object, expected: str) -> None:
    found = routed("2026", visit(bill(line(amount), third_party=third_party)))
    assert found.route == expected
    assert found.rule == ("RMB-20" if expected == ONLINE else "RMB-22")


def test_s24_two_hospitals_on_one_day_stay_on_line_and_are_flagged() -> None:
    found = routed("2026", paid(6000), paid(6000, hospital=H2), paid(6000, on=NEXT))
    assert found.route == ONLINE
    assert [(one.amount, one.route, one.split) for one in found.visits] == [
        (yuan(6000), ONLINE, True), (yuan(6000), ONLINE, True), (yuan(6000), ONLINE, False),
    ]  # fmt: skip
    assert [finding.code for finding in found.findings] == ["SUSPECTED_SPLIT"] * 2
    assert found.findings[0].rule == "PR-15"
    assert found.findings[0].figures["total"] == "12000.00"


def test_s24_the_other_visit_may_be_in_another_claim() -> None:
    alone = routed("2026", paid(6000), day_total=yuan(6000))
    assert (alone.route, alone.visits[0].split) == (ONLINE, True)
    by_day = routed("2026", paid(6000), paid(6000, on=NEXT), day_totals=((NEXT, yuan(6000)),))
    assert [one.split for one in by_day.visits] == [False, True]


def test_s24_a_stay_of_three_days_is_one_visit() -> None:
    stay = paid(12000, visit_type="INPATIENT", until=DAY + timedelta(days=3))
    found = routed("2026", stay)
    assert (found.route, len(found.visits), found.visits[0].split) == (MAIL, 1, False)


def test_s24_two_bills_of_one_visit_add_up() -> None:
    one = visit(bill(line(6000)), bill(line(6000)))
    rows = paid(6000), paid(6000)
    assert routed("2026", one).route == MAIL
    assert routed("2026", *rows).route == MAIL


@pytest.mark.parametrize(
    ("series", "amount", "visit_type", "expected", "rule"),
    [
        ("2024", 50000, "OUTPATIENT", ONLINE, "RMB-38"),
        ("2024", 800, "INPATIENT", MAIL, "RMB-39"),
        ("2026", 8000, "INPATIENT", ONLINE, "RMB-20"),
        ("2024", 800, "OBSERVATION_WARD", ONLINE, "RMB-38"),
    ],
)
def test_s25_by_type_in_one_series_by_amount_in_the_other(
    series: str, amount: int, visit_type: str, expected: str, rule: str
) -> None:
    found = routed(series, paid(amount, visit_type=visit_type))
    assert (found.route, found.rule) == (expected, rule)


def test_2024_has_no_threshold_and_no_split_flag() -> None:
    found = routed("2024", paid(9000), paid(9000, hospital=H2))
    assert found.findings == ()


def test_direct_billing_is_not_routed() -> None:
    assert routed("2026", paid(100000), category="DIRECT").route == DIRECT


def test_void_bills_claim_nothing() -> None:
    found = routed("2026", visit(bill(line(9000)), bill(line(9000), state="VOID")))
    assert (found.route, found.visits[0].amount) == (ONLINE, yuan(9000))


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"hospital": H2}, False),
        ({"department": "眼科"}, False),
        ({"hospital": hospital(department_group="SPECIAL")}, False),
        ({"started_on": NEXT, "ended_on": NEXT}, False),
        ({"visit_type": "EMERGENCY"}, True),
        ({"visit_type": "INPATIENT"}, False),
    ],
)
def test_pr13_what_one_visit_is(change: dict[str, Any], same: bool) -> None:
    one = paid(1)
    assert same_visit(one, replace(one, **change)) is same


@pytest.mark.parametrize(
    ("first", "second", "same"), [("A1", "A1", True), ("A1", "A2", False), ("", "", True)]
)
def test_pr13_one_admission_is_one_visit(first: str, second: str, same: bool) -> None:
    stay = paid(1, visit_type="INPATIENT", admission=first, until=date(2026, 9, 20))
    assert same_visit(stay, replace(stay, admission=second)) is same


def test_groups_keep_the_order_of_first_appearance() -> None:
    a, b, c = paid(1), paid(2, hospital=H2), paid(3)
    assert group_visits((a, b, c)) == ((a, c), (b,))


def test_a_series_decides_basis_and_figure() -> None:
    handbook = make_handbook(parameters={"routing.online_maximum": Decimal("500.00")})
    assert route(make_facts(paid("500.01"), handbook=handbook)).route == MAIL
    by_stay = make_handbook(parameters={"routing.basis": "INPATIENT"})
    assert route(make_facts(paid(99999), handbook=by_stay)).route == ONLINE
