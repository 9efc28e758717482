"""Money through the engine: tables of (plan, lines) → what each party bears.

The same cases stand worked out in docs/adjudication.md.
"""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.adjudication.decision import Decision
from apps.adjudication.engine import adjudicate
from apps.adjudication.errors import FactsError
from apps.adjudication.facts import Balance, Facts
from apps.adjudication.handbook import Level
from apps.adjudication.tests.builders import (
    DAY,
    benefit,
    bill,
    hospital,
    line,
    make_facts,
    make_handbook,
    make_plan,
    member,
    paid,
    policy,
    printed,
    visit,
    yuan,
)

PERIOD = "P1:M1:2026-01-01|"
NEXT = DAY + timedelta(days=1)


def decide(*visits: Any, **more: Any) -> Decision:
    return adjudicate(make_facts(*visits, **more))


def sums(decision: Decision) -> tuple[str, ...]:
    parts = (
        decision.third_party,
        decision.disallowed,
        decision.deductible,
        decision.member,
        decision.insurer,
    )
    return tuple(f"{part:.2f}" for part in parts)


def codes(decision: Decision) -> list[str]:
    return [finding.code for finding in decision.findings]


def left(what: str, limit: object, used: object = 0, reserved: object = 0) -> Balance:
    return Balance(PERIOD + what, yuan(limit), yuan(used), yuan(reserved))


def moved(decision: Decision) -> dict[str, str]:
    return {one.key.removeprefix(PERIOD): f"{one.amount:.2f}" for one in decision.movements}


# --- worked cases: third party, disallowed, deductible, member, insurer -----------------------

