"""For tests: rows that many tests begin with are made once a process and afterwards put back as they were.

    class World(metaclass=MadeOnce): ...        World("2026") anywhere; the second time costs one INSERT a table

    @pytest.fixture
    def closed(db): return made_once("closed", lambda: walk_to("CLOSED").pk)

What a work inserts stays as the test that made it saw it at the end of the work; rows that it changes must be its
own. Where it changes or deletes in tables that held rows before, it is done anew each time; so it is where its
keys are taken (SQLite gives the keys of rolled-back rows again). The files it stored come back, too; tasks do not.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from django.utils import timezone

T = TypeVar("T")
_WRITES = re.compile(
    r'\s*(?:WITH\b.*?\)\s*)??\b(INSERT|UPDATE|DELETE)\s+(?:OR \w+ )?(?:INTO\s+|FROM\s+)?"?(\w+)', re.I | re.S
)
_kept: dict[Hashable, _Made | None] = {}  # None: to be made anew each time


def made_once(key: Hashable, work: Callable[[], T]) -> T:
    """What `work` returned, a copy of its own for each test, and the rows that `work` inserted.

    `key` names the work within the process, with all that decides what it makes; the hour is added, as rows carry
    the time at which they were made.
    """
    key = (key, timezone.now().replace(minute=0, second=0, microsecond=0))
    made = _kept.get(key)
    if made is not None:
        with suppress(IntegrityError), transaction.atomic():
            made.put_back()
            return cast("T", copy.deepcopy(made.result))
    if key in _kept:
        return work()
    watch, there = _Watch(), _stored()
    with connection.execute_wrapper(watch):
        result = work()
    files = {path: (_root() / path).read_bytes() for path in _stored() - there}
    _kept[key] = _Made(watch.rows(), files, copy.deepcopy(result)) if watch.alone else None
    return result


class MadeOnce(type):
    """Metaclass: an object is made with its rows once for each class and arguments (which must be hashable)."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        make = super().__call__
        return made_once((cls, args, *kwargs.items()), lambda: make(*args, **kwargs))


@dataclass(frozen=True)
class _Made:
    rows: list[tuple[str, list[tuple[Any, ...]]]]  # INSERT statement, values; parents first
    files: dict[Path, bytes]
    result: Any

    def put_back(self) -> None:
        for path, content in self.files.items():
            (_root() / path).parent.mkdir(parents=True, exist_ok=True)
            (_root() / path).write_bytes(content)
        with connection.cursor() as cursor:
            for statement, rows in self.rows:
                marks = f"({', '.join(['%s'] * len(rows[0]))})"
                cursor.execute(
                    f"{statement} {', '.join([marks] * len(rows))}", [v for row in rows for v in row]
                )


def _root() -> Path:
    """The folder of stored files, which each test has for itself."""
    return Path(settings.MEDIA_ROOT)


def _stored() -> set[Path]:
    return {path.relative_to(_root()) for path in _root().rglob("*") if path.is_file()}


class _Watch:
    """A wrapper of statements: what is inserted where, and whether anything else is changed."""

    def __init__(self) -> None:
        self.models: dict[str, type[Model]] = {
            model._meta.db_table: model
            for model in apps.get_models(include_auto_created=True)
            if not model._meta.proxy
        }
        self.before: dict[str, set[Any]] = {}  # table → the keys that were there
        self.alone = True

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if found := _WRITES.match(sql):
            self.written(found[1].upper(), found[2])
        return execute(sql, params, many, context)

    def written(self, verb: str, table: str) -> None:
        if table not in self.models:
            self.alone = False
            return
        if table not in self.before:
            self.before[table] = set(self.models[table]._base_manager.values_list("pk", flat=True))
        if verb != "INSERT" and self.before[table]:
            self.alone = False

    def rows(self) -> list[tuple[str, list[tuple[Any, ...]]]]:
        return [found for table in self.before if (found := self.of(table))[1]]

    def of(self, table: str) -> tuple[str, list[tuple[Any, ...]]]:
        model = self.models[table]
        columns = [field.column for field in model._meta.local_concrete_fields if not field.generated]
        key = columns.index(model._meta.pk.column)
        quoted = ", ".join(f'"{column}"' for column in columns)
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT {quoted} FROM "{table}"')
            rows = [row for row in cursor.fetchall() if row[key] not in self.before[table]]
        return f'INSERT INTO "{table}" ({quoted}) VALUES', rows
