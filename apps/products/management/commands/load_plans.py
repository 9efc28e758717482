"""manage.py load_plans FILE_OR_FOLDER …: add plan definitions; what is already there stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from apps.accounts.actors import SYSTEM
from apps.core.errors import DomainError, InvalidInputs
from apps.products.actions import publish_plan


class Command(BaseCommand):
    help = "Add plan definitions (TOML). All or nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="FILE_OR_FOLDER")

    def handle(self, *args: Any, **options: Any) -> None:
        files = [file for path in options["paths"] for file in self._files(path)]
        new = 0
        with transaction.atomic():
            results = [self._one(file) for file in files]
            if None in results:
                raise CommandError("nothing was loaded")
            new = sum(1 for created in results if created)
        self.stdout.write(self.style.SUCCESS(f"{len(files)} plans read, {new} new"))

    def _files(self, path: Path) -> list[Path]:
        found = sorted(path.glob("*.toml")) if path.is_dir() else [path]
        if not found:
            raise CommandError(f"{path}: no plan files (*.toml)")
        return found

    def _one(self, file: Path) -> bool | None:
        """True = new, False = known, None = wrong (the mistakes are printed)."""
        try:
            return publish_plan(file.read_text(encoding="utf-8"), SYSTEM)[1]
        except InvalidInputs as several:
            for error in several.errors:
                self.stderr.write(f"{file}: {error.field}: {error.message}")
        except (DomainError, OSError, UnicodeDecodeError) as error:
            self.stderr.write(f"{file}: {getattr(error, 'field', '')} {error}")
        return None
