"""Pages of bills: calls to make, ageing, a bill reported by phone, the day's electronic payments."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_POST

from apps.accounts.actors import actor_of
from apps.accounts.visibility import visible_to
from apps.billing import epay
from apps.billing.actions import report_bill
from apps.billing.charts import age_chart
from apps.billing.forms import report_form
from apps.billing.models import OnlinePayment
from apps.billing.queries import ageing, by_hospital, calls_to_make, with_manager
from apps.billing.roles import FINANCE
from apps.cases.engine import perform
from apps.cases.forms import tidy
from apps.cases.views import show
from apps.core.errors import DomainError
from apps.core.excel import excel_response
from apps.core.money import to_yuan
from apps.hospitals.models import Hospital
from apps.members.models import Member
from apps.members.queries import spokesperson
from apps.messaging.calls import OUTCOMES
from apps.products.queries import series_codes


def calls(request: HttpRequest) -> HttpResponse:
    """Who is to be called about which bill, with the words to say; the outcome is noted here."""
    actor, series = actor_of(request), request.GET.get("series", "")[:10]
    tasks = calls_to_make(actor, series=series)
    context = {
        "title": _("Calls about bills"),
        "tasks": [(task, spokesperson(task.case.policy)) for task in tasks],
        "outcomes": OUTCOMES,
        "series": series,
        "all_series": series_codes(),
    }
    return show(request, "billing/calls.html", context)


@require_POST
def call_made(request: HttpRequest, number: str) -> HttpResponse:
    """What came of a call."""
    given: dict[str, Any] = {name: request.POST.get(name, "") for name in ("task", "outcome", "note")}
    try:
        case = perform(number, "record_call", actor_of(request), **given)
    except DomainError as error:
        words = str(error.message)
        messages.error(request, words if number in words else f"{number}: {words}")
    else:
        words = _("%(number)s: noted. Now: %(state)s.")
        messages.success(request, words % {"number": number, "state": case.get_state_display()})
    return redirect("admin:bill-calls")


def ages(request: HttpRequest) -> HttpResponse:
    """How old the open bills are, and at which hospitals most is open."""
    actor, series = actor_of(request), request.GET.get("series", "")[:10]
    bands = ageing(actor, timezone.localdate(), series=series)
    hospitals = by_hospital(actor, series=series)
    if "excel" in request.GET:
        rows = [
            (
                row["hospital__code"],
                row["hospital__name"],
                row["bills"],
                to_yuan(row["fen"] or 0),
                row["exhausted"],
            )
            for row in hospitals
        ]
        heads = [
            _("Code"),
            _("Hospital"),
            pgettext("self-pay", "Bills"),
            pgettext("money", "Open"),
            _("Greyed"),
        ]
        return excel_response(_("Open self-pay bills"), heads, rows)
    context = {
        "title": _("Open self-pay bills"),
        "bands": bands,
        "chart": age_chart(bands),
        "hospitals": hospitals,
        "bills": sum(band.bills for band in bands),
        "fen": sum(band.fen for band in bands),
        "exhausted": sum(band.exhausted for band in bands),
        "unreached": sum(band.unreached for band in bands),
        "with_manager": with_manager(actor, series=series),
        "series": series,
        "all_series": series_codes(),
    }
    return show(request, "billing/ageing.html", context)


def new_bill(request: HttpRequest) -> HttpResponse:
    """A bill the hospital told us about: saved whole or not at all, each error at its field."""
    actor = actor_of(request)
    if request.method != "POST":
        form = report_form(member=request.GET.get("member", "")[:40])
        return show(request, "billing/report.html", _context(request, form))
    form = report_form(tidy(request.POST))
    try:
        case = report_bill(actor, data=form.payload())
    except DomainError as error:
        form.take_error(error)
        return show(request, "billing/report.html", _context(request, form), status=error.status)
    messages.success(
        request, _("%(number)s is made; the first reminder is under way.") % {"number": case.number}
    )
    return redirect("admin:case", number=case.number)


def _context(request: HttpRequest, form: Any) -> dict[str, Any]:
    given = form.payload() if form.is_bound else {}
    number = given.get("member") or request.GET.get("member", "")
    members = visible_to(Member.objects.all(), actor_of(request))
    codes = [given.get("hospital", "")]
    return {
        "title": _("Record an unpaid bill"),
        "form": form,
        "child": members.filter(number=number).first() if number else None,
        "hospital_names": dict(Hospital.objects.filter(code__in=codes).values_list("code", "name")),
        "wrong": len([error for _path, errors in form.path_errors.lists() for error in errors]),
    }


# --- Electronic payments ----------------------------------------------------------------------------


def day_of_payments(request: HttpRequest) -> HttpResponse:
    """The gateway's file of a day beside our books; what is missing is fetched, what is flagged is cleared."""
    day = parse_date(request.GET.get("day", "")[:10]) or timezone.localdate()
    error: DomainError | None = None
    rows: list[epay.Difference] = []
    try:
        rows = epay.compare(day)
    except DomainError as refused:
        error = refused
    if "excel" in request.GET and error is None:
        return _excel(day, rows)
    flagged = visible_to(OnlinePayment.objects.exclude(flag=""), actor_of(request))
    context = {
        "title": _("Electronic payments of a day"),
        "day": day,
        "before": day - timedelta(days=1),
        "after": day + timedelta(days=1),
        "rows": rows,
        "differences": sum(row.what != "NONE" for row in rows),
        "total_fen": sum(row.theirs.amount_fen for row in rows if row.theirs),
        "error": error,
        "flagged": list(flagged.select_related("bill__case", "bill__hospital").order_by("-pk")[:50]),
        "may_book": bool(actor_of(request).roles & FINANCE),
    }
    return show(request, "billing/day.html", context)


def _excel(day: date, rows: list[epay.Difference]) -> HttpResponse:
    heads = [_("Payment"), pgettext("self-pay", "Bill"), _("Difference"), _("Amount there"), _("Amount here"), _("Given back there"),
             _("Given back here"), _("Gateway's number"), _("Paid at")]  # fmt: skip
    body = [
        (
            (row.theirs.number if row.theirs else row.ours.number if row.ours else ""),
            row.ours.bill.case.number if row.ours else "",
            row.what,
            to_yuan(row.theirs.amount_fen) if row.theirs else None,
            to_yuan(row.ours.amount_fen) if row.ours else None,
            to_yuan(row.theirs.refunded_fen) if row.theirs else None,
            to_yuan(row.ours.refunded_fen) if row.ours else None,
            row.theirs.reference if row.theirs else row.ours.reference if row.ours else "",
            row.theirs.at if row.theirs else row.ours.paid_at if row.ours else None,
        )
        for row in rows
    ]
    return excel_response(_("Electronic payments") + f" {day}", heads, body)


@require_POST
def settle_difference(request: HttpRequest) -> HttpResponse:
    """Fetch a payment from the gateway's file, or clear a flag."""
    actor, number = actor_of(request), request.POST.get("payment", "")[:30]
    day = parse_date(request.POST.get("day", "")[:10]) or timezone.localdate()
    try:
        if "fetch" in request.POST:
            epay.fetch(actor, number, day)
            messages.success(request, _("%(number)s is booked.") % {"number": number})
        else:
            epay.clear_flag(actor, number)
            messages.success(request, _("%(number)s is no longer flagged.") % {"number": number})
    except DomainError as error:
        messages.error(request, str(error.message))
    return redirect(f"{request.path.removesuffix('settle/')}?day={day:%Y-%m-%d}")
