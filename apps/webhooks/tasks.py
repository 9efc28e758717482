"""Celery adapter of webhooks."""

from __future__ import annotations

from celery import shared_task

from apps.webhooks import delivery


@shared_task
def deliver_to(endpoint_id: int) -> int:
    """Send what is due to one endpoint; another worker that does it already is left alone."""
    return delivery.deliver_all(endpoint_id)


@shared_task
def deliver_webhooks() -> int:
    """The sweep: what is due and nobody was told of."""
    return delivery.sweep()


@shared_task
def forget_webhooks() -> int:
    """Daily. Repeating it does no harm."""
    return delivery.forget_old()
