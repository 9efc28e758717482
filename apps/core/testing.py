"""For tests only: emptying tables that the database refuses to empty.

A transactional test (`@pytest.mark.django_db(transaction=True)`, `live_server`, TransactionTestCase)
ends by emptying all tables, which the append-only triggers refuse: by row on SQLite, by TRUNCATE on
PostgreSQL. With this module as a pytest plugin (`pytest_plugins = ["apps.core.testing"]` in the root
`conftest.py`) nothing needs to be done in the tests: the triggers are taken away for that moment and
made again at once, so that every test runs under them.

A test that wants to tamper on purpose says so:

    with allow_truncate():
        LimitEntry.objects.all().update(used=0)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def allow_truncate(using: str = "default") -> Iterator[None]:
    """Append-only tables may be changed and emptied inside; their triggers stand again after it.

    One transaction: when the block raises, its rollback brings the triggers back.
    """
    from django.db import connections, transaction

    from apps.core import triggers

    connection = connections[using]
    with transaction.atomic(using=using):
        _settle_constraints(connection)
        triggers.remove(using)
        yield
        _settle_constraints(connection)
        triggers.install(using)


def _settle_constraints(connection: Any) -> None:
    """PostgreSQL alters no table on which a deferred foreign key is still to be checked."""
    if connection.vendor == "postgresql":
        connection.check_constraints()


@pytest.fixture(scope="session", autouse=True)
def flush_past_triggers() -> Iterator[None]:
    """Let the flush at the end of transactional tests through."""
    from django.test import TransactionTestCase

    flush = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]

    def flush_unguarded(self: Any) -> None:
        with allow_truncate():
            flush(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", flush_unguarded)
        yield
