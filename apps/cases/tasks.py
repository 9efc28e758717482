"""Celery adapters of the case mechanisms."""

from __future__ import annotations

from celery import shared_task

from apps.cases import clocks


@shared_task
def sweep_clocks() -> int:
    """Carry out all clock steps that are due; several workers may run it at once."""
    return clocks.sweep()


@shared_task
def recount_clocks() -> int:
    """After a calendar year was published or edited."""
    return clocks.recount_provisional()
