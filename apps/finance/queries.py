"""Reads of the reserve journal."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db.models import Sum
from django.utils import timezone

from apps.finance.models import Movement


def end_of(day: date) -> datetime:
    """The first moment after a day, here."""
    following = day + timedelta(days=1)
    return timezone.make_aware(datetime(following.year, following.month, following.day))


def outstanding_on(day: date) -> dict[str, int]:
    """What was outstanding at the end of a day, fen by series. One query."""
    rows = Movement.objects.filter(at__lt=end_of(day)).order_by()
    return dict(rows.values_list("series").annotate(fen=Sum("reserve_fen")))
