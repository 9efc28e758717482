"""The worker's side of authorizations. Repeating it does no harm."""

from __future__ import annotations

import logging

from celery import shared_task
from django.utils import timezone

from apps.accounts.actors import SYSTEM
from apps.authorizations.queries import unused_letters
from apps.cases.engine import perform
from apps.core.errors import DomainError

log = logging.getLogger(__name__)


@shared_task
def expire_letters() -> int:
    """Letters whose days are over and that no child came with: the reservation goes back.

    Each stands for itself; a child admitted in the same moment keeps its letter (the case is locked).
    """
    done = 0
    for number in unused_letters(timezone.localdate()):
        try:
            perform(number, "expire", SYSTEM)
            done += 1
        except DomainError as error:
            log.info("letter stays as it is", extra={"case": number, "why": error.code})
    return done
