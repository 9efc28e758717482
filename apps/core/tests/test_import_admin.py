"""The screens of an import: who may, what they show, how a trial becomes real."""

from types import SimpleNamespace

import pytest
from django.urls import reverse
from kombu.exceptions import OperationalError
from openpyxl import load_workbook

from apps.accounts.tests.factories import UserFactory, web_of
from apps.core.import_models import ImportJob
from apps.core.imports import admin as screens
from apps.core.imports import jobs
from apps.core.imports.tasks import run_import
from apps.core.models import Sequence
from apps.core.tests.test_import_jobs import workbook

KIND = "sequences"


@pytest.fixture(autouse=True)
def importer(monkeypatch, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setitem(jobs._IMPORTERS, KIND, "apps.core.tests.test_import_jobs.SequenceImporter")
    monkeypatch.setattr(screens, "start", jobs.run_job)


@pytest.fixture
def manager(db):
    return web_of(UserFactory(roles=["manager"]))


def upload(client, file, django_capture_on_commit_callbacks):
    file.name = "序号.xlsx"
    with django_capture_on_commit_callbacks(execute=True):
        return client.post(reverse("admin:core_importjob_upload", args=[KIND]), {"file": file})


def test_upload_trial_apply(manager, django_capture_on_commit_callbacks):
    response = upload(manager, workbook(["A", 1], ["B", 2]), django_capture_on_commit_callbacks)
    job = ImportJob.objects.get()
    assert response.url == reverse("admin:core_importjob_change", args=[job.pk])
    assert job.state == "DRY_RUN_DONE"
    page = manager.get(response.url).content.decode()
    assert reverse("admin:core_importjob_apply", args=[job.pk]) in page
    assert not Sequence.objects.exists()
    with django_capture_on_commit_callbacks(execute=True):
        manager.post(reverse("admin:core_importjob_apply", args=[job.pk]))
    job.refresh_from_db()
    assert job.state == "APPLIED"
    assert Sequence.objects.count() == 2


def test_the_error_list_can_be_downloaded(manager, django_capture_on_commit_callbacks, tmp_path):
    upload(manager, workbook(["A", "x"]), django_capture_on_commit_callbacks)
    job = ImportJob.objects.get()
    assert job.state == "FAILED"
    address = reverse("admin:core_importjob_errors", args=[job.pk])
    page = manager.get(reverse("admin:core_importjob_change", args=[job.pk])).content.decode()
    assert address in page
    [error] = job.changes["errors"]
    for words in (error["column"], "x", error["expected"]):
        assert f">{words}</td>" in page
    file = tmp_path / "errors.xlsx"
    file.write_bytes(b"".join(manager.get(address).streaming_content))
    assert load_workbook(file).active["D2"].value == "x"


def test_a_bad_file_is_refused_on_the_form(manager, django_capture_on_commit_callbacks):
    import io

    response = upload(manager, io.BytesIO(b"a,b\n1,2\n"), django_capture_on_commit_callbacks)
    assert response.status_code == 200
    assert not ImportJob.objects.exists()
    assert ".xlsx" in response.content.decode()


def test_progress_is_shown_while_it_runs(manager):
    job = jobs.create_job(KIND, workbook(["A", 1]), name="x.xlsx", who="陈")
    ImportJob.objects.filter(pk=job.pk).update(state="CHECKING")
    jobs._set_progress(job, 30, 120)
    address = reverse("admin:core_importjob_change", args=[job.pk])
    part = manager.get(address, headers={"HX-Request": "true"}).content.decode()
    assert 'value="25"' in part
    assert "hx-get" in part
    assert "<html" not in part


@pytest.mark.parametrize(
    "fields", [{"roles": ["first_review"]}, {"roles": ["manager"], "tpa": "WINDSTONE"}, {}]
)
def test_only_managers_who_see_everything_import(db, fields):
    client = web_of(UserFactory(**fields))
    job = jobs.create_job(KIND, workbook(["A", 1]), name="x.xlsx", who="陈")
    addresses = [
        reverse("admin:core_importjob_changelist"), reverse("admin:core_importjob_upload", args=[KIND]),
        reverse("admin:core_importjob_change", args=[job.pk]), reverse("admin:core_importjob_errors", args=[job.pk]),
    ]  # fmt: skip
    assert [client.get(address).status_code for address in addresses] == [403] * 4
    assert client.post(reverse("admin:core_importjob_apply", args=[job.pk])).status_code == 403


def test_the_list_of_imports(manager):
    jobs.run_job(jobs.create_job(KIND, workbook(["A", 1]), name="序号.xlsx", who="陈").pk)
    assert "序号.xlsx" in manager.get(reverse("admin:core_importjob_changelist")).content.decode()


def test_an_unknown_kind_or_job_is_not_found(manager):
    assert manager.get(reverse("admin:core_importjob_upload", args=["nothing"])).status_code == 404
    assert manager.get(reverse("admin:core_importjob_change", args=[999])).status_code == 404


@pytest.mark.django_db
def test_without_a_broker_the_job_runs_at_once(monkeypatch, importer):
    def unreachable(*args, **options):
        raise OperationalError

    monkeypatch.undo()
    monkeypatch.setitem(jobs._IMPORTERS, KIND, "apps.core.tests.test_import_jobs.SequenceImporter")
    monkeypatch.setattr(screens, "run_import", SimpleNamespace(apply_async=unreachable))
    job = jobs.create_job(KIND, workbook(["A", 1]), name="x.xlsx", who="陈")
    screens.start(job.pk)
    job.refresh_from_db()
    assert job.state == "DRY_RUN_DONE"


@pytest.mark.django_db
def test_the_task_runs_the_job():
    job = jobs.create_job(KIND, workbook(["A", 1]), name="x.xlsx", who="陈")
    assert run_import(job.pk) == "DRY_RUN_DONE"
