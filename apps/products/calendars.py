"""The working calendar, kept in memory, and its invalidation across processes.

Every change of a day or a year writes a new random token in the same transaction; whoever holds
a calendar under another token reads it again. A token, not a counter: a change that is rolled
back never leaves two calendars under one name.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from datetime import date
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.models import CharField, QuerySet, Value
from django.db.models.functions import Cast
from django.db.models.signals import post_delete, post_save
from django.dispatch import Signal

from apps.adjudication.calendar import WorkCalendar

# Sent with `years` after a change is committed: provisional clocks count again.
calendar_changed = Signal()

# How long a process trusts its calendar without asking for the token.
RECHECK_SECONDS = 0.0 if getattr(settings, "TESTING", False) else 2.0


class _Kept:
    token = ""
    calendar: WorkCalendar | None = None
    asked_at = 0.0


def working_calendar() -> WorkCalendar:
    """The calendar as it stands: one small query, none within two seconds of the last."""
    if _Kept.calendar is not None and monotonic() - _Kept.asked_at < RECHECK_SECONDS:
        return _Kept.calendar
    if _Kept.calendar is None or _token() != _Kept.token or not _Kept.token:
        _Kept.calendar, _Kept.token = _read()
    _Kept.asked_at = monotonic()
    return _Kept.calendar


def _token() -> str:
    from apps.products.models import CalendarState

    return CalendarState.objects.filter(pk=1).values_list("token", flat=True).first() or ""


def _read() -> tuple[WorkCalendar, str]:
    """The calendar and its token, read in one statement, so that they belong together."""
    from apps.products.models import CalendarDay, CalendarState, CalendarYear

    def words(queryset: QuerySet[Any], what: Any, value: str) -> QuerySet[Any, Any]:
        rows = queryset.order_by().annotate(what=what, value=Cast(value, CharField()))
        return rows.values_list("what", "value")

    settled = CalendarYear.objects.filter(provisional=False)
    rows = words(CalendarDay.objects.all(), Cast("kind", CharField()), "date").union(
        words(settled, Value("YEAR"), "year"),
        words(CalendarState.objects.filter(pk=1), Value("TOKEN"), "token"),
        all=True,
    )
    found: dict[str, set[str]] = defaultdict(set)
    for what, value in rows:
        found[what].add(value)
    calendar = WorkCalendar(
        off=frozenset(map(date.fromisoformat, found[CalendarDay.Kind.OFF])),
        work=frozenset(map(date.fromisoformat, found[CalendarDay.Kind.WORK])),
        known_years=frozenset(map(int, found["YEAR"])),
    )
    return calendar, min(found["TOKEN"], default="")


def touch(*years: int, using: str = "default") -> None:
    """Say that the calendar has changed; tells listeners once the change is committed."""
    from apps.products.models import CalendarState

    _Kept.calendar = None
    CalendarState.objects.using(using).update_or_create(pk=1, defaults={"token": uuid.uuid4().hex})
    connections[using].on_commit(lambda: _announce(years))


def _announce(years: tuple[int, ...]) -> None:
    _Kept.calendar = None
    calendar_changed.send(sender=working_calendar, years=years)


def _changed(sender: Any, instance: Any, using: str = "default", raw: bool = False, **kwargs: Any) -> None:
    touch(instance.date.year if hasattr(instance, "date") else instance.year, using=using)


def connect() -> None:
    """Listen to days and years; also to deletions of whole lists in the admin."""
    from apps.products.models import CalendarDay, CalendarYear

    for model in (CalendarDay, CalendarYear):
        for signal in (post_save, post_delete):
            signal.connect(
                _changed, sender=model, dispatch_uid=f"products.calendar.{model.__name__}.{id(signal)}"
            )
