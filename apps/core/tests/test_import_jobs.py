"""A job is one run: tried, then applied or refused; all or nothing, and no copy of the file stays behind."""

from datetime import timedelta

import pytest
from django.utils import timezone
from openpyxl import load_workbook

from apps.core.errors import Conflict, NotFound
from apps.core.import_models import ImportJob
from apps.core.imports import Column, Importer, Sheet, cells, jobs
from apps.core.models import Sequence
from apps.core.tests.workbooks import book

SHEET = Sheet(
    "numbers",
    ("序号",),
    (
        Column("prefix", ("前缀",), cells.code, required=True),
        Column("last", ("最后",), cells.whole_number(0, 1000), required=True),
    ),
)


class SequenceImporter(Importer):
    """Writes running numbers, for want of a simpler table below everything."""

    kind = "sequences"
    title = "running numbers"
    sheets = (SHEET,)

    def apply(self, sheet, chunk, report):
        for row in chunk:
            _record, new = Sequence.objects.update_or_create(
                prefix=row["prefix"], defaults={"last": row["last"]}
            )
            report.outcomes["created" if new else "unchanged"] += 1


@pytest.fixture(autouse=True)
def importer(monkeypatch, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setitem(jobs._IMPORTERS, "sequences", f"{__name__}.SequenceImporter")


def workbook(*rows):
    return book(("序号", [["前缀", "最后"], *rows]))


def make(*rows, dry_run=True):
    return jobs.create_job("sequences", workbook(*rows), name="序号.xlsx", who="陈", dry_run=dry_run)


@pytest.mark.django_db
def test_a_trial_changes_nothing_and_can_then_be_applied_once():
    job = jobs.run_job(make(["A", 1], ["B", 2]).pk)
    assert (job.state, job.created, job.total_rows) == ("DRY_RUN_DONE", 2, 2)
    assert not Sequence.objects.exists()
    jobs.apply_job(job.pk, who="王")
    job = jobs.run_job(job.pk)
    assert (job.state, job.who, Sequence.objects.count()) == ("APPLIED", "王", 2)
    with pytest.raises(Conflict):
        jobs.apply_job(job.pk, who="王")


@pytest.mark.django_db
def test_one_wrong_row_undoes_all():
    job = jobs.run_job(make(["A", 1], ["B", "x"], dry_run=False).pk)
    assert job.state == "FAILED"
    assert not Sequence.objects.exists()
    sheet = load_workbook(job.error_file.path).active
    assert [cell.value for cell in sheet[2]][:4] == ["序号", 3, "最后", "x"]


@pytest.mark.django_db
def test_values_in_the_error_list_are_never_formulas():
    job = jobs.run_job(make(["A", "=1+1"], ["B", '=HYPERLINK("http://x")'], dry_run=False).pk)
    cell = load_workbook(job.error_file.path).active["D3"]
    assert cell.data_type != "f"


@pytest.mark.django_db
def test_the_file_is_removed_when_the_job_has_ended_and_kept_for_a_trial():
    """LAW-09: a roster holds identities in clear."""
    trial = jobs.run_job(make(["A", 1]).pk)
    assert trial.file.storage.exists(trial.file.name)
    name = trial.file.name
    jobs.apply_job(trial.pk, who="王")
    applied = jobs.run_job(trial.pk)
    assert not applied.file
    assert not trial.file.storage.exists(name)
    assert len(applied.sha256) == 64


@pytest.mark.django_db
def test_forgotten_trials_lose_their_file():
    old = jobs.run_job(make(["A", 1]).pk)
    ImportJob.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=8))
    make(["B", 1])
    old.refresh_from_db()
    assert not old.file


@pytest.mark.django_db
def test_a_finished_job_is_not_run_again():
    job = jobs.run_job(make(["A", 1], dry_run=False).pk)
    Sequence.objects.all().delete()
    assert jobs.run_job(job.pk).state == "APPLIED"
    assert not Sequence.objects.exists()


@pytest.mark.django_db
def test_a_job_whose_worker_died_starts_over():
    job = make(["A", 1], dry_run=False)
    ImportJob.objects.filter(pk=job.pk).update(state="CHECKING", run_token="of the dead")
    assert jobs.run_job(job.pk).state == "APPLIED"


@pytest.mark.django_db
def test_a_worker_that_lost_its_job_commits_nothing(monkeypatch):
    job = make(["A", 1], dry_run=False)
    apply = SequenceImporter.apply

    def slow(self, sheet, chunk, report):
        apply(self, sheet, chunk, report)
        ImportJob.objects.filter(pk=job.pk).update(run_token="somebody else")

    monkeypatch.setattr(SequenceImporter, "apply", slow)
    jobs.run_job(job.pk)
    assert not Sequence.objects.exists()


@pytest.mark.django_db
def test_a_fault_in_the_program_leaves_a_failed_job(monkeypatch):
    def broken(self, sheet, chunk, report):
        raise ZeroDivisionError

    monkeypatch.setattr(SequenceImporter, "apply", broken)
    job = make(["A", 1])
    with pytest.raises(ZeroDivisionError):
        jobs.run_job(job.pk)
    job.refresh_from_db()
    assert job.state == "FAILED"
    assert job.message


@pytest.mark.django_db
def test_an_unknown_kind_is_named():
    with pytest.raises(NotFound):
        jobs.create_job("nothing", workbook(["A", 1]), name="x.xlsx", who="陈")
