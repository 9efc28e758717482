"""Facts and decisions as JSON: exact errors, canonical text, current schemas, valid examples."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import jsonschema
import pytest

from apps.adjudication.engine import adjudicate
from apps.adjudication.errors import FactsError
from apps.adjudication.facts import Facts
from apps.adjudication.parse_plan import parse_plan
from apps.adjudication.plan import Plan, WaitingPeriod
from apps.adjudication.serialize import (
    MAXIMUM_LINES,
    canonical,
    decision_from_json,
    decision_schema,
    decision_to_json,
    facts_from_json,
    facts_schema,
    facts_to_json,
    handbook_fingerprint,
    plan_fingerprint,
    plan_from_json,
    plan_to_json,
)
from apps.adjudication.tests.builders import (
    HANDBOOK,
    ROOT,
    benefit,
    bill,
    line,
    make_facts,
    make_handbook,
    make_plan,
    photo_id,
    printed,
    visit,
    yuan,
)
from apps.adjudication.tests.regenerate import FOLDER, schemas

PLAN = make_plan(
    benefit(
        shares={"standard": Decimal("0.8"), "unused_social": Decimal("0.6")}, limits=[("YEAR", 5000)],
        items=[("BED", "DAY", 800)], waiting=(WaitingPeriod("ILLNESS", 30),), full_pay_visits=6,
    ),
    excluded_diagnoses=("Z41",),
)  # fmt: skip
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("facts-*.json"))


def facts() -> Facts:
    rows = visit(
        bill(
            line(100, ref="L1", quantity=Decimal("1.5")),
            line(20, "POSTAGE", ref="L2"),
            third_party=10,
            ref="B1",
        ),
        ref="V1",
    )
    return make_facts(rows, plan=PLAN, papers=(photo_id(),), answers={"X": True}, extra={"b": "2", "a": "1"})


def data() -> dict[str, Any]:
    return copy.deepcopy(facts_to_json(facts()))


def read(changed: Any) -> Facts:
    return facts_from_json(changed, HANDBOOK, PLAN)


# --- there and back ---------------------------------------------------------------------------


def test_round_trip_keeps_every_field() -> None:
    again = read(data())
    expected = replace(facts(), handbook_sha=again.handbook_sha, plan_sha=again.plan_sha)
    assert again == expected
    assert again.handbook_sha == handbook_fingerprint(HANDBOOK)


def test_given_hashes_are_kept() -> None:
    stored = facts_to_json(replace(facts(), handbook_sha="abc", plan_sha="def"))
    assert (stored["handbook_sha"], stored["plan_sha"]) == ("abc", "def")
    assert read(stored).handbook_sha == "abc"


def test_canonical_text_is_stable_and_through_real_json() -> None:
    text = canonical(data())
    assert text == canonical(json.loads(text))
    assert canonical(facts_to_json(read(json.loads(text)))) == text
    assert "\n" not in text


def test_amounts_are_texts_and_dates_iso() -> None:
    stored = data()
    assert stored["visits"][0]["bills"][0]["amount"] == "120.00"
    assert stored["visits"][0]["bills"][0]["lines"][0]["quantity"] == "1.5"
    assert stored["visits"][0]["started_on"] == "2026-09-16"
    assert stored["reported_at"].endswith("+08:00")
    assert list(stored["extra"]) == ["a", "b"]


def test_decisions_and_plans_survive() -> None:
    decision = adjudicate(facts())
    assert decision_from_json(json.loads(canonical(decision_to_json(decision)))) == decision
    assert plan_from_json(json.loads(canonical(plan_to_json(PLAN)))) == PLAN


def test_fingerprints_tell_contents_apart() -> None:
    assert handbook_fingerprint(HANDBOOK) == handbook_fingerprint(make_handbook())
    assert handbook_fingerprint(HANDBOOK) != handbook_fingerprint(make_handbook(series="2028"))
    assert plan_fingerprint(PLAN) != plan_fingerprint(make_plan())
    assert handbook_fingerprint(printed("2026")) == handbook_fingerprint(printed("2026"))


# --- what is refused, and how it is said ------------------------------------------------------

Change = Callable[[dict[str, Any]], object]


def set_line(name: str, value: object) -> Change:
    return lambda stored: stored["visits"][0]["bills"][0]["lines"][0].__setitem__(name, value)


def set_bill(name: str, value: object) -> Change:
    return lambda stored: stored["visits"][0]["bills"][0].__setitem__(name, value)


def set_visit(name: str, value: object) -> Change:
    return lambda stored: stored["visits"][0].__setitem__(name, value)


def set_top(name: str, value: object) -> Change:
    return lambda stored: stored.__setitem__(name, value)


LINE, BILL, VISIT = "visits[0].bills[0].lines[0]", "visits[0].bills[0]", "visits[0]"
BAD: list[tuple[Change, str, str]] = [
    (set_line("amount", "-1.00"), f"{LINE}.amount", "not negative"),
    (set_line("amount", "1.005"), f"{LINE}.amount", "two decimals"),
    (set_line("amount", "￥100"), f"{LINE}.amount", "no currency sign"),
    (set_line("amount", "1,000.00"), f"{LINE}.amount", "yuan"),
    (set_line("amount", " 100"), f"{LINE}.amount", "yuan"),
    (set_line("amount", "1e2"), f"{LINE}.amount", "yuan"),
    (set_line("amount", "NaN"), f"{LINE}.amount", "yuan"),
    (set_line("amount", "١٠٠"), f"{LINE}.amount", "yuan"),
    (set_line("amount", 99.99), f"{LINE}.amount", "text"),
    (set_line("amount", True), f"{LINE}.amount", "yuan"),
    (set_line("amount", None), f"{LINE}.amount", "yuan"),
    (set_line("amount", "9999999999999.00"), f"{LINE}.amount", "yuan"),
    (set_line("quantity", "-2"), f"{LINE}.quantity", "not negative"),
    (set_line("kind", "MAGIC"), f"{LINE}.kind", "CONSULT"),
    (set_line("benefit", "PETS"), f"{LINE}.benefit", "OUTPATIENT"),
    (set_line("procedure_categories", ["MAGIC"]), f"{LINE}.procedure_categories", "MAJOR_EXAM"),
    (set_line("procedure_categories", "MAJOR_EXAM"), f"{LINE}.procedure_categories", "list"),
    (set_line("ref", "L2"), "lines.ref", "of its own"),
    (set_line("third_party", "101.00"), f"{LINE}.third_party", "100.00"),
    (set_bill("amount", "90.00"), f"{BILL}.amount", "sum of its lines"),
    (set_bill("third_party", "500.00"), f"{BILL}.third_party", "120.00"),
    (set_bill("issued_on", "2026-09-17"), f"{BILL}.issued_on", "day of the decision"),
    (set_bill("state", "BURNT"), f"{BILL}.state", "VOID"),
    (set_bill("lines", {}), f"{BILL}.lines", "list"),
    (set_visit("started_on", "2026-09-17"), f"{VISIT}.started_on", "day of the decision"),
    (set_visit("started_on", "2026-9-1"), f"{VISIT}.started_on", "a date"),
    (set_visit("started_on", "2026-02-30"), f"{VISIT}.started_on", "a date"),
    (set_visit("ended_on", "2026-09-15"), f"{VISIT}.ended_on", "not before"),
    (set_visit("started_on", "2019-01-01"), f"{VISIT}.started_on", "life of the insured"),
    (set_visit("benefit", "PETS"), f"{VISIT}.benefit", "OUTPATIENT"),
    (set_visit("visit_type", "CRUISE"), f"{VISIT}.visit_type", "INPATIENT"),
    (set_visit("emergency", "yes"), f"{VISIT}.emergency", "true or false"),
    (set_visit("ref", ""), "visits.ref", "of its own"),
    (set_top("reported_at", "2026-09-17T10:00:00+08:00"), "reported_at", "day of the decision"),
    (set_top("reported_at", "2026-09-16T10:00:00"), "reported_at", "offset"),
    (set_top("reported_at", 5), "reported_at", "instant"),
    (set_top("category", "HOLIDAY"), "category", "REIMBURSEMENT"),
    (set_top("channel", "PIGEON"), "channel", "MINIPROGRAM"),
    (set_top("full_visits_used", 1.5), "full_visits_used", "whole number"),
    (set_top("full_visits_used", True), "full_visits_used", "whole number"),
    (set_top("claim_ref", 7), "claim_ref", "text"),
    (set_top("extra", {"a": 1}), "extra.a", "text"),
    (set_top("extra", []), "extra", "object"),
    (set_top("day_totals", [["2026-09-16"]]), "day_totals[0]", "list of 2"),
    (set_top("surprise", 1), "surprise", "one of the fields"),
    (set_top("series", "1999"), "series", "2027"),
    (set_top("plan", "OTHER"), "plan", "P"),
    (set_top("format", 2), "format", "1"),
    (set_top("handbook_sha", 5), "handbook_sha", "text"),
    (set_top("visits", 5), "visits", "list"),
    (set_top("visits", [5]), "visits[0]", "object"),
    (lambda stored: stored.pop("member"), "member", "a value"),
    (lambda stored: stored["policy"].__setitem__("expires_on", "2020-01-01"), "policy.expires_on", "not before"),
    (lambda stored: stored["policy"].__setitem__("continuous_since", "2026-02-01"), "policy.continuous_since", "not after"),
    (lambda stored: stored["papers"][0].__setitem__("kind", "SCROLL"), "papers[0].kind", "INVOICE"),
    (lambda stored: stored["member"].__setitem__("birth_date", "2030-01-01"), "member.birth_date", "decision"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "path", "expected"), BAD, ids=[f"{n}-{row[1]}" for n, row in enumerate(BAD)]
)
def test_bad_input_names_path_value_and_expectation(change: Change, path: str, expected: str) -> None:
    stored = data()
    change(stored)
    with pytest.raises(FactsError) as error:
        read(stored)
    assert error.value.path == path
    assert expected in error.value.expected
    assert path in str(error.value)


@pytest.mark.parametrize("nothing", [None, [], "text", 5])
def test_something_else_than_an_object(nothing: object) -> None:
    with pytest.raises(FactsError):
        read(nothing)


def test_too_many_lines_are_refused_before_anything_is_read() -> None:
    stored = data()
    stored["visits"][0]["bills"][0]["lines"] = [{}] * (MAXIMUM_LINES + 1)
    with pytest.raises(FactsError) as error:
        read(stored)
    assert (error.value.value, str(MAXIMUM_LINES) in error.value.expected) == (MAXIMUM_LINES + 1, True)


def test_two_thousand_lines_are_decided() -> None:
    lines = tuple(line(1, ref=f"L{n}") for n in range(MAXIMUM_LINES))
    large = make_facts(visit(bill(*lines)), plan=PLAN)
    assert adjudicate(read(facts_to_json(large))).billed == yuan(MAXIMUM_LINES)


def test_whole_numbers_and_decimals_are_amounts_too() -> None:
    stored = data()
    stored["visits"][0]["bills"][0]["lines"][0]["amount"] = 100
    stored["visits"][0]["bills"][0]["lines"][1]["amount"] = Decimal("20.0")
    assert read(stored).visits[0].bills[0].lines[0].amount == yuan(100)


# --- schemas and examples ---------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(schemas()))
def test_the_stored_schemas_are_current(name: str) -> None:
    """If this fails: python -m apps.adjudication.tests.regenerate"""
    assert (FOLDER / name).read_text(encoding="utf-8") == schemas()[name]


def test_the_schemas_are_valid_and_describe_what_is_written() -> None:
    for schema in (facts_schema(), decision_schema()):
        jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(facts_schema()).validate(data())
    jsonschema.Draft202012Validator(decision_schema()).validate(decision_to_json(adjudicate(facts())))


@pytest.mark.parametrize(
    "change",
    [
        set_line("amount", "-1.00"),
        set_line("kind", "MAGIC"),
        set_top("surprise", 1),
        set_visit("ended_on", 5),
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(change: Change) -> None:
    stored = data()
    change(stored)
    assert list(jsonschema.Draft202012Validator(facts_schema()).iter_errors(stored))


def plan_of(series: str, code: str) -> Plan:
    path = ROOT / "fixtures" / "plans" / f"{series}-{code}.toml"
    return parse_plan(path.read_text(encoding="utf-8")).plan


OUTCOMES = {
    "facts-2024-full-visits": ("REFER", "2050.00"),
    "facts-2026-direct-unauthorized": ("REFER", "10000.00"),
    "facts-2026-outpatient": ("PARTIAL", "860.51"),
    "facts-2026-stay-mailed": ("PEND", "18660.30"),
}


def test_there_are_examples() -> None:
    assert [path.stem for path in EXAMPLES] == sorted(OUTCOMES)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_validate_and_are_decided(path: Any) -> None:
    stored = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(facts_schema()).validate(stored)
    read_facts = facts_from_json(stored, printed(stored["series"]), plan_of(stored["series"], stored["plan"]))
    decision = adjudicate(read_facts)
    assert (decision.outcome, f"{decision.insurer}") == OUTCOMES[path.stem]
    jsonschema.Draft202012Validator(decision_schema()).validate(decision_to_json(decision))
