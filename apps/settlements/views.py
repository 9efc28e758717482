"""Pages of settlements. Adapters: parse, call one thing, render."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any
from urllib.parse import quote

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_GET

from apps.accounts.actions import log_read
from apps.accounts.actors import Actor, actor_of
from apps.cases.forms import form_for, tidy
from apps.cases.views import failed, show
from apps.core.days import read_day
from apps.core.errors import Blocked, DomainError, InvalidInput
from apps.core.excel import EXCEL, excel_response
from apps.core.imports import Report
from apps.core.money import to_yuan
from apps.documents.storage import open_stored
from apps.hospitals.models import Hospital
from apps.payments.payees import HospitalAccountInput
from apps.settlements import actions, contracts, letters, queries, reconciling, runs
from apps.settlements.access import CHECKERS, MAKERS, READERS, RESOLVERS, TERMS_CHECKERS, TERMS_MAKERS, need
from apps.settlements.contracts import TermsInput
from apps.settlements.due import days_left
from apps.settlements.models import OPEN_STATES, Difference, HospitalAccount, HospitalList, Statement
from apps.settlements.terms import words

View = Callable[..., HttpResponse]
SHOWN = 500
EVENTS = {
    "made": pgettext_lazy("statement", "made"), "checked": pgettext_lazy("statement", "checked, payment ordered"),
    "dropped": pgettext_lazy("statement", "claims taken out"), "canceled": pgettext_lazy("statement", "canceled"),
    "stopped": pgettext_lazy("statement", "payment stopped"), "ordered_again": pgettext_lazy("statement", "ordered again"),
    "paid": pgettext_lazy("statement", "paid"), "returned": pgettext_lazy("statement", "returned by the bank"),
    "reconciled": pgettext_lazy("statement", "list of the hospital read"), "resolved": pgettext_lazy("statement", "difference resolved"),
}  # fmt: skip


def answers(view: View) -> View:
    """A refusal of the domain becomes a page in words, with the status that belongs to it."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except DomainError as error:
            return failed(request, error)

    return answered


def _may(actor: Actor) -> dict[str, bool]:
    return {
        "make": bool(MAKERS & actor.roles), "check": bool(CHECKERS & actor.roles),
        "resolve": bool(RESOLVERS & actor.roles), "terms": bool(TERMS_MAKERS & actor.roles),
        "confirm": bool(TERMS_CHECKERS & actor.roles),
    }  # fmt: skip


# --- What is due -------------------------------------------------------------------------------------


@answers
def overview(request: HttpRequest) -> HttpResponse:
    """Hospitals that wait for their money, statements on their way, differences to resolve."""
    actor, today = actor_of(request), timezone.localdate()
    if request.method == "POST":
        until = read_day(request.POST.get("until", ""), "until")
        made = runs.make(
            actor, request.POST.get("hospital", ""), until, series=request.POST.get("series", "")
        )
        numbers = ", ".join(one.number for one in made)
        messages.success(request, _("%(number)s is made. Somebody else must check it.") % {"number": numbers})
        return redirect("admin:settlement", number=made[0].number)
    rows = queries.waiting(actor)
    if request.GET.get("excel"):
        return _waiting_excel(rows)
    under_way = (
        queries.statements_visible_to(actor).filter(state__in=OPEN_STATES).order_by("due_on", "pk")[:100]
    )
    context = {
        "title": _("Payment of hospitals"),
        "waiting": [(row, words(row.terms) if row.terms else "") for row in rows],
        "waiting_fen": sum(row.amount_fen for row in rows),
        "waiting_claims": sum(row.claims for row in rows),
        "under_way": [(one, days_left(one.due_on, today)) for one in under_way],
        "differences": queries.differences_visible_to(actor).filter(outcome=Difference.Outcome.OPEN).count(),
        "today": today.isoformat(),
        "may": _may(actor),
    }
    return show(request, "settlements/overview.html", context)


def _waiting_excel(rows: list[queries.Waiting]) -> HttpResponse:
    columns = [
        _("Hospital"), _("Code"), _("Series"), _("TPA"), _("Claims"), _("Amount"), _("To be paid by"), _("Days"),
        _("Payment terms"),
    ]  # fmt: skip
    table = (
        [
            row.hospital.name, row.hospital.code, row.series, row.tpa, row.claims, to_yuan(row.amount_fen), row.due_on,
            row.days_left, words(row.terms) if row.terms else _("no terms"),
        ]
        for row in rows
    )  # fmt: skip
    return excel_response(_("Hospitals to be paid"), columns, table)


# --- One statement -----------------------------------------------------------------------------------


