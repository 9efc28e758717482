"""Celery adapters of claims."""

from __future__ import annotations

import logging

from celery import shared_task
from django.utils import timezone

from apps.accounts.actors import SYSTEM
from apps.cases.engine import perform
from apps.claims.queries import to_be_reminded, waiting_in_vain
from apps.core.errors import DomainError

log = logging.getLogger(__name__)


@shared_task
def remind_of_papers() -> int:
    """Remind the members whose papers are awaited, on the days their series sets; idempotent: a claim
    that stood still for months is reminded once a run."""
    return _each("remind_papers", to_be_reminded(timezone.now()))


@shared_task
def close_without_papers() -> int:
    """Close the claims whose papers never came (appendix A: 180 days after the notice); idempotent.

    Each claim stands for itself: one that refuses is logged and does not stop the others.
    """
    return _each("close_no_papers", waiting_in_vain())


def _each(action: str, numbers: list[str]) -> int:
    done = 0
    for number in numbers:
        try:
            perform(number, action, SYSTEM)
            done += 1
        except DomainError as error:
            log.info("claim stays as it is", extra={"case": number, "action": action, "why": error.code})
    return done
