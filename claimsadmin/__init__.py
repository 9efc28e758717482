"""The project: settings, addresses, scheduler and wiring. No rules of the business live here."""

from claimsadmin.celery import app as celery_app

__all__ = ["celery_app"]
