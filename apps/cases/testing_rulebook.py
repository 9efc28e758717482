"""pytest plugin: the evidence that every rule of the handbooks is alive.

While the suite runs, every evaluation that the code reports (`adjudication.trace`) is noted with the
test that caused it; tests of rules that only record or describe say so with the fixture:

    rulebook.read_back("RMB-24", address)      the value was read from the database or a screen

`pytest --rulebook docs/rulebook-evidence.json` writes what was seen, also with several workers;
`manage.py rulebook` counts it. Hook it up with `pytest_plugins = [..., "apps.cases.testing_rulebook"]`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from apps.adjudication import trace

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

    def write(self, path: Path) -> None:
        ordered = {
            rule: {kind: kinds[kind] for kind in KINDS if kind in kinds}
            for rule, kinds in sorted(self.seen.items())
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"rules": ordered}, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


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
    config.add_cleanup(trace.listen(evidence.observe))


EVIDENCE = pytest.StashKey[Evidence]()


@pytest.fixture
def rulebook(pytestconfig: pytest.Config) -> Reader:
    return Reader(pytestconfig.stash[EVIDENCE])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: Any) -> None:
    """A worker of xdist is done: its evidence joins ours."""
    found = getattr(node, "workeroutput", {}).get("rulebook")
    if found:
        node.config.stash[EVIDENCE].merge(found)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    evidence = config.stash[EVIDENCE]
    if hasattr(config, "workerinput"):
        config.workeroutput["rulebook"] = evidence.seen  # type: ignore[attr-defined]
    elif config.getoption("--rulebook"):
        evidence.write(Path(config.getoption("--rulebook")))
