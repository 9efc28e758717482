"""Many rows of one table in one statement, with little work for each value.

What `bulk_create` and `bulk_update` do, without an expression object for each value and without a limit
of a thousand parameters. Fields prepare their values as always (encryption, JSON, `auto_now`), constraints
and triggers stand, keys come back into the rows. As with Django's own, no signals are sent. PostgreSQL
takes all rows as one JSON document: by far the cheapest for the driver to quote and the server to read.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, time
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections, models

T = TypeVar("T", bound=models.Model)
AnyField = models.Field[Any, Any]
Columns = tuple[AnyField, ...]
ROWS_OF_A_DOCUMENT = 5000
# Values of these types are stored as they are by exactly these classes of fields.
PLAIN: dict[type[Any], type] = {
    models.CharField: str,
    models.TextField: str,
    models.BooleanField: bool,
    models.SmallIntegerField: int,
    models.IntegerField: int,
    models.BigIntegerField: int,
    models.PositiveSmallIntegerField: int,
    models.PositiveIntegerField: int,
    models.PositiveBigIntegerField: int,
    models.BigAutoField: int,
}


def insert_rows(rows: Sequence[models.Model]) -> None:
    """Insert new rows of one model and give them their keys.

    Foreign keys to parents that were themselves inserted after the row was built are filled in first.
    """
    if not rows:
        return
    meta = rows[0]._meta
    for parent in _parents(type(rows[0])):
        _take_keys(rows, parent)
    keyed = [row for row in rows if row.pk is not None]
    unkeyed = [row for row in rows if row.pk is None]
    for some, columns in ((keyed, meta.concrete_fields), (unkeyed, _without_key(type(rows[0])))):
        for part in _parts(some, len(columns)):
            keys = _execute(_insert(meta.db_table, columns, meta.pk), part, columns, add=True)
            for row, (key,) in zip(part, keys, strict=True):
                row.pk = key
                row._state.adding, row._state.db = False, connection.alias


def update_rows(rows: Sequence[models.Model], fields: Iterable[str]) -> None:
    """Write the named fields of existing rows of one model; rows that are gone stay gone."""
    if not rows:
        return
    meta = rows[0]._meta
    columns: tuple[Any, ...] = (meta.pk, *(meta.get_field(name) for name in fields))
    for part in _parts(rows, len(columns)):
        _execute(_update(meta.db_table, columns), part, columns, add=False)


def insert_new(rows: Sequence[T], by: str) -> list[T]:
    """Insert what no unique constraint says is there already; returns the rows inserted, with their keys.

    `by` is a column in which no two of the rows are alike.
    """
    if not rows:
        return []
    meta, columns = rows[0]._meta, _without_key(type(rows[0]))
    told: Any = meta.get_field(by)
    given = {getattr(row, by): row for row in rows}
    statement = _insert(meta.db_table, columns, meta.pk, told, conflict="ON CONFLICT DO NOTHING")
    inserted = []
    for part in _parts(rows, len(columns)):
        for key, value in _execute(statement, part, columns, add=True):
            row = given[value]
            row.pk, row._state.adding, row._state.db = key, False, connection.alias
            inserted.append(row)
    return inserted


def exchange_rows(
    rows: Sequence[T], was: Sequence[T], fields: Iterable[str], alike: Iterable[str]
) -> list[T]:
    """Compare-and-set of many: write the named fields of each row if `alike`, none of them null, still are
    in the database what they were in its counterpart of `was`; returns the rows written."""
    if not rows:
        return []
    meta = rows[0]._meta
    columns: tuple[Any, ...] = (meta.pk, *(meta.get_field(name) for name in fields))
    seen: tuple[Any, ...] = tuple(meta.get_field(name) for name in alike)
    written: set[Any] = set()
    for some, before in zip(
        _parts(rows, len(columns) + len(seen)), _parts(was, len(columns) + len(seen)), strict=True
    ):
        values = [_values(field, some, add=False) for field in columns]
        values += [_values(field, before, add=False) for field in seen]
        names = [field.column for field in columns] + [f"was_{field.column}" for field in seen]
        statement = _exchange(meta.db_table, columns, seen)
        written |= {key for (key,) in _run(statement, names, (*columns, *seen), values, answers=True)}
    return [row for row in rows if row.pk in written]


def _execute(statement: str, rows: Sequence[models.Model], columns: Columns, *, add: bool) -> list[Any]:
    values = [_values(field, rows, add=add) for field in columns]
    return _run(statement, [str(field.column) for field in columns], columns, values, answers=add)


def _run(
    statement: str, names: list[str], columns: Columns, values: list[list[Any]], *, answers: bool
) -> list[Any]:
    """`{rows}` in the statement stands for the rows as a source of columns, by these names."""
    rows = zip(*values, strict=True)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            document = json.dumps([dict(zip(names, row, strict=True)) for row in rows], default=_plain)
            cursor.execute(statement.format(rows=_recordset(names, columns)), [document])
        else:
            source = _value_list(len(values[0]), len(columns))
            cursor.execute(statement.format(rows=source), [value for row in rows for value in row])
        return cursor.fetchall() if answers else []


# --- Values -------------------------------------------------------------------------------------


def _values(field: AnyField, rows: Sequence[models.Model], *, add: bool) -> list[Any]:
    """One column, as the driver takes it."""
    database, prepare, plain = connections[DEFAULT_DB_ALIAS], field.get_db_prep_save, _plain_type(field)
    if isinstance(field, models.DateField):  # of instants too: few different ones in many rows
        moments = [field.pre_save(row, add) for row in rows]
        prepared = {moment: prepare(moment, database) for moment in set(moments)}
        return [prepared[moment] for moment in moments]
    if type(field).pre_save is models.Field.pre_save:
        values: Iterable[Any] = map(attrgetter(field.attname), rows)
    else:
        values = (field.pre_save(row, add) for row in rows)
    return [value if value is None or type(value) is plain else prepare(value, database) for value in values]


def _plain_type(field: AnyField) -> type | None:
    while isinstance(field, models.ForeignKey):
        field = field.target_field
    return PLAIN.get(type(field))


def _plain(value: Any) -> Any:
    """What `json` does not know: content of a JSON column, days, instants, decimals."""
    if hasattr(value, "obj"):
        return value.obj
    if isinstance(value, (date, time, Decimal)):
        return str(value)
    raise TypeError(f"no JSON for {type(value).__name__}")


def _take_keys(rows: Iterable[models.Model], parent: models.ForeignKey[Any, Any]) -> None:
    for row in rows:
        if getattr(row, parent.attname) is None and parent.is_cached(row):
            found = parent.get_cached_value(row)
            setattr(row, parent.attname, found and found.pk)


@lru_cache
def _parents(model: type[models.Model]) -> list[models.ForeignKey[Any, Any]]:
    return [field for field in model._meta.concrete_fields if isinstance(field, models.ForeignKey)]


@lru_cache
def _without_key(model: type[models.Model]) -> Columns:
    return tuple(field for field in model._meta.concrete_fields if not field.primary_key)


# --- Statements ---------------------------------------------------------------------------------


def _parts(rows: Sequence[T], width: int) -> Iterator[Sequence[T]]:
    """As many rows as one statement takes."""
    size = ROWS_OF_A_DOCUMENT
    if connection.vendor == "sqlite":
        size = connection.connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) // width
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _insert(table: str, columns: Columns, *returned: AnyField, conflict: str = "") -> str:
    return f'INSERT INTO "{table}" ({_quoted(columns)}) {{rows}} {conflict} RETURNING {_quoted(returned)}'


def _update(table: str, columns: Columns) -> str:
    key, *changed = (f'"{field.column}"' for field in columns)
    assigned = ", ".join(f"{name} = v.{name}" for name in changed)
    return (
        f"WITH v({_quoted(columns)}) AS ({{rows}}) "
        f'UPDATE "{table}" SET {assigned} FROM v WHERE "{table}".{key} = v.{key}'
    )


def _exchange(table: str, columns: Columns, seen: Columns) -> str:
    key, *changed = (f'"{field.column}"' for field in columns)
    assigned = ", ".join(f"{name} = v.{name}" for name in changed)
    known = ", ".join(f'"was_{field.column}"' for field in seen)
    alike = " AND ".join(f'"{table}"."{field.column}" = v."was_{field.column}"' for field in seen)
    return (
        f'WITH v({_quoted(columns)}, {known}) AS ({{rows}}) UPDATE "{table}" SET {assigned} FROM v '
        f'WHERE "{table}".{key} = v.{key} AND {alike} RETURNING "{table}".{key}'
    )


def _recordset(names: list[str], columns: Columns) -> str:
    listed = ", ".join(f'"{name}"' for name in names)
    kinds = ", ".join(f'"{name}" {_kind(field)}' for name, field in zip(names, columns, strict=True))
    return f"SELECT {listed} FROM json_to_recordset(%s::json) AS given({kinds})"


def _value_list(count: int, width: int) -> str:
    row = f"({', '.join(['%s'] * width)})"
    return f"VALUES {', '.join([row] * count)}"


def _kind(field: AnyField) -> str | None:
    return field.rel_db_type(connection) if field.is_relation else field.db_type(connection)


def _quoted(columns: Columns) -> str:
    return ", ".join(f'"{field.column}"' for field in columns)
