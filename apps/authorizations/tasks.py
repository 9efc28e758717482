"""The worker's side of authorizations. Repeating it does no harm."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from apps.authorizations.queries import out_of_step, unused_letters
from apps.authorizations.subscriptions import carry_out


@shared_task
def expire_letters() -> int:
    """Letters whose days are over and that no child came with: the reservation goes back.

    Each stands for itself; a child admitted in the same moment keeps its letter (the case is locked).
    """
    return carry_out((number, "expire") for number in unused_letters(timezone.localdate()))


@shared_task
def follow_cards() -> int:
    """Letters that a greyed or restored card did not reach right after its commit."""
    return carry_out(out_of_step())
