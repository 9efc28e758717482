"""Who hears what of an appointment: the family, the hospital (by phone) and the leads."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from apps.adjudication.calendar import WorkCalendar
from apps.appointments.models import Appointment
from apps.appointments.timing import Cutoff, cutoff_of
from apps.cases.context import Ctx
from apps.cases.models import CaseFile
from apps.messaging.contacts import contact_of, staff_for
from apps.messaging.models import Message
from apps.messaging.outbox import notify_member, queue_call, queue_message
from apps.messaging.texts import words_for
from apps.products.queries import working_calendar

FAMILY, HOSPITAL, STAFF = "appointment", "appointment_hospital", "appointment_staff"
LEADS = ("booking_lead", "service_lead", "supervisor")
MOST = 3  # leads that are told


def cutoff_at(case: CaseFile, calendar: WorkCalendar | None = None) -> Cutoff | None:
    """The last moment to cancel or move, by the calendar of now; who asks for many brings the calendar."""
    assert case.hospital is not None
    days = calendar or working_calendar()
    return cutoff_of(case.handbook.handbook, case.hospital, case.appointment.visit_on, days)


def tell_family(ctx: Ctx[Any], outcome: str, **more: Any) -> None:
    """What became of it: rejected, permitted, unavailable, moved, canceled, suspended, ended or no_show."""
    key = f"{ctx.case.number}:{outcome}:{ctx.case.version}"
    notify_member(
        ctx, template=FAMILY, context=_context(ctx.case, ctx.now) | {"outcome": outcome, **more}, key=key
    )


def confirm_to_family(ctx: Ctx[Any]) -> None:
    """APT-21: one message a confirmation, by SMS where the series prints it; the key counts confirmations."""
    given: Appointment = ctx.subject
    key = f"{ctx.case.number}:confirmed:{given.rounds}"
    context = _context(ctx.case, ctx.now) | {"outcome": "confirmed"}
    if not ctx.handbook.value("appointment.success_sms"):
        notify_member(ctx, template=FAMILY, context=context, key=key)
        return
    person = contact_of(ctx, ctx.case)
    queue_message(
        ctx, case=ctx.case, channel=Message.Channel.SMS, template=FAMILY, recipient=person.mobile,
        context=context | {"addressee": person.name}, key=key,
    )  # fmt: skip


def remind_family(case: CaseFile) -> None:
    """Before the cut-off, once a day of visit; outside an action, so that no open screen turns stale."""
    key = f"{case.number}:reminder:{case.appointment.visit_on:%Y%m%d}"
    context = _context(case, timezone.now()) | {"outcome": "reminder"}
    notify_member(None, case=case, template=FAMILY, context=context, key=key)


def tell_hospital(ctx: Ctx[Any], what: str, **more: Any) -> None:
    """Hospitals are called: a slot goes back, or a child comes on another day."""
    context = _context(ctx.case, ctx.now) | {"what": what, **more}
    script = words_for(HOSPITAL, "CALL", "zh-hans", ctx.case, context).body
    key = f"{ctx.case.number}:hospital:{what}:{ctx.case.version}"
    queue_call(ctx, case=ctx.case, purpose=HOSPITAL, script=script, key=key, due_at=ctx.now)


def tell_leads(ctx: Ctx[Any], what: str, **more: Any) -> None:
    """A missed or late-canceled visit, or a card that no longer serves: to those who lead bookings."""
    context = _context(ctx.case, ctx.now) | {"what": what, **more}
    key = f"{ctx.case.number}:staff:{what}:{ctx.case.version}"
    for role in LEADS:
        people = [person for person in staff_for(role, ctx.case) if person.email][:MOST]
        for person in people:
            queue_message(
                ctx, case=ctx.case, channel=Message.Channel.EMAIL, template=STAFF, recipient=person.email,
                context=context | {"addressee": str(person)}, key=f"{key}:{person.pk}",
            )  # fmt: skip
        if people:
            return
    script = words_for(STAFF, "CALL", "zh-hans", ctx.case, context).body
    queue_call(ctx, case=ctx.case, purpose=STAFF, script=script, key=key)


def arrive_by(case: CaseFile) -> datetime | None:
    """VIS-02, DL-24: the advised arrival; None without a time, or where the series prints none."""
    at, early = case.appointment.visit_at, case.handbook.handbook.value("appointment.arrive_early")
    return at - timedelta(minutes=early) if at and early else None


def _context(case: CaseFile, now: datetime) -> dict[str, Any]:
    """`cancel_by` while it can still be canceled in time, `cancel_passed` afterwards."""
    given: Appointment = case.appointment
    cutoff = cutoff_at(case)
    arrive = arrive_by(case)
    phone = given.campus.phone if given.campus else ""
    passed = cutoff is not None and cutoff.passed(now)
    in_time = cutoff if cutoff and cutoff.binding and not passed else None
    return {
        "hospital": str(case.hospital), "department": given.department, "visit_on": given.visit_on,
        "visit_time": given.visit_time.strftime("%H:%M") if given.visit_time else "", "phone": phone,
        "cancel_by": timezone.localtime(in_time.at) if in_time else None, "cancel_passed": passed,
        "arrive_by": timezone.localtime(arrive).strftime("%H:%M") if arrive else "",
        "photo_id": bool(case.handbook.handbook.value("visit.photo_id_required")),
        "member_number": case.member.number, "reference": given.reference,
    }  # fmt: skip
