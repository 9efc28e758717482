"""Rendering of statements after commit with a sweep for what no worker took, and the daily look at the terms."""

from __future__ import annotations

import logging

from celery import shared_task
from django.utils import timezone

from apps.settlements import due, letters
from apps.settlements.models import Statement

log = logging.getLogger(__name__)


@shared_task
def render_settlement(pk: int) -> bool:
    """Render one statement if nobody else does; True when it was rendered now."""
    statement = letters.claim(pk)
    if statement is None:
        return False
    try:
        pdf = letters.render_pdf(statement)
    except Exception as error:
        log.exception("statement could not be rendered", extra={"statement": statement.number})
        letters.put_off(statement, error)
        return False
    letters.keep(statement, pdf)
    return True


@shared_task
def render_due_settlements(limit: int = 100) -> int:
    waiting = Statement.objects.filter(file=None, next_attempt_at__lte=timezone.now())
    return sum(render_settlement(pk) for pk in waiting.order_by("pk").values_list("pk", flat=True)[:limit])


@shared_task
def remind_of_settlements() -> int:
    """Tell finance what is due soon, and its lead what is overdue; each statement once each."""
    return due.remind()
