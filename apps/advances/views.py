"""The list of advances with search, filters and Excel; an application; the provider and its account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.actors import Actor, actor_of
from apps.accounts.visibility import visible_to
from apps.advances.actions import apply_for_advance
from apps.advances.forms import application_form, provider_form
from apps.advances.models import Advance
from apps.advances.providers import CHECKERS, MAKERS, confirm, enter, visible_providers
from apps.advances.queries import GROUPS, rows_visible_to, searched
from apps.advances.roles import DESK
from apps.advances.workflow import STATES
from apps.cases.forms import tidy
from apps.cases.timeleft import due_words
from apps.cases.views import show
from apps.core.errors import DomainError
from apps.core.excel import LIMIT, excel_response
from apps.core.money import to_yuan
from apps.hospitals.models import Hospital
from apps.members.models import Member
from apps.products.queries import current_handbooks, series_codes

SHOWN = 200
ORDERS = {
    "opened": "-case__opened_at",
    "due": "case__next_due",
    "amount": "-case__amount_fen",
    "discharge": "discharged_on",
}


@dataclass(frozen=True)
class Filters:
    state: str = "live"  # a group, all, or a state
    series: str = ""
    who: str = ""  # mine | nobody
    order: str = "opened"
    q: str = ""


def filters_of(params: Mapping[str, str]) -> Filters:
    """Filters from an address; what is not understood is left out."""
    state, who, order = params.get("state", "live"), params.get("who", ""), params.get("order", "opened")
    return Filters(
        state=state if state in (*GROUPS, "all", *STATES) else "live",
        series=params.get("series", "")[:10],
        who=who if who in ("mine", "nobody") else "",
        order=order if order in ORDERS else "opened",
        q=params.get("q", "").replace("\x00", "").strip()[:60],
    )


def found_rows(actor: Actor, filters: Filters) -> QuerySet[Advance]:
    rows = rows_visible_to(actor)
    if filters.q:
        rows = searched(rows, filters.q)
    elif filters.state in GROUPS:
        rows = rows.filter(case__state__in=GROUPS[filters.state])
    if filters.state in STATES:
        rows = rows.filter(case__state=filters.state)
    if filters.series:
        rows = rows.filter(case__series=filters.series)
    if filters.who:
        rows = rows.filter(case__assignee=actor.user_id if filters.who == "mine" else None)
    return rows.order_by(ORDERS[filters.order], "-pk")


@require_GET
def listed(request: HttpRequest) -> HttpResponse:
    actor, filters = actor_of(request), filters_of(request.GET)
    rows = found_rows(actor, filters)
    if request.GET.get("excel"):
        return _excel(rows)
    shown = list(rows[: SHOWN + 1])
    told = [(row, due_words(row.case.next_due)[5:10]) for row in shown[:SHOWN]]
    here = {key: value for key, value in asdict(filters).items() if value}
    context = {
        "title": _("Inpatient advances"), "filters": filters, "rows": told, "more": len(shown) > SHOWN,
        "shown": SHOWN, "states": list(STATES.items()), "series": series_codes(), "narrowed": filters != Filters(),
        "here": urlencode(here), "unordered": urlencode({**here, "order": ""}), "may_apply": bool(DESK & actor.roles),
        "may_pay": bool((MAKERS | CHECKERS) & actor.roles),
    }  # fmt: skip
    return show(request, "advances/list.html", context)


def _excel(rows: QuerySet[Advance]) -> HttpResponse:
    columns = [
        _("Case"), _("Series"), _("Child"), _("Policy"), _("Hospital"), _("Department"), _("Diagnosis"), _("Admission"),
        _("Estimate"), _("approved"), _("advanced"), _("advanced on"), _("Provider"), _("Bank reference"), _("Discharge"),
        _("announced too late"), _("claim of the stay"), _("paid by the claim to the provider"), _("Difference to the provider"), _("refunded"),
        _("Due"), _("State"), _("Assignee"),
    ]  # fmt: skip
    return excel_response(
        _("Inpatient advances"),
        columns,
        (
            [
                row.case.number, row.case.series, row.case.member.masked_name, row.case.policy.number,
                str(row.case.hospital), row.department, row.diagnosis_name, row.admitted_on, to_yuan(row.estimate_fen),
                _yuan(row.approved_fen), _yuan(row.advanced_fen), row.advanced_on, str(row.provider or ""),
                row.bank_reference, row.discharged_on, _("yes") if row.notice_late else "",
                row.claim.number if row.claim else "", _yuan(row.adjudicated_fen), to_yuan(row.refund_fen),
                to_yuan(row.refunded_fen), due_words(row.case.next_due), row.case.get_state_display(), str(row.case.assignee or ""),
            ]
            for row in rows.select_related("case__policy")[:LIMIT]
        ),
    )  # fmt: skip


def _yuan(fen: int | None) -> Any:
    return None if fen is None else to_yuan(fen)


@require_http_methods(["GET", "POST"])
def new_application(request: HttpRequest) -> HttpResponse:
    """An application heard on the service line: saved whole or not at all, each error at its field."""
    actor = actor_of(request)
    if request.method == "GET":
        form = application_form(member=request.GET.get("member", "")[:40])
        return show(request, "advances/apply.html", _form_context(request, form))
    form = application_form(tidy(request.POST), request.FILES)
    try:
        case = apply_for_advance(actor, data=form.payload())
    except DomainError as error:
        form.take_error(error)
        return show(request, "advances/apply.html", _form_context(request, form), status=error.status)
    words = _("%(number)s is filed. Now: %(state)s.")
    messages.success(request, words % {"number": case.number, "state": case.get_state_display()})
    return redirect("admin:case", number=case.number)


def _form_context(request: HttpRequest, form: Any) -> dict[str, Any]:
    given = form.payload() if form.is_bound else {}
    number = given.get("member") or request.GET.get("member", "")
    members = visible_to(Member.objects.all(), actor_of(request))
    codes = [given.get("hospital", "")]
    return {
        "title": _("Apply for an inpatient advance"), "form": form, "f": form.f,
        "child": members.filter(number=number).first() if number else None,
        "hospital_names": dict(Hospital.objects.filter(code__in=codes).values_list("code", "name")),
        "wrong": len([error for _path, errors in form.path_errors.lists() for error in errors]),
    }  # fmt: skip


# --- The provider -----------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def providers(request: HttpRequest) -> HttpResponse:
    """Who is designated for which series, and its account: entered by one, confirmed by another."""
    actor = actor_of(request)
    offering = [book.series for book in current_handbooks() if _offers(book)]
    if request.method == "GET":
        return _show_providers(request, provider_form(series=offering[0] if offering else ""))
    form = provider_form(tidy(request.POST))
    try:
        row = enter(actor, form.payload())
    except DomainError as error:
        form.take_error(error)
        return _show_providers(request, form, error.status)
    messages.success(
        request, _("The account of %(name)s is entered; somebody else confirms it.") % {"name": row.name}
    )
    return redirect("admin:advance-providers")


def _offers(book: Any) -> bool:
    service = book.handbook.service("advance")
    return bool(service and service.offered)


@require_POST
def confirm_provider(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        row = confirm(actor_of(request), pk)
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("The account of %(name)s is in force.") % {"name": row.name})
    return redirect("admin:advance-providers")


def _show_providers(request: HttpRequest, form: Any, status: int = 200) -> HttpResponse:
    actor = actor_of(request)
    related = ("payee", "proposed", "proposed_by", "confirmed_by")
    context = {
        "title": _("Advance provider"), "form": form, "rows": list(visible_providers(actor).select_related(*related)),
        "may_enter": bool(MAKERS & actor.roles), "may_confirm": bool(CHECKERS & actor.roles),
    }  # fmt: skip
    return show(request, "advances/providers.html", context, status=status)
