"""Import jobs: from an uploaded file to a trial, from a trial to the real run.

The job row is the truth about a run; its progress goes through the cache, since the run's own
transaction hides what it writes until the end.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import asdict
from datetime import timedelta
from typing import IO, Any

from django.core.cache import cache
from django.core.files import File
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core.errors import Conflict, DomainError, NotFound
from apps.core.excel import workbook_bytes
from apps.core.import_models import ImportJob
from apps.core.imports.importer import CHANGED, CREATED, UNCHANGED, Importer, Report, Stopwatch, run
from apps.core.imports.workbook import check_file

_IMPORTERS: dict[str, str] = {}
SHOWN = 100  # errors on the page; the workbook has all
KEEP_TRIALS = timedelta(days=7)
State = ImportJob.State


def register(kind: str, importer: str) -> None:
    """Name the importer of a kind by its dotted path; called from AppConfig.ready()."""
    _IMPORTERS[kind] = importer


def importer_of(kind: str) -> Importer:
    try:
        importer: type[Importer] = import_string(_IMPORTERS[kind])
    except KeyError as error:
        raise NotFound(
            _("There is no import of this kind: %(kind)s") % {"kind": kind}, field="kind"
        ) from error
    return importer()


def create_job(kind: str, file: IO[bytes], *, name: str, who: str, user_id: int | None = None,
               dry_run: bool = True) -> ImportJob:  # fmt: skip
    """Keep the file and queue its run. Raises InvalidInput for what is no honest workbook at all."""
    if not importer_of(kind).uploads:
        raise NotFound(_("There is no import of this kind: %(kind)s") % {"kind": kind}, field="kind")
    check_file(file)
    _forget_old_trials()
    digest = hashlib.sha256(file.read()).hexdigest()  # check_file has seen to its size
    file.seek(0)
    return ImportJob.objects.create(
        kind=kind, file=File(file, name="upload.xlsx"), file_name=name[-200:], sha256=digest, who=who[:80],
        user_id=user_id, dry_run=dry_run,
    )  # fmt: skip


def apply_job(job_id: int, *, who: str, user_id: int | None = None) -> ImportJob:
    """Queue the real run of a trial. Raises Conflict when somebody did so already or its file is gone."""
    queued = ImportJob.objects.filter(pk=job_id, state=State.DRY_RUN_DONE).update(
        state=State.QUEUED, dry_run=False, who=who[:80], user_id=user_id, done_rows=0, finished_at=None
    )
    if not queued:
        raise Conflict(_("Only a finished trial can be applied, and only once."), code="import_state")
    return ImportJob.objects.get(pk=job_id)


def run_job(job_id: int) -> ImportJob:
    """Run a queued job to its end. Safe to call twice: the later call takes the job over."""
    job = ImportJob.objects.filter(pk=job_id, state__in=[State.QUEUED, State.CHECKING]).first()
    if job is None:
        return ImportJob.objects.get(pk=job_id)
    job.run_token, job.state = uuid.uuid4().hex, State.CHECKING
    job.save(update_fields=["run_token", "state"])
    try:
        with job.file.open("rb") as file:
            report = run(
                importer_of(job.kind), file, dry_run=job.dry_run,
                progress=Stopwatch(lambda done, total: _set_progress(job, done, total)),
                on_success=lambda report: _applied(job, report),
            )  # fmt: skip
    except DomainError as error:
        _finish(job, State.FAILED, Report(), str(error.message))
    except FileNotFoundError:
        _finish(job, State.FAILED, Report(), _("The file is gone; upload it again."))
    except Exception:
        _finish(job, State.FAILED, Report(), _("The import stopped because of a fault in the program."))
        raise
    else:
        if report.errors:
            _finish(job, State.FAILED, report, _refusal(report))
        elif job.dry_run:
            _finish(job, State.DRY_RUN_DONE, report)
    finally:
        cache.delete(_progress_key(job.pk))
    job.refresh_from_db()
    if job.state in {State.APPLIED, State.FAILED}:
        _forget_file(job)
    return job


def run_at_once(
    importer: Importer, file: IO[bytes], *, name: str, who: str, user_id: int | None = None
) -> Report:
    """Run an import while somebody waits, and keep it in the history: for importers that act for a person and have
    a page of their own. The file is not kept. Raises what the importer raises; the history then has the reason."""
    check_file(file)
    digest = hashlib.sha256(file.read()).hexdigest()
    file.seek(0)
    job = ImportJob.objects.create(
        kind=importer.kind, state=State.CHECKING, dry_run=False, file_name=name[-200:], sha256=digest, who=who[:80],
        user_id=user_id, run_token=uuid.uuid4().hex,
    )  # fmt: skip
    try:
        report = run(importer, file, dry_run=False, on_success=lambda report: _applied(job, report))
    except DomainError as error:
        _finish(job, State.FAILED, Report(), str(error.message))
        raise
    except Exception:
        _finish(job, State.FAILED, Report(), _("The import stopped because of a fault in the program."))
        raise
    if report.errors:
        _finish(job, State.FAILED, report, _refusal(report))
    return report


def progress(job: ImportJob) -> tuple[int, int]:
    """(rows done, rows expected) of a job, also while its transaction is open."""
    found: tuple[int, int] | None = cache.get(_progress_key(job.pk)) if job.running else None
    return found or (job.done_rows, job.total_rows)


def _progress_key(job_id: int) -> str:
    return f"import-progress:{job_id}"


def _set_progress(job: ImportJob, done: int, total: int) -> None:
    cache.set(_progress_key(job.pk), (done, total), timeout=3600)


def _refusal(report: Report) -> str:
    rows = report.wrong_rows
    return ngettext(
        "%(rows)d row is wrong; nothing was changed.", "%(rows)d rows are wrong; nothing was changed.", rows
    ) % {"rows": rows}


def _applied(job: ImportJob, report: Report) -> None:
    """Mark the job inside the import's own transaction; whoever lost the job must not commit."""
    if not _finish(job, State.APPLIED, report):
        raise Conflict(_("Another worker has taken this import over."), code="import_taken_over")


