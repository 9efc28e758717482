"""Celery adapter of the outbox."""

from __future__ import annotations

from celery import shared_task

from apps.messaging import delivery


@shared_task
def deliver_outbox() -> int:
    """Deliver what is due; several workers may run it at once."""
    return delivery.deliver_due()
