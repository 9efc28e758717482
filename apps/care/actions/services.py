"""A request for a service: made, assigned, carried out or answered, ended (machine l; VAS-01 to VAS-16, FD-01 to
FD-10, APP-23)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.adjudication.clocks import consult_due
from apps.adjudication.trace import observe
from apps.care import guards
from apps.care.asking import Data, asked_for, authorize, end, late_by, to_the_desk
from apps.care.catalog import MANAGER, OFFERS, PHONE, TRIAGE, VACCINATION
from apps.care.inputs import AnswerInput, ContactInput, FinishInput, ServiceInput, SpecialistInput, WhyInput
from apps.care.models import HealthManager, ServiceRequest
from apps.care.requesting import Request, read_request
from apps.care.roles import ASKERS, CARERS, DESK, MEDICAL, PROVIDER, TPA
from apps.care.workflow import SERVICE
from apps.cases.common import add_common_actions
from apps.cases.context import Ctx
from apps.cases.engine import open_case
from apps.cases.inputs import parse_input
from apps.cases.kinds import Action
from apps.cases.models import CaseFile
from apps.core.errors import InvalidInput
from apps.hospitals.models import Hospital, NetworkEntry
from apps.messaging.outbox import notify_member
from apps.products.queries import working_calendar

# --- Requesting -----------------------------------------------------------------------------------


def request_service(actor: Actor, data: ServiceInput | Data, *, now: datetime | None = None) -> CaseFile:
    """Open a request. Raises NotAllowed, InvalidInputs for what the service asks and was not given, Blocked with
    the rule that refuses it: GEN-04, D44, D47 where the series has no such service, VAS-01, VAS-03, VAS-16 …"""
    authorize(actor, ASKERS)
    given = data if isinstance(data, ServiceInput) else parse_input(ServiceInput, data)
    now = now or timezone.now()
    offer = OFFERS[given.service]
    asked = asked_for(actor, SERVICE, given.member, offer.key, now)
    read = read_request(actor, given, offer, asked, now)
    asked.case.hospital = read.hospital
    if offer.by_family_doctor:
        asked.case.provider = asked.book.value("family_doctor.provider", "")
    return open_case(
        SERVICE.code, actor, case=asked.case, state="REQUESTED", fill=lambda ctx: _fill(ctx, read),
        event="service_opened", now=now,
    )  # fmt: skip


def _fill(ctx: Ctx[Any], read: Request) -> None:
    row = read.row
    row.case, row.received_at, row.recorded_by = ctx.case, ctx.now, ctx.actor.label
    to_the_desk(ctx)
    ctx.add(row)
    ctx.loaded["service"] = row
    ctx.data |= {"service": row.code, "channel": row.channel, "rule": row.rule, "flags": row.flags}
    _start_clock(ctx, row)


def _start_clock(ctx: Ctx[Any], row: ServiceRequest) -> None:
    """A phone consult is answered in two hours, never counted before opening; a late one the next morning."""
    offer = OFFERS[row.code]
    if row.code != PHONE:
        ctx.emit(offer.received)
        return
    spec, _due = consult_due(ctx.handbook, ctx.now, working_calendar())
    opens = ctx.handbook.value("consult.opens")
    local = timezone.localtime(ctx.now)
    early = opens is not None and local.time() < opens
    observe("VAS-11", early or spec.start != offer.received)
    at = local.replace(hour=opens.hour, minute=opens.minute, second=0, microsecond=0) if early else ctx.now
    ctx.emit(spec.start, at)


# --- Carrying out ---------------------------------------------------------------------------------


def _assign(ctx: Ctx[SpecialistInput]) -> None:
    """Who takes care of it; of a health manager's service it is the child's manager from now on (FD-02)."""
    assert ctx.input is not None
    row = ctx.subject
    row.specialist = ctx.data["specialist"] = ctx.input.specialist
    ctx.update(row, "specialist")
    if row.code == MANAGER:
        HealthManager.objects.update_or_create(
            member=ctx.case.member,
            defaults={"name": row.specialist, "assigned_by": ctx.actor.label, "assigned_at": ctx.now},
        )


def _arrive(ctx: Ctx[Any]) -> None:
    ctx.emit(OFFERS[ctx.subject.code].answered)


def _respond(ctx: Ctx[AnswerInput]) -> None:
    """An attempt that reached nobody counts as the response and is remarked on (VAS-10)."""
    assert ctx.input is not None
    row, given = ctx.subject, ctx.input
    row.responder, row.answer, row.answered_at = given.responder, given.answer, ctx.now
    if row.code == PHONE:
        row.expert, row.reached = given.expert, given.reached
        remarks = [("not_an_expert", not given.expert), ("not_reached", not given.reached)]
        row.flags = [
            *row.flags,
            *({"rule": "VAS-10", "code": code} for code, so in remarks if observe("VAS-10", so)),
        ]
    late = late_by(ctx, OFFERS[row.code].answered)
    row.flags = [*row.flags, *({"rule": rule, "code": "answered_late"} for rule in late)]
    row.recommended = _recommended(ctx, given.recommended)
    row.appointment = _appointment(ctx, given.appointment)
    ctx.update(
        row, "responder", "answer", "answered_at", "expert", "reached", "flags", "recommended", "appointment"
    )
    ctx.reason = given.answer
    ctx.emit(OFFERS[row.code].answered)
    _tell(ctx)


def _recommended(ctx: Ctx[AnswerInput], code: str) -> Hospital | None:
    """A triage names a hospital of the child's network (VAS-13)."""
    if not code:
        return None
    if ctx.subject.code != TRIAGE:
        raise InvalidInput(_("Only a triage recommends a hospital."), code="not_asked", field="recommended")
    found = Hospital.objects.filter(code=code).first()
    listed = found and NetworkEntry.objects.filter(campus__hospital=found, series=ctx.case.series).exists()
    if not found or not listed:
        words = _("“%(code)s” is no hospital of the network of series %(series)s.") % {
            "code": code, "series": ctx.case.series,
        }  # fmt: skip
        raise InvalidInput(words, code="unknown_hospital", field="recommended", rule="VAS-13")
    return found