CASES: list[tuple[str, dict[str, Any], list[Any], tuple[str, ...], str]] = [
    ("paid in full", {}, [100], ("0.00", "0.00", "0.00", "0.00", "100.00"), "APPROVE"),
    ("deductible of the visit", {"deductible_visit": yuan(30)}, [100], ("0.00", "0.00", "30.00", "0.00", "70.00"),
     "PARTIAL"),
    ("deductible above the cost", {"deductible_visit": yuan(300)}, [100], ("0.00", "0.00", "100.00", "0.00", "0.00"),
     "PARTIAL"),
    ("visit and year", {"deductible_visit": yuan(30), "deductible_year": yuan(50)}, [100],
     ("0.00", "0.00", "80.00", "0.00", "20.00"), "PARTIAL"),
    ("eighty percent", {"shares": {"standard": Decimal("0.8")}}, [100], ("0.00", "0.00", "0.00", "20.00", "80.00"),
     "PARTIAL"),
    ("deductible before the share", {"deductible_visit": yuan(50), "shares": {"standard": Decimal("0.8")}}, [100],
     ("0.00", "0.00", "50.00", "10.00", "40.00"), "PARTIAL"),
    ("visit limit", {"limits": [("VISIT", 60)]}, [50, 50], ("0.00", "40.00", "0.00", "0.00", "60.00"), "PARTIAL"),
    ("visit limit before the share", {"limits": [("VISIT", 60)], "shares": {"standard": Decimal("0.5")}}, [50, 50],
     ("0.00", "40.00", "0.00", "30.00", "30.00"), "PARTIAL"),
    ("day limit", {"limits": [("DAY", 60)]}, [100], ("0.00", "40.00", "0.00", "0.00", "60.00"), "PARTIAL"),
    ("benefit limit after the share", {"limits": [("YEAR", 60)], "shares": {"standard": Decimal("0.8")}}, [100],
     ("0.00", "20.00", "0.00", "20.00", "60.00"), "PARTIAL"),
    ("share of odd fen", {"shares": {"standard": Decimal("0.333")}}, ["0.01", "0.01", "0.01"],
     ("0.00", "0.00", "0.00", "0.02", "0.01"), "PARTIAL"),
    ("nothing billed", {}, [0], ("0.00", "0.00", "0.00", "0.00", "0.00"), "APPROVE"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("terms", "amounts", "expected", "outcome"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_worked_cases(
    terms: dict[str, Any], amounts: list[Any], expected: tuple[str, ...], outcome: str
) -> None:
    decision = decide(visit(bill(*(line(amount) for amount in amounts))), plan=make_plan(benefit(**terms)))
    assert sums(decision) == expected
    assert decision.outcome == outcome
    assert all(one.balanced for one in decision.lines)


# --- limits -----------------------------------------------------------------------------------


def test_rec02_the_line_that_crosses_the_annual_maximum_is_split() -> None:
    """S53: 3,000 left of 5,000."""
    decision = decide(paid(5000), plan=make_plan(annual=20000), balances=(left("annual", 20000, 17000),))
    assert sums(decision) == ("0.00", "2000.00", "0.00", "0.00", "3000.00")
    finding = decision.findings[0]
    assert (finding.code, finding.rule, finding.amount) == ("ANNUAL_LIMIT", "decide.annual_limit", yuan(2000))
    assert finding.figures["left"] == "3000.00"
    assert finding.ref in decision.lines[0].reasons


def test_reservations_of_others_are_not_available() -> None:
    decision = decide(paid(500), balances=(left("annual", 1000, 300, 400),))
    assert decision.insurer == yuan(300)


@pytest.mark.parametrize(("ceiling", "paid_out"), [(150, [150, 0]), (200, [150, 50]), (1000, [150, 150])])
def test_a_ceiling_is_never_passed_by_one_claim(ceiling: int, paid_out: list[int]) -> None:
    """A ceiling of 150 stored and 1,000 paid: not here."""
    decision = decide(paid(150), paid(150, on=NEXT), plan=make_plan(annual=ceiling))
    assert [one.insurer for one in decision.lines] == [yuan(one) for one in paid_out]


def test_three_services_and_two_items_of_100_are_500() -> None:
    lines = [line(100, "TREATMENT") for _ in range(3)] + [
        line(100, "DRUG", quantity=Decimal(2)) for _ in range(2)
    ]
    decision = decide(visit(bill(*lines)))
    assert (decision.billed, decision.insurer) == (yuan(500), yuan(500))


def test_fen_are_kept_in_the_accumulator() -> None:
    assert moved(decide(paid("99.99")))["annual"] == "99.99"


def test_item_limits_by_day_visit_year_and_count() -> None:
    stay = visit(
        bill(line(3000, "BED", quantity=Decimal(3)), line(100, "NURSING")),
        visit_type="INPATIENT", until=DAY + timedelta(days=3),
    )  # fmt: skip
    by_day = decide(stay, plan=make_plan(benefit("INPATIENT", items=[("BED", "DAY", 800)])))
    assert sums(by_day) == ("0.00", "600.00", "0.00", "0.00", "2500.00")
    found = by_day.findings[0]
    assert (found.code, found.figures["item"], found.figures["per"]) == ("ITEM_LIMIT", "床位", "每日")
    assert found.message_zh == "“床位”限额 800.00 元（每日），超出 600.00 元。"
    assert found.message_en == "bed: at most 800.00 a day; 600.00 is above it."
    by_visit = decide(paid(500, "DRUG"), plan=make_plan(benefit(items=[("DRUG", "VISIT", 300)])))
    assert by_visit.insurer == yuan(300)
    by_year = decide(
        paid(500, "DRUG"), plan=make_plan(benefit(items=[("DRUG", "YEAR", 1000)])),
        balances=(left("item:OUTPATIENT:DRUG:year", 1000, 900),),
    )  # fmt: skip
    assert by_year.insurer == yuan(100)
    pieces = visit(bill(line(300, "DME", quantity=Decimal(3))))
    by_count = decide(pieces, plan=make_plan(benefit(items=[("DME", "COUNT_YEAR", 2)])))
    assert (by_count.insurer, moved(by_count)["item:OUTPATIENT:DME:count"]) == (yuan(200), "2.00")
    untouched = decide(paid(500, "EXAM"), plan=make_plan(benefit(items=[("DRUG", "VISIT", 300)])))
    assert untouched.insurer == yuan(500)


def test_a_stays_day_limit_counts_for_each_of_its_days() -> None:
    stay = paid(5000, visit_type="INPATIENT", until=DAY + timedelta(days=4))
    decision = decide(stay, plan=make_plan(benefit("INPATIENT", limits=[("DAY", 1000)])))
    assert decision.insurer == yuan(4000)


def test_the_day_is_shared_with_other_claims_through_the_ledger() -> None:
    terms = make_plan(benefit(limits=[("DAY", 100)]))
    what = f"benefit:OUTPATIENT:day:{DAY}"
    first = decide(paid(70), plan=terms)
    assert moved(first)[what] == "70.00"
    second = decide(paid(70), plan=terms, balances=(left(what, 100, 70),))
    assert second.insurer == yuan(30)


def test_pr13_rows_of_one_visit_share_its_limit_and_its_deductible() -> None:
    terms = make_plan(benefit(limits=[("VISIT", 100)], deductible_visit=yuan(10)))
    together = decide(paid(80), paid(80), plan=terms)
    assert sums(together) == ("0.00", "60.00", "10.00", "0.00", "90.00")
    apart = decide(paid(80), paid(80, hospital=hospital("H2")), plan=terms)
    assert sums(apart) == ("0.00", "0.00", "20.00", "0.00", "140.00")


def test_the_yearly_deductible_is_borne_once() -> None:
    terms = make_plan(benefit(deductible_year=yuan(100)))
    first = decide(paid(70), paid(70, on=NEXT), plan=terms)
    assert (first.deductible, first.insurer) == (yuan(100), yuan(40))
    later = decide(paid(70), plan=terms, balances=(left("deductible:OUTPATIENT:year", 100, 100),))
    assert later.deductible == 0


def test_benefits_may_share_a_deductible() -> None:
    terms = make_plan(
        benefit("OUTPATIENT", deductible_year=yuan(100)),
        benefit("EMERGENCY", deductible_year=yuan(100), shares_deductible_with="OUTPATIENT"),
    )
    decision = decide(paid(70), paid(70, visit_type="EMERGENCY", on=NEXT), plan=terms)
    assert (decision.deductible, moved(decision)["deductible:OUTPATIENT:year"]) == (yuan(100), "100.00")


def test_visits_a_year_are_counted_when_something_is_paid() -> None:
    terms = make_plan(benefit(limits=[("COUNT_YEAR", 2)]))
    visits = [paid(10, on=DAY + timedelta(days=n)) for n in range(3)]
    decision = decide(*visits, plan=terms)
    assert [one.insurer for one in decision.lines] == [yuan(10), yuan(10), yuan(0)]
    assert codes(decision) == ["COUNT_LIMIT"]
    assert moved(decision)["benefit:OUTPATIENT:count"] == "2.00"
    exhausted = decide(paid(10), plan=terms, balances=(left("annual", 100, 100),))
    assert "benefit:OUTPATIENT:count" not in moved(exhausted)


def test_hlc01_the_ninth_health_check_is_not_paid() -> None:
    terms = make_plan(benefit("HEALTH_CHECK"), benefit("VACCINE"))
    check = paid(200, "HEALTH_CHECK", benefit="HEALTH_CHECK")
    eighth = decide(check, plan=terms, balances=(left("benefit:HEALTH_CHECK:count", 8, 7),))
    ninth = decide(check, plan=terms, balances=(left("benefit:HEALTH_CHECK:count", 8, 8),))
    assert (eighth.outcome, moved(eighth)["benefit:HEALTH_CHECK:count"]) == ("APPROVE", "1.00")
    assert (ninth.outcome, ninth.findings[0].rule) == ("DENY", "decide.health_check_count")
    assert ninth.findings[0].figures["used"] == "8"


def test_epy01_fully_paid_visits_then_co_pay() -> None:
    terms = make_plan(benefit(full_pay_visits=2, shares={"after_full_visits": Decimal("0.7")}))
    visits = [paid(100, on=DAY + timedelta(days=n)) for n in range(3)]
    decision = decide(*visits, plan=terms, full_visits_used=1)
    assert [one.insurer for one in decision.lines] == [yuan(100), yuan(70), yuan(70)]
    assert codes(decision) == ["FULL_VISITS_USED", "COINSURANCE"] * 2
    assert moved(decision)["full:OUTPATIENT"] == "1.00"
    from_ledger = decide(paid(100), plan=terms, full_visits_used=2, balances=(left("full:OUTPATIENT", 2, 0),))
    assert from_ledger.insurer == yuan(100)


def test_epy01_a_late_bill_takes_what_is_left_not_what_others_have() -> None:
    """Consumed in decision order: the earlier visit, decided later, gets the co-pay."""
    terms = make_plan(benefit(full_pay_visits=1, shares={"after_full_visits": Decimal("0.5")}))
    late = decide(paid(100, on=date(2026, 1, 5)), plan=terms, balances=(left("full:OUTPATIENT", 1, 1),))
    assert late.insurer == yuan(50)


# --- third party ------------------------------------------------------------------------------


def test_rmb16_third_party_is_spread_in_proportion_and_lines_may_name_theirs() -> None:
    spread = decide(visit(bill(line(100), line(200), third_party=30)))
    assert [one.third_party for one in spread.lines] == [yuan(10), yuan(20)]
    named = decide(visit(bill(line(100, third_party=40), line(200), third_party=70)))
    assert [one.third_party for one in named.lines] == [yuan("46.92"), yuan("23.08")]
    only_lines = decide(visit(bill(line(100, third_party=40), line(200))))
    assert [one.third_party for one in only_lines.lines] == [yuan(40), yuan(0)]


def test_pr11_the_personal_account_is_never_deducted() -> None:
    decision = decide(visit(bill(line(100), third_party=30, personal_account=yuan(50))))
    assert sums(decision) == ("30.00", "0.00", "0.00", "0.00", "70.00")
    assert decision.findings[0].figures["personal_account"] == "50.00"


def test_a_bill_paid_by_others_is_a_zero_payment_not_a_refusal() -> None:
    decision = decide(visit(bill(line(100), third_party=100)))
    assert (decision.outcome, sums(decision)) == ("APPROVE", ("100.00", "0.00", "0.00", "0.00", "0.00"))


@pytest.mark.parametrize(
    ("plan_terms", "visit_change", "who", "insurer", "outcome"),
    [
        ({"unused_social": Decimal("0.6")}, {}, True, "60.00", "PARTIAL"),
        ({"unused_social": Decimal("0.6")}, {"used_social_insurance": True}, True, "100.00", "APPROVE"),
        ({"unused_social": Decimal("0.6")}, {}, False, "100.00", "APPROVE"),
        (
            {"unused_social": Decimal("0.6")},
            {"hospital": hospital(department_group="SPECIAL")},
            True,
            "100.00",
            "APPROVE",
        ),
        ({}, {}, True, "100.00", "APPROVE"),
    ],
)
def test_pr11_social_insurance_not_used(
    plan_terms: dict[str, Any], visit_change: dict[str, Any], who: bool, insurer: str, outcome: str
) -> None:
    plan = make_plan(benefit(shares=plan_terms))
    decision = decide(paid(100, **visit_change), plan=plan, member=member(social_insurance=who))
    assert (f"{decision.insurer}", decision.outcome) == (insurer, outcome)


@pytest.mark.parametrize(
    ("priced_net", "used", "shares", "outcome"),
    [
        (True, False, {}, "REFER"),
        (True, True, {}, "APPROVE"),
        (False, False, {}, "APPROVE"),
        (True, False, {"unused_social": Decimal("0.6")}, "PARTIAL"),
    ],
)
def test_pr11_only_a_plan_priced_net_minds_the_missing_settlement(
    priced_net: bool, used: bool, shares: dict[str, Any], outcome: str
) -> None:
    plan = make_plan(benefit(shares=shares), priced_net_of_social=priced_net)
    facts = make_facts(paid(100, used_social_insurance=used), plan=plan, member=member(social_insurance=True))
    assert adjudicate(facts).outcome == outcome


# --- bills ------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["VOID", "RED_LETTER"])
def test_law11_a_void_bill_supports_nothing(state: str) -> None:
    decision = decide(visit(bill(line(100), state=state, third_party=20), bill(line(50))))
    assert sums(decision) == ("0.00", "100.00", "0.00", "0.00", "50.00")
    assert codes(decision) == ["BILL_VOID"]


@pytest.mark.parametrize(
    ("second", "duplicate"),
    [
        ({"identity": "X", "bill_type": "FISCAL_PAPER"}, True),
        ({"identity": "X", "bill_type": "FISCAL_E"}, True),  # the exchanged e-bill and its paper
        ({"identity": "X", "bill_type": "VAT"}, False),
        ({"identity": "Y"}, False),
        ({"identity": "Y", "duplicate_of": "C0"}, True),
    ],
)
def test_law11_a_bill_is_accepted_once(second: dict[str, Any], duplicate: bool) -> None:
    decision = decide(visit(bill(line(100), identity="X"), bill(line(100), **second)))
    assert decision.insurer == yuan(100 if duplicate else 200)
    assert ("BILL_DUPLICATE" in codes(decision)) is duplicate


@pytest.mark.parametrize(
    ("broken", "path"),
    [
        (bill(line(100), amount=yuan(90)), "amount"),
        (bill(line(100), third_party=101), "third_party"),
        (bill(line(100, third_party=101)), "lines[0].third_party"),
        (bill(replace(line(100), amount=yuan(-1))), "lines[0].amount"),
        (bill(line(100), third_party=-1), "third_party"),
    ],
)
def test_contradictory_bills_are_refused_by_name(broken: Any, path: str) -> None:
    with pytest.raises(FactsError) as error:
        decide(visit(broken))
    assert error.value.path.endswith(path)
    assert error.value.expected


# --- cover ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "renewed", "cause", "denied"),
    [
        (date(2026, 1, 30), False, "ILLNESS", True),  # the last of 30 days
        (date(2026, 1, 31), False, "ILLNESS", False),
        (date(2026, 1, 15), True, "ILLNESS", False),
        (date(2026, 1, 15), False, "ACCIDENT", False),
    ],
)
def test_pr16_waiting_periods_by_cause_and_renewal(on: date, renewed: bool, cause: str, denied: bool) -> None:
    from apps.adjudication.plan import WaitingPeriod

    plan = make_plan(benefit(waiting=(WaitingPeriod("ILLNESS", 30),)))
    decision = decide(paid(100, on=on, cause=cause), plan=plan, policy=policy(renewed=renewed))
    assert (codes(decision) == ["WAITING_PERIOD"]) is denied
    assert decision.outcome == ("DENY" if denied else "APPROVE")
    if denied:
        assert decision.findings[0].figures["last"] == "2026-01-30"


@pytest.mark.parametrize(
    ("diagnoses", "exclusions", "plan_excluded", "code", "outcome"),
    [
        (("J45.9",), ("J45",), (), "EXCLUSION", "DENY"),
        (("J06.9", "J45.9"), ("J45",), (), "EXCLUSION_SECONDARY", "REFER"),
        (("Q21.1",), (), ("Q",), "EXCLUSION", "DENY"),
        (("J06.9",), ("J45",), ("Q",), "", "APPROVE"),
        ((), ("J45",), ("Q",), "", "APPROVE"),
    ],
)
def test_exclusions(
    diagnoses: tuple[str, ...],
    exclusions: tuple[str, ...],
    plan_excluded: tuple[str, ...],
    code: str,
    outcome: str,
) -> None:
    decision = decide(
        paid(100, diagnoses=diagnoses), policy=policy(exclusions=exclusions, exclusion_text="哮喘除外"),
        plan=make_plan(excluded_diagnoses=plan_excluded),
    )  # fmt: skip
    assert codes(decision) == ([code] if code else [])
    assert decision.outcome == outcome


@pytest.mark.parametrize(
    ("kind", "code", "rule"),
    [
        ("NO_SHOW", "NO_SHOW", "decide.no_show"),
        ("POSTAGE", "POSTAGE", "decide.postage"),
        ("FREE_CONSULT", "FREE_CONSULT", "decide.free_consult"),
        ("HOME_TEST", "TST_SELF_PURCHASE", "decide.home_test"),
    ],
)
def test_never_payable(kind: str, code: str, rule: str) -> None:
    decision = decide(visit(bill(line(100), line(30, kind))))
    assert sums(decision) == ("0.00", "30.00", "0.00", "0.00", "100.00")
    assert [(one.code, one.rule) for one in decision.findings] == [(code, rule)]


def test_never_payable_also_where_the_series_prints_nothing() -> None:
    silent = make_handbook(without=("decide.postage", "decide.home_test", "decide.not_covered"))
    decision = decide(visit(bill(line(30, "POSTAGE"), line(50, "HOME_TEST"))), handbook=silent)
    assert [one.rule for one in decision.findings] == ["PLAN", "PLAN"]


def test_tst11_an_ordered_test_of_the_designated_provider_is_no_self_purchase() -> None:
    ordered = visit(bill(line(50, "HOME_TEST", provider="JD_HEALTH")))
    assert decide(ordered, category="DIRECT").outcome == "APPROVE"
    assert decide(ordered).outcome == "DENY"


def test_rec02_a_benefit_outside_the_plan_and_a_missing_rider() -> None:
    assert codes(decide(paid(1, benefit="EYE"))) == ["NOT_COVERED"]
    plan = make_plan(benefit(), benefit("VACCINE", rider="VACCINE"))
    mixed = visit(bill(line(100), line(200, "VACCINE")))
    decision = decide(mixed, plan=plan)
    assert (codes(decision), decision.insurer) == (["NO_RIDER"], yuan(100))
    assert decide(mixed, plan=plan, policy=policy(riders=("VACCINE",))).insurer == yuan(300)


@pytest.mark.parametrize(
    ("series", "where", "one", "code"),
    [
        ("2026", hospital(), line(1, "VACCINE"), ""),
        ("2026", hospital(department_group="SPECIAL"), line(1, "VACCINE"), "VACCINE_DEPARTMENT"),
        ("2026", hospital(grade=1), line(1, "VACCINE"), ""),
        ("2024", hospital(grade=1), line(1, "VACCINE"), "VACCINE_GRADE"),
        ("2026", hospital(), line(1, "TREATMENT", benefit="DENTAL"), "DIRECT_ONLY"),
        ("2024", hospital(), line(1, "TREATMENT", benefit="EYE"), "DIRECT_ONLY"),
    ],
)
def test_vac06_vac23_lines_of_other_benefits_obey_their_own_way(
    series: str, where: Any, one: Any, code: str
) -> None:
    plan = make_plan(*(benefit(c) for c in ("OUTPATIENT", "VACCINE", "DENTAL", "EYE")), series=series)
    decision = decide(visit(bill(line(100), one), hospital=where), plan=plan, handbook=printed(series))
    assert codes(decision) == ([code] if code else [])
    assert decision.insurer == yuan(100 if code else 101)
    listed = decide(
        visit(bill(line(100), one), hospital=where), plan=plan, handbook=printed(series), category="DIRECT"
    )
    assert codes(listed) == []


def test_excluded_items_by_kind_code_and_category() -> None:
    plan = make_plan(benefit(excluded_items=("MATERIAL", "X1")), excluded_items=("CATEGORY_C",))
    lines = [line(1), line(2, "MATERIAL"), line(3, code="X1"), line(4, category="C"), line(5, category="A")]
    decision = decide(visit(bill(*lines)), plan=plan)
    assert [one.insurer for one in decision.lines] == [yuan(1), 0, 0, 0, yuan(5)]


VACCINE_PLAN = make_plan(benefit("VACCINE"), benefit("HEALTH_CHECK"))


@pytest.mark.parametrize(
    ("one", "code"),
    [
        (line(1, "VACCINE"), ""),
        (line(1, "VACCINATION"), ""),
        (line(1, "INJECTION"), ""),
        (line(1, "VACCINE", vaccine_approved=False), "VACCINE_NOT_APPROVED"),
        (line(1, "VACCINE", vaccine_experimental=True), "VACCINE_NOT_APPROVED"),
        (line(1, "CONSULT"), "VACCINE_CONSULT"),
        (line(1, "REGISTRATION"), "VACCINE_CONSULT"),
        (line(1, "EXAM"), "VACCINE_ITEM"),
    ],
)
def test_hlc04_vaccine_and_injection_fee_only(one: Any, code: str) -> None:
    decision = decide(visit(bill(one), benefit="VACCINE"), plan=VACCINE_PLAN)
    assert codes(decision) == ([code] if code else [])
    assert decision.outcome == {"": "APPROVE", "VACCINE_CONSULT": "REFER"}.get(code, "DENY")


@pytest.mark.parametrize(
    ("one", "code"),
    [
        (line(1, "HEALTH_CHECK"), ""),
        (line(1, "HEALTH_CHECK", code="CHECK_UP"), ""),
        (line(1, "EXAM", code="FEEDING_ADVICE"), ""),
        (line(1, "HEALTH_CHECK", code="FACIAL"), "HEALTH_CHECK_ITEM"),
        (line(1, "TREATMENT"), "HEALTH_CHECK_ITEM"),
        (line(1, "CONSULT"), "HEALTH_CHECK_CONSULT"),
    ],
)
def test_hlc02_items_of_a_health_check(one: Any, code: str) -> None:
    decision = decide(visit(bill(one), benefit="HEALTH_CHECK"), plan=VACCINE_PLAN)
    assert codes(decision) == ([code] if code else [])


@pytest.mark.parametrize(
    ("riders", "needs", "codes_expected"),
    [((), True, ["HEALTH_CHECK_RIDER"]), (("VACCINE",), True, []), ((), False, [])],
)
def test_pr17_check_ups_come_with_the_vaccine_rider(
    riders: Any, needs: bool, codes_expected: list[str]
) -> None:
    plan = make_plan(
        benefit("HEALTH_CHECK"), benefit("VACCINE", rider="VACCINE"), health_check_needs_rider=needs
    )
    decision = decide(
        paid(1, "HEALTH_CHECK", benefit="HEALTH_CHECK"), plan=plan, policy=policy(riders=riders)
    )
    assert codes(decision) == codes_expected


MENTAL = make_plan(benefit("MENTAL_HEALTH"))
MET = {
    "psychiatrist_diagnosed": True, "psychiatrist_recommended": True, "conditions": ("DEPRESSION",),
    "hospital": hospital(networks=("OUTPATIENT",)),
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({}, ""),
        ({"psychiatrist_diagnosed": False}, "确诊"),
        ({"psychiatrist_recommended": False}, "建议"),
        ({"conditions": ("ANXIETY",)}, "病种"),
        ({"hospital": hospital()}, "网络"),
    ],
)
def test_vas17_counselling_needs_all_four(change: dict[str, Any], missing: str) -> None:
    decision = decide(paid(300, "COUNSELING", benefit="MENTAL_HEALTH", **(MET | change)), plan=MENTAL)
    assert decision.outcome == ("DENY" if missing else "APPROVE")
    if missing:
        assert missing in decision.findings[0].message_zh


def test_d46_a_series_without_counselling_leaves_it_to_the_contract() -> None:
    closed = make_handbook(without=("decide.mental_health",))
    session = paid(300, "COUNSELING", benefit="MENTAL_HEALTH", ref="V1")
    agreed = decide(session, plan=MENTAL, handbook=closed)
    assert (agreed.outcome, codes(agreed)) == ("REFER", ["MENTAL_HEALTH_CLOSED"])
    assert decide(session, handbook=closed).outcome == "DENY"


def test_c9_service_outside_the_policy_is_denied_and_another_series_blocked() -> None:
    assert codes(decide(paid(1), policy=policy(status="PENDING"))) == ["NOT_IN_FORCE"]
    blocked = decide(paid(100), plan=make_plan(series="1999"))
    assert (blocked.outcome, blocked.insurer, blocked.movements) == ("BLOCKED", 0, ())


@pytest.mark.parametrize(("belongs", "outcome"), [(True, "APPROVE"), (False, "REFER")])
def test_pr14_a_stay_over_the_end_of_the_policy(belongs: bool, outcome: str) -> None:
    stay = paid(100, visit_type="INPATIENT", on=date(2026, 12, 30), until=date(2027, 1, 4))
    assert decide(stay, plan=make_plan(stay_belongs_to_admission=belongs)).outcome == outcome


# --- identity ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "papers", "outcome"),
    [("10000.00", (), "PEND"), ("9999.99", (), "APPROVE")],
)
def test_kyc01_photo_identity_from_the_threshold(amount: str, papers: Any, outcome: str) -> None:
    decision = decide(paid(amount), papers=papers)
    assert decision.outcome == outcome
    assert bool(decision.open_referrals()) is (outcome == "PEND")


