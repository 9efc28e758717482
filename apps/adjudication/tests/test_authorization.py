"""Prior authorization: triggers of both series and what their absence means."""

from decimal import Decimal
from typing import Any

import pytest

from apps.adjudication.authorization import authorization_required
from apps.adjudication.decision import Decision
from apps.adjudication.engine import adjudicate
from apps.adjudication.facts import Facts, LineFacts
from apps.adjudication.handbook import Level
from apps.adjudication.tests.builders import (
    bill,
    hospital,
    line,
    make_facts,
    make_handbook,
    make_plan,
    make_trigger,
    printed,
    visit,
    when,
    yuan,
)

LISTED = hospital("HP", "PRIVATE", networks=("OUTPATIENT", "INPATIENT", "EMERGENCY"))


def direct(series: str, *lines: LineFacts, **more: Any) -> Facts:
    one = visit(bill(*lines), hospital=LISTED, ref="V1", **more.pop("visit", {}))
    return make_facts(
        one,
        handbook=printed(series),
        plan=make_plan(series=series),
        category="DIRECT",
        channel="HOSPITAL",
        **more,
    )


def rules(facts: Facts) -> list[tuple[str, str]]:
    return [(finding.code, finding.rule) for finding in authorization_required(facts)]


STAY = {"visit_type": "INPATIENT"}


@pytest.mark.parametrize(
    ("series", "one", "around", "expected"),
    [
        # S16: unit price, inclusive in one item, exclusive in the other
        ("2026", line("5000.00", "EXAM"), {}, ["PA-09"]),
        ("2026", line("5000.00", "TREATMENT"), {}, ["PA-09"]),
        ("2026", line("4999.99", "EXAM"), {}, []),
        ("2026", line("6000.00", "EXAM", quantity=Decimal(2)), {}, []),
        ("2026", line("6000.00", "EXAM", quantity=Decimal(2), unit_price=yuan(3000)), {}, []),
        ("2024", line("5000.00", "EXAM"), {}, ["PA-24"]),
        ("2024", line("5000.00", "TREATMENT"), {}, []),
        ("2024", line("5000.01", "TREATMENT"), {}, ["PR-08"]),
        ("2024", line("5000.01", "TREATMENT"), STAY, ["PA-23", "PA-30", "PA-34"]),
        # S17: one drug over one treatment
        ("2026", line("3000.00", "DRUG"), {}, []),
        ("2026", line("3000.01", "DRUG"), {}, ["PA-10", "PA-10"]),
        ("2024", line("4000.00", "DRUG"), STAY, ["PA-23", "PA-30"]),
        ("2024", line("5000.01", "DRUG"), STAY, ["PA-23", "PA-30", "PA-34"]),
        ("2024", line("5000.01", "DRUG"), {}, ["PR-08"]),
        # S19: the nebulizer, reversed between the series
        ("2026", line("800.00", "DME", code="NEBULIZER"), {}, []),
        ("2026", line("800.00", "DME"), {}, ["PA-11"]),
        ("2024", line("800.00", "DME", code="NEBULIZER"), {}, ["PA-25", "PA-33"]),
        # stays, ward observation, surgery
        ("2026", line("800.00"), STAY, ["PA-07"]),
        ("2026", line("800.00"), {"visit_type": "OBSERVATION_WARD"}, ["PA-07"]),
        ("2024", line("800.00"), {"visit_type": "OBSERVATION_WARD"}, []),
        ("2026", line("800.00", "SURGERY"), {}, ["PA-07"]),
        ("2024", line("800.00", "SURGERY"), {}, ["PA-23", "PA-32"]),
        ("2024", line("800.00"), {"surgery": True}, ["PA-23", "PA-32"]),
        # special treatments and large examinations
        ("2026", line("800.00", "TREATMENT", procedure_categories=("CHEMOTHERAPY",)), {}, ["PA-08"]),
        ("2024", line("800.00", "TREATMENT", procedure_categories=("HEMODIALYSIS",)), {}, ["PA-08"]),
        ("2026", line("800.00", "EXAM", procedure_categories=("MAJOR_EXAM",)), {}, ["PA-09"]),
        ("2024", line("800.00", "EXAM", procedure_categories=("MAJOR_EXAM",)), {}, ["PA-24", "PA-32"]),
        # critical illness: the tip list of 2024 only
        ("2024", line("800.00"), {"diagnoses": ("C91.0",)}, ["PR-08"]),
        ("2024", line("800.00"), STAY | {"diagnoses": ("C91.0",)}, ["PA-23", "PA-30", "PA-31"]),
        ("2026", line("800.00"), {"diagnoses": ("C91.0",)}, []),
        # the last resort: a course above 30,000
        ("2026", line("800.00"), {"course_cost": yuan("29200.00")}, []),
        ("2026", line("800.00"), {"course_cost": yuan("29200.01")}, ["PA-12"]),
        ("2024", line("800.00"), {"course_cost": yuan("29200.01")}, ["PA-26"]),
        ("2026", line("40000.00"), STAY, ["PA-07", "PA-09"]),
    ],
)  # fmt: skip
def test_triggers(series: str, one: LineFacts, around: dict[str, Any], expected: list[str]) -> None:
    assert sorted(rule for _, rule in rules(direct(series, one, visit=around))) == sorted(expected)


