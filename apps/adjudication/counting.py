"""Counting days around pauses: the arithmetic under `clocks` (C3, C12)."""

from __future__ import annotations

import calendar as civil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from apps.adjudication.calendar import DAY, WorkCalendar


@dataclass(frozen=True, slots=True)
class Frozen:
    """Days that do not count, as sorted, disjoint intervals (first excluded, last included].

    C12: the pause day itself still counts, the day of resumption is day 0. An open pause ends at
    `date.max`.
    """

    spans: tuple[tuple[date, date], ...] = ()

    @classmethod
    def of(cls, pauses: Iterable[tuple[date, date | None]]) -> Frozen:
        """From (day of pause, day of resumption or None); overlapping pauses freeze a day once."""
        spans: list[tuple[date, date]] = []
        for first, last in sorted((first, last or date.max) for first, last in pauses):
            if spans and first <= spans[-1][1]:
                spans[-1] = (spans[-1][0], max(last, spans[-1][1]))
            elif last > first:
                spans.append((first, last))
        return cls(tuple(spans))

    def beyond(self, day: date) -> date | None:
        """The day of resumption when `day` is frozen; None when it counts."""
        for first, last in self.spans:
            if first < day <= last:
                return last
        return None


def count_days(start: date, amount: int, frozen: Frozen, working: WorkCalendar | None) -> tuple[date, ...]:
    """The first `amount` days strictly after `start` that count: working days of `working`, or
    all days. Fewer when an open pause swallows the rest."""
    counted: list[date] = []
    day = start
    while len(counted) < amount:
        day = working.next_workday(day) if working is not None else day + DAY
        resumed = frozen.beyond(day)
        if resumed is None:
            counted.append(day)
        elif resumed == date.max:
            break
        else:
            day = resumed
    return tuple(counted)


def add_months(day: date, months: int) -> date:
    """Calendar months later or earlier; the last day of a shorter month."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, civil.monthrange(year, month + 1)[1]))


def add_years(day: date, years: int) -> date:
    return add_months(day, 12 * years)