def test_pr02_without_any_photo_a_person_decides() -> None:
    decision = decide(paid(10000), papers=(), answers={"PHOTO_ID_MISSING": True})
    assert (decision.outcome, decision.findings[0].overridden) == ("APPROVE", "理由")


# --- overrides --------------------------------------------------------------------------------


def referred(**answers: bool) -> Facts:
    plan = make_plan(benefit("VACCINE"))
    shot = visit(bill(line(500, "VACCINE"), line(40, "CONSULT", ref="L1")), benefit="VACCINE")
    chosen = {f"VACCINE_CONSULT@line:{ref}": accept for ref, accept in answers.items()}
    return make_facts(shot, plan=plan, answers=chosen)


def test_a_referral_waits_and_shows_what_would_be_paid() -> None:
    decision = adjudicate(referred())
    assert (decision.outcome, decision.insurer) == ("REFER", yuan(540))
    assert decision.findings[0].discretion


def test_a_person_pays_or_refuses() -> None:
    accepted, refused = adjudicate(referred(L1=True)), adjudicate(referred(L1=False))
    assert (accepted.outcome, accepted.insurer) == ("APPROVE", yuan(540))
    assert (refused.outcome, refused.insurer) == ("PARTIAL", yuan(500))
    assert codes(refused) == ["VACCINE_CONSULT", "REFUSED_BY_PERSON"]
    assert refused.findings[1].figures["actor"] == "reviewer"


