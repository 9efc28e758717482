"""Base of `manage.py import_…`: the same job as from the screen, run at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core.errors import DomainError
from apps.core.import_models import ImportJob
from apps.core.imports.jobs import create_job, run_job


class ImportCommand(BaseCommand):
    kind: ClassVar[str]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="Show what would change; change nothing.")

    def handle(self, *args: Any, file: Path, dry_run: bool, **options: Any) -> None:
        try:
            with file.open("rb") as stream:
                job = create_job(self.kind, stream, name=file.name, who="command line", dry_run=dry_run)
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from error
        except DomainError as error:
            raise CommandError(f"{file}: {error.message}") from error
        job = run_job(job.pk)
        self._print(job)
        if job.state == ImportJob.State.FAILED:
            where = f" Error list: {job.error_file.path}" if job.error_file else ""
            raise CommandError(f"{job.message}{where}")

    def _print(self, job: ImportJob) -> None:
        self.stdout.write(f"{job.get_state_display()}: {job.done_rows} rows")
        for entity, counts in job.changes.get("entities", {}).items():
            self.stdout.write(
                f"  {entity}: " + ", ".join(f"{name} {count}" for name, count in counts.items())
            )
        for notice in job.changes.get("notices", []):
            self.stdout.write(f"  {notice}")
        for sample in job.changes.get("samples", [])[:20]:
            self.stdout.write("  row {row} {label}: {field} {old} -> {new}".format(**sample))
