"""What `manage.py check` (with `--database default`: all of it) says about the database.

Encryption keys are looked at by `claimsadmin.checks` (claims.E001 to E004).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError

from apps.core import triggers


@register()
def sqlite_takes_its_lock_at_once(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """With deferred transactions concurrent writers lose most of their work to "database is locked"."""
    return [
        Error(
            f"SQLite database {alias!r} does not use IMMEDIATE transactions.",
            hint='OPTIONS: {"transaction_mode": "IMMEDIATE", "timeout": 20}',
            id="core.E001",
        )
        for alias, config in settings.DATABASES.items()
        if config["ENGINE"].endswith("sqlite3")
        and str(config.get("OPTIONS", {}).get("transaction_mode", "")).upper() != "IMMEDIATE"
    ]


@register(Tags.database)
def append_only_tables_are_guarded(
    app_configs: Sequence[Any] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """A warning, not an error: `migrate` runs this too, and is what puts it right."""
    found: list[CheckMessage] = []
    for alias in databases or []:
        try:
            tables = triggers.missing(alias)
        except DatabaseError:
            continue  # not there yet, or unreachable: other checks say so
        found += [
            Warning(
                f"Table {table} of database {alias!r} can be changed: its append-only triggers are missing.",
                hint="Run manage.py migrate; it makes them again.",
                id="core.W001",
            )
            for table in tables
        ]
    return found
