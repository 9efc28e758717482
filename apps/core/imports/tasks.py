"""The worker's side of an import."""

from __future__ import annotations

from celery import shared_task

from apps.core.imports.jobs import run_job


@shared_task(name="core.run_import")
def run_import(job_id: int) -> str:
    """Run a queued import; redelivered after a crash, it starts over (nothing had been kept)."""
    return str(run_job(job_id).state)
