"""When a promise is due (conventions C3–C7, C12; PR-04, PR-22).

**Convention.** A due instant is *exclusive*: "until the end of 22 September" is the aware
datetime 2026-09-23 00:00 Asia/Shanghai (24:00 of the 22nd), and an act is in time when it is
strictly before. Only running hours are inclusive (48:00:00 is in time, S15). `Due.day` is the
last day on which acting is in time: show that, never the date of `Due.at`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from apps.adjudication.calendar import DAY, WorkCalendar
from apps.adjudication.counting import Frozen, add_months, count_days
from apps.adjudication.errors import FactsError, HandbookError
from apps.adjudication.handbook import ClockSpec, Handbook, Step

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEVER = datetime(9999, 12, 30, tzinfo=SHANGHAI)
INSTANT = timedelta(microseconds=1)
BEFORE, HOURS, WORKDAYS, DAYS = "before", "hours", "workdays", "days"
MONTHS, NEXT_DAY = "months", "until_next_day"


@dataclass(frozen=True, slots=True)
class Pause:
    """A time in which a clock stands still; `until=None`: it still stands."""

    start: datetime
    until: datetime | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ScheduledStep:
    """A reminder, target, breach or escalation with its instant (`Step` of the handbook)."""

    key: str
    kind: str
    to: str
    at: datetime
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """`at` = NEVER while a pause is open (`standing`); then `left` units remain to be counted
    from the day of resumption as day 0 (C12)."""

    at: datetime
    day: date  # last day in time
    inclusive: bool  # running hours: an act exactly at `at` is in time
    provisional: bool  # counted through a year whose table is not published (C2)
    counted: tuple[date, ...]  # the days counted, in the order of counting
    target: datetime | None = None
    warn: datetime | None = None
    act_by: date | None = None  # PR-22: last working day before a calendar deadline on a day off
    steps: tuple[ScheduledStep, ...] = ()  # by instant
    standing: bool = False
    left: int = 0


def due_at(
    spec: ClockSpec,
    start: datetime | date,
    calendar: WorkCalendar,
    pauses: Sequence[Pause] = (),
) -> Due:
    """When `spec` is due if its start event happened at `start` (for direction "before": the
    date that must be preceded). Pauses by C12; the caller passes only those the series allows
    (PR-04). Raises FactsError for a pause that ends before it starts."""
    began = local(start)
    for pause in pauses:
        if pause.until is not None and pause.until < pause.start:
            raise FactsError("pauses", pause.until.isoformat(), "an end that is not before the start")
    if spec.unit == HOURS:
        due = _hours(spec, began, pauses)
    elif spec.direction == BEFORE:
        due = _lead(spec, began.date(), calendar)
    else:
        due = _period(spec, began, calendar, pauses)
    return due if due.standing else _with_steps(due, spec, began, calendar)


def in_time(spec: ClockSpec, at: datetime, due: Due) -> bool:
    """Whether an act at `at` keeps the promise (C6: a cut-off is strict, hours include the end)."""
    return at <= due.at if spec.unit == HOURS else at < due.at


def earliest(*dues: Due) -> Due:
    """The stricter of several dues (DL-22: popular hospital and base rule, S05)."""
    return min(dues, key=lambda due: due.at)


def consult_due(handbook: Handbook, received: datetime, calendar: WorkCalendar) -> tuple[ClockSpec, Due]:
    """The phone consult's clock (VAS-10, VAS-11; DL-01, DL-02): from `consult.late_from` on the
    late clock ("next day, before 11:00"), otherwise running hours, never before opening."""
    moment = local(received)
    opens, late_from = handbook.value("consult.opens"), handbook.value("consult.late_from")
    late = late_from is not None and moment.time() >= late_from
    if opens is not None and moment.time() < opens:
        moment = datetime.combine(moment.date(), opens, SHANGHAI)
    key = "consult.late_response" if late else "consult.response"
    spec = next((spec for spec in handbook.clocks if spec.key == key), None)
    if spec is None:
        raise HandbookError("clocks", key, "a clock of this series")
    return spec, due_at(spec, moment, calendar)


def local(moment: datetime | date) -> datetime:
    """The same instant in Asia/Shanghai; a plain date is its midnight (C1)."""
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise FactsError("start", moment.isoformat(), "an aware datetime")
        return moment.astimezone(SHANGHAI)
    return datetime.combine(moment, time(0), SHANGHAI)


def end_of(day: date, cutoff: time | None = None) -> datetime:
    """24:00 of a day, or its cut-off."""
    if cutoff is not None:
        return datetime.combine(day, cutoff, SHANGHAI)
    return datetime.combine(day + DAY, time(0), SHANGHAI)


def last_day(at: datetime) -> date:
    """The local day that an exclusive instant closes: the date to show to people."""
    return (at.astimezone(SHANGHAI) - INSTANT).date()


def _hours(spec: ClockSpec, began: datetime, pauses: Sequence[Pause]) -> Due:
    """Running hours: a pause moves the end by its length (overlaps count once)."""
    end = began + timedelta(hours=spec.duration)
    reached = began
    for pause in sorted(pauses, key=lambda pause: pause.start):
        first = max(local(pause.start), reached)
        if first >= end:
            break
        if pause.until is None:
            left = -((first - end) // timedelta(hours=1))
            return Due(NEVER, NEVER.date(), True, False, (), standing=True, left=left)
        until = local(pause.until)
        end += max(until - first, timedelta(0))
        reached = max(reached, until)
    return Due(end, end.date(), True, False, ())


def _lead(spec: ClockSpec, day: date, calendar: WorkCalendar) -> Due:
    """At least N days before `day` (C4): the whole latest day counts, or until its cut-off."""
    if spec.unit == WORKDAYS:
        counted = tuple(calendar.previous_workday(day, n) for n in range(1, spec.duration + 1))
    elif spec.unit == MONTHS:
        counted = (add_months(day, -spec.duration),)
    else:
        counted = tuple(day - n * DAY for n in range(1, spec.duration + 1))
    latest = counted[-1] if counted else day
    provisional = spec.unit == WORKDAYS and _provisional(calendar, latest, day)
    act_by = _act_by(spec, latest, calendar)
    return Due(end_of(latest, spec.cutoff), latest, False, provisional, counted, act_by=act_by)


def _period(spec: ClockSpec, began: datetime, calendar: WorkCalendar, pauses: Sequence[Pause]) -> Due:
    """N working or calendar days after the start day (C3), less the days of pauses (C12)."""
    day = began.date()
    if spec.unit == NEXT_DAY:
        return Due(end_of(day + DAY, spec.cutoff), day + DAY, False, False, (day + DAY,))
    frozen = Frozen.of([(local(p.start).date(), p.until and local(p.until).date()) for p in pauses])
    amount = spec.duration
    if spec.unit == MONTHS:
        amount = (add_months(day, spec.duration) - day).days
    counted = count_days(day, amount, frozen, calendar if spec.unit == WORKDAYS else None)
    if len(counted) < amount:
        return Due(NEVER, NEVER.date(), False, False, counted, standing=True, left=amount - len(counted))
    last = counted[-1] if counted else day
    working = spec.unit == WORKDAYS
    if spec.rolls and not working and not calendar.is_workday(last):
        last = calendar.next_workday(last)
    return Due(
        at=end_of(last, spec.cutoff),
        day=last,
        inclusive=False,
        provisional=(working or spec.rolls) and _provisional(calendar, day, last),
        counted=counted,
        target=_milestone(counted, spec.target),
        warn=_milestone(counted, spec.warn),
        act_by=_act_by(spec, last, calendar),
    )


def _milestone(counted: Sequence[date], n: int | None) -> datetime | None:
    """End of the n-th counted day (the early figure of a printed range)."""
    return end_of(counted[n - 1]) if n and n <= len(counted) else None


def _act_by(spec: ClockSpec, day: date, calendar: WorkCalendar) -> date | None:
    """PR-22: only calendar days can end on a day off."""
    if not spec.act_by or spec.unit == WORKDAYS or calendar.is_workday(day):
        return None
    return calendar.previous_workday(day)


def _provisional(calendar: WorkCalendar, first: date, last: date) -> bool:
    """A year nobody published lies between two days; its first day off is already a guess."""
    years = range(min(first, last).year, max(first, last).year + 1)
    return any(calendar.provisional(year) for year in years)


def _with_steps(due: Due, spec: ClockSpec, began: datetime, calendar: WorkCalendar) -> Due:
    if not spec.steps:
        return due
    steps = [_scheduled(step, due, spec, began, calendar) for step in spec.steps]
    return replace(due, steps=tuple(sorted(steps, key=lambda step: step.at)))


def _scheduled(
    step: Step, due: Due, spec: ClockSpec, began: datetime, calendar: WorkCalendar
) -> ScheduledStep:
    """An offset moves the due instant (−1 working day of a 24:00 due = 24:00 of the working day
    before); a share runs through the counted days. Nothing is reminded before the start."""
    at = due.at
    if step.at is not None:
        at = _share(step, due, spec, began)
    elif step.offset:
        at = _offset(step, due, calendar)
    if spec.direction != BEFORE:
        at = max(at, began)
    reach = last_day(at)
    unsure = due.provisional or (step.offset_unit == WORKDAYS and _provisional(calendar, due.day, reach))
    return ScheduledStep(step.key, step.kind, step.to, at, unsure)


def _share(step: Step, due: Due, spec: ClockSpec, began: datetime) -> datetime:
    assert step.at is not None
    if spec.direction == BEFORE:
        raise HandbookError(f"clocks.{spec.key}.{step.key}", step.at, "an offset: a lead time has no share")
    if spec.unit in (HOURS, NEXT_DAY) or not due.counted:
        length = due.at - began
        return began + timedelta(microseconds=int(length // INSTANT * step.at))
    if step.at >= 1:
        return due.at
    position = step.at * len(due.counted)
    whole = int(position)
    rest = timedelta(seconds=int((position - whole) * 86400))
    if rest:
        return datetime.combine(due.counted[whole], time(0), SHANGHAI) + rest
    return end_of(due.counted[whole - 1]) if whole else began


def _offset(step: Step, due: Due, calendar: WorkCalendar) -> datetime:
    assert step.offset is not None
    if step.offset_unit == HOURS:
        return due.at + timedelta(hours=step.offset)
    day = due.day
    if step.offset_unit == WORKDAYS:
        forward = step.offset > 0
        move = calendar.next_workday if forward else calendar.previous_workday
        day = move(day, abs(step.offset))
    else:
        day += step.offset * DAY
    if due.inclusive or due.at.time() != time(0):
        return datetime.combine(day, due.at.time(), SHANGHAI)
    return end_of(day)
