"""Reporting a claim, and what intake makes of it: route, hold or refusal (machines d, e, f)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import Actor
from apps.accounts.models import Team
from apps.adjudication.decision import Decision
from apps.adjudication.engine import adjudicate
from apps.adjudication.handbook import Level
from apps.adjudication.intake import ACCEPT, HOLD, REFUSE, is_small_claim
from apps.cases.engine import Ctx, open_case
from apps.cases.inputs import ask
from apps.cases.kinds import Action
from apps.cases.models import CaseFile
from apps.claims import guards, letters
from apps.claims.assess import Assessment, assessment_in, with_balances, year_specs
from apps.claims.building import build_rows, external_numbers
from apps.claims.facts import facts_of
from apps.claims.inputs import ReportInput
from apps.claims.models import Override
from apps.claims.reporting import Report, read_report
from apps.claims.roles import REPORTERS, SENIORS, SUPERVISORS
from apps.claims.rows import ClaimRows, add_day_totals, add_duplicates, add_networks
from apps.claims.workflow import KIND, ClaimFlow
from apps.core.errors import InvalidInput, NotAllowed
from apps.documents.letters import queue_letter
from apps.documents.register import BillClaim, register_bills, release_bills
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
    if not actor.roles & REPORTERS and not actor.is_system:
        raise NotAllowed(
            _("%(who)s may not do this: it needs one of the roles %(roles)s.")
            % {"who": actor.label, "roles": ", ".join(sorted(REPORTERS))},
            code="role",
        )


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
    _register(ctx, rows)
    add_networks([rows])
    add_day_totals([rows])
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
    for visit in rows.visits:
        ctx.add(visit.visit)
    for bill in rows.bills():
        ctx.add(bill.bill)
    for bill in rows.bills():
        for line in bill.lines:
            ctx.add(line)
    for paper in rows.papers:
        ctx.add(paper)
    for number in external_numbers(report, ctx.case):
        ctx.add(number)


def _register(ctx: Ctx[Any], rows: ClaimRows) -> None:
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


# --- What intake decides --------------------------------------------------------------------------


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
            context=letters.message_context(ctx.case, route=routing.route),
            key=key,
            letter=letter,
        )


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


# --- What people decide ---------------------------------------------------------------------------


@dataclass(frozen=True)
class RefusalInput:
    text: str = ask(_("Text for the member"), default="", widget="textarea", max_length=2000)


@dataclass(frozen=True)
class ReasonInput:
    reason: str = ask(_("Reason"), widget="textarea", min_length=2, max_length=2000)


@dataclass(frozen=True)
class HoldInput:
    accept: bool = ask(
        _("Take the claim in"), widget="select", choices=[(True, _("take in")), (False, _("refuse"))]
    )
    reason: str = ask(_("Reason"), widget="textarea", min_length=2, max_length=2000)
    text: str = ask(_("Text for the member"), default="", widget="textarea", max_length=2000)


def _confirm_refusal(ctx: Ctx[RefusalInput]) -> None:
    assert ctx.input is not None
    _refuse(ctx, ctx.input.text)


def _refuse(ctx: Ctx[Any], text: str, reason: str = "") -> None:
    """The refusal letter with reasons goes out (LAW-04); the bills are free for another claim."""
    found = assessment_in(ctx)
    grounds = [
        finding for finding in found.intake if finding.level is not Level.WARN and not finding.overridden
    ]
    reasons = tuple(letters.reason_of(finding, ctx.handbook) for finding in grounds)
    context = letters.refusal(found.rows, reasons, at_intake=True, on=letters.local_day(ctx.now), text=text)
    letter = queue_letter(ctx, context)
    key = f"{ctx.case.number}:refusal:{ctx.case.version}"
    notify_member(ctx, template="refusal", context=letters.message_context(ctx.case), key=key, letter=letter)
    release_bills(ctx.case)
    ctx.case.open, ctx.case.closed_at = False, ctx.now
    ctx.reason = reason or "; ".join(finding.message_zh for finding in grounds)
    ctx.data["rules"] = sorted({finding.rule for finding in grounds})
    ctx.emit("refused")


def _overrule_refusal(ctx: Ctx[ReasonInput]) -> None:
    assert ctx.input is not None
    ctx.reason = ctx.input.reason
    _answer_all(ctx, ctx.input.reason, accept=True)
    ctx.then("route")


def _decide_hold(ctx: Ctx[HoldInput]) -> None:
    assert ctx.input is not None
    ctx.reason = ctx.input.reason
    ctx.emit("hold_decided")
    if ctx.input.accept:
        _answer_all(ctx, ctx.input.reason, accept=True)
        ctx.then("route")
    else:
        _refuse(ctx, ctx.input.text, ctx.input.reason)


def _answer_all(ctx: Ctx[Any], reason: str, *, accept: bool) -> None:
    """A person's answer to everything that stopped the claim at intake."""
    found = assessment_in(ctx)
    stopping = [
        f
        for f in found.intake
        if f.level in (Level.BLOCK, Level.REFER, Level.SOFT_BLOCK) and not f.overridden
    ]
    if ctx.actor.user_id is None:
        raise NotAllowed(_("A person must decide this."), code="person")
    for finding in stopping:
        override = answer_row(ctx, finding.ref, finding.rule, accept=accept, reason=reason)
        found.rows.overrides.append(override)
    facts = replace(facts_of(found.rows, ctx.now), balances=found.facts.balances)
    ctx.loaded |= {"assessment": Assessment(found.rows, facts), "facts": facts}


