"""The Celery application. Its settings are the CELERY_* names in settings.py; so is the schedule."""

import os
from typing import Any

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "claimsadmin.settings")

app = Celery("claimsadmin")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.setup_logging.connect
def keep_the_logging_of_django(**kwargs: Any) -> None:
    """Being connected is enough: Celery then leaves the root logger as settings.LOGGING made it."""


@signals.worker_init.connect
def bind_request_ids(**kwargs: Any) -> None:
    """Every line a task writes carries the task's id and the id of the request that sent it."""
    from django_structlog.celery.receivers import CeleryReceiver

    CeleryReceiver().connect_worker_signals()


@signals.worker_init.connect
def load_what_letters_need(**kwargs: Any) -> None:
    """Once, before the worker processes are forked: the first letter of each does not wait for it."""
    from apps.documents.rendering import warm_up

    warm_up()


@signals.worker_process_init.connect
def load_fonts(**kwargs: Any) -> None:
    from apps.documents.rendering import warm_up_fonts

    warm_up_fonts()


@signals.worker_process_init.connect
def settle_memory(**kwargs: Any) -> None:
    from apps.core.memory import settle

    settle()
