"""The closed vocabulary: every test holds and fails once."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from apps.adjudication import keys
from apps.adjudication.conditions import (
    TESTS,
    Subject,
    age_on,
    all_hold,
    holds,
    lines_behind,
    pick_clock,
    subject_of,
    unit_price,
)
from apps.adjudication.errors import HandbookError
from apps.adjudication.facts import Facts
from apps.adjudication.tests.builders import (
    HANDBOOK,
    bill,
    line,
    make_clock,
    make_facts,
    make_handbook,
    member,
    paid,
    printed,
    visit,
    when,
    yuan,
)

ADULT = member(birth_date=date(2000, 1, 1))
STAY = paid(1, visit_type="INPATIENT")

TABLE: list[tuple[str, dict[str, Any], Facts, Facts | None]] = [
    ("always", {}, make_facts(paid(1)), None),
    ("minor", {}, make_facts(paid(1)), make_facts(paid(1), member=ADULT)),
    ("adult", {}, make_facts(paid(1), member=ADULT), make_facts(paid(1))),
    ("visit_type", {"any_of": ["INPATIENT"]}, make_facts(STAY), make_facts(paid(1))),
    ("benefit", {"any_of": ["VACCINE"]}, make_facts(visit(bill(line(1, benefit="VACCINE")))), make_facts(paid(1))),
    ("category", {"any_of": ["VACCINE"]}, make_facts(category="VACCINE"), make_facts()),
    ("channel", {"any_of": ["EMAIL"]}, make_facts(channel="EMAIL"), make_facts()),
    ("surgery", {}, make_facts(paid(1, "SURGERY")), make_facts(paid(1))),
    ("surgery", {}, make_facts(paid(1, surgery=True)), make_facts(paid(1))),
    ("drugs", {}, make_facts(paid(1, "DRUG")), make_facts(paid(1))),
    ("drugs", {}, make_facts(paid(1, drugs_prescribed=True)), make_facts(paid(1))),
    ("third_party", {}, make_facts(visit(bill(line(9), third_party=1))), make_facts(paid(1))),
    ("accident", {}, make_facts(paid(1, cause="ACCIDENT")), make_facts(paid(1))),
    ("mental_health", {}, make_facts(paid(1, "COUNSELING")), make_facts(paid(1))),
    ("amount_at_least", {"yuan": "10.00"}, make_facts(paid("10.00")), make_facts(paid("9.99"))),
    ("amount_at_most", {"yuan": "10.00"}, make_facts(paid("10.00")), make_facts(paid("10.01"))),
    ("e_signed", {}, make_facts(e_signed=True), make_facts()),
    ("bank_data_structured", {}, make_facts(payee_structured=True), make_facts()),
    ("e_card_held", {}, make_facts(e_card=True), make_facts()),
    ("payee_is_guardian", {}, make_facts(payee_relation="GUARDIAN"), make_facts(payee_relation="OTHER")),
    ("payee_is_guardian", {}, make_facts(), make_facts(member=ADULT)),
    ("procedure", {"any_of": ["MAJOR_EXAM"]}, make_facts(paid(1)), None),
    ("item_kind", {"any_of": ["DME"], "none_of": ["NEBULIZER"]}, make_facts(paid(1, "DME")), make_facts(paid(1))),
    ("item_kind", {"any_of": ["X1"]}, make_facts(visit(bill(line(1, code="X1")))), make_facts(paid(1, "DME"))),
    ("unit_price_at_least", {"yuan": "5.00"}, make_facts(paid("5.00")), make_facts(paid("4.99"))),
    ("item_above", {"yuan": "5.00", "kinds": ["DRUG"]}, make_facts(paid("5.01", "DRUG")), make_facts(paid("5.00", "DRUG"))),
    ("single_treatment_above", {"yuan": "5.00"}, make_facts(paid("5.01", "DRUG")), make_facts(paid("5.00", "DRUG"))),
    ("treatment_total_above", {"yuan": "5.00"}, make_facts(paid("5.01", "DRUG")), make_facts(paid("5.00", "DRUG"))),
    ("cumulative_above", {"yuan": "5.00"}, make_facts(paid("5.01")), make_facts(paid("5.00"))),
    ("diagnosis_in", {"list": ["C"]}, make_facts(paid(1, diagnoses=("C91.0",))), make_facts(paid(1, diagnoses=("J06",)))),
    ("in_stay", {}, make_facts(STAY), make_facts(paid(1))),
    ("outside_stay", {}, make_facts(paid(1)), make_facts(STAY)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("test", "args", "yes", "no"), TABLE, ids=[f"{n}-{row[0]}" for n, row in enumerate(TABLE)]
)
def test_vocabulary(test: str, args: dict[str, Any], yes: Facts, no: Facts | None) -> None:
    if test == "procedure":
        yes = make_facts(visit(bill(line(1, procedure_categories=("MAJOR_EXAM",)))))
        no = make_facts(paid(1))
    assert holds(when(test, **args), subject_of(yes))
    if no is not None:
        assert not holds(when(test, **args), subject_of(no))


def test_the_vocabulary_is_complete() -> None:
    assert set(TESTS) == set(keys.CONDITIONS)


def test_route_is_what_the_caller_says() -> None:
    assert holds(when("route", any_of=["MAIL"]), subject_of(make_facts(), "MAIL"))
    assert not holds(when("route", any_of=["MAIL"]), subject_of(make_facts(), "ONLINE"))


def test_diagnoses_may_be_named_by_a_parameter() -> None:
    handbook = make_handbook(parameters={"authorization.critical_illness": ("C",)})
    subject = Subject(handbook, diagnoses=("C91.0",))
    assert holds(when("diagnosis_in", list="authorization.critical_illness"), subject)
    assert not holds(when("diagnosis_in", list="nothing.there"), subject)


def test_an_unknown_test_is_an_error_that_names_it() -> None:
    with pytest.raises(HandbookError) as error:
        holds(when("moon_phase"), Subject(HANDBOOK))
    assert error.value.value == "moon_phase"


def test_lines_behind_a_condition() -> None:
    cheap, dear = line(10), line(6000)
    subject = subject_of(make_facts(visit(bill(cheap, dear))))
    assert lines_behind(when("unit_price_at_least", yuan="5000.00"), subject) == (dear,)
    assert lines_behind(when("minor"), subject) == ()


def test_one_visit_as_the_subject() -> None:
    facts = make_facts(STAY, paid(1))
    assert subject_of(facts, visit=facts.visits[1]).visit_types == frozenset({"OUTPATIENT"})


@pytest.mark.parametrize(
    ("born", "on", "age"),
    [("2008-09-16", "2026-09-16", 18), ("2008-09-17", "2026-09-16", 17), ("2008-02-29", "2026-02-28", 17)],
)
def test_age_in_completed_years(born: str, on: str, age: int) -> None:
    assert age_on(date.fromisoformat(born), date.fromisoformat(on)) == age


@pytest.mark.parametrize(
    ("one", "price"),
    [
        (line(6000, quantity=Decimal(2)), "3000"),
        (line(6000, quantity=Decimal(2), unit_price=yuan(3500)), "3500"),
        (line(6000, quantity=Decimal(0)), "6000"),
    ],
)
def test_unit_price(one: Any, price: str) -> None:
    assert unit_price(one) == Decimal(price)


def test_the_first_clock_of_a_key_whose_conditions_hold() -> None:
    special = make_clock("k", 3, "workdays", when=(when("category", any_of=["VACCINE"]),))
    general = make_clock("k", 5, "workdays")
    handbook = make_handbook(clocks=[special, general])
    assert pick_clock(handbook, "k", Subject(handbook, category="VACCINE")) is special
    assert pick_clock(handbook, "k", Subject(handbook)) is general
    assert pick_clock(handbook, "other", Subject(handbook)) is None


@pytest.mark.parametrize(
    ("visit_type", "category", "rule"),
    [
        ("INPATIENT", "REIMBURSEMENT", "DL-10"),
        ("OUTPATIENT", "VACCINE", "DL-11"),
        ("OUTPATIENT", "REIMBURSEMENT", "DL-14"),
    ],
)
def test_dl10_dl11_dl14_clocks_of_2024(visit_type: str, category: str, rule: str) -> None:
    subject = Subject(printed("2024"), category=category, visit_types=frozenset({visit_type}))
    clock = pick_clock(printed("2024"), "claim.decision", subject)
    assert clock is not None
    assert clock.id == rule


def test_no_condition_is_no_obstacle() -> None:
    assert all_hold((), Subject(HANDBOOK))
