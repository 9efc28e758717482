"""Register a machine from the command line and print its key, once."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date

from apps.accounts.actions import create_api_client
from apps.accounts.actors import SYSTEM
from apps.accounts.models import ApiClient
from apps.core.errors import InvalidInputs


class Command(BaseCommand):
    help = "Register an API client. The key is printed once and stored nowhere."

    def add_arguments(self, parser: ArgumentParser) -> None:
        kinds = [kind for kind, _ in ApiClient._meta.get_field("kind").flatchoices]
        parser.add_argument("name", help="what people call it")
        parser.add_argument("--kind", required=True, choices=kinds)
        parser.add_argument("--scope", action="append", required=True, dest="scopes", metavar="claims:write")
        parser.add_argument("--series", action="append", default=[], help="only this series; may be repeated")
        for party in ("tpa", "hospital", "provider", "member"):
            parser.add_argument(f"--{party}", default="", help=f"code of the only {party} it may see")
        parser.add_argument("--expires", default="", metavar="YYYY-MM-DD", help="last day of the key")

    def handle(self, *args: Any, **options: Any) -> None:
        names = ("name", "kind", "scopes", "series", "tpa", "hospital", "provider", "member")
        try:
            client, key = create_api_client(
                SYSTEM, **{name: options[name] for name in names}, expires_at=_end_of(options["expires"])
            )
        except InvalidInputs as error:
            raise CommandError("; ".join(f"{one.field}: {one.message}" for one in error.errors)) from error
        self.stderr.write(f"{client.name} ({client.kind}), client {client.pk}. Its key, shown this once:")
        self.stdout.write(key)


def _end_of(day: str) -> datetime | None:
    if not day:
        return None
    try:
        parsed = parse_date(day)
    except ValueError:
        parsed = None
    if parsed is None:
        raise CommandError(f"--expires: {day!r} is not a date like 2026-12-31")
    return timezone.make_aware(datetime.combine(parsed, time.max))
