"""manage.py prepare: an empty house gets its handbooks, plans and calendar; what is there stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from apps.products.models import CalendarYear, HandbookVersion, Plan


class Command(BaseCommand):
    help = "Load the shipped handbooks, the sample plans and the working-day calendar where there are none."

    def handle(self, *args: Any, **options: Any) -> None:
        fixtures: Path = settings.BASE_DIR / "fixtures"
        if not HandbookVersion.objects.exists():
            handbooks = sorted(str(path) for path in (fixtures / "handbooks").glob("*.toml"))
            call_command("load_handbook", *handbooks, stdout=self.stdout)
        if not Plan.every.exists():
            call_command("load_plans", str(fixtures / "plans"), stdout=self.stdout)
        if not CalendarYear.objects.exists():
            call_command("load_calendar", stdout=self.stdout)
