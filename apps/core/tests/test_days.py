"""Days as written, and where they begin and end here (C1)."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from apps.core.days import end_of_day, read_day, start_of_day
from apps.core.errors import InvalidInput


def test_a_day_begins_and_ends_at_midnight_in_shanghai() -> None:
    day = date(2026, 10, 9)
    assert start_of_day(day) == datetime(2026, 10, 8, 16, tzinfo=UTC)
    assert end_of_day(day) == start_of_day(date(2026, 10, 10))


def test_a_day_is_read_with_space_around_it() -> None:
    assert read_day(" 2026-10-09 ", "on") == date(2026, 10, 9)


@pytest.mark.parametrize("text", ["", "2026-13-01", "2026-02-30", "9.10.2026", "x" * 100])
def test_what_is_no_day_is_refused_with_field_and_value(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_day(text, "on")
    assert (refused.value.field, refused.value.code) == ("on", "date")
    assert f"“{text[:40]}”" in str(refused.value.message)
