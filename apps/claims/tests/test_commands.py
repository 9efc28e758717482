"""The commands: adjudicate a file of facts, compute a due date, list the rulebook."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.adjudication.serialize import facts_to_json
from apps.cases.rulebook import entries, read_evidence
from apps.cases.testing_rulebook import Evidence
from apps.claims.assess import assess
from apps.claims.tests.world import World
from apps.products.actions import load_calendar


def run(*args: Any, **options: Any) -> str:
    out = StringIO()
    call_command(*args, stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def facts_file(world: World, tmp_path: Path) -> Path:
    lines = [world.line("500.00"), world.line("18.00", kind="POSTAGE", name="快递费")]
    case = world.see(world.claim(world.visit([world.bill(lines=lines)])))
    path = tmp_path / "facts.json"
    path.write_text(json.dumps(facts_to_json(assess(case, world.now).facts)), encoding="utf-8")
    return path


def test_adjudicate_prints_a_table(facts_file: Path) -> None:
    text = run("adjudicate", str(facts_file))
    assert "PARTIAL" in text
    assert "快递费" in text
    assert "500.00" in text
    assert "RMB-23" in text


def test_adjudicate_as_json(facts_file: Path) -> None:
    decision = json.loads(run("adjudicate", str(facts_file), as_json=True))
    assert decision["insurer"] == "500.00"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "line 1"),
        ("[]", "an object"),
        ('{"series": "1999", "plan": "X"}', "1999"),
        ('{"series": "2026", "plan": "NONE"}', "NONE"),
        ('{"series": "2026", "plan": "NATIONAL"}', "expected"),
    ],
)
def test_adjudicate_names_what_is_wrong(world: World, tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "facts.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CommandError, match=words):
        run("adjudicate", str(path))


def test_adjudicate_without_a_file(world: World, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        run("adjudicate", str(tmp_path / "nothing.json"))


def test_due_counts_the_days(world: World) -> None:
    load_calendar([2026])
    text = run("due", "claim.decision", series="2026", start="2026-09-28", pause=["2026-09-30..2026-10-09"])
    assert "Tue 2026-10-13" in text
    assert "DL-34" in text


def test_due_by_rule_id_and_standing(world: World) -> None:
    assert "stands still; 3 left" in run(
        "due", "DL-34", series="2026", start="2026-09-28", pause=["2026-09-30.."]
    )


@pytest.mark.parametrize(
    ("clock", "series", "start", "pause", "words"),
    [
        ("claim.decision", "1999", "2026-09-28", [], "1999"),
        ("claim.dream", "2026", "2026-09-28", [], "claim.decision"),
        ("claim.decision", "2026", "soon", [], "expected"),
        ("claim.decision", "2026", "2026-13-40", [], "expected"),
        ("claim.decision", "2026", "2026-09-28", ["2026-09-30"], "expected"),
    ],
)
def test_due_names_what_is_wrong(
    world: World, clock: str, series: str, start: str, pause: list[str], words: str
) -> None:
    with pytest.raises(CommandError, match=words):
        run("due", clock, series=series, start=start, pause=pause)


# --- Rulebook -----------------------------------------------------------------------------------------


def test_the_rulebook_counts_what_the_suite_has_seen(world: World, tmp_path: Path) -> None:
    evidence = Evidence()
    evidence.observe("RMB-20", True)
    evidence.observe("RMB-20", False)
    evidence.observe("KYC-01", False)
    evidence.note("RMB-24", "read")
    path = tmp_path / "evidence.json"
    evidence.write(path)
    listed = {entry["id"]: entry for entry in json.loads(run("rulebook", as_json=True, evidence=path))}
    assert listed["RMB-20"]["counted"]
    assert listed["KYC-01"]["missing"] == ["fired"]
    assert listed["RMB-24"]["counted"] == (listed["RMB-24"]["class"] in ("record", "master"))
    assert listed["LAW-01"]["series"] == ["2024", "2026"]
    missing = run("rulebook", missing=True, evidence=path)
    assert "KYC-01" in missing
    assert "RMB-20 " not in missing


def test_evidence_of_several_workers_is_merged() -> None:
    one, other = Evidence(), Evidence()
    one.note("PA-01", "fired", "b.py::test")
    other.note("PA-01", "fired", "a.py::test")
    other.note("PA-01", "silent", "c.py::test")
    one.merge(other.seen)
    assert one.seen == {"PA-01": {"fired": "a.py::test", "silent": "c.py::test"}}


def test_without_evidence_nothing_counts(world: World, tmp_path: Path) -> None:
    assert read_evidence(tmp_path / "none.json") == {}
    handbook = world.handbook("2026").handbook
    assert not any(entry.counted for entry in entries([handbook], {}))