@answers
def statement(request: HttpRequest, number: str) -> HttpResponse:
    """One statement: its claims, what the person may do with it, the hospital's list beside it."""
    actor = actor_of(request)
    found = get_object_or_404(queries.statements_visible_to(actor), number=number)
    report: Report | None = None
    if request.method == "POST":
        try:
            report = _do(request, actor, found)
            if report is None:
                return redirect("admin:settlement", number=number)
        except DomainError as error:
            messages.error(request, str(error.message))
            return redirect("admin:settlement", number=number)
        found.refresh_from_db()
    lines = list(queries.lines_of(found, living=False)[: SHOWN + 1])
    own_list = (
        HospitalList.objects.filter(statement=found, superseded=False).select_related("read_by").first()
    )
    living = [line for line in lines if line.living] or lines
    context = {
        "title": f"{found.number} · {found.hospital.name}",
        "statement": found,
        "terms": words(found.terms),
        "lines": [(line, letters.visit_words(line)) for line in lines[:SHOWN]],
        "more": len(lines) > SHOWN,
        "totals": {name: sum(getattr(line, name) for line in living) for name in letters.MONEY},
        "changed": {line.pk for line in actions.changed_lines(found)} if found.state == "DRAFT" else set(),
        "left": days_left(found.due_on),
        "waits": found.state in OPEN_STATES,
        "is_maker": found.made_by_id == actor.user_id,
        "events": [(event, EVENTS.get(event.name, event.name)) for event in found.events.order_by("-seq")],
        "list": own_list,
        "differences": own_list.differences.select_related("case", "resolved_by").order_by(
            "outcome", "kind", "pk"
        )
        if own_list
        else [],
        "outcomes": [pair for pair in Difference.Outcome.choices if pair[0] != "OPEN"],
        "report": report,
        "may": _may(actor),
    }
    return show(request, "settlements/statement.html", context, status=400 if report else 200)


def _do(request: HttpRequest, actor: Actor, found: Statement) -> Report | None:
    given, number = request.POST, found.number
    seen = given.get("version", "")
    more: dict[str, Any] = {"version": int(seen) if seen.isdigit() else None}
    reason = given.get("reason", "")
    if "check" in given:
        done = actions.check(actor, number, **more)
        messages.success(
            request, _("Checked. Payment order %(order)s waits for a payment file.") % {"order": done.order}
        )
    elif "drop" in given:
        actions.drop(actor, number, given.getlist("case"), reason=reason, **more)
        messages.success(request, _("Taken out; these claims come with the next run."))
    elif "cancel" in given:
        actions.cancel(actor, number, reason=reason, **more)
        messages.success(request, _("Canceled; its claims are free again."))
    elif "stop" in given:
        actions.stop(actor, number, reason=reason, **more)
        messages.success(request, _("Stopped; its claims are free again."))
    elif "again" in given:
        done = actions.order_again(actor, number, reason=reason, **more)
        messages.success(request, _("Ordered again with %(order)s.") % {"order": done.order})
    elif "resolve" in given:
        pk = given.get("resolve", "")
        reconciling.resolve(actor, int(pk) if pk.isdigit() else 0, given.get("outcome", ""), reason=reason)
        messages.success(request, _("Resolved."))
    elif "reconcile" in given:
        upload = request.FILES.get("file")
        if upload is None:
            raise InvalidInput(_("Choose the hospital's file."), field="file", code="required")
        read, report = reconciling.reconcile(actor, number, upload, upload.name or "")  # type: ignore[arg-type]
        if read is None:
            return report
        messages.success(
            request,
            _("%(rows)d rows read, %(agreed)d claims agree.") % {"rows": read.rows, "agreed": read.matched},
        )
    return None


@require_GET
@answers
def statement_file(request: HttpRequest, number: str, kind: str) -> HttpResponse:
    """The PDF, the Excel of the claims, or that of the differences; reading it is logged (LAW-09)."""
    actor = actor_of(request)
    found = get_object_or_404(queries.statements_visible_to(actor).select_related("file"), number=number)
    log_read(actor, subject=f"settlement:{found.number}", what=kind)
    if kind == "differences":
        return _differences_excel(found)
    return file_of(found, kind)


def file_of(found: Statement, kind: str) -> HttpResponse:
    """The file of a statement as an answer; shared with the API."""
    if kind == "xlsx":
        return _download(letters.workbook(found), f"{found.number}.xlsx", EXCEL)
    if found.letter_version == 0:
        raise Blocked(_("The letter is made when the statement has been checked."), code="no_file")
    if found.file is None:
        raise Blocked(_("The letter is still being printed; try again in a moment."), code="not_ready")
    with open_stored(found.file) as handle:
        return _download(handle.read(), f"{found.number}.pdf", "application/pdf")


