"""Celery adapters of claims."""

from __future__ import annotations

import logging

from celery import shared_task

from apps.accounts.actors import SYSTEM
from apps.cases.engine import perform
from apps.claims.queries import waiting_in_vain
from apps.core.errors import DomainError

log = logging.getLogger(__name__)


@shared_task
def close_without_papers() -> int:
    """Close the claims whose papers never came (appendix A: 180 days after the notice); idempotent.

    Each claim stands for itself: one that refuses is logged and does not stop the others.
    """
    closed = 0
    for number in waiting_in_vain():
        try:
            perform(number, "close_no_papers", SYSTEM)
            closed += 1
        except DomainError as error:
            log.info("claim stays open", extra={"case": number, "why": error.code})
    return closed
