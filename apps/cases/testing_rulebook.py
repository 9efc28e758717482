"""pytest plugin: the evidence that every rule of the handbooks is alive.

While the suite runs, every evaluation that the code reports (`adjudication.trace`) is noted with the
test that caused it; tests of rules that only record or describe say so with the fixture:

    rulebook.read_back("RMB-24", address)      the value was read from the database or a screen

`pytest --rulebook docs/rulebook-evidence.json` writes what was seen, also with several workers: what
tests say that did not run this time stays as it was, what they no longer say goes. Only ids of the
shipped handbooks are written. `manage.py rulebook` counts it. Hook it up with
`pytest_plugins = [..., "apps.cases.testing_rulebook"]`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from apps.adjudication import trace
from apps.cases.rulebook import read_evidence, rules_of, shipped_handbooks

KINDS = ("fired", "silent", "read")
Seen = dict[str, dict[str, str]]  # rule id → kind → the first test, by name


class Evidence:
    """What was seen of each rule. Of several tests the first by name is kept, so that runs agree."""

    def __init__(self) -> None:
        self.seen: Seen = {}

    def note(self, rule: str, kind: str, test: str = "") -> None:
        test = test or current_test()
        known = self.seen.setdefault(rule, {})
        known[kind] = min(known.get(kind, test), test)

    def observe(self, rule: str, fired: bool) -> None:
        """A listener of `adjudication.trace`."""
        self.note(rule, "fired" if fired else "silent")

    def merge(self, other: Mapping[str, Mapping[str, str]]) -> None:
        for rule, kinds in other.items():
            for kind, test in kinds.items():
                self.note(rule, kind, test)

    def write(self, path: Path, only: Collection[str] | None = None) -> None:
        """As JSON; `only` these rule ids (tests make up series of their own)."""
        ordered = {
            rule: {kind: kinds[kind] for kind in KINDS if kind in kinds}
            for rule, kinds in sorted(self.seen.items())
            if only is None or rule in only
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"rules": ordered}, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def still_said(known: Seen, collected: Iterable[str], deselected: Iterable[str], root: Path) -> Seen:
    """Of older evidence what this run cannot have said again: tests that were left out, tests in files
    that were not looked at. What stands in files that are gone has gone with them."""
    files, left_out = {file_of(test) for test in collected}, set(deselected)

    def stays(test: str) -> bool:
        file = file_of(test)
        return test in left_out or (file not in files and (root / file).exists())

    kept = {
        rule: {kind: test for kind, test in kinds.items() if stays(test)} for rule, kinds in known.items()
    }
    return {rule: kinds for rule, kinds in kept.items() if kinds}


def file_of(test: str) -> str:
    return test.partition("::")[0]


def current_test() -> str:
    """'apps/claims/tests/test_walk.py::test_closed[2026]', without the phase."""
    return os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]


class Reader:
    """The fixture `rulebook`."""

    def __init__(self, evidence: Evidence):
        self._evidence = evidence

    def read_back(self, rule: str, value: Any) -> None:
        """A rule that records or describes was read back; `value` is what was found and must be something."""
        assert value not in (None, "", [], (), {}), f"{rule}: nothing was read back"
        self._evidence.note(rule, "read")

    def fired(self, rule: str, fired: bool = True) -> None:
        """For checks outside the core that report nothing themselves (a constraint, an HTTP answer)."""
        self._evidence.observe(rule, fired)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rulebook", default="", metavar="FILE", help="write the evidence of the rulebook to FILE"
    )


def pytest_configure(config: pytest.Config) -> None:
    evidence = Evidence()
    config.stash[EVIDENCE] = evidence
    config.stash[COLLECTED], config.stash[DESELECTED] = set(), set()
    config.add_cleanup(trace.listen(evidence.observe))


EVIDENCE = pytest.StashKey[Evidence]()
COLLECTED, DESELECTED = pytest.StashKey[set[str]](), pytest.StashKey[set[str]]()


@pytest.fixture
def rulebook(pytestconfig: pytest.Config) -> Reader:
    return Reader(pytestconfig.stash[EVIDENCE])


def pytest_deselected(items: list[pytest.Item]) -> None:
    for item in items:
        item.config.stash[DESELECTED].add(item.nodeid)


def pytest_collection_finish(session: pytest.Session) -> None:
    session.config.stash[COLLECTED].update(item.nodeid for item in session.items)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: Any) -> None:
    """A worker of xdist is done: its evidence joins ours."""
    told = getattr(node, "workeroutput", {})
    if "rulebook" in told:
        node.config.stash[EVIDENCE].merge(told["rulebook"])
        node.config.stash[COLLECTED].update(told["rulebook_collected"])
        node.config.stash[DESELECTED].update(told["rulebook_deselected"])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    evidence: Evidence = config.stash[EVIDENCE]
    collected: set[str] = config.stash[COLLECTED]
    deselected: set[str] = config.stash[DESELECTED]
    if hasattr(config, "workerinput"):
        config.workeroutput |= {  # type: ignore[attr-defined]
            "rulebook": evidence.seen,
            "rulebook_collected": sorted(collected),
            "rulebook_deselected": sorted(deselected),
        }
    elif config.getoption("--rulebook"):
        path = Path(config.getoption("--rulebook"))
        kept = still_said(read_evidence(path), collected, deselected, config.rootpath)
        evidence.merge(kept)
        published = {rule for handbook in shipped_handbooks() for rule in rules_of(handbook)}
        evidence.write(path, only=published)
