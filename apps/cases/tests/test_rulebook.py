"""What counts as proven: rules and deadlines of the handbooks, evidence of whole and of partial runs."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from apps.adjudication.handbook import RuleClass
from apps.cases.management.commands.rulebook import line, width
from apps.cases.rulebook import Entry, entries, read_evidence, rules_of, shipped_handbooks
from apps.cases.testing_rulebook import Evidence, Reader, still_said

HERE = "apps/cases/tests/test_rulebook.py"


def entry(rule_id: str, **evidence: str) -> Entry:
    found = {one.rule.id: one for one in entries(shipped_handbooks(), {rule_id: evidence})}
    return found[rule_id]


def test_every_rule_and_every_deadline_is_an_entry() -> None:
    """§1, §6, §7 and the conventions as rules; §4 as rules or clocks: DL-01 to DL-16 and DL-20 to DL-50."""
    found = {one.rule.id for one in entries(shipped_handbooks(), {})}
    assert {f"DL-{n:02d}" for n in (*range(1, 17), *range(20, 51))} <= found
    assert {f"LAW-{n:02d}" for n in range(1, 13)} | {f"C{n}" for n in range(1, 13)} <= found


def test_a_deadline_that_is_only_a_clock_cites_its_rule() -> None:
    decision = entry("DL-34")
    assert (decision.rule.rule_class, decision.series) == (RuleClass.COMPUTE, ["2026"])
    assert decision.rule.source == shipped_handbooks()[1].rules["VAC-34"].source
    assert (
        decision.rule.title.zh == "疫苗理赔核赔"
    )  # the printed one, not the assumed one that borrows its figure
    assert entry("DL-48").rule.rule_class is RuleClass.BLOCK  # a rule stays what its handbook says


@pytest.mark.parametrize(
    ("rule", "evidence", "missing"),
    [
        ("KYC-01", {"fired": "t", "silent": "t"}, ()),
        ("KYC-01", {"fired": "t", "read": "t"}, ("silent",)),
        ("C11", {"read": "t"}, ()),
        ("C11", {"fired": "t", "silent": "t"}, ("read",)),
        ("PR-17", {"read": "t"}, ("fired", "silent")),  # record in 2024, compute in 2026: the stricter counts
        ("DL-34", {}, ("fired", "silent")),
    ],
)
def test_what_is_missing_depends_on_the_class(
    rule: str, evidence: dict[str, str], missing: tuple[str, ...]
) -> None:
    assert entry(rule, **evidence).missing == missing


# --- Runs --------------------------------------------------------------------------------------------


def test_a_partial_run_keeps_what_it_cannot_have_said_again(tmp_path: Path) -> None:
    for name in ("a.py", "b.py"):
        (tmp_path / name).touch()
    known = {
        "R1": {"fired": "a.py::gone", "silent": "b.py::other"},  # a.py was run and does not say it any more
        "R2": {"fired": "a.py::slow"},  # left out by its marker
        "R3": {"read": "c.py::deleted"},  # the file is no more
    }
    kept = still_said(known, collected=["a.py::run"], deselected=["a.py::slow"], root=tmp_path)
    assert kept == {"R1": {"silent": "b.py::other"}, "R2": {"fired": "a.py::slow"}}


def test_only_published_ids_are_written_in_order(tmp_path: Path) -> None:
    evidence, path = Evidence(), tmp_path / "new" / "evidence.json"
    for rule in ("RMB-20", "decide.made_up", "KYC-01"):
        evidence.observe(rule, False)
        evidence.observe(rule, True)
    evidence.write(path, only=set(rules_of(shipped_handbooks()[1])))
    assert list(read_evidence(path)) == ["KYC-01", "RMB-20"]
    assert list(read_evidence(path)["KYC-01"]) == ["fired", "silent"]
    assert read_evidence(tmp_path / "none.json") == {}


@pytest.mark.parametrize("nothing", [None, "", [], {}, ()])
def test_nothing_read_back_proves_nothing(nothing: object) -> None:
    evidence = Evidence()
    with pytest.raises(AssertionError, match="APP-04"):
        Reader(evidence).read_back("APP-04", nothing)
    assert evidence.seen == {}


def test_the_fixture_writes_down_the_test_that_says_it(rulebook: Reader) -> None:
    evidence = Evidence()
    Reader(evidence).fired("X-1", fired=False)
    assert evidence.seen == {"X-1": {"silent": f"{HERE}::test_the_fixture_writes_down_the_test_that_says_it"}}


# --- The command -------------------------------------------------------------------------------------


def test_columns_stand_under_each_other() -> None:
    lines = [line(entry(rule)) for rule in ("C1", "DL-34", "LAW-09")]
    assert len({width(text.partition("not seen")[0]) for text in lines}) == 1
    assert line(entry("C11", read="t")).startswith("✓ C11      record   2024,2026")


@pytest.mark.django_db
def test_the_command_lists_and_sums_up(tmp_path: Path) -> None:
    evidence, path = Evidence(), tmp_path / "evidence.json"
    evidence.note("C11", "read")
    evidence.write(path)
    out = StringIO()
    call_command("rulebook", missing=True, evidence=path, stdout=out)
    text = out.getvalue()
    assert "✓" not in text
    assert "· C10 " in text
    total = len(entries(shipped_handbooks(), {}))
    assert text.rstrip().splitlines()[-1].split() == ["all", "1", "of", str(total), "proven"]
    out = StringIO()
    call_command("rulebook", as_json=True, evidence=path, stdout=out)
    rows = {row["id"]: row for row in json.loads(out.getvalue())}
    assert len(rows) == total
    assert rows["C11"]["counted"]
    assert rows["DL-08"] == {
        "id": "DL-08", "class": "compute", "series": ["2024"], "source": rows["INT-04"]["source"],
        "title": {"zh": "互联网医院理赔核赔", "en": "Decision on an internet claim"}, "counted": False,
        "missing": ["fired", "silent"], "evidence": {},
    }  # fmt: skip
