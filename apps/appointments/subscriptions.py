"""What appointments listen to: cards that stop or serve again, and days of the calendar that change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.utils import timezone

from apps.appointments.models import Appointment
from apps.appointments.queries import of_policy
from apps.appointments.tasks import attempt
from apps.appointments.telling import cutoff_at
from apps.cards.models import Card, card_greyed, card_restored
from apps.products.queries import calendar_changed, working_calendar


def connect() -> None:
    card_greyed.connect(on_card_greyed, dispatch_uid="appointments.suspend")
    card_restored.connect(on_card_restored, dispatch_uid="appointments.restore")
    calendar_changed.connect(on_calendar_changed, dispatch_uid="appointments.reminders")


def on_card_greyed(sender: Any, card: Card, **kwargs: Any) -> None:
    """What is booked with the card waits, and family and staff hear it at once; the sweep makes up for
    what a crash left."""
    for number, state in of_policy(card.policy_id):
        if state == "CONFIRMED":
            attempt(number, "suspend", timezone.now())


def on_card_restored(sender: Any, card: Card, **kwargs: Any) -> None:
    for number, state in of_policy(card.policy_id):
        if state == "SUSPENDED":
            attempt(number, "restore", timezone.now())


def on_calendar_changed(sender: Any, years: Sequence[int], **kwargs: Any) -> None:
    """Reminders that are still to come move with the working days (C2); cut-offs are counted when asked."""
    if not years:
        return
    now = timezone.now()
    waiting = Appointment.objects.filter(
        remind_at__gt=now, visit_on__gte=date(min(years), 1, 1), case__state="CONFIRMED"
    ).select_related("case__handbook", "case__hospital")
    moved, calendar = [], working_calendar()
    for row in waiting:
        cutoff = cutoff_at(row.case, calendar)
        row.remind_at = cutoff.remind_at if cutoff and cutoff.binding else None
        moved.append(row)
    Appointment.objects.bulk_update(moved, ["remind_at"], batch_size=500)
