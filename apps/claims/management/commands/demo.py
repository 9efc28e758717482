"""manage.py demo: handbooks, plans, calendar, sample hospitals and roster, users, and claims around today."""

from __future__ import annotations

import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from apps.accounts.models import Role, Team, User
from apps.accounts.roles import CATALOGUE, MACHINES, sync_roles
from apps.claims.demo import build
from apps.hospitals.models import Hospital
from apps.members.models import Member

PASSWORD = "demo-2026"
ADMINISTRATORS = (("admin", "管理员"), ("admin_second", "第二管理员"))  # a higher limit takes two
TEAMS = (("claims", "理赔部", ""), ("claims-tpa", "TPA 理赔组", "WINDSTONE"))
TPA_ROLES = {"tpa_manager": "claims-tpa"}


class Command(BaseCommand):
    help = "Fill an empty house with demo data; what is there already stays. Prints the demo users."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--no-samples", action="store_true", help="Without the sample hospitals and roster (faster)."
        )

    def handle(self, *args: Any, no_samples: bool, **options: Any) -> None:
        started = time.monotonic()
        self._master_data(samples=not no_samples)
        self._users()
        made = build(timezone.now())
        words = f"{made} demo claims made" if made else "demo claims are there already"
        _build_the_rest()
        self.stdout.write(f"{words} ({time.monotonic() - started:.0f} s)\n")
        self._print_users()

    def _master_data(self, *, samples: bool) -> None:
        fixtures: Path = settings.BASE_DIR / "fixtures"
        call_command("prepare", stdout=self.stderr)
        for command, file, model in (
            ("import_hospitals", "hospitals", Hospital),
            ("import_roster", "roster", Member),
        ):
            path = fixtures / "samples" / f"{file}.xlsx"
            if samples and path.exists() and not model._default_manager.exists():
                call_command(command, str(path), stdout=self.stderr)

    def _users(self) -> None:
        """One user a role, named like the role; what a person changed since is left alone."""
        sync_roles()
        teams = {
            code: Team.objects.get_or_create(code=code, defaults={"name": name, "tpa": tpa})[0]
            for code, name, tpa in TEAMS
        }
        for spec in CATALOGUE:
            if spec.code in MACHINES:
                continue
            team = teams[TPA_ROLES.get(spec.code, "claims")]
            user, created = User.objects.get_or_create(
                username=spec.code,
                defaults={
                    "name": f"{spec.name}（演示）", "is_staff": True, "team": team, "email": f"{spec.code}@example.com",
                    "tpa": team.tpa, "series": ["2024"] if team.tpa else [],
                },
            )  # fmt: skip
            if created:
                user.set_password(PASSWORD)
                user.save(update_fields=["password"])
                user.roles.set(Role.objects.filter(code=spec.code))
        for username, name in ADMINISTRATORS:
            if not User.objects.filter(username=username).exists():
                User.objects.create_superuser(
                    username, password=PASSWORD, name=f"{name}（演示）", email=f"{username}@example.com"
                )

    def _print_users(self) -> None:
        self.stdout.write(f"Demo users, password {PASSWORD}:")
        named = [(spec.code, spec.name) for spec in CATALOGUE if spec.code not in MACHINES]
        for code, name in [*named, *ADMINISTRATORS]:
            self.stdout.write(f"  {code:<20} {name}")


def _build_the_rest() -> None:
    """Every app above that has a `demo` module with `build()` adds its part, in the order of the apps."""
    for config in apps.get_app_configs():
        module = f"{config.name}.demo"
        if config.name.startswith("apps.") and config.name != "apps.claims" and find_spec(module):
            import_module(module).build()
