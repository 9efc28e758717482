"""manage.py load_handbook FILE … [--check]: publish handbooks, or say what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.actors import SYSTEM
from apps.adjudication.handbook_diff import Difference
from apps.core.errors import DomainError, InvalidInputs
from apps.products.actions import preview_handbook, publish_handbook


class Command(BaseCommand):
    help = "Publish handbook files. Prints every mistake with its place, and what changes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--check", action="store_true", help="only check and compare; write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        failed = [file for file in options["files"] if not self._one(file, check=options["check"])]
        if failed:
            raise CommandError(f"not loaded: {', '.join(str(file) for file in failed)}")

    def _one(self, file: Path, *, check: bool) -> bool:
        try:
            text = file.read_text(encoding="utf-8")
            preview = preview_handbook(text)
            series = preview.handbook.series
            if preview.same is not None and preview.same == preview.current:
                self.stdout.write(
                    f"{file}: series {series}: version {preview.same.number} already has this text"
                )
                return True
            self._show(preview.differences)
            if check:
                self.stdout.write(f"{file}: series {series}: well-formed; nothing written")
                return True
            published = publish_handbook(text, SYSTEM)
        except InvalidInputs as several:
            for error in several.errors:
                self.stderr.write(f"{file}: {error.field}: {error.message}")
            return False
        except (DomainError, OSError, UnicodeDecodeError) as error:
            self.stderr.write(f"{file}: {error}")
            return False
        number = published.version.number
        self.stdout.write(self.style.SUCCESS(f"{file}: series {series}: version {number} published"))
        return True

    def _show(self, differences: tuple[Difference, ...]) -> None:
        signs = {"ADDED": "+", "REMOVED": "-", "CHANGED": "~"}
        for row in differences:
            name = f"{row.section} {row.key}" + (f" {row.field}" if row.field else "")
            self.stdout.write(f"  {signs[row.kind]} {name}: {row.left or '—'} → {row.right or '—'}")
