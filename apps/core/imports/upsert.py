"""Bulk writing for imports: compare field by field, insert what is new, update what differs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Generic, TypeVar

from django.db.models import Model
from django.utils.formats import date_format
from django.utils.translation import gettext as _

M = TypeVar("M", bound=Model)
Differences = dict[str, tuple[Any, Any]]


def assign(record: Model, values: Mapping[str, Any]) -> Differences:
    """Set the values on the record; returns what differed as field → (old, new)."""
    found: Differences = {}
    for name, new in values.items():
        old = getattr(record, name)
        if old != new:
            found[name] = (old, new)
            setattr(record, name, new)
    return found


def shown(record: Model, name: str, value: Any) -> str:
    """A value of a field for people: labels of choices, yes and no, lists with commas."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return "、".join(map(str, value))
    if isinstance(value, date):
        return date_format(value, "Y-m-d")
    labels = dict(getattr(record._meta.get_field(name), "flatchoices", ()))
    return str(labels.get(value, value))


class Batch(Generic[M]):
    """Records of one model that a chunk creates or changes; written with one statement kind each."""

    def __init__(self, model: type[M]):
        self.model = model
        self.new: list[M] = []
        self.changed: dict[Any, M] = {}
        self.fields: set[str] = set()

    def add(self, record: M) -> None:
        self.new.append(record)

    def change(self, record: M, names: set[str]) -> None:
        """Remember a stored record whose fields `names` were changed; a new one is in `new` already."""
        if record.pk and names:
            self.changed[record.pk] = record
            self.fields |= names

    def write(self) -> None:
        if self.new:
            self.model._default_manager.bulk_create(self.new)
        if self.changed:
            self.model._default_manager.bulk_update(list(self.changed.values()), sorted(self.fields))
