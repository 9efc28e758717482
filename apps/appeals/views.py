"""The list of appeals with search, filters and Excel; recording one; how appeals go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_http_methods

from apps.accounts.actors import Actor, actor_of
from apps.accounts.models import User
from apps.accounts.visibility import visible_to
from apps.appeals import queries
from apps.appeals.actions import open_appeal
from apps.appeals.guards import appealable, converts
from apps.appeals.inputs import RecordInput
from apps.appeals.models import Appeal, Result
from apps.appeals.queries import Tally, rows_visible_to, searched, within
from apps.appeals.roles import DESK, MANAGERS
from apps.appeals.target import target_of
from apps.appeals.workflow import STATES
from apps.cases.forms import ActionForm, form_for, tidy
from apps.cases.models import CaseFile
from apps.cases.timeleft import due_words
from apps.cases.timeleft import words as in_words
from apps.cases.views import show
from apps.core.days import read_day
from apps.core.errors import Blocked, DomainError
from apps.core.excel import LIMIT, excel_response
from apps.core.money import to_yuan
from apps.enquiries.models import Enquiry
from apps.products.queries import current_handbooks, series_codes

SHOWN = 200
RESULTS = ("OVERTURNED", *Result.values)


@dataclass(frozen=True)
class Filters:
    state: str = "live"  # live | all | a state
    result: str = ""  # a result | OVERTURNED: wholly or partly
    series: str = ""
    who: str = ""  # mine | nobody
    rule: str = ""
    decider: str = ""  # user id: who made the decision under appeal
    late: str = ""
    since: date | None = None
    until: date | None = None
    q: str = ""

    def query(self, **changes: Any) -> str:
        values = asdict(replace(self, **changes))
        return urlencode({name: value for name, value in values.items() if value not in ("", None)})


def filters_of(params: Mapping[str, str]) -> Filters:
    """Filters from an address; what is not understood is left out."""
    state, result, who = params.get("state", "live"), params.get("result", ""), params.get("who", "")
    decider = params.get("decider", "")
    return Filters(
        state=state if state in ("live", "all", *STATES) else "live",
        result=result if result in RESULTS else "",
        series=params.get("series", "")[:10],
        who=who if who in ("mine", "nobody") else "",
        rule=params.get("rule", "").strip().upper()[:12],
        decider=decider if decider.isdigit() and len(decider) < 10 else "",
        late="1" if params.get("late") else "",
        since=_day(params.get("since", "")),
        until=_day(params.get("until", "")),
        q=params.get("q", "").replace("\x00", "").strip()[:60],
    )


def _day(text: str) -> date | None:
    try:
        day = read_day(text, "day") if text else None
    except DomainError:
        return None
    return day if day and 2000 <= day.year < 2200 else None


def found_rows(actor: Actor, filters: Filters) -> QuerySet[Appeal]:
    """A number or words are sought in every state."""
    rows = within(rows_visible_to(actor), filters.since, filters.until)
    if filters.q:
        rows = searched(rows, filters.q)
    elif filters.state == "live":
        rows = rows.filter(ended_at=None)
    if filters.state in STATES:
        rows = rows.filter(case__state=filters.state)
    if filters.result:
        wanted = queries.OVERTURNED if filters.result == "OVERTURNED" else (filters.result,)
        rows = rows.filter(result__in=wanted)
    if filters.series:
        rows = rows.filter(case__series=filters.series)
    if filters.who:
        rows = rows.filter(case__assignee=actor.user_id if filters.who == "mine" else None)
    if filters.rule:
        rows = rows.filter(rules__rule=filters.rule)
    if filters.decider and actor.roles & MANAGERS:
        rows = rows.filter(deciders__user=int(filters.decider), deciders__decided=True)
    if filters.late:
        rows = rows.filter(queries.late(timezone.now()))
    return rows.order_by("-received_at", "-pk")


@require_GET
def listed(request: HttpRequest) -> HttpResponse:
    actor, filters = actor_of(request), filters_of(request.GET)
    rows = found_rows(actor, filters)
    if request.GET.get("excel"):
        return _excel(rows)
    shown = list(rows[: SHOWN + 1])
    context = {
        "title": _("Appeals"), "filters": filters,
        "rows": [(row, due_words(row.case.next_due)) for row in shown[:SHOWN]], "more": len(shown) > SHOWN, "shown": SHOWN,
        "states": list(STATES.items()), "results": [("OVERTURNED", pgettext("appeal", "overturned")), *Result.choices],
        "series": series_codes(), "narrowed": filters != Filters(), "here": filters.query(), "now": timezone.now(),
        "may_record": bool(DESK & actor.roles), "decider": User.objects.filter(pk=filters.decider or 0).first(),
    }  # fmt: skip
    return show(request, "appeals/list.html", context)


def _excel(rows: QuerySet[Appeal]) -> HttpResponse:
    columns = [
        _("Case"), _("Series"), _("Child"), _("Policy"), _("Claim"), _("Decision"), _("decided at"), _("Channel"),
        _("Who appeals"), _("Received at"), _("What is said to be wrong"), _("Lines"), _("Rules under appeal"), _("State"),
        _("Reviewer"), _("Due"), _("Result"), _("Reason"), _("paid before"), _("paid now"), _("difference"),
        _("Answered at"), _("Complaint taken up"), _("Rule"),
    ]  # fmt: skip
    return excel_response(
        _("Appeals"),
        columns,
        (
            [
                row.case.number, row.case.series, row.case.member.masked_name, row.case.policy.number, row.origin.number,
                f"v{row.version}" if row.version else _("refused at intake"), row.decided_at, row.channel, row.appellant,
                row.received_at, row.text, "、".join(row.places), "、".join(one.rule for one in row.rules.all()),
                row.case.get_state_display(), str(row.case.assignee or ""), due_words(row.case.next_due), row.get_result_display(),
                row.why, to_yuan(row.former_fen), None if row.new_fen is None else to_yuan(row.new_fen),
                None if row.change_fen is None else to_yuan(row.change_fen), row.answered_at,
                row.complaint.number if row.complaint else "", row.rule,
            ]
            for row in rows.prefetch_related("rules")[:LIMIT]
        ),
    )  # fmt: skip


# --- Recording ----------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def record_page(request: HttpRequest) -> HttpResponse:
    """An appeal told on the phone; `?claim=` or `?complaint=` says against what, else it is asked first."""
    actor = actor_of(request)
    if request.method == "POST":
        return _record(request, actor)
    complaint = _complaint(actor, request.GET.get("complaint", "")[:30].strip().upper())
    number = request.GET.get("claim", "")[:30].strip().upper()
    claim = _claim(actor, complaint.about.number if complaint and complaint.about else number)
    initial = {"claim": claim.number if claim else number, "channel": RecordInput.channel}
    if complaint:
        initial |= {
            "complaint": complaint.case.number, "appellant": complaint.asker, "text": complaint.text,
        }  # fmt: skip
        if claim and converts(claim.handbook.handbook):
            initial["channel"] = complaint.channel
    form = form_for(RecordInput)(None, None, initial=initial, ctx=_seen(claim))
    if number and claim is None:
        words = _("No such case: %(numbers)s") % {"numbers": number}
        form.take_error(DomainError(words, code="unknown_case", field="claim"))
    found = appealable(claim, target_of(claim)) if claim else None
    if found:
        form.take_error(Blocked(found.message, code=found.code, rule=found.rule))
    return _show_form(request, form, claim, complaint, asks=found is None)


def _record(request: HttpRequest, actor: Actor) -> HttpResponse:
    claim = _claim(actor, request.POST.get("claim", "")[:30].strip().upper())
    form = form_for(RecordInput)(tidy(request.POST), ctx=_seen(claim))
    try:
        case = open_appeal(actor, form.payload())
    except DomainError as error:
        form.take_error(error)
        complaint = _complaint(actor, request.POST.get("complaint", "")[:30].strip().upper())
        return _show_form(request, form, claim, complaint, error.status)
    messages.success(request, _("%(number)s is recorded.") % {"number": case.number})
    return redirect("admin:case", number=case.number)


def _seen(claim: CaseFile | None) -> Any:
    """What the choices of the form look at: the claim."""
    return SimpleNamespace(case=claim) if claim else None


def _claim(actor: Actor, number: str) -> CaseFile | None:
    cases = visible_to(CaseFile.objects.filter(number=number), actor) if number else CaseFile.objects.none()
    return cases.select_related("handbook", "member", "policy__plan").first()


def _complaint(actor: Actor, number: str) -> Enquiry | None:
    rows = visible_to(Enquiry.objects.filter(case__number=number), actor) if number else Enquiry.objects.none()  # fmt: skip
    return rows.select_related("case", "about").first()


def _show_form(
    request: HttpRequest,
    form: ActionForm,
    claim: CaseFile | None,
    complaint: Enquiry | None,
    status: int = 200,
    *,
    asks: bool = True,
) -> HttpResponse:
    """Without a claim it is asked first; of one that cannot be appealed the reason alone is shown."""
    fields = form.asked() if claim and asks else []
    context = {
        "title": _("Record an appeal"), "form": form, "claim": claim, "complaint": complaint,
        "fields": [one for one in fields if one.bound is None or one.bound.name not in ("claim", "complaint")],
        "asked": form["claim"].value() or "",
    }  # fmt: skip
    return show(request, "appeals/record.html", context, status=status)


# --- How appeals go -----------------------------------------------------------------------------------


@require_GET
def figures(request: HttpRequest) -> HttpResponse:
    """Received, open, late, upheld and overturned; by rule, and for managers by adjuster. Numbers open their cases."""
    actor, given, today = actor_of(request), filters_of(request.GET), timezone.localdate()
    filters = Filters(
        state="all",
        series=given.series,
        since=given.since or date(today.year, 1, 1),
        until=given.until or today,
    )
    rows = found_rows(actor, filters)
    managing = bool(actor.roles & MANAGERS)
    titles = _rule_titles()
    rules = [replace(one, words=titles.get(one.key, "")) for one in queries.by_rule(rows)]
    adjusters = queries.by_adjuster(rows) if managing else []
    wanted = request.GET.get("excel")
    if wanted == "adjusters" and managing:
        return _tally_excel(_("By adjuster"), _("Adjuster"), [(one.words, one) for one in adjusters])
    if wanted:
        return _tally_excel(
            _("By rule"), _("Rule"), [(f"{one.key} {one.words}".strip(), one) for one in rules]
        )
    context = {
        "title": _("How appeals go"), "filters": filters, "total": queries.total(rows, timezone.now()), "rules": rules,
        "adjusters": adjusters, "managing": managing, "series": series_codes(), "here": filters.query(),
    }  # fmt: skip
    return show(request, "appeals/figures.html", context)


def _rule_titles() -> dict[str, str]:
    """What the series call their rules; where several share an id, the newest."""
    titles: dict[str, str] = {}
    for book in current_handbooks():
        for rule in book.handbook.rules.values():
            titles.setdefault(rule.id, in_words(rule.title))
    return titles


def _tally_excel(title: str, first: str, rows: list[tuple[str, Tally]]) -> HttpResponse:
    columns = [
        first, pgettext("appeal", "received"), _("open"), pgettext("appeal", "upheld"), pgettext("appeal", "overturned wholly"),
        pgettext("appeal", "overturned partly"), pgettext("appeal", "withdrawn"), _("overturned, per cent"), _("paid more"),
    ]  # fmt: skip
    return excel_response(
        title,
        columns,
        (
            [words, one.received, one.open, one.upheld, one.wholly, one.partly, one.withdrawn, one.rate, to_yuan(one.change_fen)]
            for words, one in rows
        ),
    )  # fmt: skip
