"""Rows by numbers of several kinds, each by an index of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Model, QuerySet


def union(look_ups: Iterable[QuerySet[Any, Any]]) -> QuerySet[Any, Any]:
    """For `pk__in`: the ids that any of the look-ups finds, each of which uses an index of its own.

    Beside an OR over several tables the planner of PostgreSQL reads them whole.
    """
    first, *others = (look_up.order_by() for look_up in look_ups)
    return first.union(*others)


def with_number(model: type[Model], paths: Sequence[str], text: str) -> QuerySet[Any, Any]:
    """The ids of rows one of whose numbers is the text, as typed or in capitals."""
    typed = {text.strip(), text.strip().upper()}
    return union(
        model._default_manager.filter(**{f"{path}__in": sorted(typed)}).values("pk") for path in paths
    )
