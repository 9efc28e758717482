"""Handing work to the queue after a commit, with or without a queue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from kombu.exceptions import OperationalError


def enqueue(task: Any, *args: Any) -> bool:
    """Send a Celery task; False when no queue answers, and the caller or a sweep does the work.

    The embedded server listens on a unix socket: where the socket is missing (a command run while
    nothing is started) nobody is asked, since the client would try for seconds.
    """
    if settings.REDIS_IS_EMBEDDED and not Path(settings.REDIS_URL.removeprefix("unix://")).exists():
        return False
    try:
        task.apply_async(args, retry=False)
    except OperationalError:
        return False
    return True
