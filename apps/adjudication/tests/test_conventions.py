"""Conventions C2 to C8 and C12 with the rules' own figures, by the clocks of both printed series.

Each is seen at work and not at work: the case it is there for, and the case where a naive count agrees.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from apps.adjudication.calendar import WorkCalendar
from apps.adjudication.clocks import NEVER, Pause, due_at, end_of, in_time
from apps.adjudication.engine import adjudicate
from apps.adjudication.handbook import ClockSpec
from apps.adjudication.parse import parse_handbook
from apps.adjudication.routing import route
from apps.adjudication.tests.builders import CALENDAR, ROOT, at, make_facts, make_plan, paid, printed
from apps.cases.testing_rulebook import Reader

BOTH = pytest.mark.parametrize("series", ["2024", "2026"])


def clock(series: str, key: str, which: int = 0) -> ClockSpec:
    return [spec for spec in printed(series).clocks if spec.key == key][which]


def weekdays_after(day: date, n: int) -> date:
    """Monday to Friday, as someone without a calendar would count."""
    while n:
        day += timedelta(days=1)
        n -= day.weekday() < 5
    return day


@pytest.mark.parametrize(
    ("series", "which", "start", "day", "differs"),
    [
        ("2024", 1, "2024-09-27 10:00", "2024-10-08", True),  # DL-11: Sun 29 Sep worked, 1–7 Oct off
        ("2026", 0, "2026-09-28 10:00", "2026-10-10", True),  # S32: 1–7 Oct off, Sat 10 Oct worked
        ("2024", 1, "2024-10-14 10:00", "2024-10-17", False),  # plain weeks
        ("2026", 0, "2026-10-12 10:00", "2026-10-19", False),
    ],
)
def test_c2_working_days_are_those_of_the_state_council(
    rulebook: Reader, series: str, which: int, start: str, day: str, differs: bool
) -> None:
    spec = clock(series, "claim.decision", which)
    due = due_at(spec, at(start), CALENDAR)
    assert due.day == date.fromisoformat(day)
    assert (due.day != weekdays_after(at(start).date(), spec.duration)) is differs
    rulebook.fired("C2", fired=differs)


@BOTH
def test_c2_s56_a_year_without_a_table_is_counted_provisionally(rulebook: Reader, series: str) -> None:
    """Wed 30 December 2026 and two working days: 31 December, then Monday 4 January; 1 January is off."""
    spec = clock(series, "authorization.decision")
    due = due_at(spec, at("2026-12-30 10:00"), CALENDAR)
    assert (due.day, due.provisional) == (date(2027, 1, 4), True)
    known = WorkCalendar(
        off=CALENDAR.off | {date(2027, 1, 1), date(2027, 1, 4)},
        work=CALENDAR.work,
        known_years=CALENDAR.known_years | {2027},
    )
    again = due_at(spec, at("2026-12-30 10:00"), known)
    assert (again.day, again.provisional) == (date(2027, 1, 5), False)
    rulebook.fired("C2")
    rulebook.fired("C2", fired=again.provisional)


@BOTH
@pytest.mark.parametrize("hour", ["00:00:00", "10:00:00", "23:59:59"])
def test_c3_the_day_of_the_event_is_day_zero(rulebook: Reader, series: str, hour: str) -> None:
    """Whatever the hour, the same last day, until its 24:00 and not later (Civil Code art. 201)."""
    spec = clock(series, "claim.small_notice")
    due = due_at(spec, at(f"2026-09-16 {hour}"), CALENDAR)
    assert due.counted == (date(2026, 9, 17),)
    assert due.at == at("2026-09-18 00:00")
    assert in_time(spec, at("2026-09-17 23:59:59"), due)
    assert not in_time(spec, at("2026-09-18 00:00"), due)
    rulebook.fired("C3")
    rulebook.fired("C3", fired=at(f"2026-09-16 {hour}").date() in due.counted)


@pytest.mark.parametrize(
    ("series", "key", "visit", "last"),
    [
        ("2024", "authorization.submission", "2026-10-12", "2026-10-09 23:59:59"),  # DL-06
        ("2026", "appointment.public_lead", "2026-10-08", "2026-09-29 23:59:59"),  # S02
        ("2024", "appointment.cancel", "2024-10-14", "2024-10-12 15:59:59"),  # DL-05: Sat worked, 16:00
        ("2026", "appointment.cancel", "2026-10-12", "2026-10-10 13:59:59"),  # S04: Sat worked, 14:00
    ],
)
def test_c4_a_lead_time_counts_backward_and_its_last_day_in_full_or_to_the_hour(
    rulebook: Reader, series: str, key: str, visit: str, last: str
) -> None:
    spec = clock(series, key)
    due = due_at(spec, date.fromisoformat(visit), CALENDAR)
    assert due.at == at(last) + timedelta(seconds=1)
    assert in_time(spec, at(last), due)
    assert not in_time(spec, due.at, due)
    rulebook.fired("C4")
    forward = clock(series, "claim.small_notice")  # counts after its event: C4 has no say
    assert due_at(forward, at("2026-10-08 09:00"), CALENDAR).day == date(2026, 10, 9)
    rulebook.fired("C4", fired=due_at(forward, at("2026-10-08 09:00"), CALENDAR).at < at("2026-10-08 09:00"))


@BOTH
def test_c5_days_hours_weeks_and_months_ignore_working_days(rulebook: Reader, series: str) -> None:
    """Over the National Day week: ten days are ten days, 48 (2024: 2) hours are hours, 24 months end on a day."""
    ten = due_at(clock(series, "law.payment"), at("2026-09-28 10:00"), CALENDAR)
    assert ten.day == date(2026, 10, 8)
    hours = clock(series, "authorization.emergency_notice" if series == "2026" else "consult.response")
    due = due_at(hours, at("2026-10-01 19:30"), CALENDAR)
    assert due.at == at("2026-10-03 19:30" if series == "2026" else "2026-10-01 21:30")  # DL-26, DL-01
    assert due_at(clock(series, "law.rescission_bar"), at("2024-02-29 10:00"), CALENDAR).day == date(
        2026, 2, 28
    )
    week = clock(series, "bill.payment") if series == "2024" else clock(series, "appointment.popular_lead")
    start = date(2026, 10, 8)
    expected = start + timedelta(days=7 if series == "2024" else -7)
    assert due_at(week, start, CALENDAR).day == expected
    rulebook.fired("C5")
    five = clock(series, "claim.decision", 1 if series == "2024" else 0)  # working days: C5 has no say
    naive = date(2026, 9, 28) + timedelta(days=five.duration)
    assert due_at(five, at("2026-09-28 10:00"), CALENDAR).day > naive
    rulebook.fired("C5", fired=due_at(five, at("2026-09-28 10:00"), CALENDAR).day == naive)


def test_c5_the_next_day_is_the_next_calendar_day(rulebook: Reader) -> None:
    """DL-02: asked at 20:00 on National Day, answered before 11:00 on the second, a holiday."""
    due = due_at(clock("2024", "consult.late_response"), at("2026-10-01 20:00"), CALENDAR)
    assert due.at == at("2026-10-02 11:00")
    rulebook.fired("C5")


@pytest.mark.parametrize(("yuan", "mailed"), [("10000.00", False), ("10000.01", True)])
def test_c6_up_to_includes_the_figure_and_above_excludes_it(
    rulebook: Reader, yuan: str, mailed: bool
) -> None:
    """RMB-20 "≤ 10,000", RMB-22 "> 10,000": no amount between the two, none in both."""
    facts = make_facts(
        paid(yuan), handbook=printed("2026"), plan=make_plan(series="2026"), channel="MINIPROGRAM"
    )
    assert (route(facts).route == "MAIL") is mailed
    rulebook.fired("C6", fired=mailed)


@pytest.mark.parametrize(
    ("series", "key", "start", "moment", "kept"),
    [
        (
            "2024",
            "appointment.cancel",
            date(2024, 10, 14),
            "2024-10-12 15:59:59",
            True,
        ),  # 前: strictly before
        ("2024", "appointment.cancel", date(2024, 10, 14), "2024-10-12 16:00:00", False),
        ("2026", "appointment.cancel", date(2026, 10, 12), "2026-10-10 14:00:00", False),  # S04
        ("2026", "authorization.emergency_notice", at("2026-10-01 22:15"), "2026-10-03 22:15:00", True),  # 内
        (
            "2026",
            "authorization.emergency_notice",
            at("2026-10-01 22:15"),
            "2026-10-03 22:15:01",
            False,
        ),  # S15
    ],
)
def test_c6_before_an_hour_is_strict_within_hours_includes_the_end(
    rulebook: Reader, series: str, key: str, start: date | datetime, moment: str, kept: bool
) -> None:
    spec = clock(series, key)
    assert in_time(spec, at(moment), due_at(spec, start, CALENDAR)) is kept
    rulebook.fired("C6", fired=not kept)


@BOTH
@pytest.mark.parametrize(
    ("start", "day", "holiday"), [("2026-09-22 10:00", date(2026, 10, 2), True), ("2026-10-10 10:00", date(2026, 10, 20), False)]
)  # fmt: skip
def test_c7_a_calendar_deadline_stays_on_its_holiday(
    rulebook: Reader, series: str, start: str, day: date, holiday: bool
) -> None:
    due = due_at(clock(series, "law.payment"), at(start), CALENDAR)
    assert (due.day, due.at) == (day, end_of(day))
    assert CALENDAR.is_workday(day) is not holiday
    assert due.act_by == (date(2026, 9, 30) if holiday else None)  # PR-22, beside it
    rulebook.fired("C7", fired=holiday)


@BOTH
@pytest.mark.parametrize(
    ("switch", "value", "day", "act_by"),
    [
        ("roll_calendar_deadlines", True, date(2026, 10, 8), None),  # Civil Code art. 203
        ("deadlines.act_by", False, date(2026, 10, 2), None),
        ("deadlines.act_by", True, date(2026, 10, 2), date(2026, 9, 30)),
    ],
)
def test_c7_pr22_a_series_may_roll_its_calendar_deadlines_or_hide_the_day_to_act(
    series: str, switch: str, value: bool, day: date, act_by: date | None
) -> None:
    text = (ROOT / "fixtures" / "handbooks" / f"{series}.toml").read_text(encoding="utf-8")
    head, found, tail = text.partition(f'key = "{switch}"\nvalue = ')
    assert found
    handbook = parse_handbook(head + found + str(value).lower() + tail[tail.index("\n") :])
    spec = next(spec for spec in handbook.clocks if spec.key == "law.payment")
    due = due_at(spec, at("2026-09-22 10:00"), CALENDAR)
    assert (due.day, due.at, due.act_by) == (day, end_of(day), act_by)
    working = next(spec for spec in handbook.clocks if spec.unit == "workdays" and spec.direction == "after")
    naive = due_at(replace(working, rolls=False), at("2026-09-22 10:00"), CALENDAR)
    assert due_at(working, at("2026-09-22 10:00"), CALENDAR).day == naive.day  # never on a day off anyway


@BOTH
def test_c8_amounts_are_exact_to_the_fen(rulebook: Reader, series: str) -> None:
    """0.10 three times is 0.30, which no float gives; shares and deductibles end at whole fen that add up."""
    facts = make_facts(
        paid("0.10"), paid("0.10"), paid("0.10"), handbook=printed(series), plan=make_plan(series=series)
    )
    decision = adjudicate(facts)
    assert decision.billed == Decimal("0.30")
    assert 0.1 + 0.1 + 0.1 != 0.3
    for line in decision.lines:
        parts = (line.third_party, line.disallowed, line.deductible, line.member, line.insurer)
        assert sum(parts) == line.billed
        assert all(part == part.quantize(Decimal("0.01")) for part in parts)
    rulebook.fired("C8")
    rulebook.fired("C8", fired=float(decision.billed) == 0.1 + 0.1 + 0.1)


@pytest.mark.parametrize(
    ("series", "which", "start", "pause", "resume", "day", "moved"),
    [
        ("2026", 0, "2026-09-28 10:00", "2026-09-30 09:00", "2026-10-09 18:00", "2026-10-13", True),  # S32
        (
            "2026",
            0,
            "2026-09-28 10:00",
            "2026-09-30 09:00",
            "2026-09-30 18:00",
            "2026-10-10",
            False,
        ),  # same day
        ("2024", 1, "2024-09-27 10:00", "2024-09-29 09:00", "2024-10-09 10:00", "2024-10-11", True),
    ],
)
def test_c12_the_day_of_the_pause_counts_and_the_day_of_resumption_is_day_zero(
    rulebook: Reader, series: str, which: int, start: str, pause: str, resume: str, day: str, moved: bool
) -> None:
    spec = clock(series, "claim.decision", which)
    plain = due_at(spec, at(start), CALENDAR)
    due = due_at(spec, at(start), CALENDAR, [Pause(at(pause), at(resume))])
    assert due.day == date.fromisoformat(day)
    assert len(due.counted) == spec.duration
    assert (due.day > plain.day) is moved
    rulebook.fired("C12", fired=moved)


def test_c12_an_open_pause_leaves_what_remains(rulebook: Reader) -> None:
    due = due_at(
        clock("2026", "claim.decision"),
        at("2026-09-28 10:00"),
        CALENDAR,
        [Pause(at("2026-09-30 09:00"), None)],
    )
    assert (due.at, due.standing, due.left) == (NEVER, True, 3)
    rulebook.fired("C12")
