"""manage.py seed --claims 100000: a history to try things out at size, on top of what is there."""

from __future__ import annotations

import sys
import time
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from apps.accounts.models import User
from apps.claims.seeding.seed import seed

EVERY = 2.0  # seconds between lines of progress


class Command(BaseCommand):
    help = (
        "Add made-up children with claims, papers, decisions, letters and payments: as many claims of the past as you "
        "say, and open ones in every working state. Every call adds; nothing is sent to anybody."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--claims", type=int, default=10_000, help="closed ones, at least (default 10000)"
        )
        parser.add_argument("--open", type=int, default=200, help="open ones, at least (default 200)")
        parser.add_argument(
            "--years", type=int, default=3, help="how far the history reaches back (default 3)"
        )
        parser.add_argument("--yes", action="store_true", help="also in a house that is in production")

    def handle(self, *args: Any, claims: int, open: int, years: int, yes: bool, **options: Any) -> None:
        if settings.PRODUCTION and not yes:
            raise CommandError(
                "This house is in production. Made-up claims cannot be taken out again: --yes if you must."
            )
        if claims < 0 or open < 0 or not 1 <= years <= 10:
            raise CommandError("--claims and --open count from 0, --years from 1 to 10.")
        if not User.objects.filter(username="first_review").exists():
            call_command("demo", no_samples=True, stdout=self.stderr)
        started, self._told = time.monotonic(), 0.0
        made = seed(claims, open, years=years, tell=self._tell)
        self._analyze()
        seconds = time.monotonic() - started
        rate = (made.closed + made.open) / max(seconds, 0.01)
        self.stdout.write(
            f"{made.closed} claims of the past and {made.open} open ones made in {seconds:.0f} s ({rate:.0f}/s)"
        )

    def _tell(self, what: str, done: int, goal: int) -> None:
        if time.monotonic() - self._told > EVERY or done >= goal:
            self._told = time.monotonic()
            self.stderr.write(f"{what}: {done:,} of {goal:,}")
            sys.stderr.flush()

    def _analyze(self) -> None:
        """The planner learns what is there now, and does not wait for autovacuum to tell it."""
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