def answer_row(ctx: Ctx[Any], finding: str, rule: str, *, accept: bool, reason: str) -> Override:
    """Queue a person's answer; the last one counts, all are kept."""
    claim = ctx.case.claim
    earlier = [row.round for row in assessment_in(ctx).rows.overrides if row.finding == finding]
    override = Override(
        claim=claim, finding=finding, rule=rule, accept=accept, reason=reason, user_id=ctx.actor.person_id, at=ctx.now,
        round=max(earlier, default=0) + 1,
    )  # fmt: skip
    ctx.add(override)
    claim.answers += 1
    ctx.update(claim, "answers")
    return override


def _hold_refused(ctx: Ctx[HoldInput]) -> str:
    assert ctx.input is not None
    return "" if ctx.input.accept else "reject_intake"


def _refusal_grounds(ctx: Ctx[Any]) -> dict[str, Any]:
    grounds = [finding.message_zh for finding in assessment_in(ctx).intake if finding.level is not Level.WARN]
    return {"text": "\n".join(grounds)}


KIND.action(
    Action(
        "confirm_refusal", _("Confirm refusal"), frozenset({"intake"}) | SENIORS | {"first_review", "second_review"},
        _confirm_refusal, transition="reject_intake", states=frozenset({"REFUSAL_PENDING"}), input=RefusalInput, guards=(guards.refusal_confirmed_only,),
        initial=_refusal_grounds, style="danger", order=10,
    )
)  # fmt: skip
KIND.action(
    Action(
        "overrule_refusal", _("Take in after all"), SUPERVISORS, _overrule_refusal, states=frozenset({"REFUSAL_PENDING"}),
        input=ReasonInput, guards=(guards.refusal_has_discretion,), order=20,
    )
)  # fmt: skip
KIND.action(
    Action(
        "decide_hold", _("Decide the hold"), SENIORS, _decide_hold, transition=_hold_refused,
        transitions=("reject_intake",), states=frozenset({"EMERGENCY_HOLD"}), input=HoldInput, style="primary", order=10,
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
    add_day_totals([rows])
    add_duplicates([rows])
    facts = facts_of(rows, now)
    return Assessment(rows, with_balances(facts, limits_of(report.policy.pk)))


def reason_required(reason: str, rule: str = "") -> str:
    if len(reason.strip()) < 2:
        raise InvalidInput(_("A reason is required."), code="required", field="reason", rule=rule)
    return reason
