"""manage.py reserves: open reserves for claims from before finance, and say whether the books agree."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.core.money import format_yuan
from apps.finance.backfill import open_missing
from apps.finance.months import differences


class Command(BaseCommand):
    help = "Open reserves for open claims that have none; compare the journal with the ledger."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="Only compare; change nothing.")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        if not check:
            self.stdout.write(f"{open_missing()} reserves opened\n")
        wrong = differences()
        for one in wrong:
            self.stdout.write(
                f"{one.series} {one.what}: journal {format_yuan(one.journal_fen)}, ledger {format_yuan(one.ledger_fen)}\n"
            )
        self.stdout.write("the books agree\n" if not wrong else "the books do not agree\n")
