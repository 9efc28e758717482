"""manage.py load_calendar [YEAR …]: days off and make-up days of the published years."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from apps.products.actions import load_calendar
from apps.products.models import CalendarDay

FIRST_YEAR = 2018


class Command(BaseCommand):
    help = "Load working days. Without years: from 2018 to next year. Days entered by hand stay."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("years", nargs="*", type=int, metavar="YEAR")

    def handle(self, *args: Any, **options: Any) -> None:
        years = options["years"] or range(FIRST_YEAR, timezone.localdate().year + 2)
        for row in load_calendar(years):
            days = CalendarDay.objects.filter(date__year=row.year)
            words = "not published yet, provisional" if row.provisional else "published"
            off = days.filter(kind=CalendarDay.Kind.OFF).count()
            made_up = days.filter(kind=CalendarDay.Kind.WORK).count()
            self.stdout.write(f"{row.year}: {words}; {off} weekdays off, {made_up} make-up days")
