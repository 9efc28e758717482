"""Database triggers that refuse changes to append-only tables.

SQLite drops a table's triggers when it rebuilds the table, so they are made again after every
migration run (`post_migrate`); a system check and a test see that they stand.
"""

from __future__ import annotations

from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

APPEND_ONLY: set[str] = set()  # table names, registered by the apps' ready()

VERBS = ("update", "delete")  # PostgreSQL's single trigger refuses TRUNCATE as well

_REFUSE = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""


def append_only(table: str) -> None:
    """Register a table; called from AppConfig.ready()."""
    APPEND_ONLY.add(table)


def install(using: str) -> None:
    """(Re)create the triggers of all registered tables that exist, all or none."""
    connection = connections[using]
    make = _postgresql if connection.vendor == "postgresql" else _sqlite
    tables = _existing(connection)
    statements = [statement for table in tables for statement in make(table)]
    if connection.vendor == "postgresql" and tables:
        statements.insert(0, _REFUSE)
    _execute(connection, statements)


def remove(using: str) -> None:
    """Take the triggers away. For tests that must empty tables, see `core.testing`."""
    connection = connections[using]
    names = _names_postgresql if connection.vendor == "postgresql" else _names_sqlite
    on = " ON {table}" if connection.vendor == "postgresql" else ""
    _execute(
        connection,
        [
            f"DROP TRIGGER IF EXISTS {name}" + on.format(table=table)
            for table in _existing(connection)
            for name in names(table)
        ],
    )


def missing(using: str) -> list[str]:
    """Registered tables that exist without their triggers. One query."""
    connection = connections[using]
    if connection.vendor == "postgresql":
        names, query = _names_postgresql, "SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D'"
    else:
        names, query = _names_sqlite, "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    tables = _existing(connection)
    with connection.cursor() as cursor:
        cursor.execute(query)
        standing = {name for (name,) in cursor.fetchall()}
    return [table for table in tables if not standing.issuperset(names(table))]


def on_post_migrate(using: str, **kwargs: Any) -> None:
    install(using)


def _existing(connection: BaseDatabaseWrapper) -> list[str]:
    return sorted(APPEND_ONLY & set(connection.introspection.table_names()))


def _execute(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _names_sqlite(table: str) -> list[str]:
    return [f"{table}_no_{verb}" for verb in VERBS]


def _names_postgresql(table: str) -> list[str]:
    return [f"{table}_append_only"]


def _sqlite(table: str) -> list[str]:
    return [
        statement
        for verb, name in zip(VERBS, _names_sqlite(table), strict=True)
        for statement in (
            f"DROP TRIGGER IF EXISTS {name}",
            f"CREATE TRIGGER {name} BEFORE {verb.upper()} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END",
        )
    ]


def _postgresql(table: str) -> list[str]:
    (name,) = _names_postgresql(table)
    return [
        f"CREATE OR REPLACE TRIGGER {name} BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    ]
