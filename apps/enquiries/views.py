"""The list of enquiries with search, filters and Excel; recording one; sending forms to a family."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_http_methods

from apps.accounts.actors import Actor, actor_of
from apps.cases.forms import ActionForm, form_for, tidy
from apps.cases.models import CaseFile
from apps.cases.views import show
from apps.core.errors import DomainError
from apps.core.excel import LIMIT, excel_response
from apps.enquiries.actions import record, send_forms
from apps.enquiries.forms_offered import FORMS
from apps.enquiries.inputs import FormsInput, RecordInput
from apps.enquiries.models import Enquiry, Sort
from apps.enquiries.queries import rows_visible_to, searched, to_take_up
from apps.enquiries.roles import DESK
from apps.enquiries.workflow import LIVE, STATES
from apps.products.queries import series_codes

SHOWN = 200


@dataclass(frozen=True)
class Filters:
    state: str = "live"  # live | all | a state
    sort: str = ""
    series: str = ""
    who: str = ""  # mine | nobody
    appeal: str = ""
    q: str = ""


def filters_of(params: Mapping[str, str]) -> Filters:
    """Filters from an address; what is not understood is left out."""
    state, sort, who = params.get("state", "live"), params.get("sort", ""), params.get("who", "")
    return Filters(
        state=state if state in ("live", "all", *STATES) else "live",
        sort=sort if sort in Sort.values else "",
        series=params.get("series", "")[:10],
        who=who if who in ("mine", "nobody") else "",
        appeal="1" if params.get("appeal") else "",
        q=params.get("q", "").replace("\x00", "").strip()[:60],
    )


def found_rows(actor: Actor, filters: Filters) -> QuerySet[Enquiry]:
    rows = rows_visible_to(actor)
    if filters.q:
        rows = searched(rows, filters.q)
    elif filters.appeal:
        rows = to_take_up(rows)
    elif filters.state == "live":
        rows = rows.filter(case__state__in=LIVE)
    if filters.state in STATES:
        rows = rows.filter(case__state=filters.state)
    if filters.sort:
        rows = rows.filter(sort=filters.sort)
    if filters.series:
        rows = rows.filter(case__series=filters.series)
    if filters.who:
        rows = rows.filter(case__assignee=actor.user_id if filters.who == "mine" else None)
    return rows.order_by("-received_at", "-pk")


@require_GET
def listed(request: HttpRequest) -> HttpResponse:
    actor, filters = actor_of(request), filters_of(request.GET)
    rows = found_rows(actor, filters)
    if request.GET.get("excel"):
        return _excel(rows)
    shown = list(rows[: SHOWN + 1])
    here = urlencode({key: value for key, value in asdict(filters).items() if value})
    context = {
        "title": _("Enquiries"), "filters": filters, "rows": shown[:SHOWN], "more": len(shown) > SHOWN, "shown": SHOWN,
        "states": list(STATES.items()), "sorts": Sort.choices, "series": series_codes(),
        "narrowed": filters != Filters(), "here": here, "may_record": bool(DESK & actor.roles),
        "wishes": to_take_up(rows_visible_to(actor)).count(),
    }  # fmt: skip
    return show(request, "enquiries/list.html", context)


def _excel(rows: QuerySet[Enquiry]) -> HttpResponse:
    columns = [
        _("Case"), _("Series"), _("Child"), _("Policy"), _("Kind"), _("Channel"), _("Who asked"), _("Received at"),
        _("About case"), _("Text"), pgettext("enquiry", "Answer"), _("answered by"), _("Answered at"), _("recorded by"), _("Assignee"),
        _("Due"), _("State"), _("To be taken up as appeal"), _("Forms"), _("sent to"), _("Why to this address"), _("Rule"),
    ]  # fmt: skip
    return excel_response(
        _("Enquiries"),
        columns,
        (
            [
                row.case.number, row.case.series, row.case.member.masked_name, row.case.policy.number,
                row.get_sort_display(), row.channel, row.asker, row.received_at, row.about.number if row.about else "",
                row.text, row.answer, row.answered_by, row.answered_at, row.recorded_by, str(row.case.assignee or ""),
                row.case.next_due, row.case.get_state_display(), _("yes") if row.appeal_wished else "",
                "、".join(row.forms), row.sent_to, row.sent_why, row.rule,
            ]
            for row in rows[:LIMIT]
        ),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def record_page(request: HttpRequest) -> HttpResponse:
    """An enquiry told on the phone; `?about=` and `?member=` are filled in."""
    initial = {"about": request.GET.get("about", "")[:30], "member": request.GET.get("member", "")[:60]}
    texts = {"title": _("Record an enquiry"), "submit": pgettext("button", "Record")}
    return _filled(request, RecordInput, record, initial, texts)


@require_http_methods(["GET", "POST"])
def forms_page(request: HttpRequest) -> HttpResponse:
    """Claim forms and notes to the family's mailbox (APP-05)."""
    initial = {"member": request.GET.get("member", "")[:60], "forms": [form.key for form in FORMS]}
    texts = {
        "title": _("Send forms by e-mail"),
        "submit": pgettext("button", "Send"),
        "note": _("They go to the guardian on file; another address needs a reason, which is kept."),
        "rule": "APP-05",
    }
    return _filled(request, FormsInput, send_forms, initial, texts)


def _filled(
    request: HttpRequest,
    cls: type[Any],
    act: Callable[[Actor, Any], CaseFile],
    initial: dict[str, Any],
    texts: dict[str, Any],
) -> HttpResponse:
    if request.method == "GET":
        return _show_form(request, form_for(cls)(None, None, initial=initial), texts)
    form = form_for(cls)(tidy(request.POST))
    try:
        case = act(actor_of(request), form.payload())
    except DomainError as error:
        form.take_error(error)
        return _show_form(request, form, texts, error.status)
    messages.success(request, _("%(number)s is recorded.") % {"number": case.number})
    return redirect("admin:case", number=case.number)


def _show_form(
    request: HttpRequest, form: ActionForm, texts: dict[str, Any], status: int = 200
) -> HttpResponse:
    """The child is looked up by name; everything else is an ordinary field."""
    fields = [one for one in form.asked() if one.bound is None or one.bound.name != "member"]
    return show(request, "enquiries/form.html", {**texts, "form": form, "fields": fields}, status=status)
