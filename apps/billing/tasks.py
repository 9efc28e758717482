"""The worker's side of bills. Repeating it does no harm; each bill stands for itself."""

from __future__ import annotations

import logging
from datetime import datetime

from celery import shared_task
from django.utils import timezone

from apps.accounts.actors import SYSTEM
from apps.billing import epay
from apps.billing.queries import OPENING, failed_mails, periods_over, unreached
from apps.cases.engine import perform
from apps.core.errors import DomainError

log = logging.getLogger(__name__)


@shared_task
def sweep_bills() -> int:
    """Reminders that are due, cards to be greyed, e-mails that failed, families nobody reaches, electronic
    payments that ran out."""
    return sweep(timezone.now())


def sweep(now: datetime) -> int:
    """Any number of sweepers: under the lock of the case the second finds that the first has done it.

    A last period is over at midnight; the next reminder goes out on the last day of the interval, by day.
    """
    done = sum(_try(number, "reminder_failed", now) for number in failed_mails())
    for number, only_begun in periods_over(now):
        done += not only_begun and _try(number, "exhaust", now)
        if timezone.localtime(now).hour >= OPENING:
            done += _try(number, "remind", now)
    done += sum(_try(number, "hand_over", now) for number in unreached(now))
    return done + epay.expire(now)


@shared_task
def send_refunds() -> int:
    """What the gateway is to give back."""
    return epay.send_refunds()


def _try(number: str, action: str, now: datetime) -> int:
    try:
        perform(number, action, SYSTEM, now=now)
    except DomainError as error:
        log.debug("bill stays as it is", extra={"case": number, "action": action, "why": error.code})
        return 0
    return 1
