"""One transaction, tried again when the database let another one win."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import IntegrityError, OperationalError, connection, transaction

from apps.core.constraints import meaning_of

DEADLOCKS = {"40P01", "40001"}
ATTEMPTS = 6
R = TypeVar("R")


def in_transaction(work: Callable[[], R]) -> R:
    """What `work` returns, run in one transaction; a deadlock or a lost serialization is tried again, up to
    `ATTEMPTS` times in all. A broken constraint is raised as what it means (`core.constraints`)."""
    nested = connection.in_atomic_block
    for attempt in range(ATTEMPTS):
        try:
            with transaction.atomic():
                return work()
        except OperationalError as error:
            if nested or attempt == ATTEMPTS - 1 or not _is_deadlock(error):
                raise
            time.sleep(random.uniform(0.5, 1.5) * 0.02 * 2**attempt)  # not in step with the other one
        except IntegrityError as error:
            raise meaning_of(error) from error
    raise AssertionError("unreachable")


def _is_deadlock(error: OperationalError) -> bool:
    cause = error.__cause__
    return getattr(cause, "sqlstate", "") in DEADLOCKS or "database is locked" in str(error)