def _appointment(ctx: Ctx[AnswerInput], number: str) -> CaseFile | None:
    if not number:
        return None
    own = CaseFile.objects.filter(kind="appointment", number=number.upper(), member=ctx.case.member_id)
    found = visible_to(own, ctx.actor).first()
    if ctx.subject.code != VACCINATION or found is None:
        words = _("This is no appointment of the child.")
        raise InvalidInput(words, code="unknown_case", field="appointment", rule=ctx.subject.rule)
    return found


def _contact(ctx: Ctx[ContactInput]) -> None:
    """The log of the health manager's contacts; each stands in the events of the case (FD-10)."""
    assert ctx.input is not None
    given = ctx.input
    ways = ctx.handbook.value("health_manager.channels")
    wrong = given.recipient != "POLICYHOLDER" or ctx.case.policy.policyholder is None
    words = _("The health manager speaks to the policyholder only.")
    guards.refuse_if(wrong, "FD-10", words, code="recipient", field="recipient")
    words = _(
        "The health manager calls from the dedicated line, writes by WeCom or SMS, and by nothing else."
    )
    guards.refuse_if(given.channel not in ways, "FD-10", words, code="channel", field="channel")
    ctx.reason = given.text
    ctx.data |= {"recipient": given.recipient, "channel": given.channel}


def _fall_due(ctx: Ctx[Any]) -> None:
    """The time of the answer is over; it can still be answered (DL-01, DL-02)."""


def _finish(ctx: Ctx[FinishInput]) -> None:
    assert ctx.input is not None
    ctx.reason = ctx.input.note
    end(ctx)


def _stop(ctx: Ctx[WhyInput]) -> None:
    assert ctx.input is not None
    ctx.reason = ctx.subject.ended_why = ctx.input.reason
    ctx.update(ctx.subject, "ended_why")
    ctx.emit("cancelled")
    ctx.emit("closed")
    end(ctx)


def _refuse(ctx: Ctx[WhyInput]) -> None:
    _stop(ctx)
    _tell(ctx)


def _tell(ctx: Ctx[Any]) -> None:
    row = ctx.subject
    notify_member(
        ctx, template="service", key=f"{ctx.case.number}:{ctx.action}",
        context={
            "what": ctx.action, "service": str(OFFERS[row.code].words), "answer": row.answer, "why": row.ended_why,
            "recommended": row.recommended.name if row.recommended else "",
        },
    )  # fmt: skip


ACTIONS: tuple[Action[Any], ...] = (
    Action(
        "assign_specialist", _("Assign a specialist"), DESK | MEDICAL | {TPA, PROVIDER}, _assign,
        transition=lambda ctx: "assign" if ctx.case.state == "REQUESTED" else "", input=SpecialistInput,
        states=frozenset({"REQUESTED", "ASSIGNED", "OVERDUE"}), event="specialist_assigned", order=10,
    ),
    Action(
        "arrive", _("Specialist is on site"), DESK | MEDICAL | {TPA}, _arrive, transition="arrive",
        guards=(guards.assistance,), event="on_site", style="primary", order=20,
    ),
    Action(
        "respond", pgettext_lazy("service", "Answer"), CARERS, _respond, transition="respond", input=AnswerInput,
        guards=(guards.no_assistance,), event="service_responded", style="primary", order=30,
    ),
    Action(
        "contact", _("Log a contact of the health manager"), DESK | MEDICAL | {PROVIDER}, _contact,
        states=frozenset({"ASSIGNED", "RESPONDED"}), input=ContactInput, guards=(guards.family_doctor,),
        event="manager_contacted", order=40,
    ),
    Action(
        "finish", pgettext_lazy("service", "Done"), CARERS, _finish, transition="finish", input=FinishInput,
        event="service_done", style="primary", order=50,
    ),
    Action("fall_due", _("Answer is overdue"), frozenset(), _fall_due, transition="fall_due", system=True,
           guards=(guards.consult,), event="service_overdue", manual=False),
    Action(
        "unavailable", _("Not available"), DESK | {TPA}, _refuse, transition="unavailable", input=WhyInput,
        event="service_unavailable", style="danger", order=70,
    ),
    Action(
        "reject", pgettext_lazy("service", "Refuse"), DESK | {TPA}, _refuse, transition="reject", input=WhyInput,
        event="service_rejected", style="danger", order=80,
    ),
    Action(
        "cancel", pgettext_lazy("service", "Cancel the request"), ASKERS, _stop, transition="cancel", input=WhyInput,
        event="service_canceled", style="danger", order=90,
    ),
)  # fmt: skip
for one in ACTIONS:
    SERVICE.action(one)
add_common_actions(SERVICE)
