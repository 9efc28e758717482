"""Wall time, CPU time here and in the PostgreSQL backend, and SQL statements of a piece of work."""

from __future__ import annotations

import importlib
import itertools
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

BRACKETS = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT")


def main() -> None:
    """`python -m bench.measure claims`: Django on the throwaway database, and on no other."""
    if os.environ.get("BENCH_THROWAWAY", "") != os.environ.get("DATABASE_URL"):
        raise SystemExit("Measurements write: start them with `make bench`, which gives them a database.")
    import django

    django.setup()
    bench = importlib.import_module(f"bench.{sys.argv[1]}")
    from apps.core.memory import settle

    settle()  # as workers do
    bench.main()


class Meter:
    """with Meter() as m: …; then m.wall, m.cpu, m.server (ms) and m.statements.

    `server` is the CPU time of our PostgreSQL backend, 0 with SQLite, which works inside our process.
    """

    wall = cpu = server = 0.0
    statements = 0

    def __enter__(self) -> Meter:
        from django.db import connection

        connection.ensure_connection()
        self._stack = ExitStack()
        self._stack.enter_context(connection.execute_wrapper(self._count))
        self._before = (time.perf_counter(), time.process_time(), backend_seconds())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        now = (time.perf_counter(), time.process_time(), backend_seconds())
        self.wall, self.cpu, self.server = ((b - a) * 1000 for a, b in zip(self._before, now, strict=True))
        self._stack.close()

    def _count(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        self.statements += not sql.startswith(BRACKETS)
        return execute(sql, params, many, context)


def backend_seconds() -> float:
    """CPU seconds of the PostgreSQL process that serves our connection, when it is on this machine."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return 0.0
    try:
        return (
            int(Path(f"/proc/{connection.connection.info.backend_pid}/schedstat").read_text().split()[0])
            / 1e9
        )
    except OSError:
        return 0.0


def each(
    meters: Iterable[Meter], count: int = 1, of: Callable[[list[float]], float] = statistics.median
) -> dict[str, float]:
    """Medians over the runs (or `of=min`), for each of the `count` things that one run did."""
    meters = list(meters)
    found: dict[str, list[float]] = {
        "statements": [m.statements for m in meters],
        "wall_ms": [m.wall for m in meters],
        "cpu_ms": [m.cpu for m in meters],
        "server_cpu_ms": [m.server for m in meters],
    }
    return {name: round(of(values) / count, 2) for name, values in found.items()}


def all_cpu(found: dict[str, float]) -> float:
    """Of our process and of the PostgreSQL backend."""
    return found["cpu_ms"] + found["server_cpu_ms"]


def effort(work: Callable[[], Any]) -> int:
    """What the database did for it, the same on every machine: SQLite's instructions in hundreds, or
    the pages of 8 kB that PostgreSQL looked at."""
    from django.db import connection

    if connection.vendor == "sqlite":
        hundreds = itertools.count()
        connection.connection.set_progress_handler(lambda: next(hundreds) * 0, 100)
        work()
        connection.connection.set_progress_handler(None, 0)
        return next(hundreds)
    before = _pages()
    work()
    return _pages() - before


def _pages() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT blks_hit + blks_read FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def history(default: Sequence[int]) -> list[int]:
    """How many closed cases the measurement is made with, one after the other (`--history`)."""
    given = [int(size) for size in os.environ.get("BENCH_HISTORY", "").split(",") if size]
    return sorted(given or default)


def settle() -> None:
    """After much was written: what PostgreSQL does by itself before long. SQLite does nothing by itself."""
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def say(bench: str, **found: Any) -> None:
    from django.db import connection

    print(json.dumps({"bench": bench, "database": connection.vendor} | found, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
