"""Plan texts: the samples exercise every field; mistakes say where they stand."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from pathlib import Path

import pytest

from apps.adjudication.handbook import Handbook
from apps.adjudication.parse_plan import PlanText, parse_plan
from apps.adjudication.plan import BenefitPlan, Coinsurance, Plan
from apps.adjudication.reading import HandbookErrors
from apps.adjudication.tests.test_parse import ROOT, book

SAMPLES = sorted((ROOT / "fixtures/plans").glob("*.toml"))
MADE_UP = sorted((ROOT / "apps/products/tests/data").glob("2027-*.toml"))


def read(path: Path) -> PlanText:
    return parse_plan(path.read_text(encoding="utf-8"))


def test_there_is_a_sample_of_every_named_plan() -> None:
    """GEN-01, GEN-03, and the three schemes of GEN-02."""
    found = {(text.plan.series, text.plan.code, text.scheme) for text in map(read, SAMPLES)}
    assert {code for series, code, _ in found if series == "2026"} == {"NATIONAL", "BEIJING"}
    assert len({code for series, code, _ in found if series == "2024"}) == 6
    assert {scheme for series, _, scheme in found if series == "2024"} == {"BASE", "PLUS", "MAX"}


@pytest.mark.parametrize("path", [*SAMPLES, *MADE_UP], ids=lambda path: path.stem)
def test_samples_are_marked_and_belong_to_their_handbook(path: Path) -> None:
    text = read(path)
    handbook: Handbook = book(text.plan.series)
    assert text.plan.sample
    assert text.plan.version in handbook.versions
    assert not text.scheme or text.scheme in handbook.versions


@pytest.mark.parametrize("kind", [Plan, BenefitPlan, Coinsurance])
def test_the_samples_exercise_every_field(kind: type) -> None:
    plans = [read(path).plan for path in SAMPLES]
    benefits = [benefit for plan in plans for benefit in plan.benefits]
    pool = {Plan: plans, BenefitPlan: benefits, Coinsurance: [benefit.coinsurance for benefit in benefits]}[
        kind
    ]
    for field in dataclasses.fields(kind):
        default = None if field.default is dataclasses.MISSING else field.default
        assert any(getattr(row, field.name) != default for row in pool), field.name


SMALL = """
[plan]
code = "P"
series = "2031"
version = "ONE"
title = { zh = "计划", en = "Plan" }
annual_maximum = "1000.00"

[[benefits]]
code = "OUTPATIENT"
limits = [{ per = "YEAR", value = "500.00" }]
coinsurance = { standard = "0.80" }
"""


def test_a_small_plan_reads_back() -> None:
    benefit = parse_plan(SMALL).plan.benefit("OUTPATIENT")
    assert benefit is not None
    assert benefit.limits[0].value == Decimal("500.00")
    assert benefit.coinsurance.standard == Decimal("0.80")


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('code = "OUTPATIENT"', 'code = "SPA"', "benefits[SPA].code"),
        ('per = "YEAR"', 'per = "WEEK"', "benefits[OUTPATIENT].limits[WEEK].per"),
        ('value = "500.00"', 'value = "lots"', "benefits[OUTPATIENT].limits[YEAR].value"),
        (
            'per = "YEAR", value = "500.00"',
            'per = "COUNT_YEAR", value = "1.5"',
            "benefits[OUTPATIENT].limits[COUNT_YEAR].value",
        ),
        ('standard = "0.80"', 'standard = "1.20"', "benefits[OUTPATIENT].coinsurance.standard"),
        ('standard = "0.80"', 'after_full_visits = "0.50"', "benefits[OUTPATIENT].full_pay_visits"),
        ('annual_maximum = "1000.00"', "", "plan.annual_maximum"),
        ('annual_maximum = "1000.00"', 'annual_maximum = "1000.001"', "plan.annual_maximum"),
        ('code = "P"', 'code = "P"\ncolor = "blue"', "plan.color"),
        (
            "coinsurance =",
            'shares_deductible_with = "EYE"\ncoinsurance =',
            "benefits[OUTPATIENT].shares_deductible_with",
        ),
    ],
)
def test_a_mistake_in_a_plan_says_where(old: str, new: str, where: str) -> None:
    assert old in SMALL
    with pytest.raises(HandbookErrors) as caught:
        parse_plan(SMALL.replace(old, new, 1))
    assert where in {error.where for error in caught.value.errors}


def test_a_benefit_stands_once_in_a_plan() -> None:
    with pytest.raises(HandbookErrors, match="every benefit once"):
        parse_plan(SMALL + '\n[[benefits]]\ncode = "OUTPATIENT"\n')
