"""What appointments listen to: days of the calendar that change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.utils import timezone

from apps.appointments.models import Appointment
from apps.appointments.telling import cutoff_at
from apps.products.queries import calendar_changed


def connect() -> None:
    calendar_changed.connect(on_calendar_changed, dispatch_uid="appointments.reminders")


def on_calendar_changed(sender: Any, years: Sequence[int], **kwargs: Any) -> None:
    """Reminders that are still to come move with the working days (C2); cut-offs are counted when asked."""
    if not years:
        return
    now = timezone.now()
    waiting = Appointment.objects.filter(
        remind_at__gt=now, visit_on__gte=date(min(years), 1, 1), case__state="CONFIRMED"
    ).select_related("case__handbook", "case__hospital")
    moved = []
    for row in waiting:
        cutoff = cutoff_at(row.case)
        row.remind_at = cutoff.remind_at if cutoff and cutoff.binding else None
        moved.append(row)
    Appointment.objects.bulk_update(moved, ["remind_at"], batch_size=500)
