"""pytest plugin: test databases from a template, and putting them back as they were after tests that commit.

Migrating an empty database takes seconds, so the first process that needs one keeps what came out as a
template, a file under var/ or a database of the server, named by the text of all migrations; every other
process (the workers of xdist, the next run) starts from a copy. What runs after migrations (roles,
permissions, triggers) is today's code and runs every time.

A transactional test (`@pytest.mark.django_db(transaction=True)`, `live_server`, TransactionTestCase)
leaves rows behind, which Django would clear with all tables, one by one, and make roles and permissions
anew. Here only the tables that have changed since the migrations get their rows of then again, past
foreign keys and the append-only triggers, which stand again when the next test begins.

A test that wants to tamper on purpose says so:

    with allow_truncate():
        LimitEntry.objects.all().update(used=0)
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

TRIES = 4

# --- The template -----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> Iterator[None]:
    """pytest-django's hook just before the test database is made: have it made from the template."""
    from django.conf import settings
    from django.db import connection

    creation = connection.creation
    migrate = creation.create_test_db

    def create_test_db(**options: Any) -> str:
        name = from_template(**options)
        _beginning.take(connection)
        return name

    def from_template(**options: Any) -> str:
        with (settings.VAR_DIR / f"test-template-{connection.vendor}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            version = _migrations()
            template = (_OnPostgresql if connection.vendor == "postgresql" else _OnSqlite)(creation, version)
            if not template.exists():
                name: str = migrate(**options)
                if _migrations() == version:  # nobody added one in the meantime
                    template.keep()
                return name
            template.copy()
        return migrate(**options | {"keepdb": True})  # has nothing left to do

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(creation, "create_test_db", create_test_db)
        yield


def _migrations() -> str:
    """A short name for the text of all migrations, those of the packages included."""
    from django.apps import apps

    digest = hashlib.sha256()
    for config in apps.get_app_configs():
        for path in sorted(Path(config.path).glob("migrations/*.py")):
            digest.update(f"{config.label}/{path.name}".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


class _OnSqlite:
    """A file under var/; older ones go when a new one is kept."""

    def __init__(self, creation: Any, version: str):
        from django.conf import settings

        self.connection, self.folder = creation.connection, settings.VAR_DIR
        self.test_database = Path(creation._get_test_db_name())
        self.path = self.folder / f"test-template-{version}.sqlite3"

    def exists(self) -> bool:
        return self.path.exists()

    def keep(self) -> None:
        for old in self.folder.glob("test-template-*.sqlite3"):
            old.unlink()
        self.connection.close()  # writes what is still in the log into the file
        unfinished = self.path.with_suffix(".part")
        shutil.copyfile(self.test_database, unfinished)
        os.replace(unfinished, self.path)

    def copy(self) -> None:
        for rest in ("-wal", "-shm"):
            self.test_database.with_name(self.test_database.name + rest).unlink(missing_ok=True)
        shutil.copyfile(self.path, self.test_database)


class _OnPostgresql:
    """A database of the same server."""

    PREFIX = "test_template_"

    def __init__(self, creation: Any, version: str):
        self.creation, self.connection = creation, creation.connection
        self.name, self.test_database = f"{self.PREFIX}{version}", creation._get_test_db_name()

    def exists(self) -> bool:
        return self.name in self._templates()

    def keep(self) -> None:
        self.connection.close()  # a database in use cannot be copied
        for old in self._templates():
            self._execute(f'DROP DATABASE IF EXISTS "{old}"')
        self._execute(f'CREATE DATABASE "{self.name}" TEMPLATE "{self.test_database}"')

    def copy(self) -> None:
        self._execute(f'DROP DATABASE IF EXISTS "{self.test_database}"')
        self._execute(f'CREATE DATABASE "{self.test_database}" TEMPLATE "{self.name}"')

    def _templates(self) -> list[str]:
        with self.creation._nodb_cursor() as cursor:
            cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [self.PREFIX])
            return [name for (name,) in cursor.fetchall()]

    def _execute(self, statement: str) -> None:
        with self.creation._nodb_cursor() as cursor:
            cursor.execute(statement)


# --- Append-only tables -----------------------------------------------------------------------


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


# --- After tests that commit --------------------------------------------------------------------


class _Beginning:
    """What stands in the tables after the migrations."""

    def __init__(self) -> None:
        self.rows: dict[str, list[tuple[Any, ...]]] = {}  # of every table of ours

    def take(self, connection: Any) -> None:
        tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
        with connection.cursor() as cursor:
            self.rows = {table: self._read(cursor, table) for table in sorted(tables)}

    def put_back(self, connection: Any) -> None:
        """In the tables that differ. A request still being answered, of a closed browser, is waited for."""
        from django.db import transaction

        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(f"LOCK TABLE {', '.join(map(_quoted, self.rows))} IN SHARE MODE")
                cursor.execute("SET LOCAL session_replication_role = replica")  # no trigger, no foreign key
                self._mend(cursor, self._changed(cursor))
            elif changed := self._changed(cursor):
                with allow_truncate(connection.alias):
                    self._mend(cursor, changed)

    def _changed(self, cursor: Any) -> list[str]:
        empty = [table for table, rows in self.rows.items() if not rows]
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {_quoted(table)})" for table in empty
            )
        )
        filled = [table for (table,) in cursor.fetchall()]
        return filled + [
            table for table, rows in self.rows.items() if rows and self._read(cursor, table) != rows
        ]

    def _mend(self, cursor: Any, tables: list[str]) -> None:
        for table in tables:
            cursor.execute(f"DELETE FROM {_quoted(table)}")
        for table in tables:
            if rows := self.rows[table]:
                marks = ", ".join(["%s"] * len(rows[0]))
                cursor.executemany(f"INSERT INTO {_quoted(table)} VALUES ({marks})", rows)

    def _read(self, cursor: Any, table: str) -> list[tuple[Any, ...]]:
        cursor.execute(f"SELECT * FROM {_quoted(table)} ORDER BY 1")
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _quoted(table: str) -> str:
    return f'"{table}"'


_beginning = _Beginning()


@pytest.fixture(scope="session", autouse=True)
def back_to_the_beginning() -> Iterator[None]:
    """What the end of a transactional test does instead of Django's flush."""
    from django.db import OperationalError, connection
    from django.test import TransactionTestCase

    def put_back(self: Any) -> None:
        for left in reversed(range(TRIES)):
            try:
                _beginning.put_back(connection)
                return
            except OperationalError:  # the last request of a closed browser is still writing
                if not left:
                    raise
                time.sleep(0.5)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", put_back)
        yield
