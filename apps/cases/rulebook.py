"""The rulebook: every rule and deadline of the published handbooks, and whether the suite has seen it alive."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.adjudication.handbook import ClockSpec, Handbook, Rule, RuleClass
from apps.adjudication.parse import parse_handbook

EVIDENCE = Path("docs") / "rulebook-evidence.json"
PROVEN_BY = {
    RuleClass.BLOCK: ("fired", "silent"),
    RuleClass.COMPUTE: ("fired", "silent"),
    RuleClass.RECORD: ("read",),
    RuleClass.MASTER: ("read",),
}


@dataclass
class Entry:
    """One rule id with the series that carry it and what was seen of it."""

    rule: Rule
    series: list[str] = field(default_factory=list)
    evidence: dict[str, str] = field(default_factory=dict)

    @property
    def needed(self) -> tuple[str, ...]:
        return PROVEN_BY[self.rule.rule_class]

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(kind for kind in self.needed if kind not in self.evidence)

    @property
    def counted(self) -> bool:
        return not self.missing

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.rule.id,
            "class": str(self.rule.rule_class),
            "series": self.series,
            "title": {"zh": self.rule.title.zh, "en": self.rule.title.en},
            "source": self.rule.source,
            "counted": self.counted,
            "missing": list(self.missing),
            "evidence": self.evidence,
        }


def read_evidence(path: Path | None = None) -> dict[str, dict[str, str]]:
    """What the last run with `--rulebook` wrote; nothing when there was none."""
    path = path or settings.BASE_DIR / EVIDENCE
    if not path.exists():
        return {}
    found: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))["rules"]
    return found


def shipped_handbooks() -> list[Handbook]:
    """The handbooks that come with the house, read from their files."""
    folder = settings.BASE_DIR / "fixtures" / "handbooks"
    return [parse_handbook(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.toml"))]


def entries(handbooks: Iterable[Handbook], evidence: dict[str, dict[str, str]]) -> list[Entry]:
    """All rule ids in order. A rule that two series class differently must be proven for both."""
    found: dict[str, Entry] = {}
    for handbook in sorted(handbooks, key=lambda handbook: handbook.series):
        for rule in rules_of(handbook).values():
            entry = found.setdefault(rule.id, Entry(rule, [], evidence.get(rule.id, {})))
            entry.series.append(handbook.series)
            if len(PROVEN_BY[rule.rule_class]) > len(entry.needed):
                entry.rule = rule
    return sorted(found.values(), key=lambda entry: _order(entry.rule.id))


def rules_of(handbook: Handbook) -> dict[str, Rule]:
    """Rules by id, and the deadlines that stand in the handbook as clocks only (DL-08, DL-34 …)."""
    deadlines = {clock.id: _deadline(clock, handbook) for clock in reversed(handbook.clocks)}
    return deadlines | dict(handbook.rules)


def _deadline(clock: ClockSpec, handbook: Handbook) -> Rule:
    """A deadline is computed: seen when it sets a day, and when it does not concern a case."""
    cited = handbook.rules[clock.rules[0]]
    return replace(
        cited, id=clock.id, title=clock.title, rule_class=RuleClass.COMPUTE, basis=clock.basis, keys=()
    )


def _order(rule_id: str) -> tuple[str, int, str]:
    name, _dash, number = rule_id.partition("-")
    digits = "".join(character for character in number if character.isdigit())
    return name, int(digits or 0), rule_id
