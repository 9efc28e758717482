"""The arithmetic of a clock against a slow, obvious model; and how it is written out (LAW-02, C2, C3, C12)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from apps.adjudication.arithmetic import COUNTED, DAY_OFF, DUE, PAUSED, STANDING, START, count_lines
from apps.adjudication.calendar import WorkCalendar
from apps.adjudication.clocks import SHANGHAI, Pause, due_at
from apps.adjudication.handbook import Basis, ClockSpec, Title

DAY = timedelta(days=1)
CALENDAR = WorkCalendar(
    off=frozenset(date(2026, 10, day) for day in range(1, 8)),
    work=frozenset({date(2026, 9, 20), date(2026, 10, 10)}),
    known_years=frozenset({2026, 2027}),
)
STATUTORY = ClockSpec(
    key="law.decision", id="LAW-02", rules=("LAW-02",), title=Title("法定核定", "determination"),
    start="first_received", stop=("decided",), duration=30, unit="days", basis=Basis.LAW,
    pauses=("missing_papers",), statutory=True,
)  # fmt: skip
CONTRACT = replace(
    STATUTORY,
    key="claim.decision",
    id="DL-34",
    duration=5,
    unit="workdays",
    statutory=False,
    pauses=("dispute",),
)


def at(day: date, hour: int = 10) -> datetime:
    return datetime.combine(day, time(hour), SHANGHAI)


def obvious(spec: ClockSpec, start: date, pauses: list[tuple[date, date | None]]) -> date | None:
    """Walk through the days one after the other: a day counts unless it lies in a pause (the day of the
    pause itself counts, the day of resumption is day 0 again) or is a day off. None: it stands for ever."""
    counted, day = 0, start
    while counted < spec.duration:
        day += DAY
        if day > start + timedelta(days=2000):
            return None
        paused = any(first < day and (last is None or day <= last) for first, last in pauses)
        works = spec.unit == "days" or CALENDAR.is_workday(day)
        if works and not paused:
            counted += 1
    return day


starts = st.dates(date(2026, 8, 1), date(2026, 12, 1))
spans = st.lists(st.tuples(st.integers(0, 70), st.integers(0, 40)), max_size=5)
hours = st.integers(0, 23)


@settings(max_examples=200, deadline=None)
@given(starts, spans, st.booleans(), st.sampled_from([STATUTORY, CONTRACT]), hours, st.integers(1, 60))
def test_law02_c12_due_day_equals_the_obvious_model(
    start: date, lengths: list[tuple[int, int]], left_open: bool, spec: ClockSpec, hour: int, duration: int
) -> None:
    spec = replace(spec, duration=duration)
    pauses: list[tuple[date, date | None]] = []
    for after, length in lengths:  # they may overlap, touch, be empty, and come in any order
        first = start + timedelta(days=after)
        pauses.append((first, first + timedelta(days=length)))
    if left_open and pauses:
        pauses[-1] = (pauses[-1][0], None)
    given_pauses = [Pause(at(first, hour), at(last, hour) if last else None) for first, last in pauses]
    due = due_at(spec, at(start, hour), CALENDAR, given_pauses)
    expected = obvious(spec, start, pauses)
    assert (None if due.standing else due.day) == expected
    lines = count_lines(spec, at(start, hour), due, given_pauses, until=start + timedelta(days=30))
    assert sum(line.days for line in lines if line.kind == COUNTED) <= spec.duration
    if expected is not None:
        assert sum(line.days for line in lines if line.kind == COUNTED) == spec.duration
        body = [line for line in lines if line.kind in (COUNTED, DAY_OFF, PAUSED)]
        assert body[0].first == start + DAY
        assert body[-1].last == expected
        assert all(one.last + DAY == two.first for one, two in pairwise(body))
        assert body[-1].kind == COUNTED


def test_law02_written_out_line_by_line() -> None:
    start, reached, back = date(2026, 9, 1), date(2026, 9, 10), date(2026, 9, 25)
    pauses = [Pause(at(reached), at(back))]
    due = due_at(STATUTORY, at(start), CALENDAR, pauses)
    shown: list[tuple[Any, ...]] = [
        (line.kind, line.first, line.last, line.days, line.total, line.rule)
        for line in count_lines(STATUTORY, at(start), due, pauses)
    ]
    assert shown == [
        (START, start, start, 0, 0, "C3"),
        (COUNTED, date(2026, 9, 2), reached, 9, 9, "C3"),
        (PAUSED, date(2026, 9, 11), back, 15, 9, "LAW-02"),
        (COUNTED, date(2026, 9, 26), date(2026, 10, 16), 21, 30, "C3"),
        (DUE, date(2026, 10, 16), date(2026, 10, 16), 0, 30, "LAW-02"),
    ]


def test_c2_days_off_stand_in_between_where_working_days_count() -> None:
    due = due_at(CONTRACT, at(date(2026, 9, 29)), CALENDAR)
    kinds = [(line.kind, line.days) for line in count_lines(CONTRACT, at(date(2026, 9, 29)), due)]
    assert kinds == [
        (START, 0),
        (COUNTED, 1),
        (DAY_OFF, 7),
        (COUNTED, 3),
        (DAY_OFF, 1),
        (COUNTED, 1),
        (DUE, 0),
    ]


def test_c12_an_open_pause_says_how_much_is_left() -> None:
    pauses = [Pause(at(date(2026, 9, 3)), None)]
    due = due_at(STATUTORY, at(date(2026, 9, 1)), CALENDAR, pauses)
    lines = count_lines(STATUTORY, at(date(2026, 9, 1)), due, pauses, until=date(2026, 9, 20))
    assert [(line.kind, line.days, line.total) for line in lines] == [
        (START, 0, 0), (COUNTED, 2, 2), (PAUSED, 17, 2), (STANDING, 28, 2),
    ]  # fmt: skip
