"""Bring every encrypted value to the newest key, so that an old key can be taken away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand
from django.db import connection, models, transaction

from apps.core.crypto import EncryptedTextField, decrypt, encrypt, keys
from apps.core.triggers import APPEND_ONLY

BATCH = 500


class Command(BaseCommand):
    help = "Re-encrypt stored values that still use an older key. May be repeated and interrupted."

    def handle(self, *args: Any, **options: Any) -> None:
        for model, field in _encrypted_columns():
            name = f"{model._meta.label}.{field.name}"
            if model._meta.db_table in APPEND_ONLY:
                self.stdout.write(f"{name}: append-only, its keys must be kept")
            else:
                self.stdout.write(f"{name}: {_renew(model, field)} values renewed")


def _encrypted_columns() -> Iterator[tuple[type[models.Model], EncryptedTextField]]:
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, EncryptedTextField) and model._meta.managed:
                yield model, field


def _renew(model: type[models.Model], field: EncryptedTextField) -> int:
    """In batches by primary key, each its own transaction; raw, since the field hides what is stored."""
    quote = connection.ops.quote_name
    table, column = quote(model._meta.db_table), quote(str(field.column))
    key = quote(str(model._meta.pk.column))
    older = (
        f"SELECT {key}, {column} FROM {table} "
        f"WHERE {column} <> '' AND {column} NOT LIKE %s ORDER BY {key} LIMIT {BATCH}"
    )
    newest = next(iter(keys()))
    renewed = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(older, [f"{newest}:%"])
            rows = cursor.fetchall()
            cursor.executemany(
                f"UPDATE {table} SET {column} = %s WHERE {key} = %s AND {column} = %s",
                [(encrypt(decrypt(stored, field.context), field.context), pk, stored) for pk, stored in rows],
            )
        renewed += len(rows)
        if len(rows) < BATCH:
            return renewed
