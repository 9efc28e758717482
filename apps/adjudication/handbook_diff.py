"""What differs between two handbooks: pure rows by section, entry and field, with both values."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from enum import Enum
from typing import Any

from apps.adjudication.handbook import Condition, Handbook, Step, Title

SECTIONS = (
    "handbook",
    "keys",
    "rules",
    "versions",
    "networks",
    "contacts",
    "services",
    "parameters",
    "documents",
    "triggers",
    "clocks",
)
Say = Callable[[Any], str]
OFFERED, CLOSED = Title("提供", "offered"), Title("不提供", "not offered")
NOISE = frozenset({"source", "rule", "rules", "id", "channel_rule"})


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of one entry. `field` = "" when the whole entry stands on one side only.

    `left` and `right` are texts for people; None = not there. `rule_left` and `rule_right` are the
    ids behind the entry.
    """

    section: str
    key: str
    field: str
    left: str | None
    right: str | None
    title: Title
    rule_left: str = ""
    rule_right: str = ""

    @property
    def kind(self) -> str:
        """ADDED, REMOVED or CHANGED, read from left to right."""
        if self.field or (self.left is not None and self.right is not None):
            return "CHANGED"
        return "ADDED" if self.left is None else "REMOVED"


def diff_handbooks(left: Handbook, right: Handbook, say: Say | None = None) -> tuple[Difference, ...]:
    """All differences, in the order of `SECTIONS` and of the entries; `say` puts a value into words
    (`show`, unless the caller knows the reader's language).

    Line numbers and rule ids are compared only within a series: between two series they differ
    everywhere, and the ids stand in `rule_left` and `rule_right`. Which rule answers to a key is
    always compared.
    """
    skipped = NOISE if left.series != right.series else frozenset()
    rows: list[Difference] = []
    for section in SECTIONS:
        unseen = frozenset({"title"}) if section == "keys" else skipped
        rows += _compare(section, _entries(left, section), _entries(right, section), unseen, say or show)
    return tuple(rows)


@dataclass(frozen=True, slots=True)
class _Head:
    series: str
    title: Title
    operator: str
    tpa: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class _Held:
    """Which rule answers to a key: what most differences between two series come down to."""

    rule: str
    says: Title
    level: Any
    title: Title


def _entries(handbook: Handbook, section: str) -> Mapping[str, Any]:
    """Entries of a section by a name that is the same in both handbooks."""
    if section == "handbook":
        return {"handbook": _Head(handbook.series, handbook.title, handbook.operator, handbook.tpa)}
    if section == "keys":
        return {
            key: _Held(rule.id, rule.says, rule.level, rule.title)
            for rule in handbook.rules.values()
            for key in rule.keys
        }
    if section == "networks":
        return {f"{entry.group} {entry.benefit}": entry for entry in handbook.networks}
    if section == "documents":
        pairs = [(f"{name} {entry.key}", entry) for entry in handbook.documents for name in entry.lists]
        return _numbered(pairs)
    if section in ("triggers", "clocks"):
        return _numbered((_name(entry), entry) for entry in getattr(handbook, section))
    found: Mapping[str, Any] = getattr(handbook, section)
    return found


def _name(entry: Any) -> str:
    """A clock of a key is told apart by the conditions that choose it."""
    chosen = show(entry.when) if hasattr(entry, "stop") else ""
    return f"{entry.key} ({chosen})" if chosen else str(entry.key)


def _numbered(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    entries: dict[str, Any] = {}
    for name, entry in pairs:
        unique, count = name, 1
        while unique in entries:
            count += 1
            unique = f"{name} #{count}"
        entries[unique] = entry
    return entries


def _compare(
    section: str, left: Mapping[str, Any], right: Mapping[str, Any], skipped: frozenset[str], say: Say
) -> list[Difference]:
    rows = []
    for key in [*left, *(key for key in right if key not in left)]:
        old, new = left.get(key), right.get(key)
        if old is None or new is None:
            rows.append(_whole(section, key, old, new, say))
        elif old != new:
            rows += _fields(section, key, old, new, skipped, say)
    return rows


def _whole(section: str, key: str, old: Any, new: Any, say: Say) -> Difference:
    entry = new if old is None else old
    return Difference(
        section,
        key,
        "",
        None if old is None else _summary(old, say),
        None if new is None else _summary(new, say),
        entry.title if hasattr(entry, "title") else Title(key, key),
        "" if old is None else _rule(old),
        "" if new is None else _rule(new),
    )


def _fields(
    section: str, key: str, old: Any, new: Any, skipped: frozenset[str], say: Say
) -> list[Difference]:
    rows = []
    title = getattr(new, "title", Title(key, key))
    for spec in dataclasses.fields(new):
        before, after = getattr(old, spec.name), getattr(new, spec.name)
        if before != after and spec.name not in skipped:
            rows.append(
                Difference(section, key, spec.name, say(before), say(after), title, _rule(old), _rule(new))
            )
    return rows


def _rule(entry: Any) -> str:
    """The rule id behind an entry."""
    if hasattr(entry, "rules"):
        return ", ".join(entry.rules)
    return str(getattr(entry, "rule", "") or getattr(entry, "id", ""))


def _summary(entry: Any, say: Say) -> str:
    """An entry that stands on one side only, in a few words."""
    if hasattr(entry, "offered"):
        return say(OFFERED if entry.offered else CLOSED)
    if hasattr(entry, "duration"):
        return f"{entry.duration} {say(entry.unit)}"
    if hasattr(entry, "value"):
        return say(entry.value)
    if hasattr(entry, "says"):
        return say(entry.says)
    return say(getattr(entry, "title", "")) or say(True)


def show(value: Any) -> str:
    """A value as people read it, the same on screen, in Excel and in the terminal."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Title):
        return f"{value.zh} / {value.en}"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Decimal):
        return f"{value:,f}"
    if isinstance(value, time):
        return value.strftime("%H:%M")
    if isinstance(value, Condition):
        return _condition(value)
    if isinstance(value, Step):
        moment = f"at {value.at}" if value.at is not None else f"{value.offset:+d} {value.offset_unit}"
        return f"{value.kind} {value.to} {moment}"
    if isinstance(value, tuple | list):
        return ", ".join(show(item) for item in value)
    return str(value)


def _condition(condition: Condition) -> str:
    args = " ".join(f"{key}={show(value)}" for key, value in condition.args.items())
    return f"{condition.test} {args}".strip()
