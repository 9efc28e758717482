"""Time left in words: how much, how urgent, and how it was counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from apps.adjudication.calendar import WorkCalendar
from apps.adjudication.clocks import Due, last_day
from apps.adjudication.handbook import ClockSpec, Title
from apps.cases.clocks import due_of, spec_of
from apps.cases.models import CaseFile, Clock
from apps.products.queries import current_handbook, series_codes, working_calendar

LATE, TODAY, SOON, OK, PAUSED, NONE = "late", "today", "soon", "ok", "paused", "none"


@dataclass(frozen=True)
class TimeLeft:
    level: str
    text: str
    how: str = ""
    due: datetime | None = None


NOTHING = TimeLeft(NONE, "—")


def words(title: Title) -> str:
    """The Chinese or English words of a handbook, by the language of the screen."""
    return title.zh if (get_language() or "zh").startswith("zh") else title.en


def clock_titles() -> dict[str, str]:
    """Words for clocks, from the handbooks in force: as the newer series calls it, and where several
    share a key, as the one without a condition does."""
    titles: dict[str, str] = {}
    for series in series_codes():
        clocks = sorted(current_handbook(series).handbook.clocks, key=lambda spec: len(spec.when))
        for spec in clocks:
            titles.setdefault(spec.key, words(spec.title))
    return titles


def time_left(case: CaseFile, now: datetime | None = None, calendar: WorkCalendar | None = None) -> TimeLeft:
    """Of the clock that is due first. Reads `case.clocks` (prefetched by lists), no query of its own."""
    now, calendar = now or timezone.now(), calendar or working_calendar()
    clocks = [clock for clock in case.clocks.all() if clock.state != Clock.State.STOPPED]
    running = [clock for clock in clocks if clock.state == Clock.State.RUNNING]
    if running:
        clock = min(running, key=lambda clock: clock.due_at)
        return of_clock(case, clock, now, calendar)
    if clocks:
        return TimeLeft(PAUSED, _("paused"), how_counted(case, clocks[0]))
    if case.next_due:
        return TimeLeft(
            _level(case.next_due, last_day(case.next_due), now),
            _text(case.next_due, None, now, calendar),
            "",
            case.next_due,
        )
    return NOTHING


def of_clock(case: CaseFile, clock: Clock, now: datetime, calendar: WorkCalendar) -> TimeLeft:
    if clock.state == Clock.State.PAUSED:
        return TimeLeft(PAUSED, _("paused"), how_counted(case, clock))
    return TimeLeft(
        _level(clock.due_at, clock.day, now),
        _text(clock.due_at, clock.day, now, calendar),
        how_counted(case, clock),
        clock.due_at,
    )


def _level(due: datetime, day: date, now: datetime) -> str:
    today = timezone.localtime(now).date()
    if due <= now:
        return LATE
    if day <= today:
        return TODAY
    return SOON if day <= today + timedelta(days=1) else OK


def _text(due: datetime, day: date | None, now: datetime, calendar: WorkCalendar) -> str:
    if due <= now:
        return _late(now - due)
    today, day = timezone.localtime(now).date(), day or last_day(due)
    local = timezone.localtime(due)
    clock_time = f" {local:%H:%M}" if (local.hour, local.minute) != (0, 0) else ""
    if day <= today:
        return _("today") + clock_time
    if day == today + timedelta(days=1):
        return _("tomorrow") + clock_time
    days = calendar.workdays_between(today, day)
    if not days:
        return ngettext("%(n)d day", "%(n)d days", (day - today).days) % {"n": (day - today).days}
    return ngettext("%(n)d working day", "%(n)d working days", days) % {"n": days}


def _late(by: timedelta) -> str:
    hours = int(by.total_seconds() // 3600)
    if hours < 1:
        return _("late %(n)d min") % {"n": max(int(by.total_seconds() // 60), 1)}
    if hours < 48:
        return _("late %(n)d h") % {"n": hours}
    return _("late %(n)d days") % {"n": hours // 24}


# --- How it was counted ----------------------------------------------------------------------


def how_counted(case: CaseFile, clock: Clock) -> str:
    """'Decision: 5 working days after 10-09 14:02, until the end of 10-16; paused 2 × · DL-34'."""
    try:
        spec = spec_of(case.handbook.handbook, clock)
    except LookupError:
        return clock.spec_id
    pauses = len(clock.pauses.all())
    parts = [
        _("%(title)s: %(length)s after %(start)s, until %(until)s")
        % {
            "title": words(spec.title),
            "length": length(spec),
            "start": moment(clock.started_at),
            "until": until(clock),
        }
    ]
    if pauses:
        parts.append(ngettext("paused once", "paused %(n)d times", pauses) % {"n": pauses})
    if clock.act_by:
        parts.append(_("last working day before it: %(day)s") % {"day": date_format(clock.act_by, "m-d")})
    if clock.provisional:
        parts.append(_("calendar of the year not yet published: provisional"))
    parts.append(spec.id)
    return " · ".join(parts)


def length(spec: ClockSpec) -> str:
    """'5 working days', '48 hours', 'until the next day'."""
    number = {"n": spec.duration}
    if spec.unit == "workdays":
        return ngettext("%(n)d working day", "%(n)d working days", spec.duration) % number
    if spec.unit == "days":
        return ngettext("%(n)d day", "%(n)d days", spec.duration) % number
    if spec.unit == "hours":
        return ngettext("%(n)d hour", "%(n)d hours", spec.duration) % number
    if spec.unit == "months":
        return ngettext("%(n)d month", "%(n)d months", spec.duration) % number
    return _("the next day")


def moment(at: datetime) -> str:
    return f"{timezone.localtime(at):%m-%d %H:%M}"


def due_words(due: datetime | None) -> str:
    """'2026-10-16 24:00': a due instant is exclusive, so midnight belongs to the day before."""
    if due is None:
        return ""
    local = timezone.localtime(due)
    if (local.hour, local.minute) == (0, 0):
        return f"{last_day(due):%Y-%m-%d} 24:00"
    return f"{local:%Y-%m-%d %H:%M}"


def until(clock: Clock) -> str:
    """'10-16 24:00' — the last day in time, not the midnight after it."""
    local = timezone.localtime(clock.due_at)
    return f"{clock.day:%m-%d} " + ("24:00" if (local.hour, local.minute) == (0, 0) else f"{local:%H:%M}")


@dataclass(frozen=True)
class ClockView:
    """One clock as the header of the case page shows it."""

    clock: Clock
    title: str
    rule: str
    left: TimeLeft
    until: str
    length: str
    statutory: bool
    basis: str
    days: tuple[date, ...] = ()
    pauses: tuple[Any, ...] = ()
    due: Due | None = None


def clock_views(case: CaseFile, now: datetime) -> list[ClockView]:
    """All clocks of a case: running first (contract before statutory), then stopped ones."""
    calendar = working_calendar()
    views = [_clock_view(case, clock, now, calendar) for clock in case.clocks.all()]
    order = {Clock.State.RUNNING: 0, Clock.State.PAUSED: 1, Clock.State.STOPPED: 2}
    return sorted(
        views, key=lambda view: (order[Clock.State(view.clock.state)], view.statutory, view.clock.due_at)
    )


def _clock_view(case: CaseFile, clock: Clock, now: datetime, calendar: WorkCalendar) -> ClockView:
    try:
        spec = spec_of(case.handbook.handbook, clock)
    except LookupError:
        return ClockView(clock, clock.key, clock.spec_id, NOTHING, until(clock), "", clock.statutory, "")
    stopped = clock.state == Clock.State.STOPPED
    left = _kept(clock) if stopped else of_clock(case, clock, now, calendar)
    due = due_of(clock, spec)
    return ClockView(
        clock=clock,
        title=words(spec.title),
        rule=spec.id,
        left=left,
        until=until(clock),
        length=length(spec),
        statutory=spec.statutory,
        basis=spec.basis.value,
        days=due.counted,
        pauses=tuple(clock.pauses.all()),
        due=due,
    )


def _kept(clock: Clock) -> TimeLeft:
    return TimeLeft(LATE, _("missed")) if clock.breached else TimeLeft(NONE, _("kept"))
