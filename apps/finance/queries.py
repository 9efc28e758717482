"""Reads of the reserve journal."""

from __future__ import annotations

from datetime import date

from django.db.models import Sum

from apps.core.days import end_of_day
from apps.finance.models import Movement


def outstanding_on(day: date) -> dict[str, int]:
    """What was outstanding at the end of a day, fen by series. One query."""
    rows = Movement.objects.filter(at__lt=end_of_day(day)).order_by()
    return dict(rows.values_list("series").annotate(fen=Sum("reserve_fen")))
