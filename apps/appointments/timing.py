"""When an appointment has to be asked for, and until when it may be canceled. No query.

Both are the handbook's clocks that run *before* a day (C4); a cut-off is strict: 14:00:00 is late.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone

from apps.adjudication.calendar import WorkCalendar
from apps.adjudication.clocks import due_at, earliest, in_time
from apps.adjudication.handbook import ClockSpec, Handbook
from apps.adjudication.trace import observe
from apps.hospitals.models import Hospital

CANCEL, POPULAR = "appointment.cancel", "appointment.popular_lead"
BASE = {"PRIVATE": "appointment.private_lead", "PUBLIC": "appointment.public_lead"}
REMIND_BEFORE = timedelta(hours=4)  # where the series' clock names no reminder
CANCELING, MOVING = "CANCEL", "RESCHEDULE"


@dataclass(frozen=True, slots=True)
class Lead:
    """`latest` is the last day of asking in time, that day included; `rule` the one that sets it."""

    late: bool
    latest: date
    rule: str
    deadline: str  # "DL-21"
    provisional: bool


@dataclass(frozen=True, slots=True)
class Cutoff:
    """Before `at` a change is in time. Not `binding`: advice only, the series prints it for other houses."""

    at: datetime
    rule: str
    deadline: str  # "DL-23"
    binding: bool
    remind_at: datetime
    provisional: bool

    def passed(self, now: datetime) -> bool:
        """Whether a change at this moment counts as late (APT-11, APT-24)."""
        return self.binding and now >= self.at


def _clock(handbook: Handbook, key: str) -> ClockSpec | None:
    return next((spec for spec in handbook.clocks if spec.key == key), None)


def lead_of(
    handbook: Handbook, hospital: Hospital, visit_on: date, now: datetime, calendar: WorkCalendar
) -> Lead | None:
    """In time or late (APT-07, APT-08); a popular house takes the earlier of its own rule and the base
    rule (APT-09, S05). None where the series prints no lead time."""
    found: list[tuple[ClockSpec, datetime]] = []
    for key in (*BASE.values(), POPULAR):
        spec = _clock(handbook, key)
        if spec is None:
            continue
        applies = hospital.popular if key == POPULAR else BASE[hospital.ownership] == key
        if observe(spec.id, applies):
            found.append((spec, due_at(spec, visit_on, calendar).at))
    if not found:
        return None
    spec = min(found, key=lambda pair: pair[1])[0]
    due = earliest(*(due_at(one, visit_on, calendar) for one, _at in found))
    moment = timezone.localtime(now)
    for one, _at in found:
        observe(one.rules[0], one is spec and not in_time(one, moment, due))
    return Lead(not in_time(spec, moment, due), due.day, spec.rules[0], spec.id, due.provisional)


def cutoff_of(
    handbook: Handbook, hospital: Hospital, visit_on: date, calendar: WorkCalendar
) -> Cutoff | None:
    """The last moment to cancel or move without consequences; None where the series prints none."""
    spec = _clock(handbook, CANCEL)
    if spec is None:
        return None
    due = due_at(spec, visit_on, calendar)
    binding = hospital.ownership in handbook.value("appointment.cancel_ownerships", ())
    observe(spec.id, binding)
    remind = next((step.at for step in due.steps if step.kind == "REMIND"), due.at - REMIND_BEFORE)
    return Cutoff(due.at, spec.rules[0], spec.id, binding, remind, due.provisional)


def moves(handbook: Handbook) -> bool:
    """Whether the series lets an appointment be moved; else it is canceled and asked for anew."""
    return MOVING in handbook.value("appointment.cancel_actions", ())
