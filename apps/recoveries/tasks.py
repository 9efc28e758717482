"""The worker's side of recoveries. Repeating it does no harm."""

from __future__ import annotations

import logging

from celery import shared_task
from django.utils import timezone

from apps.accounts.actors import SYSTEM
from apps.cases.engine import perform
from apps.core.errors import DomainError
from apps.recoveries.models import Plan
from apps.recoveries.queries import overdue_numbers, uncontacted_numbers

log = logging.getLogger(__name__)


@shared_task
def escalate_overdue() -> int:
    """DL-41: the last day is over, or an instalment was missed, or nobody told the family yet. Each stands for itself; money recorded in
    the same moment keeps its case (the guard looks again under the lock)."""
    done = 0
    numbers = overdue_numbers(timezone.localdate())
    late = uncontacted_numbers(timezone.localdate())
    planned = set(
        Plan.objects.filter(state=Plan.State.RUNNING, recovery__case__number__in=numbers).values_list(
            "recovery__case__number", flat=True
        )
    )
    steps = [(number, "break_plan" if number in planned else "escalate") for number in numbers]
    for number, action in [*steps, *((number, "remind_of_contact") for number in late)]:
        try:
            perform(number, action, SYSTEM)
            done += 1
        except DomainError as error:
            log.info("recovery stays as it is", extra={"case": number, "why": error.code})
    return done
