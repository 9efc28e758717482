"""Asking: is it needed at all, in time or late, by a way the series offers (PA-03, PA-04, PA-06 …)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.models import Team
from apps.accounts.roles import role_needed
from apps.adjudication.decision import Finding
from apps.adjudication.facts import LineFacts
from apps.authorizations.assess import Trial, trial
from apps.authorizations.inputs import REIMBURSEMENT, PlanInput, RequestInput
from apps.authorizations.letters import tell_family
from apps.authorizations.models import Authorization, PlannedLine
from apps.authorizations.requesting import Read, read_plan, read_request
from apps.authorizations.roles import FAMILY, HOSPITAL, REQUESTERS, TPA
from apps.authorizations.workflow import KIND, AuthorizationFlow
from apps.cases.context import Ctx
from apps.cases.engine import open_case
from apps.cases.models import CaseFile
from apps.core.money import to_fen
from apps.ledger.accounts import year_specs
from apps.ledger.actions import lock_limits

SUBMITTERS = {HOSPITAL: "HOSPITAL", TPA: "TPA", FAMILY: "MEMBER"}


def ask_whether(
    actor: Actor, data: PlanInput | Mapping[str, Any], *, now: datetime | None = None
) -> tuple[Read, Trial]:
    """Is authorization needed for a plan, until when, and is it covered? Nothing is stored.

    Raises NotAllowed, InvalidInputs.
    """
    _may_ask(actor)
    now = now or timezone.now()
    read = read_plan(actor, data, now)
    return read, trial(read.plan, now)


def request_authorization(
    actor: Actor, *, data: RequestInput | Mapping[str, Any], now: datetime | None = None
) -> CaseFile:
    """File a request: late ones are taken and expedited, emergencies judged by their hours, and what is
    claimed afterwards needs none (APP-02). Raises NotAllowed, InvalidInputs; nothing is stored then."""
    _may_ask(actor)
    now = now or timezone.now()
    read = read_request(actor, data, now)
    given = read.input
    assert isinstance(given, RequestInput)
    state = "NOT_REQUIRED" if given.settlement == REIMBURSEMENT else "SUBMITTED"
    if state == "SUBMITTED" and given.emergency_at:
        state = "EMERGENCY_NOTIFIED"
    policy = read.plan.policy
    case = AuthorizationFlow(
        kind=KIND.code, series=policy.series, tpa=policy.tpa, handbook=read.plan.handbook, member=policy.member,
        policy=policy, hospital=read.plan.hospital,
    )  # fmt: skip
    event = "not_required" if state == "NOT_REQUIRED" else "authorization_submitted"
    return open_case(
        KIND.code,
        actor,
        case=case,
        state=state,
        fill=lambda ctx: _fill(ctx, read, given),
        event=event,
        now=now,
    )


def _may_ask(actor: Actor) -> None:
    if not actor.roles & REQUESTERS and not actor.is_system:
        raise role_needed(actor, REQUESTERS)


def _fill(ctx: Ctx[Any], read: Read, given: RequestInput) -> None:
    case, plan = ctx.case, read.plan
    case.team = Team.objects.filter(tpa=case.tpa, code__startswith="claims").order_by("code").first()
    found = trial(plan, ctx.now)
    lock_limits(case.policy_id, year_specs(found.facts))
    row = _row(case, read, given, _submitter(ctx.actor))
    row.triggers = [as_json(finding) for finding in found.triggers]
    ctx.loaded["row"] = row
    ctx.add(row)
    for line in plan_rows(row, plan.lines):
        ctx.add(line)
    case.amount_fen = row.estimate_fen
    ctx.data |= {"channel": row.channel, "estimate_fen": row.estimate_fen}
    if case.state == "NOT_REQUIRED":
        case.open, case.closed_at = False, ctx.now
        tell_family(ctx, "not_required")
        return
    _set_time(ctx, row, found)
    if not found.triggers:
        ctx.data["not_listed"] = True


def _row(case: CaseFile, read: Read, given: RequestInput, submitter: str) -> Authorization:
    plan = read.plan
    total = sum((line.amount for line in plan.lines), start=plan.course * 0)
    return Authorization(
        case=case, channel=given.channel, submitter=submitter, requester=given.requester, consent=given.consent,
        campus=plan.campus, department=given.department, department_group=given.department_group,
        contact_name=given.contact_name, contact_email=given.contact_email, visit_type=plan.visit_type,
        benefit=plan.benefit, cause=plan.cause, surgery=plan.surgery, diagnosis=plan.diagnosis,
        diagnosis_name=given.diagnosis_name, treatment=given.treatment, planned_on=plan.planned_on,
        planned_days=plan.days, course_fen=to_fen(plan.course), estimate_fen=to_fen(total),
        emergency_at=given.emergency_at,
    )  # fmt: skip


def plan_rows(row: Authorization, lines: tuple[LineFacts, ...], supplement: int = 0) -> list[PlannedLine]:
    return [
        PlannedLine(
            authorization=row, supplement=supplement, position=position, name=line.name, kind=line.kind,
            code=line.code, quantity=line.quantity, unit_price_fen=to_fen(line.unit_price),
            amount_fen=to_fen(line.amount), procedure_categories=list(line.procedure_categories),
        )
        for position, line in enumerate(lines, 1)
    ]  # fmt: skip


def _set_time(ctx: Ctx[Any], row: Authorization, found: Trial) -> None:
    """PA-03, PA-22: a late request is taken and expedited. PA-06: an emergency has its running hours."""
    timing = found.timing
    if row.emergency_at:
        ctx.emit("emergency_visit", row.emergency_at)
        ctx.emit("emergency_notified")
        row.notify_by = timing.by if timing else None
        row.waived = None if timing is None else not timing.late
        row.late = bool(timing and timing.late)
        ctx.case.priority = 1
    elif timing:
        row.latest_on, row.late = timing.day, timing.late
        ctx.case.priority = 1 if row.late else 2
    ctx.data |= {"late": row.late, "waived": row.waived}


def _submitter(actor: Actor) -> str:
    return next((who for role, who in SUBMITTERS.items() if role in actor.roles), "STAFF")


def as_json(finding: Finding) -> dict[str, Any]:
    """What a trigger said when it was asked; the page shows that, whatever the handbook says later."""
    return {
        "code": finding.code, "rule": finding.rule, "level": finding.level.value, "amount": str(finding.amount or 0),
        "zh": finding.message_zh, "en": finding.message_en, "lines": list(finding.figures.get("lines", ())),
    }  # fmt: skip
