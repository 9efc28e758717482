"""Canceled or moved: before the cut-off in time, from it on late (APT-11, APT-24); to the second."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.adjudication.keys import CHANNELS
from apps.adjudication.trace import observe
from apps.appointments import guards
from apps.appointments.actions.request import close, file
from apps.appointments.inputs import TIME, RequestInput, read_time
from apps.appointments.judging import Answer, booking_of, judge, said, today
from apps.appointments.models import Appointment
from apps.appointments.requesting import FARTHEST, Read
from apps.appointments.roles import CANCELERS, DESK, FAMILY, OVERRIDERS, TPA
from apps.appointments.telling import cutoff_at, tell_family, tell_hospital, tell_leads
from apps.appointments.timing import Cutoff, moves
from apps.appointments.workflow import BOOKED, KIND
from apps.cases.context import Ctx
from apps.cases.inputs import ask, codes
from apps.cases.kinds import Action
from apps.core.errors import Blocked, InvalidInput, NotAllowed
from apps.products.labels import labels


@dataclass(frozen=True)
class CancelInput:
    reason: str = ask(_("Reason"), max_length=400, min_length=2)
    channel: str = ask(_("Channel"), choices=codes(CHANNELS), widget="select", rule="APT-24")


@dataclass(frozen=True)
class RescheduleInput:
    visit_on: date = ask(_("New day"))
    reason: str = ask(_("Reason"), max_length=400, min_length=2)
    channel: str = ask(_("Channel"), choices=codes(CHANNELS), widget="select", rule="APT-24")
    time: str = ask(_("Time"), default="", max_length=5, help=TIME)
    override_reason: str = ask(
        _("Allow though late, because"), default="", max_length=400, help=_("needs a permission")
    )


def _by_phone(ctx: Ctx[Any], cutoff: Cutoff | None, channel: str) -> None:
    """APT-24: by the hotline, where the cut-off binds; elsewhere it is only kept how it came."""
    ways = ctx.handbook.parameters.get("appointment.cancel_channels")
    if ways is None or cutoff is None or not cutoff.binding or ctx.case.state not in BOOKED:
        return
    if observe(ways.rule, channel not in ways.value):
        words = _("Series %(series)s takes this by: %(channels)s.") % {
            "series": ctx.handbook.series, "channels": labels(ways.value),
        }  # fmt: skip
        raise Blocked(words, code="channel", field="channel", rule=ways.rule)


def _is_late(ctx: Ctx[Any], cutoff: Cutoff | None) -> bool:
    """Only what is booked can be canceled late; a request goes without consequences."""
    if cutoff is None or not observe(cutoff.deadline, ctx.case.state in BOOKED):
        return False
    return observe(cutoff.rule, cutoff.passed(ctx.now))


def _first_channel(ctx: Ctx[Any]) -> dict[str, Any]:
    ways = ctx.handbook.value("appointment.cancel_channels", ("HOTLINE",))
    return {"channel": ways[0]}


def _cancel(ctx: Ctx[CancelInput]) -> None:
    assert ctx.input is not None
    cutoff = cutoff_at(ctx.case)
    _by_phone(ctx, cutoff, ctx.input.channel)
    _let_go(ctx, cutoff, ctx.input.reason, ctx.input.channel)
    tell_family(ctx, "canceled", late=ctx.loaded["late"])


def _let_go(ctx: Ctx[Any], cutoff: Cutoff | None, reason: str, channel: str) -> None:
    """Free the slot; late, the fee is the family's and a manager looks at it (APT-12, APT-13, APT-25)."""
    late = ctx.loaded["late"] = _is_late(ctx, cutoff)
    ctx.reason = reason
    ctx.data |= {"channel": channel, "late": late}
    if cutoff:
        ctx.data |= {"cutoff": cutoff.at.isoformat(), "rule": cutoff.rule}
    if ctx.case.state in BOOKED:
        tell_hospital(ctx, "canceled")
    if late:
        ctx.subject.flagged = True
        ctx.update(ctx.subject, "flagged")
        tell_leads(ctx, "canceled_late", cancel_by=cutoff.at if cutoff else None)
    close(ctx)
    ctx.emit("cancelled")


def _picked(ctx: Ctx[Any]) -> str:
    return "cancel_late" if ctx.loaded["late"] else "cancel_on_time"


# --- Another day --------------------------------------------------------------------------------------------