def _finish(job: ImportJob, state: str, report: Report, message: str = "") -> bool:
    """Write the outcome; False when another worker took the job over meanwhile."""
    values: dict[str, Any] = {
        "state": state,
        "message": message,
        "total_rows": report.rows,
        "done_rows": report.rows,
        "created": report.outcomes[CREATED],
        "changed": report.outcomes[CHANGED],
        "unchanged": report.outcomes[UNCHANGED],
        "changes": {
            "entities": report.entities,
            "samples": report.changes,
            "notices": report.notices,
            "errors": [asdict(one) for one in report.errors[:SHOWN]],  # values are masked,
        },
        "error_count": len(report.errors),
        "finished_at": timezone.now(),
    }
    with transaction.atomic():
        mine = ImportJob.objects.filter(pk=job.pk, run_token=job.run_token).update(**values)
        if mine and report.errors:
            job.error_file.save("errors.xlsx", ContentFile(error_list(report)), save=False)
            ImportJob.objects.filter(pk=job.pk).update(error_file=job.error_file.name)
    return bool(mine)


def error_list(report: Report) -> bytes:
    """The errors as a workbook: sheet, row, column, value, expected."""
    titles = (_("Sheet"), _("Row"), _("Column"), _("Value"), _("Expected"))
    found = ((one.sheet, one.row, one.column, one.value, one.expected) for one in report.errors)
    return workbook_bytes({_("Errors"): (titles, found)})


def _forget_file(job: ImportJob) -> None:
    if job.file:
        job.file.delete(save=False)
        ImportJob.objects.filter(pk=job.pk).update(file="")


def _forget_old_trials() -> None:
    """Trials nobody applied keep no copy of the roster."""
    old = ImportJob.objects.filter(
        state=State.DRY_RUN_DONE, created_at__lt=timezone.now() - KEEP_TRIALS
    ).exclude(file="")
    for job in old[:20]:
        _forget_file(job)
