"""manage.py due CLOCK --series S --start ISO [--pause ISO..ISO]: when a promise is due, day by day."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone, translation
from django.utils.dateparse import parse_date, parse_datetime

from apps.adjudication.clocks import Due, Pause, due_at
from apps.adjudication.handbook import ClockSpec
from apps.core.errors import DomainError
from apps.products.labels import condition_words, label
from apps.products.queries import current_handbook, working_calendar

UNITS = {
    "workdays": "working days",
    "days": "calendar days",
    "hours": "hours",
    "months": "months",
    "until_next_day": "until next day",
}


class Command(BaseCommand):
    help = "Compute a clock of a handbook by hand: due time with the days counted."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("clock", help="key (claim.decision), deadline (DL-34) or rule (RMB-40)")
        parser.add_argument("--series", required=True)
        parser.add_argument("--start", required=True, help="2026-09-16 or 2026-09-16T10:00; local time")
        parser.add_argument(
            "--pause",
            action="append",
            default=[],
            metavar="ISO..ISO",
            help="may be repeated; open end: 2026-09-30..",
        )

    def handle(
        self, *args: Any, clock: str, series: str, start: str, pause: list[str], **options: Any
    ) -> None:
        try:
            handbook = current_handbook(series).handbook
        except DomainError as error:
            raise CommandError(str(error.message)) from error
        specs = [spec for spec in handbook.clocks if clock in (spec.key, spec.id, *spec.rules)]
        if not specs:
            known = ", ".join(sorted({spec.key for spec in handbook.clocks}))
            raise CommandError(f"series {series} has no clock {clock}; it has {known}")
        began, pauses = moment(start), [_pause(text) for text in pause]
        with translation.override("en"):
            for spec in specs:
                self._print(spec, due_at(spec, began, working_calendar(), pauses))

    def _print(self, spec: ClockSpec, due: Due) -> None:
        when = f" for {condition_words(spec.when)}" if spec.when else ""
        self.stdout.write(f"{spec.key} ({spec.id}, {', '.join(spec.rules)}; {label(spec.basis)}){when}")
        self.stdout.write(
            f"  {spec.title.zh} / {spec.title.en}: {spec.duration} {UNITS.get(spec.unit, spec.unit)} {spec.direction} {label(spec.start)}"
        )
        if due.standing:
            self.stdout.write(f"  stands still; {due.left} left from the day of resumption")
            return
        for number, day in enumerate(due.counted, 1):
            self.stdout.write(f"  {number:>3}  {day:%a %Y-%m-%d}")
        end = f"{due.at:%Y-%m-%d %H:%M:%S}" + ("" if due.inclusive else " (exclusive)")
        self.stdout.write(f"  due: last day in time {due.day:%a %Y-%m-%d}, until {end}")
        if due.target:
            self.stdout.write(f"  target: {due.target:%Y-%m-%d %H:%M}")
        if due.act_by:
            self.stdout.write(f"  act by: {due.act_by} (the last working day before it)")
        if due.provisional:
            self.stdout.write("  CALENDAR_PROVISIONAL: a year on the way is not published yet")


def moment(text: str) -> datetime:
    """An ISO date or time in local time."""
    try:
        found, day = parse_datetime(text), parse_date(text[:10])
    except ValueError:
        found = day = None
    if found is None and day is not None and len(text) == len("2026-09-16"):
        found = datetime(day.year, day.month, day.day)
    if found is None:
        raise CommandError(f"“{text}” is no date or time; expected 2026-09-16 or 2026-09-16T10:00")
    return timezone.make_aware(found) if timezone.is_naive(found) else found


def _pause(text: str) -> Pause:
    start, dots, end = text.partition("..")
    if not dots:
        raise CommandError(
            f"“{text}” is no pause; expected 2026-09-30..2026-10-09, or 2026-09-30.. while it lasts"
        )
    return Pause(moment(start), moment(end) if end else None)