def _reschedule(ctx: Ctx[RescheduleInput]) -> None:
    """Where the series prints moving: before the cut-off, arranged anew. Elsewhere a cancellation and a
    new request. The new day is asked of every rule first: when it is refused, the old one stays."""
    asked, cutoff = ctx.input, cutoff_at(ctx.case)
    assert asked is not None
    _by_phone(ctx, cutoff, asked.channel)
    answer = _for_new_day(ctx, asked)
    if moves(ctx.handbook):
        _move(ctx, asked, cutoff, answer)
        return
    _ask_anew(ctx, asked, cutoff, answer)


def _for_new_day(ctx: Ctx[Any], asked: RescheduleInput) -> Answer:
    if not today(ctx.now) <= asked.visit_on <= today(ctx.now) + FARTHEST:
        words = _("A day from today on, at most a year ahead, is expected.")
        raise InvalidInput(words, code="range", field="visit_on")
    if asked.override_reason and not ctx.actor.roles & OVERRIDERS:
        words = _("Only a lead or manager lets a late request go on.")
        raise NotAllowed(words, code="override", field="override_reason", rule="APT-07")
    channel = "" if moves(ctx.handbook) else asked.channel
    booking = replace(booking_of(ctx.case, visit_on=asked.visit_on), channel=channel)
    answer = judge(booking, ctx.now)
    if answer.refused:
        first = answer.refused[0]
        raise Blocked(first.words, code=first.code, field="visit_on", rule=first.rule)
    if answer.lead and answer.late and not asked.override_reason:
        words = _("Asked for too late: in time until %(day)s. It goes on with a permission only.")
        raise Blocked(
            words % {"day": answer.lead.latest}, code="LATE", field="visit_on", rule=answer.lead.rule
        )
    return answer


def _move(ctx: Ctx[Any], asked: RescheduleInput, cutoff: Cutoff | None, answer: Answer) -> None:
    given, former = ctx.subject, ctx.subject.visit_on
    if cutoff and _is_late(ctx, cutoff):
        words = _("Moving was possible before %(at)s; now it can only be canceled.")
        raise Blocked(words % {"at": f"{cutoff.at:%Y-%m-%d %H:%M}"}, code="cutoff", rule=cutoff.rule)
    tell_hospital(ctx, "moved", new_day=asked.visit_on)
    given.visit_on, given.visit_time = asked.visit_on, read_time(asked.time)
    given.remind_at, given.reference = None, ""
    given.hold_slot()
    given.warnings = said(lambda: answer.again().minded)
    ctx.update(given, "visit_on", "visit_time", "remind_at", "reference", "warnings", "slot")
    ctx.reason = asked.reason
    ctx.data |= {"from": former.isoformat(), "visit_on": asked.visit_on.isoformat(), "channel": asked.channel}
    ctx.loaded["transition"] = "reschedule"
    ctx.emit("request_received")  # arranged within two working days again (APT-23)
    tell_family(ctx, "moved", former=former, new_day=asked.visit_on)


def _ask_anew(ctx: Ctx[Any], asked: RescheduleInput, cutoff: Cutoff | None, answer: Answer) -> None:
    given: Appointment = ctx.subject
    _let_go(ctx, cutoff, asked.reason, asked.channel)
    ctx.loaded["transition"] = _picked(ctx)
    again = RequestInput(
        member=ctx.case.member.number, hospital=answer.booking.hospital.code, visit_on=asked.visit_on,
        visit_type=given.visit_type, benefit=given.benefit, department_group=given.department_group,
        campus=given.campus.code if given.campus else "", cause=given.cause, emergency=given.emergency,
        channel=asked.channel, department=given.department, complaint=given.complaint, time=asked.time,
        preference=given.preference, override_reason=asked.override_reason,
    )  # fmt: skip
    read = Read(again, answer.booking, read_time(asked.time))
    new = file(ctx.actor, read, answer, ctx.now, instead_of=ctx.case)
    ctx.data["instead"] = new.number
    tell_family(ctx, "moved", former=given.visit_on, new_day=asked.visit_on, instead=new.number)


for action in (
    Action("cancel", pgettext_lazy("appointment", "Cancel"), CANCELERS, _cancel, transition=_picked,
           transitions=("cancel_on_time", "cancel_late"), input=CancelInput, guards=(guards.not_over,),
           initial=_first_channel, event="canceled", style="danger", order=60),
    Action("reschedule", _("Another day"), DESK | {TPA, FAMILY}, _reschedule,
           transition=lambda ctx: ctx.loaded["transition"], states=frozenset({"CONFIRMED"}),
           transitions=("reschedule", "cancel_on_time", "cancel_late"), input=RescheduleInput, guards=(guards.not_over,), initial=_first_channel, event="rescheduled", order=50),
):  # fmt: skip
    KIND.action(action)
