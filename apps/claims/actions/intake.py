"""Reporting a claim, and what the rules make of it at intake: route, hold or refusal (machines d, e, f)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import Actor
from apps.accounts.models import Team
from apps.accounts.roles import role_needed
from apps.adjudication.decision import Decision
from apps.adjudication.engine import adjudicate
from apps.adjudication.handbook import Level
from apps.adjudication.intake import ACCEPT, HOLD, REFUSE, is_small_claim
from apps.cases.context import Ctx
from apps.cases.engine import open_case
from apps.cases.kinds import Action
from apps.cases.models import CaseFile
from apps.claims import guards, letters
from apps.claims.assess import Assessment, assessment_in
from apps.claims.building import build_rows, external_numbers
from apps.claims.facts import facts_of
from apps.claims.inputs import ReportInput
from apps.claims.originals import mailing
from apps.claims.reporting import Report, read_report
from apps.claims.roles import REPORTERS
from apps.claims.rows import (
    ClaimRows,
    add_cards,
    add_day_totals,
    add_duplicates,
    add_networks,
    same_place,
)
from apps.claims.workflow import KIND, ClaimFlow
from apps.core.errors import NotAllowed
from apps.documents.letters import queue_letter
from apps.documents.register import BillClaim, register_bills
from apps.ledger.accounts import with_balances, year_specs
from apps.ledger.actions import lock_limits
from apps.ledger.queries import limits_of
from apps.messaging.outbox import notify_member

# --- Report -------------------------------------------------------------------------------------


def report_claim(
    actor: Actor, *, data: ReportInput | Mapping[str, Any], now: datetime | None = None
) -> CaseFile:
    """Register a report: the case with its visits, bills and papers, its bills in the register,
    what intake makes of it, the notice to the member and the clocks (LAW-02, PR-21).

    Raises InvalidInputs with everything wrong at once; a bill claimed before (LAW-11) refuses the
    whole report. Nothing is stored then.
    """
    now = now or timezone.now()
    _may_report(actor)
    report = read_report(actor, data, now)
    return open_case(
        "claim",
        actor,
        case=_case(report),
        state="REPORTED",
        fill=lambda ctx: _fill(ctx, report),
        event="reported",
        now=now,
    )


def _may_report(actor: Actor) -> None:
    if "api_hospital" in actor.roles:
        words = _("A hospital reports no reimbursement claims; it submits direct-billing claims.")
        raise NotAllowed(words, code="not_for_hospitals")
    if not actor.roles & REPORTERS and not actor.is_system:
        raise role_needed(actor, REPORTERS)


def _case(report: Report) -> ClaimFlow:
    first = report.input.visits[0]
    return ClaimFlow(
        kind="claim",
        series=report.policy.series,
        tpa=report.policy.tpa,
        handbook=report.handbook,
        member=report.member,
        policy=report.policy,
        hospital=report.hospitals[first.hospital],
    )


def _team(ctx: Ctx[Any]) -> Team | None:
    """The claims desk of whoever runs the series: all work of a TPA's series goes to the TPA (GEN-04)."""
    return Team.objects.filter(tpa=ctx.case.tpa, code__startswith="claims").order_by("code").first()


def _fill(ctx: Ctx[Any], report: Report) -> None:
    ctx.case.team = _team(ctx)
    rows = build_rows(report, ctx.case)
    _queue_rows(ctx, report, rows)
    register(ctx, rows)
    add_networks([rows])
    add_cards([rows])
    add_day_totals([rows])
    _direct_billed(rows)
    facts = facts_of(rows, ctx.now)
    lock_limits(ctx.case.policy_id, year_specs(facts))
    found = Assessment(rows, facts)
    ctx.loaded |= {"assessment": found, "facts": facts}
    ctx.case.amount_fen = rows.claim.claimed_fen
    ctx.data |= {
        "channel": rows.claim.channel,
        "category": rows.claim.category,
        "claimed_fen": rows.claim.claimed_fen,
    }
    ctx.data["findings"] = [finding.ref for finding in found.intake]
    is_small_claim(facts)  # observed: the clock of PR-21 starts by its own condition
    if rows.claim.first_received_at:
        ctx.emit("first_received")
    ctx.then({REFUSE: "propose_refusal", HOLD: "hold", ACCEPT: "route"}[found.intake_outcome])


def _queue_rows(ctx: Ctx[Any], report: Report, rows: ClaimRows) -> None:
    """Parents before children: the batch inserts in this order, one statement a table."""
    if rows.claim.payee is not None:
        ctx.add(rows.claim.payee)
    ctx.add(rows.claim)
    queue_rows(ctx, rows)
    for paper in rows.papers:
        ctx.add(paper)
    for number in external_numbers(report, ctx.case):
        ctx.add(number)


