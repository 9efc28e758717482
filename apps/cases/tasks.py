"""Celery adapters of the case mechanisms."""

from __future__ import annotations

from celery import shared_task

from apps.cases import clocks


@shared_task
def sweep_clocks() -> int:
    """Carry out all clock steps that are due; several workers may run it at once."""
    return clocks.sweep()


@shared_task
def recount_clocks(first_year: int) -> int:
    """After days of a year were published or edited: count again what runs into it or later."""
    return clocks.recount(first_year)
