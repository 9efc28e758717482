"""The floor: what a piece of work changed in the database, as bare bulk SQL that does the same again.

The work runs in a transaction that is rolled back; the rows it wrote are found by comparing all tables.
So the same ids and values can be written once more, with nothing around them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.apps import apps
from django.db import connection, transaction
from django.db.models import Model

VARIABLES = 30_000  # SQLite's limit of a statement, roughly
Rows = dict[Any, tuple[Any, ...]]
Statement = tuple[str, list[Any]]


def statements_of(work: Callable[[], Any]) -> tuple[list[Statement], int]:
    """Bare statements for what the work writes, and how many rows they touch; the work is undone."""
    before = everything()
    with transaction.atomic():
        work()
        after = everything()
        transaction.set_rollback(True)
    statements: list[Statement] = []
    touched = 0
    for model, rows in after.items():
        old = before[model]
        new = [row for key, row in rows.items() if key not in old]
        changed = [(old[key], row) for key, row in rows.items() if key in old and old[key] != row]
        statements += [*inserts(model, new), *updates(model, changed)]
        touched += len(new) + len(changed)
    return statements, touched


def run(statements: list[Statement]) -> None:
    """One transaction; constraints and triggers stand as always."""
    with transaction.atomic(), connection.cursor() as cursor:
        for statement, values in statements:
            cursor.execute(statement, values)


def everything() -> dict[type[Model], Rows]:
    """All rows of our own tables as the database holds them."""
    found: dict[type[Model], Rows] = {}
    with connection.cursor() as cursor:
        for model in apps.get_models():
            if not model.__module__.startswith("apps.") or model._meta.proxy:
                continue
            columns = [column.column for column in model._meta.local_concrete_fields]
            key = columns.index(model._meta.pk.column)
            cursor.execute(f"SELECT {quoted(columns)} FROM {model._meta.db_table}")
            found[model] = {row[key]: row for row in cursor.fetchall()}
    return found


def quoted(columns: Iterable[str | None]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def chunks(rows: list[Any], width: int) -> Iterator[list[Any]]:
    size = VARIABLES // width
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def placeholders(rows: list[Any], width: int) -> str:
    return ", ".join([f"({', '.join(['%s'] * width)})"] * len(rows))


def inserts(model: type[Model], rows: list[tuple[Any, ...]]) -> Iterator[Statement]:
    columns = [column.column for column in model._meta.local_concrete_fields]
    for part in chunks(rows, len(columns)):
        values = placeholders(part, len(columns))
        yield (
            f"INSERT INTO {model._meta.db_table} ({quoted(columns)}) VALUES {values}",
            [value for row in part for value in row],
        )


def updates(
    model: type[Model], changed: list[tuple[tuple[Any, ...], tuple[Any, ...]]]
) -> Iterator[Statement]:
    """One UPDATE … FROM a list of values for the rows in which the same columns changed."""
    fields = model._meta.local_concrete_fields
    groups: dict[tuple[int, ...], list[tuple[Any, ...]]] = defaultdict(list)
    for old, new in changed:
        groups[tuple(n for n in range(len(fields)) if old[n] != new[n])].append(new)
    key = next(n for n, column in enumerate(fields) if column.primary_key)
    table = model._meta.db_table
    for moved, rows in groups.items():
        chosen = (key, *moved)
        names = [fields[n].column for n in chosen]
        assigned = ", ".join(f'"{fields[n].column}" = {typed(fields[n])}' for n in moved)
        for part in chunks(rows, len(chosen)):
            yield (
                f"WITH v({quoted(names)}) AS (VALUES {placeholders(part, len(chosen))}) "
                f'UPDATE {table} SET {assigned} FROM v WHERE {table}."{names[0]}" = {typed(fields[key])}',
                [row[n] for row in part for n in chosen],
            )


def typed(column: Any) -> str:
    """A column of the list of values; PostgreSQL takes them for text."""
    name = f'v."{column.column}"'
    if connection.vendor != "postgresql":
        return name
    kind = column.rel_db_type(connection) if column.is_relation else column.db_type(connection)
    return f"CAST({name} AS {kind})"
