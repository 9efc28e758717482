"""Screens of imports: upload → trial with its differences → apply, with progress and the error list."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget

from apps.core.errors import DomainError
from apps.core.import_models import ImportJob
from apps.core.imports.jobs import apply_job, create_job, importer_of, progress, run_job
from apps.core.imports.tasks import run_import
from apps.core.lists import ReadOnlyList
from apps.core.queue import enqueue

IMPORT_ROLES = frozenset({"manager", "supervisor"})
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def may_import(request: HttpRequest) -> bool:
    """Managers who may see everything: a roster holds the children of all series and administrators."""
    actor: Any = request.actor  # type: ignore[attr-defined]
    return bool(actor.roles & IMPORT_ROLES) and not actor.restricted


class UploadForm(forms.Form):
    file = forms.FileField(
        label=_("Excel workbook (.xlsx)"), widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".xlsx"})
    )


@admin.register(ImportJob)
class ImportJobAdmin(ReadOnlyList):
    list_display = ["title", "file_name", "state_label", "done_rows", "created", "changed", "unchanged", "error_count",
                    "who_words", "created_at"]  # fmt: skip
    list_filter = ["kind", "state"]
    ordering = ["-id"]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and may_import(request)

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        own = [
            path("upload/<slug:kind>/", wrap(self.upload), name="core_importjob_upload"),
            path("<int:pk>/apply/", wrap(self.apply), name="core_importjob_apply"),
            path("<int:pk>/errors/", wrap(self.errors), name="core_importjob_errors"),
        ]
        return own + list(super().get_urls())

    @admin.display(description=_("kind"), ordering="kind")
    def title(self, job: ImportJob) -> str:
        return title_of(job.kind)

    @admin.display(description=_("who"), ordering="who")
    def who_words(self, job: ImportJob) -> str:
        return gettext("command line") if job.who == "command line" else job.who

    @display(
        description=_("state"),
        label={"APPLIED": "success", "FAILED": "danger", "DRY_RUN_DONE": "info", "CHECKING": "warning"},
    )
    def state_label(self, job: ImportJob) -> tuple[str, str]:
        return job.state, str(job.get_state_display())

    # --- pages ------------------------------------------------------------------------------------------

    def upload(self, request: HttpRequest, kind: str) -> HttpResponse:
        """Choose a workbook; it is tried first, and applied from the page of the trial."""
        self._guard(request)
        try:
            title = title_of(kind)
        except DomainError as error:
            raise Http404 from error
        if not importer_of(kind).uploads:
            raise Http404
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            upload = form.cleaned_data["file"]
            try:
                with transaction.atomic():
                    job = create_job(kind, upload, name=upload.name, **_actor(request))
                    transaction.on_commit(lambda: start(job.pk))
            except DomainError as error:
                form.add_error("file", str(error.message))
            else:
                return self._to(job.pk)
        context = {"title": title, "form": form, "columns": columns_of(kind)}
        return self._page(request, "core/imports/upload.html", context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page of one import; htmx asks for its inner part while it runs."""
        self._guard(request)
        job = self._job(request, object_id)
        done, total = progress(job)
        context = {
            "title": f"{title_of(job.kind)}: {job.file_name}",
            "job": job,
            "done": done,
            "total": total,
            "percent": min(int(done * 100 / total), 100) if total else 0,
            "state": self.state_label(job),
        }
        part = bool(getattr(request, "htmx", False))
        return self._page(request, "core/imports/_job.html" if part else "core/imports/job.html", context)

    def apply(self, request: HttpRequest, pk: int) -> HttpResponse:
        self._guard(request)
        job = self._job(request, str(pk))
        if request.method == "POST":
            try:
                with transaction.atomic():
                    apply_job(job.pk, **_actor(request))
                    transaction.on_commit(lambda: start(job.pk))
            except DomainError as error:
                messages.error(request, str(error.message))
        return self._to(job.pk)

    def errors(self, request: HttpRequest, pk: int) -> HttpResponse | FileResponse:
        """The error list as a workbook."""
        self._guard(request)
        job = self._job(request, str(pk))
        if not job.error_file:
            raise Http404
        name = f"{gettext('Errors')}-{job.file_name}"
        return FileResponse(job.error_file.open("rb"), as_attachment=True, filename=name, content_type=EXCEL)

    # --- helpers ----------------------------------------------------------------------------------------

    def _guard(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _job(self, request: HttpRequest, pk: str) -> ImportJob:
        found: QuerySet[ImportJob] = self.get_queryset(request)
        job = found.filter(pk=pk).first() if pk.isdecimal() else None
        if job is None:
            raise Http404
        return job

    def _to(self, pk: int) -> HttpResponseRedirect:
        return redirect(reverse("admin:core_importjob_change", args=[pk]))

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        whole = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, template, whole)


def start(job_id: int) -> None:
    """Give the job to a worker; without a broker it runs here, so that nobody waits for nothing."""
    if not enqueue(run_import, job_id):
        run_job(job_id)


def title_of(kind: str) -> str:
    return str(importer_of(kind).title)


def columns_of(kind: str) -> list[tuple[str, list[Any]]]:
    """What the workbook must hold: worksheet → columns."""
    return [(sheet.titles[0], list(sheet.columns)) for sheet in importer_of(kind).sheets]


def _actor(request: HttpRequest) -> dict[str, Any]:
    actor: Any = request.actor  # type: ignore[attr-defined]
    return {"who": actor.label, "user_id": actor.user_id}
