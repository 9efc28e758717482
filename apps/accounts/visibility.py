"""The one answer to "what may this actor see?", for admin, API, search, files and exports.

A model says where its dimensions stand: `VISIBILITY = {"series": "series", "tpa": "tpa",
"hospital": "hospital__code", "member": "member__number"}`. A dimension that an actor is restricted
on and the model does not have means: nothing is visible. Who has no role in the business sees
nothing either (LAW-09). `HIDDEN = {"hospital": {"state": "REJECTED"}}` takes rows of such values away from
actors that are restricted on the dimension, though they would be theirs.
"""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.db.models.constants import LOOKUP_SEP

from apps.accounts.actors import Actor

M = TypeVar("M", bound=Model)
DIMENSIONS = ("series", "tpa", "hospital", "provider", "member")


def visible_to(queryset: QuerySet[M], actor: Actor) -> QuerySet[M]:
    """Restrict a queryset to what the actor may see; no query of its own, no row twice."""
    model = queryset.model
    paths: dict[str, str] | None = getattr(model, "VISIBILITY", None)
    if paths is None:
        raise TypeError(f"{model.__name__} declares no VISIBILITY")
    if not actor.may_see_cases:
        return queryset.none()
    own: dict[str, Any] = {}
    of_many: dict[str, Any] = {}
    for dimension in DIMENSIONS:
        restriction = getattr(actor, dimension)
        if not restriction:
            continue
        path = paths.get(dimension)
        if path is None:
            return queryset.none()
        if hidden := _hidden(model, dimension):
            queryset = queryset.exclude(**hidden)
        conditions = of_many if _leads_to_many(model, path) else own
        if isinstance(restriction, frozenset):
            conditions[f"{path}__in"] = sorted(restriction)
        else:
            conditions[path] = restriction
    if of_many:
        # Together: one and the same policy must be of the series and of the administrator.
        own["pk__in"] = model._base_manager.filter(**of_many).values("pk")
    return queryset.filter(**own)


def is_visible(row: Model, actor: Actor) -> bool:
    """The same for one row at hand. One query."""
    return visible_to(type(row)._base_manager.filter(pk=row.pk), actor).exists()


def sees(actor: Actor, row: Model) -> bool:
    """The same for one row in memory, as it is there: no query where the relations it asks are loaded.

    TypeError for a model whose dimensions lie behind several rows; `is_visible` answers for those.
    """
    paths: dict[str, str] | None = getattr(row, "VISIBILITY", None)
    if paths is None or any(_leads_to_many(type(row), path) for path in paths.values()):
        raise TypeError(f"{type(row).__name__} does not say by itself who sees it")
    if not actor.may_see_cases:
        return False
    for dimension in DIMENSIONS:
        restriction = getattr(actor, dimension)
        if restriction:
            value = _value(row, paths.get(dimension, ""))
            allowed = value in restriction if isinstance(restriction, frozenset) else value == restriction
            hidden = _hidden(type(row), dimension)
            if not allowed or (hidden and all(_value(row, path) == given for path, given in hidden.items())):
                return False
    return True


def _hidden(model: type[Model], dimension: str) -> dict[str, Any]:
    hidden: dict[str, dict[str, Any]] = getattr(model, "HIDDEN", {})
    return hidden.get(dimension, {})


def _value(row: Any, path: str) -> Any:
    """What stands at the end of "hospital__code"; None where something on the way is missing."""
    for name in path.split(LOOKUP_SEP):
        row = getattr(row, name, None) if name else None
    return row


@cache
def _leads_to_many(model: type[Model], path: str) -> bool:
    """Whether a path crosses a relation with several rows on the other side (child → policies)."""
    opts = model._meta
    for name in path.split(LOOKUP_SEP):
        field = opts.get_field(name)
        if field.one_to_many or field.many_to_many:
            return True
        if field.related_model is not None:
            opts = field.related_model._meta  # type: ignore[union-attr]
    return False
