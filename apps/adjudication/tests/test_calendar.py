"""Working days (C2–C5, S56)."""

from datetime import date, timedelta

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.adjudication.calendar import WEEKDAYS_ONLY, WorkCalendar
from apps.adjudication.errors import FactsError
from apps.adjudication.tests.builders import CALENDAR, days

DATES = st.dates(date(2023, 1, 1), date(2028, 12, 31))


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        ("2026-09-16", True),  # a Wednesday
        ("2026-09-19", False),  # a Saturday
        ("2026-09-20", True),  # make-up Sunday
        ("2026-10-10", True),  # make-up Saturday
        ("2026-10-01", False),  # National Day
        ("2026-09-25", False),  # Mid-Autumn on a Friday
        ("2027-01-01", False),  # not published: 1 January is off all the same
        ("2027-10-01", True),  # not published: a Friday like any other
        ("2026-01-01", False),
    ],
)
def test_c2_state_council_days_beat_the_weekday(day: str, worked: bool) -> None:
    assert CALENDAR.is_workday(date.fromisoformat(day)) is worked


def test_c2_agrees_with_the_published_table_of_2026() -> None:
    day = date(2026, 1, 1)
    while day.year == 2026:
        assert CALENDAR.is_workday(day) == chinese_calendar.is_workday(day), day
        day += timedelta(days=1)


def test_c2_an_unpublished_year_is_provisional_and_own_rows_still_win() -> None:
    some = WorkCalendar(off=days("2027-02-08"), work=days("2027-02-20"), known_years=frozenset({2026}))
    assert some.provisional(2027)
    assert not some.provisional(2026)
    assert not some.is_workday(date(2027, 2, 8))
    assert some.is_workday(date(2027, 2, 20))
    assert not some.is_workday(date(2027, 1, 1))


def test_a_day_both_off_and_worked_is_refused() -> None:
    with pytest.raises(FactsError) as error:
        WorkCalendar(off=days("2026-10-01"), work=days("2026-10-01"))
    assert error.value.value == "2026-10-01"


@pytest.mark.parametrize(
    ("day", "n", "expected"),
    [
        ("2026-09-28", 2, "2026-09-30"),
        ("2026-09-30", 1, "2026-10-08"),
        ("2026-10-09", 1, "2026-10-10"),
        ("2026-12-30", 2, "2027-01-04"),
        ("2026-10-08", -2, "2026-09-29"),
        ("2026-10-12", -1, "2026-10-10"),
        ("2026-10-08", -5, "2026-09-23"),
        ("2027-01-04", -1, "2026-12-31"),
        ("2026-10-03", 0, "2026-10-03"),
        ("2026-10-03", -0, "2026-10-03"),
    ],
)
def test_nth_working_day(day: str, n: int, expected: str) -> None:
    start = date.fromisoformat(day)
    found = CALENDAR.next_workday(start, n) if n >= 0 else CALENDAR.previous_workday(start, -n)
    assert found == date.fromisoformat(expected)


@given(DATES, st.integers(0, 300))
def test_counting_forward_is_one_day_after_the_other(day: date, n: int) -> None:
    slow, left = day, n
    while left:
        slow += timedelta(days=1)
        left -= CALENDAR.is_workday(slow)
    assert CALENDAR.next_workday(day, n) == slow
    assert CALENDAR.workdays_between(day, slow) == n


@given(DATES, st.integers(0, 300))
def test_counting_back_is_one_day_before_the_other(day: date, n: int) -> None:
    slow, left = day, n
    while left:
        slow -= timedelta(days=1)
        left -= CALENDAR.is_workday(slow)
    assert CALENDAR.previous_workday(day, n) == slow


@given(DATES, DATES)
def test_working_days_between(first: date, last: date) -> None:
    span = (last - first).days
    slow = sum(CALENDAR.is_workday(first + timedelta(days=n)) for n in range(1, span + 1))
    assert CALENDAR.workdays_between(first, last) == slow


def test_previous_of_zero_is_the_day_itself() -> None:
    assert WEEKDAYS_ONLY.previous_workday(date(2026, 10, 3), 0) == date(2026, 10, 3)