def queue_rows(ctx: Ctx[Any], rows: ClaimRows) -> None:
    """Visits, bills and lines of a claim that is queued already."""
    for visit in rows.visits:
        ctx.add(visit.visit)
    for bill in rows.bills():
        ctx.add(bill.bill)
    for bill in rows.bills():
        for line in bill.lines:
            ctx.add(line)


def _direct_billed(rows: ClaimRows) -> None:
    """DBO-03, APP-03: a visit that the hospital billed directly, whether the reporter says so or not."""
    for row in rows.visits:
        visit = row.visit
        visit.direct_billed = visit.direct_billed or same_place(visit) in rows.billed_directly


def register(ctx: Ctx[Any], rows: ClaimRows) -> None:
    """LAW-11: void and red-letter bills document no cost and block nobody."""
    live = [
        BillClaim(
            bill.bill.identity, bill.bill.amount_fen, bill.bill.issued_on,
            field=f"visits.{bill.bill.visit.position - 1}.bills.{bill.bill.position - 1}",
        )
        for bill in rows.bills()
        if bill.bill.state not in ("VOID", "RED_LETTER")
    ]  # fmt: skip
    register_bills(ctx, live)


# --- What the rules decide --------------------------------------------------------------------------


def _propose_refusal(ctx: Ctx[Any]) -> None:
    guards.fires(ctx, "intake.refusal_registered", True, "PR-06")
    ctx.data["findings"] = [f"{f.rule} {f.ref}" for f in assessment_in(ctx).intake if f.level is Level.BLOCK]


def _hold(ctx: Ctx[Any]) -> None:
    ctx.data["findings"] = [
        f"{f.rule} {f.ref}" for f in assessment_in(ctx).intake if f.level is not Level.WARN
    ]


def _route(ctx: Ctx[Any]) -> None:
    """On line or by mail; the member is told, with the mailing instructions where they apply."""
    guards.fires(ctx, "intake.refusal_registered", False, "PR-06")
    found = assessment_in(ctx)
    routing, claim = found.routing, ctx.case.claim
    first_time = not claim.route
    claim.route = routing.route
    ctx.update(claim, "route")
    ctx.data |= {"route": routing.route, "rule": routing.rule, "why": routing.why_en}
    ctx.data["findings"] = [finding.ref for finding in routing.findings]
    if first_time:
        letter = queue_letter(ctx, letters.acceptance(found))
        key = f"{ctx.case.number}:received"
        notify_member(
            ctx,
            template="report_received",
            context=letters.message_context(ctx.case, route=routing.route, mailing=_mailing(found)),
            key=key,
            letter=letter,
        )


def _mailing(found: Assessment) -> dict[str, Any] | None:
    """What the message says about originals; the letter says the same (RMB-24, RMB-39)."""
    how = mailing(found) if found.route_name == "MAIL" else None
    return how.as_json() if how else None


def _way(ctx: Ctx[Any]) -> str:
    return "route_mail" if ctx.case.claim.route == "MAIL" else "route_online"


WAYS = ("route_online", "route_mail")
KIND.action(
    Action(
        "propose_refusal", _("Propose refusal"), frozenset(), _propose_refusal, transition="propose_refusal",
        event="refusal_proposed", system=True, manual=False,
    )
)  # fmt: skip
KIND.action(
    Action(
        "hold", _("Hold for a senior"), frozenset(), _hold, transition="hold", event="emergency_held", system=True,
        manual=False,
    )
)  # fmt: skip
KIND.action(
    Action(
        "route", _("Route"), frozenset(), _route, transition=_way, transitions=WAYS, event="routed", system=True,
        manual=False,
    )
)  # fmt: skip


# --- Coverage check -------------------------------------------------------------------------------


def coverage_check(
    actor: Actor, data: ReportInput | Mapping[str, Any], *, now: datetime | None = None
) -> Decision:
    """What the rules would say about this claim; nothing is saved. Intake findings come first."""
    now = now or timezone.now()
    found = assess_report(actor, data, now=now)
    decision = adjudicate(found.facts)
    known = {finding.ref for finding in decision.findings}
    ahead = tuple(f for f in (*found.intake, *found.routing.findings) if f.ref not in known)
    outcome = (
        "BLOCKED"
        if found.intake_outcome == REFUSE
        else "REFER"
        if found.intake_outcome == HOLD
        else decision.outcome
    )
    return replace(decision, findings=(*ahead, *decision.findings), outcome=outcome)


def assess_report(actor: Actor, data: ReportInput | Mapping[str, Any], *, now: datetime) -> Assessment:
    """An assessment of a report that is not saved, with what is left of the policy's limits."""
    report = read_report(actor, data, now)
    case = _case(report)
    case.number, case.opened_at, case.state = "CHECK", now, "REPORTED"
    rows = build_rows(report, case)
    add_networks([rows])
    add_cards([rows])
    add_day_totals([rows])
    _direct_billed(rows)
    add_duplicates([rows])
    facts = facts_of(rows, now)
    return Assessment(rows, with_balances(facts, limits_of(report.policy.pk)))
