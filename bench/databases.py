"""Throwaway databases: migrated once, copied for each measurement, dropped afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDORS = ("sqlite", "postgresql")
Environment = dict[str, str]
Copy = Callable[[str], AbstractContextManager[Environment]]


@contextmanager
def prepared(vendor: str) -> Iterator[Copy | None]:
    """Yield what makes copies of a migrated database; None when the vendor's server is missing."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        if vendor == "sqlite":
            yield sqlite(Path(folder))
        elif os.environ.get("DATABASE_URL", "").startswith("postgres"):
            with postgresql(Path(folder), os.environ["DATABASE_URL"]) as copy:
                yield copy
        else:
            yield None


def environment(folder: Path, url: str) -> Environment:
    """As in production but for the keys: real cache and queue, no statement log."""
    return {
        "CLAIMS_ENV": "development",
        "DEBUG": "false",
        "LOG_LEVEL": "ERROR",
        "VAR_DIR": str(folder),
        "DATABASE_URL": url,
        "DATABASE_POOL_SIZE": "0",
        "DJANGO_SETTINGS_MODULE": "claimsadmin.settings",
        "BENCH_THROWAWAY": url,
    }


def migrate(given: Environment) -> None:
    command = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"]
    subprocess.run(command, env=os.environ | given, check=True, stdout=sys.stderr)


def sqlite(folder: Path) -> Copy:
    def at(name: str) -> Environment:
        return environment(folder, f"sqlite:///{folder / name}.sqlite3")

    @contextmanager
    def copy(name: str) -> Iterator[Environment]:
        shutil.copy(folder / "migrated.sqlite3", folder / f"{name}.sqlite3")
        yield at(name)
        for left in folder.glob(f"{name}.sqlite3*"):
            left.unlink()

    migrate(at("migrated"))
    return copy


@contextmanager
def postgresql(folder: Path, url: str) -> Iterator[Copy]:
    """Databases beside the one that DATABASE_URL names, which is only used to make them."""
    import environ
    import psycopg

    given = environ.Env.db_url_config(url)
    parts = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    where = {name: given[key] for name, key in parts.items() if given.get(key)}

    def admin(statement: str) -> None:
        with closing(psycopg.connect(**where, autocommit=True)) as connection:
            connection.execute(statement)

    def at(name: str) -> Environment:
        return environment(folder, f"{url.rpartition('/')[0]}/{name}")

    @contextmanager
    def made(name: str, template: str) -> Iterator[Environment]:
        admin(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        try:
            yield at(name)
        finally:
            admin(f'DROP DATABASE "{name}" WITH (FORCE)')

    start = f"bench_{os.getpid()}"
    with made(start, "template1") as migrated:
        migrate(migrated)
        yield lambda name: made(f"{start}_{name}", start)
