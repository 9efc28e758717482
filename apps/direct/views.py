"""Pages of direct billing: what a hospital sent, an admission, and a batch as a workbook."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from apps.accounts.actors import actor_of
from apps.accounts.visibility import visible_to
from apps.cases.forms import ActionForm, tidy
from apps.cases.models import CaseFile
from apps.cases.views import show
from apps.core.errors import DomainError
from apps.core.excel import excel_response
from apps.core.imports.jobs import error_list
from apps.direct.actions import admit_child, submit_direct
from apps.direct.columns import CLAIMS
from apps.direct.forms import WorkbookForm, admission_form, submission_form
from apps.direct.importer import import_claims
from apps.hospitals.models import Hospital
from apps.members.models import Member


def submit(request: HttpRequest) -> HttpResponse:
    """A bill of a hospital entered by staff: saved whole or not at all, each error at its field."""
    return _enter(request, submission_form, submit_direct, "direct/submit.html", _("Bill of a hospital"))


def admit(request: HttpRequest) -> HttpResponse:
    return _enter(request, admission_form, admit_child, "direct/admit.html", _("Admit a child"))


def _enter(
    request: HttpRequest,
    form_of: Callable[..., ActionForm],
    act: Callable[..., CaseFile],
    template: str,
    title: str,
) -> HttpResponse:
    actor = actor_of(request)
    if request.method != "POST":
        form = form_of(member=request.GET.get("member", "")[:40])
        return show(request, template, _context(request, form, title))
    form = form_of(tidy(request.POST), request.FILES)
    try:
        case = act(actor, data=form.payload())
    except DomainError as error:
        form.take_error(error)
        return show(request, template, _context(request, form, title), status=error.status)
    words = _("%(number)s is filed. Now: %(state)s.")
    messages.success(request, words % {"number": case.number, "state": case.get_state_display()})
    return redirect("admin:case", number=case.number)


def _context(request: HttpRequest, form: ActionForm, title: str) -> dict[str, Any]:
    given = form.payload() if form.is_bound else {}
    number = given.get("member", {}).get("number") or request.GET.get("member", "")
    codes = {visit.get("hospital", "") for visit in given.get("visits", [])} | {given.get("hospital", "")}
    members = visible_to(Member.objects.all(), actor_of(request))
    return {
        "title": title,
        "form": form,
        "billed_directly": True,
        "child": members.filter(number=number).first() if number else None,
        "hospital_names": dict(Hospital.objects.filter(code__in=codes).values_list("code", "name")),
        "wrong": len([error for _path, errors in form.path_errors.lists() for error in errors]),
    }


def workbook(request: HttpRequest) -> HttpResponse:
    """A batch: tried first, then stored; wrong rows are listed by row, column, value and what is expected."""
    if request.GET.get("template"):
        names = [str(column.name) for column in CLAIMS.columns]
        return excel_response(str(CLAIMS.titles[0]), names, [])
    form = WorkbookForm(request.POST or None, request.FILES or None)
    context: dict[str, Any] = {"title": _("Batch of a hospital"), "form": form, "columns": CLAIMS.columns}
    status = 200
    if request.method == "POST" and form.is_valid():
        trial = "apply" not in request.POST
        try:
            file = form.cleaned_data["file"]
            report = import_claims(actor_of(request), file, dry_run=trial, name=file.name)
        except DomainError as error:
            form.add_error("file", str(error.message))
            return show(request, "direct/workbook.html", context, status=error.status)
        stored = not trial and not report.errors
        context |= {"report": report, "trial": trial, "stored": stored}
        if report.errors:  # the workbook is kept nowhere: its errors go with the page
            context["errors_excel"] = b64encode(error_list(report)).decode()
            context["errors_name"] = f"{_('Errors')}-{file.name}"
        status = 400 if report.errors else 200
    return show(request, "direct/workbook.html", context, status=status)
