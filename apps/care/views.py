"""Pages of staff: the services of each series, lists of tests and requests, forms, a child's health archive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.actors import Actor, actor_of
from apps.care.actions import (
    add_record,
    order_test,
    read_archive,
    record_given,
    request_service,
    withdraw_plan,
)
from apps.care.catalog import OFFERS
from apps.care.entitlement import entitlement_of
from apps.care.inputs import HealthRecordInput, RecordOrderInput, ServiceInput
from apps.care.lists import SERVICES, TESTS, Listing
from apps.care.models import HealthManager
from apps.care.offered import services_of
from apps.care.roles import ARCHIVISTS, DESK
from apps.cases.forms import ActionForm, form_for, tidy
from apps.cases.models import CaseFile
from apps.cases.views import show
from apps.core.days import read_day
from apps.core.errors import DomainError
from apps.core.excel import LIMIT, excel_response
from apps.products.queries import current_handbooks, series_codes

SHOWN = 200


@require_GET
def services(request: HttpRequest) -> HttpResponse:
    """What each series offers beside claims, now."""
    now = timezone.now()
    tables = [(row.series, services_of(row.handbook, now)) for row in current_handbooks()]
    context = {
        "title": _("Services of the series"),
        "tables": tables,
        "may_request": bool(DESK & actor_of(request).roles),
    }
    return show(request, "care/services.html", context)


# --- Lists ----------------------------------------------------------------------------------------


@require_GET
def tests(request: HttpRequest) -> HttpResponse:
    return _listed(request, TESTS, _("Home tests"))


@require_GET
def requests(request: HttpRequest) -> HttpResponse:
    return _listed(request, SERVICES, _("Requests for services"))


def _listed(request: HttpRequest, listing: Listing[Any], title: str) -> HttpResponse:
    actor, filters = actor_of(request), listing.filters_of(request.GET)
    rows = listing.found(actor, filters)
    if request.GET.get("excel"):
        columns = listing.columns()
        return excel_response(title, columns, (listing.cells(row) for row in rows[:LIMIT]))
    shown = list(rows[: SHOWN + 1])
    context = {
        "title": title, "listing": listing, "filters": filters, "rows": shown[:SHOWN], "more": len(shown) > SHOWN,
        "shown": SHOWN, "series": series_codes(), "here": urlencode(filters.given()), "may_ask": bool(DESK & actor.roles),
        "narrowed": bool(filters.given()),
    }  # fmt: skip
    return show(request, listing.template, context)


# --- Forms ----------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def order_page(request: HttpRequest) -> HttpResponse:
    """A test ordered for a child; `?member=` is filled in."""
    form = form_for(RecordOrderInput)
    page = {
        "title": _("Order a home test"), "submit": pgettext("button", "Order"), "rule": "TST-01", "back": reverse("admin:home-tests"),
        "note": _("By the child's own identity card, one a calendar month, in the cities of the service."),
    }  # fmt: skip
    return _filled(request, form, order_test, page)


@require_http_methods(["GET", "POST"])
def request_page(request: HttpRequest) -> HttpResponse:
    """A request for the service named by `?service=`; without one, the services to choose from."""
    code = (request.POST or request.GET).get("service", "")
    offer = OFFERS.get(code)
    if offer is None:
        return redirect("admin:care-services")
    page = {
        "title": _("Request: %(service)s") % {"service": offer.words}, "submit": pgettext("button", "Record"),
        "rule": offer.rule, "back": reverse("admin:service-requests"), "hidden": {"service": code},
        "suggestions": _sites() if "site" in offer.asks else [],
    }  # fmt: skip
    return _filled(request, form_for(ServiceInput), request_service, page, only=offer.asks)


def _sites() -> list[tuple[str, str]]:
    """Sites with on-site help as the handbooks list them."""
    books = [row.handbook for row in current_handbooks()]
    return [(book.series, site) for book in books for site in book.value("assistance.sites", [])]


def _filled(
    request: HttpRequest,
    cls: type[ActionForm],
    act: Callable[[Actor, Any], CaseFile],
    page: Mapping[str, Any],
    only: tuple[str, ...] = (),
) -> HttpResponse:
    if request.method == "GET":
        initial = {"member": request.GET.get("member", "")[:60]}
        return _show_form(request, cls(None, None, initial=initial), page, only)
    form = cls(tidy(request.POST))
    try:
        case = act(actor_of(request), form.payload())
    except DomainError as error:
        form.take_error(error)
        return _show_form(request, form, page, only, error.status)
    messages.success(request, _("%(number)s is recorded.") % {"number": case.number})
    return redirect("admin:case", number=case.number)


def _show_form(
    request: HttpRequest, form: ActionForm, page: Mapping[str, Any], only: tuple[str, ...], status: int = 200
) -> HttpResponse:
    """The child is looked up by name; of the other fields those that are asked here."""
    if page.get("suggestions"):
        form.fields["site"].widget.attrs["list"] = "sites"
    fields = [
        one
        for one in form.asked()
        if one.bound is None or (one.bound.name != "member" and (not only or one.bound.name in only))
    ]
    return show(request, "care/form.html", {**page, "form": form, "fields": fields}, status=status)


# --- The health archive ---------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def archive(request: HttpRequest) -> HttpResponse:
    """A child's entries and planned vaccinations (FD-03); POST writes one. Reading is logged."""
    actor = actor_of(request)
    number = (request.POST or request.GET).get("member", "")[:60]
    form, status = form_for(HealthRecordInput)(None, None, initial={"member": number}), 200
    if request.method == "POST":
        form = form_for(HealthRecordInput)(tidy(request.POST))
        try:
            row = add_record(actor, form.payload())
            messages.success(request, _("“%(what)s” is in the archive.") % {"what": row.title})
            return redirect(f"{reverse('admin:health-archive')}?{urlencode({'member': number})}")
        except DomainError as error:
            form.take_error(error)
            status = error.status
    context: dict[str, Any] = {
        "title": _("Health archive"),
        "form": form,
        "may_write": bool(ARCHIVISTS & actor.roles),
    }
    context["fields"] = [one for one in form.asked() if one.bound is None or one.bound.name != "member"]
    if number:
        try:
            policy, rows = read_archive(actor, number)
            context |= {
                "policy": policy, "rows": rows, "tests": entitlement_of(policy), "number": number,
                "manager": HealthManager.objects.filter(member=policy.member_id).first(), "today": timezone.localdate(),
            }  # fmt: skip
        except DomainError as error:
            context["refused"] = error
            status = error.status
    return show(request, "care/archive.html", context, status=status)


@require_POST
def archive_act(request: HttpRequest, pk: int) -> HttpResponse:
    """A planned vaccination was given on `done_on`, or is no longer planned (`withdraw`)."""
    try:
        if "withdraw" in request.POST:
            row = withdraw_plan(actor_of(request), pk)
        else:
            row = record_given(actor_of(request), pk, read_day(request.POST.get("done_on", ""), "done_on"))
        messages.success(request, _("“%(what)s” is in the archive.") % {"what": row.title})
    except DomainError as error:
        messages.error(request, f"{error.message} {error.rule}".strip())
    return redirect(
        f"{reverse('admin:health-archive')}?{urlencode({'member': request.POST.get('member', '')[:60]})}"
    )
