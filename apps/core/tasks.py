"""Housekeeping."""

from __future__ import annotations

from celery import shared_task

from apps.core import idempotency
from apps.core.imports.tasks import run_import as run_import  # the worker finds tasks here


@shared_task  # type: ignore[untyped-decorator, unused-ignore]
def forget_idempotency_records() -> int:
    """Hourly. Repeating it does no harm."""
    return idempotency.forget_old()
