"""Asking for an appointment: in time or late, and every rule that forbids it, at once (machine (a)).

What a rule refuses is filed and rejected with its reasons; bad input is an error and stores nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import Actor
from apps.accounts.models import Team
from apps.accounts.roles import role_needed
from apps.appointments import guards
from apps.appointments.inputs import RequestInput, WishInput
from apps.appointments.judging import BY_HOSPITAL, LATE, Answer, judge, said
from apps.appointments.models import Appointment
from apps.appointments.requesting import Read, read_request, read_wish
from apps.appointments.roles import DESK, FAMILY, OVERRIDERS, REQUESTERS, TPA
from apps.appointments.telling import tell_family
from apps.appointments.workflow import KIND, AppointmentFlow
from apps.cases.context import Ctx
from apps.cases.engine import open_case
from apps.cases.inputs import ask
from apps.cases.kinds import Action
from apps.cases.models import CaseFile
from apps.core.errors import Conflict
from apps.hospitals.actions import record_lookup
from apps.hospitals.queries import Criteria
from apps.members.network import Why

SUBMITTERS = {TPA: "TPA", FAMILY: "MEMBER"}


def may_book(
    actor: Actor, data: WishInput | Mapping[str, Any], *, now: datetime | None = None
) -> tuple[Read, Answer]:
    """May it be booked, is it in time, and until when may it be canceled? Nothing is stored.

    Raises NotAllowed, InvalidInputs.
    """
    _may_ask(actor)
    now = now or timezone.now()
    read = read_wish(actor, data, now)
    return read, judge(read.booking, now)


def request_appointment(
    actor: Actor,
    *,
    data: RequestInput | Mapping[str, Any],
    now: datetime | None = None,
    instead_of: CaseFile | None = None,
) -> CaseFile:
    """File a request: REQUESTED, or REJECTED with every reason. A late one goes on only with a reason
    given by somebody who may (APT-07 … APT-09). Raises NotAllowed, InvalidInputs; nothing is stored then."""
    _may_ask(actor)
    now = now or timezone.now()
    read = read_request(actor, data, now)
    return file(actor, read, judge(read.booking, now), now, instead_of=instead_of)


def file(
    actor: Actor, read: Read, answer: Answer, now: datetime, *, instead_of: CaseFile | None = None
) -> CaseFile:
    """The request as a case; `answer` says what becomes of it."""
    policy = read.booking.policy
    case = AppointmentFlow(
        series=policy.series, tpa=policy.tpa, handbook=read.booking.handbook_row, member=policy.member,
        policy=policy, hospital=read.booking.hospital,
    )  # fmt: skip

    def fill(ctx: Ctx[Any]) -> None:
        _fill(ctx, read, answer, instead_of)

    self_booked = read.booking.channel == BY_HOSPITAL
    event = "appointment_reported" if self_booked else "request_received"  # NET-07: no arrangement clock
    try:
        return open_case(KIND.code, actor, case=case, state="REQUESTED", fill=fill, event=event, now=now)
    except Conflict as error:  # asked for twice at the same instant: neither saw the other
        constraint = error.data.get("constraint", "")
        if "appointment_asked_once" not in constraint and "appointment.slot" not in constraint:
            raise
        words = _("This visit was asked for at the same moment already.")
        raise Conflict(words, code="BOOKED", field="visit_on") from error


def _may_ask(actor: Actor) -> None:
    if not actor.roles & REQUESTERS and not actor.is_system:
        raise role_needed(actor, REQUESTERS)


def _fill(ctx: Ctx[Any], read: Read, answer: Answer, instead_of: CaseFile | None) -> None:
    case, given = ctx.case, read.input
    assert isinstance(given, RequestInput)
    teams = Team.objects.filter(Q(code__startswith="service") | Q(code__startswith="claims"), tpa=case.tpa)
    case.team = teams.order_by("-code").first()
    row = _row(case, read, given, _submitter(ctx.actor))
    row.replaces = instead_of
    row.warnings = said(lambda: answer.again().minded)
    _set_lead(row, answer)
    ctx.add(row)
    _keep_look_up(ctx, answer)
    ctx.data |= {"channel": row.channel, "visit_on": row.visit_on.isoformat(), "lead": row.lead}
    late = answer.late and not given.override_reason
    if answer.refused or late:
        row.reasons = said(lambda: [*answer.again().refused, *(late_why(row) if late else ())])
        ctx.then("reject_by_rule")
        return
    row.expert = ""
    row.hold_slot()
    if answer.late:
        _permit(ctx, row, given.override_reason)
    if row.channel == BY_HOSPITAL:
        ctx.then("accept_self_booked")


def late_why(row: Appointment) -> tuple[Why, ...]:
    words = gettext("Asked for too late: the last day was %(day)s.")
    return (Why(LATE, words % {"day": row.latest_on}, row.lead_rule),)


def _set_lead(row: Appointment, answer: Answer) -> None:
    lead = answer.lead
    if lead is None:
        row.lead, row.lead_rule, row.latest_on = Appointment.Lead.NONE, "", None
        return
    row.lead = Appointment.Lead.LATE if lead.late else Appointment.Lead.ON_TIME
    row.lead_rule, row.latest_on = lead.rule, lead.latest


def _permit(ctx: Ctx[Any], row: Appointment, reason: str) -> None:
    row.override_reason, row.override_by = reason, ctx.actor.label[:80]
    ctx.case.priority = 1
    ctx.data["override"] = reason


def _row(case: CaseFile, read: Read, given: RequestInput, submitter: str) -> Appointment:
    booking = read.booking
    return Appointment(
        case=case, channel=given.channel, submitter=submitter, campus=booking.campus, department=given.department,
        department_group=booking.department_group, visit_type=booking.visit_type, benefit=booking.benefit,
        cause=booking.cause, emergency=booking.emergency, complaint=given.complaint, preference=given.preference,
        expert=given.expert, visit_on=booking.visit_on, visit_time=read.time,
    )  # fmt: skip


def _keep_look_up(ctx: Ctx[Any], answer: Answer) -> None:
    """NET-04, DL-46: what the list of the day said is kept with the request."""
    booking, place = answer.booking, answer.place
    criteria = Criteria(
        on=booking.visit_on, department_group=booking.department_group, benefit=booking.benefit,
        series=booking.policy.series, network_group=booking.insured.group,
    )  # fmt: skip
    code = booking.hospital.code
    result: dict[str, Any] = {"count": 1, "cause": booking.cause, "hospitals": [code] if place.direct else []}
    result["out"] = {} if place.direct else {code: [why.code for why in place.why]}
    record_lookup(
        ctx.actor, criteria=criteria, member=booking.member.number, channel=booking.channel, result=result
    )


def _submitter(actor: Actor) -> str:
    return next((who for role, who in SUBMITTERS.items() if role in actor.roles), "STAFF")


# --- Refused, and allowed though late ---------------------------------------------------------------------


@dataclass(frozen=True)
class PermitInput:
    reason: str = ask(_("Allow though late, because"), widget="textarea", min_length=2, max_length=400)


@dataclass(frozen=True)
class RejectInput:
    reason: str = ask(_("Reason"), widget="textarea", min_length=2, max_length=400)


def close(ctx: Ctx[Any]) -> None:
    """The end of an appointment, whatever the end is."""
    ctx.case.open, ctx.case.closed_at = False, ctx.now
    ctx.subject.remind_at = ctx.subject.slot = None
    ctx.update(ctx.subject, "remind_at", "slot")
    ctx.emit("closed")


def _reject_by_rule(ctx: Ctx[Any]) -> None:
    close(ctx)
    reasons = ctx.subject.reasons
    ctx.reason = "；".join(reason["zh"] for reason in reasons)
    ctx.data["rules"] = [reason["rule"] for reason in reasons]
    tell_family(ctx, "rejected", reasons=reasons)


def _reject(ctx: Ctx[RejectInput]) -> None:
    assert ctx.input is not None
    ctx.reason = ctx.input.reason
    ctx.subject.reasons = [{"code": "STAFF", "rule": "", "zh": ctx.reason, "en": ctx.reason}]
    ctx.update(ctx.subject, "reasons")
    close(ctx)
    tell_family(ctx, "rejected", reasons=ctx.subject.reasons)


def _permit_late(ctx: Ctx[PermitInput]) -> None:
    assert ctx.input is not None
    given = ctx.subject
    _permit(ctx, given, ctx.input.reason)
    given.reasons = []
    given.hold_slot()
    ctx.update(given, "override_reason", "override_by", "reasons", "slot")
    ctx.case.open, ctx.case.closed_at = True, None
    ctx.reason = ctx.input.reason
    ctx.emit("request_received")
    tell_family(ctx, "permitted")


for action in (
    Action("reject_by_rule", _("Reject by rule"), frozenset(), _reject_by_rule, transition="refuse",
           event="rejected", system=True, manual=False),
    Action("reject", pgettext_lazy("appointment", "Reject"), DESK, _reject, transition="refuse", input=RejectInput, event="rejected",
           style="danger", order=90),
    Action("permit_late", _("Allow though late"), OVERRIDERS, _permit_late, transition="permit_late",
           input=PermitInput, guards=(guards.only_late, guards.not_over, guards.not_asked_again, guards.still_possible), style="primary",
           order=10),
):  # fmt: skip
    KIND.action(action)
