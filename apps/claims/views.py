"""Pages of claims beside the case page: report by phone, coverage check, and their look-ups."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_POST

from apps.accounts.actors import actor_of
from apps.accounts.visibility import visible_to
from apps.adjudication.codes import CLAIM_SERVICE
from apps.adjudication.intake_scope import channel_not_offered
from apps.cases.forms import form_for, tidy
from apps.cases.queries import case_for
from apps.cases.rows import age_on
from apps.cases.views import show
from apps.claims.actions.correct import CorrectInput
from apps.claims.actions.intake import assess_report, report_claim
from apps.claims.assess import assessment_of
from apps.claims.correction import consequence
from apps.claims.forms import as_report, at_question, coverage_form, report_form
from apps.claims.preview import preview_letter
from apps.claims.undisputed import nearing_sixty, sixties
from apps.claims.variants import variant_of
from apps.core.errors import DomainError, InvalidInputs
from apps.core.money import to_fen
from apps.hospitals.models import Hospital
from apps.hospitals.queries import search as hospital_search
from apps.hospitals.queries import visible_hospitals
from apps.members.models import Member, Policy
from apps.members.queries import find_members
from apps.products.queries import current_handbook

DAY_SIXTY_ROWS = 25
STILL_REPORTED = timedelta(days=366)  # after the end of a policy


def report(request: HttpRequest) -> HttpResponse:
    """A claim heard by phone: one form, saved whole or not at all, each error at its field."""
    actor = actor_of(request)
    if request.method != "POST":
        form = report_form(member=request.GET.get("member", "")[:40])
        return show(request, "claims/report.html", report_context(request, form))
    form = report_form(tidy(request.POST), request.FILES)
    try:
        case = report_claim(actor, data=form.payload())
    except DomainError as error:
        form.take_error(error)
        return show(request, "claims/report.html", report_context(request, form), status=error.status)
    messages.success(
        request,
        _("%(number)s is reported. Now: %(state)s.")
        % {"number": case.number, "state": case.get_state_display()},
    )
    return redirect("admin:case", number=case.number)


def report_context(request: HttpRequest, form: Any, *, member: str = "") -> dict[str, Any]:
    """What the report's template shows; `member` when it is known from elsewhere than the address."""
    given = form.payload() if form.is_bound else {}
    number = given.get("member", {}).get("number") or member or request.GET.get("member", "")
    codes = {visit.get("hospital", "") for visit in given.get("visits", [])}
    return {
        "title": _("Report a claim"),
        "form": form,
        "child": _child(request, number),
        "hospital_names": dict(Hospital.objects.filter(code__in=codes).values_list("code", "name")),
        "channel_notes": _channel_notes(
            request, number, form["channel"].value() or "", form["category"].value() or ""
        ),
        "wrong": len([error for _path, errors in form.path_errors.lists() for error in errors]),
    }


@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """What intake would say about the report as typed so far; nothing is saved."""
    form = report_form(tidy(request.POST), request.FILES)
    context: dict[str, Any] = {}
    try:
        context = _expected(assess_report(actor_of(request), form.payload(), now=timezone.now()))
    except DomainError as error:
        form.take_error(error)
        context["errors"] = form.named_errors()
    return render(request, "claims/parts/expected.html", context)


def coverage(request: HttpRequest) -> HttpResponse:
    """The call center's question: what would be paid? Asked and answered on one page."""
    actor = actor_of(request)
    context: dict[str, Any] = {"title": _("Coverage check")}
    if request.method != "POST":
        member = request.GET.get("member", "")[:40]
        return show(
            request,
            "claims/coverage.html",
            {**context, "form": coverage_form(member=member), "child": _child(request, member)},
        )
    form = coverage_form(tidy(request.POST))
    asked = form.payload()
    names = dict(Hospital.objects.filter(code=asked.get("hospital", "")).values_list("code", "name"))
    context |= {"form": form, "child": _child(request, asked.get("member", "")), "hospital_names": names}
    try:
        context |= _expected(assess_report(actor, as_report(asked), now=timezone.now()))
        status = 200
    except DomainError as error:
        form.take_error(at_question(error))
        status = error.status
    return show(request, "claims/coverage.html", context, status=status)


def _expected(found: Any) -> dict[str, Any]:
    """An assessment as the templates show it: route, findings, papers, and each line's arithmetic."""
    lines = found.rows.lines()
    return {
        "assessment": found,
        "decision": found.decision,
        "routing": found.routing,
        "findings": list(found.findings),
        "requirements": found.requirements,
        "lines": [{"line": lines.get(line.ref), "decided": line} for line in found.decision.lines],
        "intake_outcome": found.intake_outcome,
        "policy": found.rows.case.policy,
    }


# --- Look-ups --------------------------------------------------------------------------------


