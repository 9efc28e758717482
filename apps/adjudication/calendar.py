"""Working days (conventions C2–C5): weekends, statutory days off, make-up working days.

A calendar is plain data: the days off, the make-up working days and the years whose table is
published. A year that is not published falls back to "weekend + 1 January off" and is marked
provisional, so that nothing crashes at the end of December (S56).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import date, timedelta

from apps.adjudication.errors import FactsError

DAY = timedelta(days=1)


@dataclass(frozen=True)
class WorkCalendar:
    """`work` beats `off`, `off` beats the weekday. Ordinals of each year's working days are
    built once per instance, so counting is a binary search however long the span."""

    off: frozenset[date] = frozenset()
    work: frozenset[date] = frozenset()
    known_years: frozenset[int] = frozenset()
    _years: dict[int, tuple[int, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False, hash=False
    )

    def __post_init__(self) -> None:
        both = self.off & self.work
        if both:
            raise FactsError("calendar", min(both).isoformat(), "a day that is either off or worked")

    def provisional(self, year: int) -> bool:
        """True when the State Council table of this year is not loaded yet (C2)."""
        return year not in self.known_years

    def is_workday(self, day: date) -> bool:
        if day in self.work:
            return True
        if day in self.off or day.weekday() >= 5:
            return False
        return not (day.month == 1 and day.day == 1 and self.provisional(day.year))

    def next_workday(self, day: date, n: int = 1) -> date:
        """The n-th working day strictly after `day` (C3); n = 0 is `day` itself."""
        if n == 0:
            return day
        year, ordinals = day.year, self._ordinals(day.year)
        index = bisect_right(ordinals, day.toordinal()) + n - 1
        while index >= len(ordinals):
            index -= len(ordinals)
            year += 1
            ordinals = self._ordinals(year)
        return date.fromordinal(ordinals[index])

    def previous_workday(self, day: date, n: int = 1) -> date:
        """The n-th working day strictly before `day` (C4); n = 0 is `day` itself."""
        if n == 0:
            return day
        year, ordinals = day.year, self._ordinals(day.year)
        index = bisect_left(ordinals, day.toordinal()) - n
        while index < 0:
            year -= 1
            ordinals = self._ordinals(year)
            index += len(ordinals)
        return date.fromordinal(ordinals[index])

    def workdays_between(self, after: date, until: date) -> int:
        """Number of working days in (after, until]; 0 when `until` is not later."""
        if until <= after:
            return 0
        if until.year == after.year:
            ordinals = self._ordinals(after.year)
            return bisect_right(ordinals, until.toordinal()) - bisect_right(ordinals, after.toordinal())
        middle = sum(len(self._ordinals(year)) for year in range(after.year + 1, until.year))
        first = self._ordinals(after.year)
        tail = bisect_right(self._ordinals(until.year), until.toordinal())
        return len(first) - bisect_right(first, after.toordinal()) + middle + tail

    def _ordinals(self, year: int) -> tuple[int, ...]:
        ordinals = self._years.get(year)
        if ordinals is None:
            first, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
            days = range(first, last + 1)
            ordinals = tuple(n for n in days if self.is_workday(date.fromordinal(n)))
            self._years[year] = ordinals
        return ordinals


WEEKDAYS_ONLY = WorkCalendar()
"""No table at all: every year is provisional."""
