"""Celery adapter of the inbox."""

from __future__ import annotations

from celery import shared_task

from apps.mailroom.inbox import polling


@shared_task
def poll_mailboxes() -> int:
    """Every minute; several workers may run it at once. Returns how many messages were new."""
    return sum(found.new for found in polling.poll_all())