def test_pa10_drugs_are_summed_by_drug_and_warned_about_together() -> None:
    twice = line(1600, "DRUG", code="D1"), line(1600, "DRUG", code="D1")
    assert ("PA_REQUIRED", "PA-10") in rules(direct("2026", *twice))
    different = line(1600, "DRUG", code="D1"), line(1600, "DRUG", code="D2")
    assert rules(direct("2026", *different)) == [("PA_ADVISED", "PA-10")]


def test_pr08_outside_a_stay_the_tip_list_only_warns() -> None:
    finding = authorization_required(direct("2024", line("5000.01", "DRUG")))[0]
    assert (finding.code, finding.level) == ("PA_ADVISED", Level.WARN)
    decision = adjudicate(direct("2024", line("5000.01", "DRUG")))
    assert decision.findings == ()


def test_the_finding_names_the_lines_behind_it() -> None:
    finding = authorization_required(
        direct("2026", line(6000, "EXAM", ref="L1", name="MRI"), line(10, ref="L2"))
    )[0]
    assert (finding.figures["lines"], finding.amount) == ("L1", yuan(6000))
    assert "MRI" in finding.message_zh


def test_s21_app02_no_authorization_for_post_claims() -> None:
    facts = make_facts(
        visit(bill(line(6000, "EXAM"))), handbook=printed("2026"), plan=make_plan(series="2026")
    )
    assert authorization_required(facts) == ()
    assert adjudicate(facts).outcome == "APPROVE"


# --- its absence ------------------------------------------------------------------------------


def decide(series: str, **more: Any) -> Decision:
    return adjudicate(direct(series, line(6000, "EXAM", ref="L1"), line(100, "DRUG", ref="L2"), **more))


def test_pa05_the_insurer_may_refuse_the_related_lines_only() -> None:
    waiting = decide("2026")
    assert (waiting.outcome, waiting.findings[0].rule) == ("REFER", "PA-05")
    assert waiting.findings[0].figures["affected"] == "6000.00"
    assert waiting.findings[0].also == ("PA-09",)
    assert waiting.findings[0].message_en.isascii()
    refused = decide("2026", answers={"PA_MISSING@visit:V1": False})
    assert (refused.outcome, refused.insurer) == ("PARTIAL", yuan(100))
    paid = decide("2026", answers={"PA_MISSING@visit:V1": True})
    assert (paid.outcome, paid.insurer) == ("APPROVE", yuan(6100))


@pytest.mark.parametrize("given", ["*", "visit:V1", "unit_price", "PA-09"])
def test_an_authorization_or_a_notice_in_time_settles_it(given: str) -> None:
    assert decide("2026", authorizations=(given,)).outcome == "APPROVE"


def test_pr07_2024_prints_no_penalty_so_it_is_noted() -> None:
    decision = decide("2024")
    assert decision.outcome == "APPROVE"
    assert [(one.code, one.level, one.rule) for one in decision.findings] == [
        ("PA_MISSING_NOTED", Level.WARN, "PR-07")
    ]


def test_a_stay_without_authorization_concerns_all_its_lines() -> None:
    decision = adjudicate(
        direct("2026", line(100), line(50), visit=STAY, answers={"PA_MISSING@visit:V1": False})
    )
    assert decision.outcome == "DENY"


def test_a_series_that_says_nothing_about_absence() -> None:
    silent = make_handbook(
        triggers=[make_trigger("any", when("always"))], parameters={"authorization.missing": None}
    )
    facts = make_facts(visit(bill(line(10)), hospital=LISTED), handbook=silent, category="DIRECT")
    assert adjudicate(facts).outcome == "APPROVE"
    assert [finding.rule for finding in authorization_required(facts)] == ["trigger.any"]
