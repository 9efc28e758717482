"""Pages of appointments: the request with its answer, arrivals of a day, missed visits, brands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.actors import Actor, actor_of
from apps.accounts.visibility import visible_to
from apps.appointments.actions import may_book, request_appointment
from apps.appointments.actions.bans import lift_ban
from apps.appointments.forms import (
    CloseBrandInput,
    DecideInput,
    TransferInput,
    request_form,
    wish_part,
)
from apps.appointments.models import Appointment, HospitalBan
from apps.appointments.queries import arrivals, missed
from apps.appointments.roles import MANAGERS, OVERRIDERS
from apps.cases.forms import ActionForm, form_for, tidy
from apps.cases.inputs import parse_input
from apps.cases.views import show
from apps.core.errors import DomainError, InvalidInput, NotFound
from apps.core.excel import excel_response
from apps.hospitals.actions import NETWORK_MANAGERS, close_brand
from apps.hospitals.models import BrandClosure, Campus, Hospital
from apps.members.brands import ASKERS, ask_transfer, decide_transfer, may_decide, successors
from apps.members.models import BrandLock, BrandTransfer, Member
from apps.members.queries import search as search_members
from apps.members.queries import visible_members
from apps.products.queries import current_handbooks

PREFILLED = (
    "member",
    "hospital",
    "visit_on",
    "benefit",
    "visit_type",
    "department",
    "department_group",
    "complaint",
)


def new_request(request: HttpRequest) -> HttpResponse:
    """A request heard by phone: filed whole or not at all, each error at its field; a refusal by rule is
    filed, too, and its page says why."""
    actor = actor_of(request)
    if request.method != "POST":
        given = {name: request.GET[name][:80] for name in PREFILLED if request.GET.get(name)}
        initial = {"channel": "HOTLINE", "visit_type": "OUTPATIENT"} | given
        return show(request, "appointments/request.html", _context(request, request_form(initial=initial)))
    form = request_form(tidy(request.POST), request.FILES)
    try:
        case = request_appointment(actor, data=form.payload())
    except DomainError as error:
        form.take_error(error)
        return show(request, "appointments/request.html", _context(request, form), status=error.status)
    words = _("%(number)s is filed. Now: %(state)s.") % {
        "number": case.number,
        "state": case.get_state_display(),
    }
    (messages.success if case.open else messages.warning)(request, words)
    return redirect("admin:case", number=case.number)


@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """May it be booked as typed so far, in time, and until when canceled? Nothing is saved."""
    form = request_form(tidy(request.POST), request.FILES)
    context: dict[str, Any] = {}
    try:
        read, found = may_book(actor_of(request), wish_part(form.payload()))
        context = {"found": found, "booking": read.booking}
    except DomainError as error:
        form.take_error(error)
        context["errors"] = form.named_errors()
    return render(request, "appointments/parts/answer.html", context)


@require_safe
def campuses(request: HttpRequest) -> HttpResponse:
    """The campuses of the hospital just picked, to choose from."""
    given = request.GET
    context = {"campuses": _campuses(given.get("hospital", "")), "campus": given.get("campus", "")}
    return render(request, "appointments/parts/campus.html", context)


def _campuses(code: str) -> list[Campus]:
    return list(Campus.objects.filter(hospital__code=code[:40]).order_by("code")) if code else []


def _context(request: HttpRequest, form: Any) -> dict[str, Any]:
    given = form.payload() if form.is_bound else {}
    number = given.get("member") or request.GET.get("member", "")
    code = given.get("hospital") or request.GET.get("hospital", "")
    members = visible_to(Member.objects.all(), actor_of(request))
    return {
        "title": _("Request an appointment"),
        "form": form,
        "child": members.filter(number=number).first() if number else None,
        "member": number,
        "code": code,
        "hospital_names": dict(Hospital.objects.filter(code=code).values_list("code", "name")),
        "campuses": _campuses(code),
        "campus": given.get("campus", ""),
        "may_override": bool(actor_of(request).roles & OVERRIDERS),
        "wrong": len([error for _path, errors in form.path_errors.lists() for error in errors]),
    }


# --- The day ------------------------------------------------------------------------------------------------


def today(request: HttpRequest) -> HttpResponse:
    """Who is expected at the hospitals on a day, by time; with `?excel` as a file."""
    actor, this = actor_of(request), timezone.localdate()
    day = _day(request.GET.get("on", "")) or this
    code = request.GET.get("hospital", "")[:40]
    rows = arrivals(actor, day, hospital=code)
    if "excel" in request.GET:
        return _excel(day, rows)
    houses = _houses(arrivals(actor, day) if code else rows)
    context = {
        "title": _("Arrivals"), "rows": rows, "day": day, "today": this, "before": day - timedelta(days=1),
        "after": day + timedelta(days=1), "hospital": code, "houses": houses,
        "waiting": sum(row.case.state == "CONFIRMED" for row in rows),
        "arrived": sum(row.case.state in ("CHECKED_IN", "COMPLETED") for row in rows),
        "suspended": sum(row.case.state == "SUSPENDED" for row in rows),
    }  # fmt: skip
    return show(request, "appointments/today.html", context)


def _houses(rows: list[Appointment]) -> list[tuple[str, str]]:
    """Code and name of every house that expects somebody."""
    found = {(row.case.hospital.code, row.case.hospital.name) for row in rows if row.case.hospital}
    return sorted(found, key=lambda pair: pair[1])


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _excel(day: date, rows: list[Any]) -> HttpResponse:
    columns = [_("time"), _("child"), _("member number"), _("hospital"), _("department"), _("benefit"), _("state"),
               _("case"), _("series")]  # fmt: skip
    lines = [
        (row.visit_time.strftime("%H:%M") if row.visit_time else "", row.case.member.masked_name,
         row.case.member.number, row.case.hospital.name, row.department, row.benefit,
         row.case.get_state_display(), row.case.number, row.case.series)
        for row in rows
    ]  # fmt: skip
    return excel_response(f"{_('Arrivals')}-{day}", columns, lines)


# --- Missed visits --------------------------------------------------------------------------------------------


def missed_visits(request: HttpRequest) -> HttpResponse:
    """Missed and late-canceled visits that a manager has to look at, and who is barred where."""
    actor, seen = actor_of(request), request.GET.get("seen") == "1"
    if request.method == "POST":
        return _do(request, "appointments-missed", lambda: _lift(request))
    bans = visible_to(HospitalBan.objects.filter(lifted_at=None), actor)
    context = {
        "title": _("Missed visits"), "rows": missed(actor, seen=seen), "seen": seen,
        "bans": list(bans.select_related("member", "hospital")[:100]), "may_lift": bool(actor.roles & MANAGERS),
    }  # fmt: skip
    return show(request, "appointments/missed.html", context)


def _lift(request: HttpRequest) -> str:
    ban = _found(visible_to(HospitalBan.objects.all(), actor_of(request)), request.POST.get("ban", ""))
    lift_ban(actor_of(request), ban, reason=request.POST.get("reason", ""))
    return _("The child may book there again.")


# --- Brands ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tied:
    """A child tied to a brand. `brands` None: any may be named; empty: there is nowhere to go on."""

    lock: BrandLock
    brands: list[str] | None
    waiting: bool


def brands(request: HttpRequest) -> HttpResponse:
    """Brands that closed, children tied to them, and transfers that wait for a decision. What is wrong is
    said above with everything typed still there."""
    actor, status = actor_of(request), 200
    closing, typed, wrong = form_for(CloseBrandInput)(), {}, None
    if request.method == "POST":
        what = request.POST.get("what", "")
        try:
            if what == "close":
                closing = form_for(CloseBrandInput)(tidy(request.POST))
            work = {
                "close": lambda: _close(actor, closing),
                "ask": lambda: _ask(request),
                "decide": lambda: _decide(request),
            }
            messages.success(request, work.get(what, _nothing)())
            return redirect(reverse("admin:appointments-brands"))
        except DomainError as error:
            status = error.status
            if what == "close":
                closing.take_error(error)
            else:
                typed, wrong = request.POST.dict(), error
    context = _brands_context(actor, request.GET.get("q", "").strip()[:80])
    context |= {"closing": closing, "typed": typed, "wrong": wrong}
    return show(request, "appointments/brands.html", context, status=status)


def _brands_context(actor: Actor, text: str) -> dict[str, Any]:
    closures = {closure.brand: closure for closure in BrandClosure.objects.all()}
    books = {version.series: version.handbook for version in current_handbooks()}
    locks = visible_to(BrandLock.objects.select_related("policy__member"), actor)
    if text:
        child = search_members(text)
        members = visible_members(actor)
        locks = locks.filter(
            policy__member__in=members.filter(child) if child is not None else members.none()
        )
    else:
        locks = locks.filter(brand__in=closures)
    waiting = visible_to(BrandTransfer.objects.select_related("lock__policy__member"), actor)
    asked = set(waiting.filter(state="ASKED").values_list("lock", flat=True))
    tied = [
        Tied(lock, successors(books[lock.policy.series], lock, closures.get(lock.brand)), lock.pk in asked)
        for lock in locks.order_by("-pk")[:100]
    ]
    to_decide = [
        (transfer, may_decide(actor, books[transfer.lock.policy.series]) and transfer.asked_key != actor.key)
        for transfer in waiting.filter(state="ASKED")[:100]
    ]
    return {
        "title": _("Clinic brands"), "closures": list(closures.values()), "q": text, "tied": tied, "open": to_decide,
        "decided": list(waiting.exclude(state="ASKED")[:30]), "may_close": bool(actor.roles & NETWORK_MANAGERS),
        "may_ask": bool(actor.roles & ASKERS),
        "all_brands": Hospital.objects.exclude(brand="").order_by("brand").values_list("brand", flat=True).distinct(),
    }  # fmt: skip


def _nothing() -> str:
    raise InvalidInput(_("There is nothing at this address, or it is not yours to see."), code="unknown")


def _close(actor: Actor, form: ActionForm) -> str:
    told = parse_input(CloseBrandInput, form.payload())
    close_brand(
        actor, brand=told.brand, closed_on=told.closed_on, designated=told.designated, evidence=told.evidence
    )
    return _("The brand is kept as closed.")


def _ask(request: HttpRequest) -> str:
    asked = parse_input(TransferInput, _typed(request, TransferInput))
    locks = visible_to(BrandLock.objects.select_related("policy"), actor_of(request))
    lock = _found(locks, request.POST.get("lock", ""))
    ask_transfer(actor_of(request), lock, to_brand=asked.to_brand, reason=asked.reason)
    return _("The transfer waits for somebody else to decide.")


def _decide(request: HttpRequest) -> str:
    decided = parse_input(DecideInput, _typed(request, DecideInput))
    rows = visible_to(BrandTransfer.objects.select_related("lock__policy"), actor_of(request))
    transfer = _found(rows, request.POST.get("transfer", ""))
    row = decide_transfer(actor_of(request), transfer, grant=decided.grant, answer=decided.answer)
    return _("Decided: %(state)s.") % {"state": row.get_state_display()}


def _typed(request: HttpRequest, cls: Any) -> dict[str, Any]:
    return {name: request.POST[name] for name in cls.__dataclass_fields__ if name in request.POST}


def _found(rows: Any, key: str) -> Any:
    row = rows.filter(pk=int(key)).first() if key.isdigit() and len(key) < 16 else None
    if row is None:
        raise NotFound(_("There is nothing at this address, or it is not yours to see."))
    return row


def _do(request: HttpRequest, page: str, work: Callable[[], str]) -> HttpResponse:
    try:
        messages.success(request, work())
    except DomainError as error:
        rule = f" ({error.rule})" if error.rule else ""
        messages.error(request, f"{error.message}{rule}")
    return redirect(reverse(f"admin:{page}"))
