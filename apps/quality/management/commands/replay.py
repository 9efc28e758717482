"""manage.py replay [--handbook FILE] [--plan FILE]: decide stored decisions again; nothing is saved.

Without a file every decision must come out as it was booked, else the command ends with 1.
"""

from __future__ import annotations

import dataclasses
import json
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.claims.replay import Comparison, compare
from apps.core.errors import DomainError, InvalidInputs
from apps.core.money import format_yuan
from apps.quality.actions.replays import Question, decisions_of, swap_of


class Command(BaseCommand):
    help = "Decide stored decisions again: unchanged, or under another handbook or plan."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--handbook", type=Path, help="what if this handbook had been in force")
        parser.add_argument("--plan", type=Path, help="what if this plan had been agreed")
        parser.add_argument("--series", default="", help="decisions of this series only")
        parser.add_argument("--since", type=date.fromisoformat, help="decided on or after, YYYY-MM-DD")
        parser.add_argument("--until", type=date.fromisoformat, help="decided on or before, YYYY-MM-DD")
        parser.add_argument("--lines", action="store_true", help="show the lines that differ, too")
        parser.add_argument("--json", action="store_true", dest="as_json", help="one JSON object a claim")

    def handle(self, *args: Any, lines: bool, as_json: bool, **options: Any) -> None:
        question = Question(
            options["series"], options["since"], options["until"],
            handbook_text=_read(options["handbook"]), plan_text=_read(options["plan"]),
        )  # fmt: skip
        try:
            swap, series = swap_of(question)
        except InvalidInputs as several:
            raise CommandError(
                "\n".join(f"{error.field}: {error.message}" for error in several.errors)
            ) from several
        except DomainError as error:
            raise CommandError(str(error.message)) from error
        question = dataclasses.replace(question, series=question.series or series)
        seen = differing = before = after = 0
        for found in compare(decisions_of(question, swap), swap):
            seen, before, after = seen + 1, before + found.before_fen, after + found.after_fen
            if not found.same:
                differing += 1
                self.stdout.write(_json(found) if as_json else _text(found, lines=lines))
        if not as_json:
            change = f"{format_yuan(before)} → {format_yuan(after)}"
            self.stdout.write(f"{seen} decisions, {differing} different; insurer {change}")
        if differing and not swap:
            raise CommandError("stored decisions do not come out as they were booked")


def _read(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path}: {error}") from error


def _json(found: Comparison) -> str:
    data = {
        "case": found.row.claim.case.number, "version": found.row.version, "before_fen": found.before_fen,
        "after_fen": found.after_fen, "outcome": found.outcome, "appeared": found.appeared,
        "vanished": found.vanished, "problem": found.problem,
        "lines": [dataclasses.asdict(line) for line in found.lines],
    }  # fmt: skip
    return json.dumps(data, ensure_ascii=False)


def _text(found: Comparison, *, lines: bool) -> str:
    head = f"{found.row.claim.case.number} v{found.row.version}"
    if found.problem:
        return f"{head}: {found.problem}"
    rules = "".join([*(f" +{rule}" for rule in found.appeared), *(f" -{rule}" for rule in found.vanished)])
    rows = [f"{head}: {format_yuan(found.before_fen)} → {format_yuan(found.after_fen)}{rules}"]
    for line in found.lines if lines else ():
        figures = f"{format_yuan(line.before['insurer'])} → {format_yuan(line.after['insurer'])}"
        rows.append(f"    {line.ref:<8} {figures}  {line.name}")
    return "\n".join(rows)
