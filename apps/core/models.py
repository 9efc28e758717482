"""Base classes. No business here."""

from __future__ import annotations

from typing import Any

from django.db import models

from apps.core.crypto import EncryptedTextField
from apps.core.errors import Conflict


class Immutable(models.Model):
    """A row that is written once. The database refuses changes too (`core.triggers`)."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk and not self._state.adding:
            raise Conflict(f"{self._meta.label} rows are written once", code="immutable")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise Conflict(f"{self._meta.label} rows are never deleted", code="immutable")


class Sequence(models.Model):
    """Gap-tolerant running numbers: one row a prefix, advanced by an atomic UPDATE."""

    prefix = models.CharField(max_length=20, primary_key=True)
    last = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.prefix}-{self.last:06d}"


class IdempotencyRecord(models.Model):
    """The stored answer to a POST that carried an `Idempotency-Key` (`core.idempotency`).

    Written in the transaction of the request itself: a committed row always holds its answer. The
    answer may name a child, so it is encrypted; rows are forgotten after 48 hours.
    """

    actor = models.CharField(max_length=40)  # "client:7"
    key = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)  # of method, path and body
    status = models.PositiveSmallIntegerField(default=0)
    content_type = models.CharField(max_length=100, blank=True)
    body = EncryptedTextField(blank=True)
    at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["actor", "key"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return f"{self.actor} {self.key}"


from apps.core.import_models import ImportJob as ImportJob  # noqa: E402  (Django finds models here)