def _download(content: bytes, name: str, content_type: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return response


def _differences_excel(found: Statement) -> HttpResponse:
    rows = Difference.objects.filter(hospital_list__statement=found, hospital_list__superseded=False)
    columns = [
        _("Kind"), _("Number"), _("Rows of the list"), _("Our amount"), _("The hospital's amount"), _("Difference"),
        _("Ours says"), _("The hospital says"), _("Outcome"), _("Reason"), _("Resolved by"), _("Resolved at"),
    ]  # fmt: skip
    table = (
        [
            row.get_kind_display(), row.about, "、".join(map(str, row.rows)), _yuan(row.ours_fen), _yuan(row.theirs_fen),
            to_yuan((row.theirs_fen or 0) - (row.ours_fen or 0)), row.ours, row.theirs, row.get_outcome_display(),
            row.reason, row.resolved_by or "", row.resolved_at,
        ]
        for row in rows.select_related("resolved_by").order_by("outcome", "kind", "pk")
    )  # fmt: skip
    return excel_response(f"{found.number}-{_('differences')}", columns, table)


def _yuan(fen: int | None) -> Any:
    return None if fen is None else to_yuan(fen)


# --- Terms and account of a hospital -----------------------------------------------------------------


@answers
def hospital(request: HttpRequest, code: str) -> HttpResponse:
    """Terms and account of one hospital with their history; entering and confirming them."""
    actor = actor_of(request)
    need(actor, READERS)
    place = get_object_or_404(Hospital, code=code)
    forms: dict[str, Any] = {
        "terms": form_for(TermsInput)(initial={"starts_on": timezone.localdate(), "unit": "CALENDAR"}),
        "account": form_for(HospitalAccountInput)(),
    }
    shown: Mapping[str, Any] = {}
    status = 200
    if request.method == "POST":
        try:
            shown = _contract(request, actor, place, forms)
            if not shown:
                return redirect("admin:settlement-hospital", code=code)
        except DomainError as error:
            status, which = error.status, next((name for name in forms if name in request.POST), "")
            if which:
                forms[which].take_error(error)
            else:
                messages.error(request, str(error.message))
                return redirect("admin:settlement-hospital", code=code)
    context = {
        "title": place.name,
        "hospital": place,
        "terms": [
            (row, words(row))
            for row in queries.terms_visible_to(actor).filter(hospital=place).order_by("-starts_on", "-pk")
        ],
        "accounts": HospitalAccount.objects.filter(hospital=place)
        .select_related("payee", "proposed_by", "confirmed_by")
        .order_by("-pk"),
        "statements": queries.statements_visible_to(actor).filter(hospital=place).order_by("-pk")[:20],
        "forms": forms,
        "shown": shown,
        "user_id": actor.user_id,
        "may": _may(actor),
    }
    return show(request, "settlements/hospital.html", context, status=status)


def _contract(
    request: HttpRequest, actor: Actor, place: Hospital, forms: dict[str, Any]
) -> Mapping[str, Any]:
    given = request.POST
    pk = next((int(v) for name in CONFIRMS if (v := given.get(name, "")).isdigit()), 0)
    if "terms" in given:
        forms["terms"] = form_for(TermsInput)(tidy(given))
        contracts.propose_terms(actor, place.code, _asked(forms["terms"]))
        messages.success(request, _("Entered. Somebody else must confirm it."))
    elif "account" in given:
        forms["account"] = form_for(HospitalAccountInput)(tidy(given))
        contracts.propose_account(actor, place.code, _asked(forms["account"]))
        messages.success(request, _("Entered. Somebody else must confirm it."))
    elif "reveal" in given:
        return {"pk": pk, "account": contracts.reveal_account(actor, pk, reason=given.get("reason", ""))}
    else:
        for name, act in CONFIRMS.items():
            if name in given and act is not None:
                act(actor, pk)
                messages.success(request, _("Done."))
    return {}


def _asked(form: Any) -> dict[str, Any]:
    """What the form asks, without the buttons."""
    known = form.input_class.__dataclass_fields__
    return {name: value for name, value in form.payload().items() if name in known}


CONFIRMS: dict[str, Callable[[Actor, int], Any] | None] = {
    "confirm_terms": contracts.confirm_terms,
    "refuse_terms": contracts.refuse_terms,
    "confirm_account": contracts.confirm_account,
    "refuse_account": contracts.refuse_account,
    "reveal": None,
}
