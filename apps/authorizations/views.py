"""Pages of authorizations: the request with its answer, and the children in hospital today."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.accounts.actors import actor_of
from apps.accounts.visibility import visible_to
from apps.authorizations.actions import ask_whether, request_authorization
from apps.authorizations.bedside import others_in_hospital
from apps.authorizations.forms import plan_part, request_form
from apps.authorizations.queries import in_hospital
from apps.cases.forms import tidy
from apps.cases.models import CaseFile
from apps.cases.views import show
from apps.core.errors import DomainError
from apps.hospitals.models import Hospital
from apps.members.models import Member
from apps.products.queries import series_codes


def new_request(request: HttpRequest) -> HttpResponse:
    """A request heard by phone or read from a mail: saved whole or not at all, each error at its field."""
    actor = actor_of(request)
    if request.method != "POST":
        form = request_form(member=request.GET.get("member", "")[:40])
        return show(request, "authorizations/request.html", request_context(request, form))
    form = request_form(tidy(request.POST), request.FILES)
    try:
        case = request_authorization(actor, data=form.payload())
    except DomainError as error:
        form.take_error(error)
        context = request_context(request, form)
        return show(request, "authorizations/request.html", context, status=error.status)
    return filed(request, case)


def filed(request: HttpRequest, case: CaseFile) -> HttpResponse:
    words = _("%(number)s is filed. Now: %(state)s.")
    messages.success(request, words % {"number": case.number, "state": case.get_state_display()})
    return redirect("admin:case", number=case.number)


@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """Whether authorization is needed for the plan as typed so far; nothing is saved."""
    return answer(request)


def answer(request: HttpRequest, now: datetime | None = None) -> HttpResponse:
    """The same; `now` is when it was asked, where that was earlier."""
    form = request_form(tidy(request.POST), request.FILES)
    context: dict[str, Any] = {}
    try:
        read, found = ask_whether(actor_of(request), plan_part(form.payload()), now=now)
        context = {"found": found, "billing": found.billing, "plan": read.plan}
    except DomainError as error:
        form.take_error(error)
        context["errors"] = form.named_errors()
    return render(request, "authorizations/parts/answer.html", context)


def request_context(request: HttpRequest, form: Any) -> dict[str, Any]:
    given = form.payload() if form.is_bound else {}
    number = given.get("member") or request.GET.get("member", "")
    members = visible_to(Member.objects.all(), actor_of(request))
    codes = [given.get("hospital", "")]
    return {
        "title": _("Request an authorization"),
        "form": form,
        "check_url": reverse("admin:authorization-check"),
        "child": members.filter(number=number).first() if number else None,
        "hospital_names": dict(Hospital.objects.filter(code__in=codes).values_list("code", "name")),
        "wrong": len([error for _path, errors in form.path_errors.lists() for error in errors]),
    }


def children_in_hospital(request: HttpRequest) -> HttpResponse:
    """Who lies in hospital today, for how long, and how much of the letter is used."""
    series = request.GET.get("series", "")
    rows = in_hospital(actor_of(request), timezone.localdate(), series=series)
    context = {
        "title": _("Children in hospital"),
        "rows": rows,
        "series": series,
        "all_series": series_codes(),
        "running_out": sum(row.level != "good" for row in rows),
        "others": others_in_hospital(actor_of(request), series),
    }
    return show(request, "authorizations/in_hospital.html", context)
