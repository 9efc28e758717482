"""When a hospital is to be paid (账期, PR-25): pure, but for the rows it is given.

Calendar days are counted through, and a due day that is no working day stays where it is; working days are
counted over the State Council's calendar. The base itself is day 0.
"""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.adjudication.calendar import WorkCalendar
from apps.settlements.models import PaymentTerms

LAST_DAY = 31  # "the last of the month", also where it has fewer


def due_on(terms: PaymentTerms, received_on: date, days: WorkCalendar) -> date:
    """The last day on which a claim that was complete on a day is paid in time (inclusive)."""
    base = received_on if terms.cutoff_day is None else cutoff_on(terms.cutoff_day, received_on)
    if terms.days == 0:
        return base
    if terms.unit == PaymentTerms.Unit.WORKING:
        return days.next_workday(base, terms.days)
    return base + timedelta(days=terms.days)


def cutoff_on(cutoff_day: int, day: date) -> date:
    """The first cut-off day not before a day; in a short month its last day."""
    here = day.replace(day=min(cutoff_day, _length(day)))
    if here >= day:
        return here
    following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return following.replace(day=min(cutoff_day, _length(following)))


def last_cutoff(cutoff_day: int, day: date) -> date:
    """The last cut-off day not after a day."""
    here = day.replace(day=min(cutoff_day, _length(day)))
    if here <= day:
        return here
    before = day.replace(day=1) - timedelta(days=1)
    return before.replace(day=min(cutoff_day, _length(before)))


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def in_force(rows: Sequence[PaymentTerms], series: str, on: date) -> PaymentTerms | None:
    """The confirmed terms of a series on a day, of one hospital's rows at hand."""
    return next(
        (
            row
            for row in rows
            if row.state == PaymentTerms.State.IN_FORCE
            and row.series == series
            and row.starts_on <= on <= (row.ends_on or date.max)
        ),
        None,
    )


def words(terms: Any) -> str:
    """'30 working days after the complete claim', in the language of the moment."""
    count = _("at once")
    if terms.days:
        pattern = (
            ngettext("%(n)d working day", "%(n)d working days", terms.days)
            if terms.unit == PaymentTerms.Unit.WORKING
            else ngettext("%(n)d calendar day", "%(n)d calendar days", terms.days)
        )
        count = pattern % {"n": terms.days}
    if terms.kind == PaymentTerms.Kind.MONTHLY:
        day = (
            _("the last day")
            if terms.cutoff_day == LAST_DAY
            else _("day %(day)d") % {"day": terms.cutoff_day}
        )
        return _("monthly up to %(day)s, paid %(count)s after it") % {"day": day, "count": count}
    if terms.kind == PaymentTerms.Kind.ON_RECEIPT:
        return _("paid %(count)s after receipt, before the review") % {"count": count}
    return _("paid %(count)s after the complete claim") % {"count": count}
