"""manage.py adjudicate FACTS.json [--json]: what the rules decide on facts in a file; nothing is saved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.adjudication.decision import Decision
from apps.adjudication.engine import adjudicate
from apps.adjudication.errors import AdjudicationError
from apps.adjudication.facts import Facts
from apps.adjudication.money import pretty
from apps.adjudication.serialize import decision_to_json
from apps.claims.replay import facts_of_json
from apps.core.errors import DomainError

COLUMNS = ("billed", "third_party", "disallowed", "deductible", "member", "insurer")


class Command(BaseCommand):
    help = "Decide a claim whose facts stand in a JSON file (see `facts_schema`)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("facts", type=Path)
        parser.add_argument("--json", action="store_true", dest="as_json", help="Print the decision as JSON.")

    def handle(self, *args: Any, facts: Path, as_json: bool, **options: Any) -> None:
        found = self._read(facts)
        try:
            decision = adjudicate(found)
        except AdjudicationError as error:
            raise CommandError(str(error)) from error
        if as_json:
            self.stdout.write(json.dumps(decision_to_json(decision), ensure_ascii=False, indent=1))
        else:
            self._print(found, decision)

    def _read(self, path: Path) -> Facts:
        try:
            return facts_of_json(json.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error
        except json.JSONDecodeError as error:
            raise CommandError(f"{path}: line {error.lineno}, column {error.colno}: {error.msg}") from error
        except UnicodeDecodeError as error:
            raise CommandError(f"{path}: not UTF-8") from error
        except AdjudicationError as error:
            raise CommandError(f"{path}: {error}") from error
        except DomainError as error:
            raise CommandError(f"{path}: {error.message}") from error

    def _print(self, facts: Facts, decision: Decision) -> None:
        names = {line.ref: line.name for visit in facts.visits for bill in visit.bills for line in bill.lines}
        self.stdout.write(
            f"{facts.claim_ref}  series {facts.handbook.series}  plan {facts.plan.code}: {decision.outcome}"
        )
        self.stdout.write("line      " + "".join(f"{name:>13}" for name in COLUMNS))
        for line in decision.lines:
            amounts = "".join(f"{pretty(getattr(line, name)):>13}" for name in COLUMNS)
            self.stdout.write(f"{line.ref:<10}{amounts}  {names.get(line.ref, '')}")
        self.stdout.write(
            "total     " + "".join(f"{pretty(getattr(decision, name)):>13}" for name in COLUMNS)
        )
        for finding in decision.findings:
            place = f" [{finding.place}]" if finding.place else ""
            self.stdout.write(
                f"{finding.level:<10} {finding.rule:<8} {finding.code}{place}: {finding.message_en or finding.message_zh}"
            )
        for movement in decision.movements:
            self.stdout.write(
                f"limit {movement.key}: {pretty(movement.amount)} of {pretty(movement.before)} left, then {pretty(movement.after)}"
            )