@require_GET
def find_child(request: HttpRequest) -> HttpResponse:
    """Children by name, pinyin, policy, identity or mobile number, for the finder."""
    members = find_members(actor_of(request), request.GET.get("q", "")[:60], limit=10)
    today = timezone.localdate()
    found = [{"member": member, "age": age_on(member.birth_date, today)} for member in members]
    return render(request, "claims/parts/children.html", {"found": found})


@require_GET
def find_hospital(request: HttpRequest) -> HttpResponse:
    text = request.GET.get("q", "").strip()[:60]
    hospitals = visible_hospitals(actor_of(request)).filter(active=True)
    found = hospitals.filter(hospital_search(text)).order_by("name")[:12] if text else []
    return render(request, "claims/parts/hospitals.html", {"found": found})


@require_GET
def channel(request: HttpRequest) -> HttpResponse:
    """Beside the channel of a report: each series of the child that does not take claims by it."""
    given = request.GET
    notes = _channel_notes(
        request, given.get("member.number", ""), given.get("channel", ""), given.get("category", "")
    )
    return render(request, "claims/parts/channel.html", {"channel_notes": notes})


def _channel_notes(request: HttpRequest, member: str, channel: str, category: str) -> list[dict[str, Any]]:
    """What intake would say of the channel (RMB-20, RMB-38), known before the report is typed."""
    if not member or not channel or category not in CLAIM_SERVICE:
        return []
    lately = Policy.objects.filter(
        member__number=member, expires_on__gte=timezone.localdate() - STILL_REPORTED
    )
    series = sorted(set(visible_to(lately, actor_of(request)).values_list("series", flat=True)))
    found = [(one, channel_not_offered(current_handbook(one).handbook, category, channel)) for one in series]
    return [{"series": one, "finding": finding} for one, finding in found if finding]


def _child(request: HttpRequest, number: str) -> dict[str, Any] | None:
    member: Member | None = None
    if number:
        member = visible_to(Member.objects.filter(number=number), actor_of(request)).first()
    return {"member": member, "age": age_on(member.birth_date, timezone.localdate())} if member else None


# --- Deciding: what will happen, and the letter before it exists -------------------------------


@require_GET
def verdict(request: HttpRequest, number: str) -> HttpResponse:
    """Beside the decision form: amount, authority, payee — and whether somebody else must sign."""
    actor = actor_of(request)
    try:
        case = case_for(actor, number)
    except DomainError as error:
        return HttpResponse(str(error.message), status=error.status, content_type="text/plain; charset=utf-8")
    found = assessment_of(case)
    proposal = getattr(case.claim, "proposal", None)
    payable = proposal.insurer_fen if proposal is not None else to_fen(found.decision.insurer)
    where, given = variant_of(case).beside(found)
    context = {
        "case": case,
        "decision": found.decision,
        "proposal": proposal,
        "payable_fen": payable,
        "authority_fen": actor.authority_fen,
        "second_signature": payable > actor.authority_fen,
        "where": where,
        **given,
    }
    return render(request, "claims/parts/verdict.html", context)


@require_POST
def correction(request: HttpRequest, number: str) -> HttpResponse:
    """Beside the correction form: the claim as it is and as it would be; nothing is saved."""
    actor, form = actor_of(request), form_for(CorrectInput)(tidy(request.POST))
    context: dict[str, Any] = {}
    try:
        case = case_for(actor, number)
    except DomainError as error:
        return HttpResponse(str(error.message), status=error.status, content_type="text/plain; charset=utf-8")
    try:
        context["found"] = consequence(case, actor, form.payload(), timezone.now())
    except DomainError as error:
        context["errors"] = error.errors if isinstance(error, InvalidInputs) else [error]
    return render(request, "claims/parts/correction.html", context)


@xframe_options_sameorigin
def letter(request: HttpRequest, number: str) -> HttpResponse:
    """The letter as it would read now, not numbered and not stored."""
    actor = actor_of(request)
    given = request.POST if request.method == "POST" else request.GET
    try:
        html = preview_letter(case_for(actor, number), given.get("member_text", "")[:4000], timezone.now())
    except DomainError as error:
        return HttpResponse(str(error.message), status=error.status, content_type="text/plain; charset=utf-8")
    return HttpResponse(html)


def day_sixty(request: HttpRequest) -> HttpResponse:
    """Claims that reach day 60 without a decision, and how much of each is beyond dispute (LAW-05)."""
    now, actor = timezone.now(), actor_of(request)
    page = Paginator(nearing_sixty(actor, now), DAY_SIXTY_ROWS).get_page(request.GET.get("page"))
    rows = sixties(list(page.object_list), now)
    return show(request, "claims/day_sixty.html", {"title": _("Day 60"), "rows": rows, "page": page})
