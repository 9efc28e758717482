"""The worker's side of appointments. Repeating it does no harm; each case stands for itself."""

from __future__ import annotations

import logging
from datetime import datetime

from celery import shared_task
from django.utils import timezone

from apps.accounts.actors import SYSTEM
from apps.appointments.models import Appointment
from apps.appointments.queries import to_miss, to_remind, to_stop
from apps.appointments.telling import cutoff_at, remind_family
from apps.cases.engine import perform
from apps.core.errors import DomainError

log = logging.getLogger(__name__)


@shared_task
def remind_of_appointments() -> int:
    """Before the cut-off, each family once; the row is claimed by compare-and-set."""
    now, done = timezone.now(), 0
    for row in to_remind(now):
        claimed = Appointment.objects.filter(pk=row.pk, remind_at=row.remind_at).update(remind_at=None)
        cutoff = cutoff_at(row.case)
        if claimed and cutoff is not None and now < cutoff.at:
            remind_family(row.case)
            done += 1
    return done


@shared_task
def sweep_appointments() -> int:
    """Visits nobody came to, cards that no longer serve or serve again, covers and days that ended."""
    now = timezone.now()
    today = timezone.localdate(now)
    done = sum(attempt(number, "miss", now) for number in to_miss(today))
    for number, action in to_stop(today):
        done += attempt(number, action, now) or (action == "restore" and attempt(number, "end", now))
    return done


def attempt(number: str, action: str, now: datetime) -> bool:
    """False when the case is not ready for it; a guard says so under the case's lock."""
    try:
        perform(number, action, SYSTEM, now=now)
    except DomainError as error:
        log.info("appointment stays as it is", extra={"case": number, "action": action, "why": error.code})
        return False
    return True
