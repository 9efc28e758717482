"""When a hospital is to be paid (PR-25): pure."""

from __future__ import annotations

from datetime import date

import pytest
from django.utils import translation

from apps.adjudication.calendar import WorkCalendar
from apps.settlements.models import PaymentTerms
from apps.settlements.terms import cutoff_on, due_on, in_force, last_cutoff, words

# The national holiday of 2026: 1 to 7 October off, Saturday 10 October made up.
HOLIDAY = WorkCalendar(
    off=frozenset(date(2026, 10, day) for day in range(1, 8)),
    work=frozenset({date(2026, 10, 10)}),
    known_years=frozenset({2026}),
)


def terms(
    kind: str = "DAYS", days: int = 30, unit: str = "CALENDAR", cutoff_day: int | None = None
) -> PaymentTerms:
    return PaymentTerms(
        kind=kind, days=days, unit=unit, cutoff_day=cutoff_day, series="2026", state="IN_FORCE",
        starts_on=date(2026, 1, 1),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "received", "due"),
    [
        (terms(), date(2026, 9, 16), date(2026, 10, 16)),
        (terms(days=15), date(2026, 9, 16), date(2026, 10, 1)),  # a day off stays where it is
        (terms(days=5, unit="WORKING"), date(2026, 9, 28), date(2026, 10, 10)),  # 29, 30, 8, 9, 10
        (terms("ON_RECEIPT", 0), date(2026, 9, 16), date(2026, 9, 16)),
        (terms("ON_RECEIPT", 3, "WORKING"), date(2026, 9, 18), date(2026, 9, 23)),
        (terms("MONTHLY", 10, cutoff_day=25), date(2026, 9, 25), date(2026, 10, 5)),
        (terms("MONTHLY", 10, cutoff_day=25), date(2026, 9, 26), date(2026, 11, 4)),
        (terms("MONTHLY", 0, cutoff_day=31), date(2027, 2, 3), date(2027, 2, 28)),
    ],
)
def test_pr25_the_last_day_by_each_kind_of_terms(given: PaymentTerms, received: date, due: date) -> None:
    assert due_on(given, received, HOLIDAY) == due


def test_cut_off_days_of_short_months() -> None:
    assert cutoff_on(31, date(2026, 2, 3)) == date(2026, 2, 28)
    assert cutoff_on(30, date(2026, 12, 31)) == date(2027, 1, 30)
    assert last_cutoff(25, date(2026, 3, 24)) == date(2026, 2, 25)
    assert last_cutoff(25, date(2026, 3, 25)) == date(2026, 3, 25)


def test_terms_of_another_series_or_day_or_unconfirmed_are_none() -> None:
    row, old = terms(), terms()
    old.ends_on, old.starts_on = date(2025, 12, 31), date(2025, 1, 1)
    assert in_force([old, row], "2026", date(2026, 5, 1)) is row
    assert in_force([old, row], "2026", date(2025, 12, 31)) is old
    assert in_force([row], "2024", date(2026, 5, 1)) is None
    row.state = "PROPOSED"
    assert in_force([row], "2026", date(2026, 5, 1)) is None


def test_terms_in_words() -> None:
    with translation.override("en"):
        assert words(terms()) == "paid 30 calendar days after the complete claim"
        assert (
            words(terms("MONTHLY", 10, "WORKING", 31))
            == "monthly up to the last day, paid 10 working days after it"
        )
    with translation.override("zh-hans"):
        assert (
            words(terms("MONTHLY", 10, "WORKING", 25)) == "按月结算，截至每月 25 日，截止后 10 个工作日内支付"
        )
