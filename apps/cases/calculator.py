"""The working-day calculator: a clock of a series, a start, pauses → when it is due and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from apps.adjudication.calendar import WorkCalendar
from apps.adjudication.clocks import Due, Pause, due_at
from apps.adjudication.handbook import Basis, ClockSpec, Title
from apps.cases.forms import local_input
from apps.cases.timeleft import length, words
from apps.core.errors import DomainError, InvalidInput, NotFound
from apps.products.queries import current_handbook, series_codes, working_calendar

ROWS = 3  # pauses that can be entered
UNITS = ("workdays", "days", "hours", "months")


@dataclass(frozen=True)
class Day:
    day: date
    counted: int  # 0 = does not count
    off: bool
    paused: bool
    last: bool


@require_GET
def calculator(request: HttpRequest) -> HttpResponse:
    from apps.cases.views import show

    series = series_codes()
    chosen = request.GET.get("series") or (series[0] if series else "")
    specs = list(current_handbook(chosen).handbook.clocks) if chosen in series else []
    context: dict[str, Any] = {
        "title": _("Working-day calculator"),
        "series": series,
        "chosen": chosen,
        "clocks": [{"spec": spec, "title": words(spec.title), "length": length(spec)} for spec in specs],
        "given": request.GET,
        "start": request.GET.get("start") or local_input(timezone.now()),
        "pauses": [(request.GET.get(f"from{n}", ""), request.GET.get(f"until{n}", "")) for n in range(ROWS)],
        "units": UNITS,
    }
    if request.GET.get("clock") or request.GET.get("duration"):
        try:
            context |= _answer(request, specs)
        except DomainError as error:
            context["error"] = error
    return show(request, "cases/calculator.html", context, status=400 if "error" in context else 200)


def _answer(request: HttpRequest, specs: list[ClockSpec]) -> dict[str, Any]:
    spec, calendar = _spec(request, specs), working_calendar()
    start = _moment(request.GET.get("start", ""), "start")
    pauses = [_pause(request, n) for n in range(ROWS) if request.GET.get(f"from{n}")]
    due = due_at(spec, start, calendar, pauses)
    return {
        "due": due,
        "spec": spec,
        "spec_title": words(spec.title),
        "spec_length": length(spec),
        "rules": spec.rules,
        "days": [] if due.standing else _days(start, due, calendar, pauses),
        "ignored": [pause for pause in pauses if spec.pauses == () and pause],
        "time": f"{timezone.localtime(due.at):%H:%M}"
        if (due.at.astimezone().minute or timezone.localtime(due.at).hour)
        else "24:00",
    }


def _spec(request: HttpRequest, specs: list[ClockSpec]) -> ClockSpec:
    wanted = request.GET.get("clock", "")
    for spec in specs:
        if f"{spec.key}|{spec.id}" == wanted:
            return spec
    if wanted:
        raise NotFound(_("The series has no such clock."), field="clock")
    return _own_spec(request)


def _own_spec(request: HttpRequest) -> ClockSpec:
    """A length typed in instead of a clock of the handbook."""
    given, unit = request.GET.get("duration", ""), request.GET.get("unit", "workdays")
    if not given.isdigit() or not 1 <= int(given) <= 1000:
        raise InvalidInput(_("A whole number from 1 to 1000 is expected."), field="duration")
    if unit not in UNITS:
        raise InvalidInput(_("The unit is not known."), field="unit")
    title = Title("自定时限", "A length of my own")
    return ClockSpec("own", "—", (), title, "start", (), int(given), unit, Basis.CONFIG)


def _moment(text: str, field: str) -> datetime:
    try:
        found = parse_datetime(text.strip())
        day = parse_date(text.strip()) if found is None else None
    except ValueError:
        found = day = None
    if found is None and day is not None:
        found = datetime(day.year, day.month, day.day)
    if found is None:
        raise InvalidInput(
            _("A time like 2026-10-09T14:30 is expected, not “%(value)s”.") % {"value": text[:40]},
            field=field,
        )
    return timezone.make_aware(found) if timezone.is_naive(found) else found


def _pause(request: HttpRequest, n: int) -> Pause:
    until = request.GET.get(f"until{n}", "")
    return Pause(_moment(request.GET[f"from{n}"], f"from{n}"), _moment(until, f"until{n}") if until else None)


def _days(start: datetime, due: Due, calendar: WorkCalendar, pauses: list[Pause]) -> list[Day]:
    """Every day from the start to the due day, with what it counts for; long spans are cut."""
    first, last = sorted((timezone.localtime(start).date(), due.day))
    numbers = {day: n for n, day in enumerate(due.counted, start=1)}
    days = []
    for n in range(min((last - first).days, 120) + 1):
        day = first + timedelta(days=n)
        paused = any(_covers(pause, day) for pause in pauses) and day not in numbers
        days.append(Day(day, numbers.get(day, 0), not calendar.is_workday(day), paused, day == due.day))
    return days


def _covers(pause: Pause, day: date) -> bool:
    return timezone.localtime(pause.start).date() < day and (
        pause.until is None or day <= timezone.localtime(pause.until).date()
    )
