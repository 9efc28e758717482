"""The worker's side of services. Repeating any of it does no harm."""

from __future__ import annotations

import logging

from celery import shared_task
from django.utils import timezone

from apps.accounts.actors import SYSTEM
from apps.care.actions import archive, ends
from apps.care.queries import overdue_consults
from apps.cases.engine import perform
from apps.core.errors import DomainError

log = logging.getLogger(__name__)


@shared_task
def mark_overdue_consults() -> int:
    """DL-01, DL-02: a phone consult nobody answered in time says so, and can still be answered."""
    done = 0
    for number in overdue_consults(timezone.now()):
        try:
            perform(number, "fall_due", SYSTEM)
            done += 1
        except DomainError as error:
            log.info("consult stays as it is", extra={"case": number, "why": error.code})
    return done


@shared_task
def remind_of_vaccinations() -> int:
    """DL-40."""
    return archive.remind_of_vaccinations()


@shared_task
def remind_of_unused_tests() -> int:
    """DL-37."""
    return ends.remind_of_unused_tests()