def test_an_override_where_the_text_leaves_no_room_is_ignored_and_traced() -> None:
    decision = decide(visit(bill(line(30, "POSTAGE", ref="L9"))), answers={"POSTAGE@line:L9": True})
    assert decision.outcome == "DENY"
    assert decision.trace[-1] == {"step": "overrides_ignored", "findings": ["POSTAGE@line:L9"]}


# --- the decision as a whole ------------------------------------------------------------------


def test_adjudication_is_deterministic_and_leaves_its_facts_alone() -> None:
    facts = make_facts(visit(bill(line(100), line(200, "POSTAGE"), third_party=33)), paid(70, on=NEXT))
    before = repr(facts)
    assert adjudicate(facts) == adjudicate(facts)
    assert repr(facts) == before


def test_every_finding_says_what_would_change_it() -> None:
    plan = make_plan(
        benefit(deductible_year=yuan(10), shares={"standard": Decimal("0.9")}, limits=[("YEAR", 50)])
    )
    decision = decide(visit(bill(line(100), line(9, "NO_SHOW"), third_party=5)), plan=plan)
    assert {"THIRD_PARTY", "NO_SHOW", "DEDUCTIBLE", "COINSURANCE", "BENEFIT_LIMIT"} == set(codes(decision))
    for finding in decision.findings:
        texts = (finding.message_zh, finding.message_en, finding.remedy_zh, finding.remedy_en)
        assert all(texts), finding.code
        assert not any("{" in text for text in texts)
        assert finding.rule
        assert finding.source


def test_the_trace_shows_each_step() -> None:
    decision = decide(paid(100))
    assert decision.trace[0]["step"] == "series_of_service"
    assert decision.trace[-1] == {
        "step": "money",
        "visit": decision.lines[0].visit,
        "open": "100.00",
        "findings": 0,
    }


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_both_printed_series_decide(series: str) -> None:
    plan = make_plan(benefit(deductible_visit=yuan(50)), series=series)
    decision = decide(visit(bill(line(100), line(20, "NO_SHOW"))), handbook=printed(series), plan=plan)
    assert sums(decision) == ("0.00", "20.00", "50.00", "0.00", "50.00")
    rules = {finding.code: finding.rule for finding in decision.findings}
    expected = {"2024": ("APT-25", "APP-20"), "2026": ("APT-13", "GEN-07")}[series]
    assert (rules["NO_SHOW"], rules["DEDUCTIBLE"]) == expected
    assert all(finding.level in Level for finding in decision.findings)
