"""Rendering of statements after commit, and a sweep for what no worker took."""

from __future__ import annotations

import logging

from celery import shared_task
from django.utils import timezone

from apps.finance import statements
from apps.finance.models import Statement

log = logging.getLogger(__name__)


@shared_task
def render_statement(pk: int) -> bool:
    """Render one statement if nobody else does; True when it was rendered now."""
    statement = statements.claim_statement(pk)
    if statement is None:
        return False
    try:
        pdf = statements.render_pdf(statement)
    except Exception as error:
        log.exception("statement could not be rendered", extra={"statement": statement.number})
        statements.put_off(statement, error)
        return False
    statements.keep_pdf(statement, pdf)
    return True


@shared_task
def render_due_statements(limit: int = 200) -> int:
    due = Statement.objects.filter(file=None, next_attempt_at__lte=timezone.now())
    return sum(render_statement(pk) for pk in due.order_by("pk").values_list("pk", flat=True)[:limit])
