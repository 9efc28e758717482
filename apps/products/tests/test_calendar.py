"""The working calendar: seeded, edited by people, noticed by every process (C2, S56)."""

from __future__ import annotations

from datetime import date, timedelta
from io import StringIO

import chinese_calendar
import pytest
from django.core.management import call_command

from apps.products import calendars
from apps.products.actions import load_calendar, published_days
from apps.products.models import CalendarDay, CalendarState, CalendarYear
from apps.products.queries import calendar_changed, working_calendar

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_the_seed_agrees_with_a_second_source_on_every_day(year: int) -> None:
    load_calendar([year])
    calendar, day = working_calendar(), date(year, 1, 1)
    while day.year == year:
        assert calendar.is_workday(day) == chinese_calendar.is_workday(day), day
        day += timedelta(days=1)


def test_make_up_days_are_working_days() -> None:
    """C2: Sat 2026-10-10 and Sun 2026-09-20 are worked, Thu 2026-10-01 is off."""
    load_calendar([2026])
    calendar = working_calendar()
    assert calendar.is_workday(date(2026, 10, 10))
    assert calendar.is_workday(date(2026, 9, 20))
    assert not calendar.is_workday(date(2026, 10, 1))
    assert not calendar.provisional(2026)


def test_a_year_without_a_make_up_day_is_provisional() -> None:
    """S56: two working days after Wed 2026-12-30 are over on Mon 2027-01-04, provisionally."""
    load_calendar([2026, 2027])
    calendar = working_calendar()
    assert CalendarYear.objects.get(year=2027).provisional
    assert calendar.provisional(2027)
    assert calendar.next_workday(date(2026, 12, 30), 2) == date(2027, 1, 4)


def test_an_empty_calendar_counts_weekdays() -> None:
    assert working_calendar().provisional(2026)
    assert working_calendar().is_workday(date(2026, 10, 1))


def test_a_day_edited_by_a_person_counts_at_once() -> None:
    load_calendar([2026])
    assert working_calendar().is_workday(date(2026, 11, 18))
    day = CalendarDay.objects.create(date=date(2026, 11, 18), kind="OFF", note="extra")
    assert not working_calendar().is_workday(date(2026, 11, 18))
    day.delete()
    assert working_calendar().is_workday(date(2026, 11, 18))


def test_deleting_a_whole_list_counts_at_once() -> None:
    load_calendar([2026])
    working_calendar()
    CalendarDay.objects.filter(date__year=2026).delete()
    assert working_calendar().is_workday(date(2026, 10, 1))


def test_publishing_a_year_by_hand_ends_its_being_provisional() -> None:
    load_calendar([2027])
    CalendarDay.objects.create(date=date(2027, 2, 20), kind="WORK")
    CalendarYear.objects.filter(year=2027).get().delete()
    CalendarYear.objects.create(year=2027, provisional=False)
    assert not working_calendar().provisional(2027)


def test_another_process_notices_a_change() -> None:
    """The other process wrote its rows and a new token; this one has an old calendar in memory."""
    load_calendar([2026])
    before = working_calendar()
    CalendarDay.objects.filter(date=date(2026, 10, 1)).update(kind="WORK")  # no signal here
    assert working_calendar() is before
    CalendarState.objects.update(token="f" * 32)
    assert working_calendar().is_workday(date(2026, 10, 1))


def test_the_calendar_in_memory_costs_one_small_query(django_assert_num_queries) -> None:
    load_calendar([2026])
    working_calendar()
    with django_assert_num_queries(1):
        working_calendar()


def test_within_two_seconds_it_costs_none(django_assert_num_queries, monkeypatch) -> None:
    load_calendar([2026])
    monkeypatch.setattr(calendars, "RECHECK_SECONDS", 2.0)
    working_calendar()
    with django_assert_num_queries(0):
        working_calendar()


def test_loading_again_keeps_what_a_person_entered() -> None:
    load_calendar([2026])
    CalendarDay.objects.filter(date=date(2026, 10, 1)).delete()
    CalendarDay.objects.create(date=date(2026, 10, 1), kind="WORK", note="by hand")
    load_calendar([2026])
    assert working_calendar().is_workday(date(2026, 10, 1))
    assert CalendarDay.objects.filter(date__year=2026, source="SEED").count() == len(published_days(2026)) - 1


def test_loading_twice_changes_nothing() -> None:
    load_calendar([2026])
    before = list(CalendarDay.objects.values_list("id", "date", "kind"))
    load_calendar([2026])
    assert list(CalendarDay.objects.values_list("id", "date", "kind")) == before


def test_listeners_hear_of_a_change_after_the_commit(django_capture_on_commit_callbacks) -> None:
    heard: list[tuple[int, ...]] = []

    def listen(sender: object, years: tuple[int, ...], **kwargs: object) -> None:
        heard.append(years)

    calendar_changed.connect(listen)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            CalendarDay.objects.create(date=date(2026, 11, 18), kind="OFF")
            assert heard == []
        assert heard == [(2026,)]
    finally:
        calendar_changed.disconnect(listen)


def test_the_command_says_what_it_loaded() -> None:
    out = StringIO()
    call_command("load_calendar", "2026", "2027", stdout=out)
    assert "2026: published; " in out.getvalue()
    assert "6 make-up days" in out.getvalue()
    assert "2027: not published yet, provisional; 0 weekdays off" in out.getvalue()
