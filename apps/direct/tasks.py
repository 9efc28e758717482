"""What direct billing does by itself."""

from __future__ import annotations

import logging

from celery import shared_task

from apps.accounts.actors import SYSTEM
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.core.errors import DomainError

log = logging.getLogger(__name__)
MOST = 500


@shared_task
def close_paid() -> int:
    """Close what was paid to the hospital, each in its own transaction; returns how many."""
    paid = CaseFile.objects.filter(kind="direct", state="PAID_TO_HOSPITAL", open=True)
    done = 0
    for number in paid.order_by("pk").values_list("number", flat=True)[:MOST]:
        try:
            perform(number, "close", SYSTEM)
        except DomainError as error:  # somebody was faster; the next sweep looks again
            log.info("not closed", extra={"case": number, "why": error.code})
        else:
            done += 1
    return done
