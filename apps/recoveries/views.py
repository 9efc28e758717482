"""The recovery desk: ageing, the list with search, filters, order and Excel, and opening by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.actors import Actor, actor_of
from apps.cases.forms import tidy
from apps.cases.inputs import parse_input
from apps.cases.views import show
from apps.core.errors import DomainError
from apps.core.excel import LIMIT, excel_response
from apps.core.look_ups import with_number
from apps.core.money import to_yuan
from apps.products.queries import series_codes
from apps.recoveries import charts
from apps.recoveries.actions import open_recovery
from apps.recoveries.forms import OpenInput, open_form
from apps.recoveries.models import Reason, Recovery
from apps.recoveries.queries import BANDS, ageing, in_band, rows_visible_to, totals
from apps.recoveries.roles import CLERKS
from apps.recoveries.workflow import LIVE, STATES

SHOWN = 200
SORTS: tuple[tuple[str, Any, tuple[Any, ...]], ...] = (
    ("due", gettext_lazy("by due date"), (F("due_on").asc(nulls_first=True), "pk")),
    ("open", gettext_lazy("by open amount"), ("-left_fen", "pk")),
    ("newest", gettext_lazy("newest first"), ("-pk",)),
)
NUMBERS = ["case__number", "origin__number", "payment", "refunds__bank_reference"]


@dataclass(frozen=True)
class Filters:
    state: str = "open"  # open | all | a state
    reason: str = ""
    series: str = ""
    band: int | None = None
    sort: str = "due"
    q: str = ""


def filters_of(params: Mapping[str, str]) -> Filters:
    """Filters from an address; what is not understood is left out."""
    state, reason, band = params.get("state", "open"), params.get("reason", ""), params.get("band", "")
    return Filters(
        state=state if state in ("open", "all", *STATES) else "open",
        reason=reason if reason in Reason.values else "",
        series=params.get("series", "")[:10],
        band=int(band) if band in {str(number) for number in range(len(BANDS))} else None,
        sort=params.get("sort", "") if params.get("sort") in {code for code, *_rest in SORTS} else "due",
        q=params.get("q", "").strip()[:60],
    )


def found_rows(actor: Actor, filters: Filters, today: date) -> QuerySet[Recovery]:
    rows = rows_visible_to(actor)
    if filters.q:
        rows = rows.filter(pk__in=with_number(Recovery, NUMBERS, filters.q))
    elif filters.state == "open" or filters.band is not None:
        rows = rows.filter(case__state__in=LIVE)
    elif filters.state != "all":
        rows = rows.filter(case__state=filters.state)
    if filters.reason:
        rows = rows.filter(reason=filters.reason)
    if filters.series:
        rows = rows.filter(case__series=filters.series)
    if filters.band is not None:
        rows = in_band(rows, filters.band, today)
    order = next(order for code, _words, order in SORTS if code == filters.sort)
    return rows.order_by(*order)


def desk(request: HttpRequest) -> HttpResponse:
    actor, today, filters = actor_of(request), timezone.localdate(), filters_of(request.GET)
    form, status = open_form(), 200
    if request.method == "POST":
        form = open_form(tidy(request.POST))
        try:
            given = parse_input(OpenInput, form.payload())
            case = open_recovery(actor, given.case)
            messages.success(request, _("%(number)s is open.") % {"number": case.number})
            return redirect("admin:case", number=case.number)
        except DomainError as error:
            form.take_error(error)
            status = error.status
    rows = found_rows(actor, filters, today)
    if request.GET.get("excel"):
        return _excel(rows, today)
    everything = rows_visible_to(actor)
    sums, listed = totals(everything), [_with_days(row, today) for row in rows[: SHOWN + 1]]
    context = {
        "title": _("Recoveries"), "filters": filters, "rows": listed[:SHOWN], "more": len(listed) > SHOWN,
        "shown": SHOWN, "bars": charts.age_bars(ageing(everything, today)), "totals": sums,
        "rate": round(100 * sums["kept"] / sums["amount"]) if sums["amount"] else None,
        "states": list(STATES.items()), "reasons": Reason.choices, "series_all": series_codes(),
        "series": series_codes(), "sorts": [(code, words) for code, words, _order in SORTS],
        "narrowed": filters != Filters(), "here": urlencode({k: v for k, v in asdict(filters).items() if v not in ("", None)}),
        "form": form, "may_open": bool(CLERKS & actor.roles),
    }  # fmt: skip
    return show(request, "recoveries/desk.html", context, status=status)


def _with_days(row: Recovery, today: date) -> Recovery:
    live = row.case.state in LIVE
    row.days_late = (today - row.due_on).days if row.due_on and live and row.open_fen else 0  # type: ignore[attr-defined]
    row.contact_late = row.contacted_at is None and row.contact_by < today and live  # type: ignore[attr-defined]
    return row


def _excel(rows: QuerySet[Recovery], today: date) -> HttpResponse:
    columns = [
        _("Case"), _("Series"), _("Child"), _("Paid on"), _("Payment"), _("Reason"), _("Rule"), _("Amount"), _("refunded"),
        _("given back"), _("written off"), _("to be refunded"), _("First contact"), _("Due on"), _("Days overdue"), _("State"),
        _("Assignee"),
    ]  # fmt: skip
    return excel_response(
        _("Recoveries"),
        columns,
        (
            [
                row.case.number, row.case.series, row.case.member.masked_name, row.origin.number, row.payment,
                row.get_reason_display(), row.rule, to_yuan(row.amount_fen), to_yuan(row.kept_fen),
                to_yuan(row.given_back_fen), to_yuan(row.written_off_fen), to_yuan(row.open_fen), row.contacted_at,
                row.due_on, max(_with_days(row, today).days_late, 0) or None, row.case.get_state_display(),  # type: ignore[attr-defined]
                str(row.case.assignee or ""),
            ]
            for row in rows[:LIMIT]
        ),
    )  # fmt: skip
