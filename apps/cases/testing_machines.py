"""For tests: a workflow compared with its machine in the specification.

Each kind of case keeps its machine as `tests/data/machines.tsv` (columns from, to, difference). "*" as a
source stands for the states its test names, "-" for "not there yet". A
difference from the specification carries a mark ("D4") that `docs/architecture-machines.md` explains.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.cases.kinds import Kind

ANY = "*"
NOWHERE = "-"
EXPLAINED = settings.BASE_DIR / "docs" / "architecture-machines.md"
Pair = tuple[str, str]


@dataclass(frozen=True)
class Machine:
    """What the specification says of `kind`, read beside the test at `test_file`."""

    kind: Kind
    test_file: str
    any_source: Collection[str] = ()

    @cached_property
    def rows(self) -> list[dict[str, str]]:
        with (Path(self.test_file).parent / "data" / "machines.tsv").open(encoding="utf-8") as file:
            return list(csv.DictReader(file, delimiter="\t"))

    @cached_property
    def specified(self) -> set[Pair]:
        return {
            (source, row["to"])
            for row in self.rows
            if row["from"] != NOWHERE
            for source in (self.any_source if row["from"] == ANY else [row["from"]])
        }

    @cached_property
    def transitions(self) -> set[Pair]:
        """The pairs of states that the workflow's transitions connect."""
        return {
            (source, transition.target)
            for meta in map(self._meta, dir(self.kind.workflow))
            if meta is not None
            for source, transition in meta.transitions.items()
        }

    def _meta(self, name: str) -> Any:
        return getattr(getattr(self.kind.workflow, name, None), "_django_fsm", None)

    def leaving(self, states: Collection[str]) -> set[Pair]:
        return {pair for pair in self.transitions if pair[0] in states}

    def check(self, letter: str) -> None:
        """Transitions are those specified, every difference ("`letter`1") is explained, states are
        words, and the transitions that actions name exist."""
        assert self.transitions == self.specified
        assert {state for pair in self.transitions for state in pair} == set(self.kind.states)
        marked = {row["difference"] for row in self.rows} - {"", None}
        page = EXPLAINED.read_text(encoding="utf-8")
        assert marked == set(re.findall(rf"^\| ({letter}\d+) \|", page, flags=re.MULTILINE))
        named = {name for action in self.kind.actions.values() for name in action.candidates}
        assert not {name for name in named if self._meta(name) is None}
