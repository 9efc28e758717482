"""manage.py rulebook [--missing] [--json]: every rule of the published handbooks, counted when seen alive.

✓ RMB-20   compute  2026       一万元及以下线上 / Up to 10,000 online
· PA-03    compute  2026       提前五工作日 / Five working days ahead           not seen: fired, silent
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError

from apps.adjudication.handbook import Handbook, RuleClass
from apps.cases.rulebook import Entry, entries, read_evidence, shipped_handbooks
from apps.products.queries import current_handbooks

TITLE_WIDTH = 62


class Command(BaseCommand):
    help = "List every rule id with its class and whether the suite recorded it alive."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--missing", action="store_true", help="Only rules that are not proven yet.")
        parser.add_argument("--json", action="store_true", dest="as_json")
        parser.add_argument(
            "--evidence", type=Path, default=None, help="Evidence file (docs/rulebook-evidence.json)."
        )

    def handle(self, *args: Any, missing: bool, as_json: bool, evidence: Path | None, **options: Any) -> None:
        found = entries(published(), read_evidence(evidence))
        shown = [entry for entry in found if not (missing and entry.counted)]
        if as_json:
            self.stdout.write(json.dumps([entry.as_json() for entry in shown], ensure_ascii=False, indent=1))
            return
        for entry in shown:
            self.stdout.write(line(entry))
        self.stdout.write("")
        for rule_class in RuleClass:
            self._total(rule_class, [entry for entry in found if entry.rule.rule_class is rule_class])
        self._total("all", found)

    def _total(self, name: str, counted: list[Entry]) -> None:
        proven = sum(entry.counted for entry in counted)
        self.stdout.write(f"{name:<8} {proven:>4} of {len(counted):>4} proven")


def line(entry: Entry) -> str:
    """One rule on one line; the columns stand under each other although a Chinese glyph is two wide."""
    mark = "✓" if entry.counted else "·"
    title = f"{entry.rule.title.zh} / {entry.rule.title.en}"
    shown = f"{mark} {entry.rule.id:<8} {entry.rule.rule_class:<8} {','.join(entry.series):<10} {title}"
    if entry.counted:
        return shown
    return f"{shown}{' ' * (TITLE_WIDTH - width(title))}  not seen: {', '.join(entry.missing)}"


def width(text: str) -> int:
    """Columns on a terminal."""
    return sum(2 if east_asian_width(glyph) in "WF" else 1 for glyph in text)


def published() -> list[Handbook]:
    """The handbooks of the database; before anything is loaded, those that come with the house."""
    try:
        found = [version.handbook for version in current_handbooks()]
    except DatabaseError:
        found = []
    return found or shipped_handbooks()
