"""Days as people write them, and where they begin."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy as _

from apps.core.errors import InvalidInput


def start_of_day(day: date) -> datetime:
    """The first moment of a day, here."""
    return timezone.make_aware(datetime.combine(day, time.min))


def end_of_day(day: date) -> datetime:
    """The first moment after a day, here: the exclusive end of what happened on it."""
    return start_of_day(day + timedelta(days=1))


def read_day(text: str, field: str) -> date:
    """A day written as 2026-10-09. Raises InvalidInput that names the field and what was written."""
    try:
        found = parse_date(text.strip())
    except ValueError:  # of the right shape, but no such day
        found = None
    if found is None:
        raise InvalidInput(
            _("A date like 2026-10-09 is expected, not “%(value)s”.") % {"value": text[:40]},
            code="date",
            field=field,
        )
    return found
