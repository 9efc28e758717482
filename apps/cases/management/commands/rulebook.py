"""manage.py rulebook [--missing] [--json]: every rule of the published handbooks, counted when seen alive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError

from apps.adjudication.handbook import Handbook
from apps.adjudication.parse import parse_handbook
from apps.cases.rulebook import Entry, entries, read_evidence
from apps.products.queries import current_handbooks


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
            self.stdout.write(self._line(entry))
        counted = sum(entry.counted for entry in found)
        self.stdout.write(f"{counted} of {len(found)} rules are proven")

    def _line(self, entry: Entry) -> str:
        mark = "✓" if entry.counted else "·"
        why = "" if entry.counted else f"  not seen: {', '.join(entry.missing)}"
        title = f"{entry.rule.title.zh} / {entry.rule.title.en}"
        return (
            f"{mark} {entry.rule.id:<8} {entry.rule.rule_class:<8} {','.join(entry.series):<10} {title}{why}"
        )


def published() -> list[Handbook]:
    """The handbooks of the database; before anything is loaded, those that come with the house."""
    try:
        found = [version.handbook for version in current_handbooks()]
    except DatabaseError:
        found = []
    if found:
        return found
    folder = settings.BASE_DIR / "fixtures" / "handbooks"
    return [parse_handbook(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.toml"))]
