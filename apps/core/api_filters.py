"""How lists of the API are searched and ordered; what no view reads is neither documented nor taken."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.filters import BaseFilterBackend, OrderingFilter, SearchFilter
from rest_framework.request import Request

from apps.core.errors import InvalidInput
from apps.core.look_ups import with_number


class NumberFilter(BaseFilterBackend):
    """`?search=` of an API view: whole numbers, by the paths in its `search_fields`."""

    def filter_queryset(self, request: Any, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        text = request.query_params.get("search", "").strip()[:100]
        fields = getattr(view, "search_fields", None)
        if not text or not fields:
            return queryset
        return queryset.filter(pk__in=with_number(queryset.model, fields, text))

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        if not getattr(view, "search_fields", None):
            return []
        return [{"name": "search", "required": False, "in": "query", "description": str(_("A whole number.")), "schema": {"type": "string"}}]  # fmt: skip


class WordFilter(SearchFilter):
    """`?search=` of an API view that has `search_fields`; elsewhere it is no parameter at all."""

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return super().get_schema_operation_parameters(view) if getattr(view, "search_fields", None) else []


class Ordering(OrderingFilter):
    """`?ordering=` of an API view, by its `ordering_fields`; any other field is refused by name."""

    def remove_invalid_fields(
        self, queryset: QuerySet[Any], fields: Iterable[str], view: Any, request: Request
    ) -> list[str]:
        allowed = self._allowed(view)
        for field in fields:
            if field.removeprefix("-") not in allowed:
                words = _("The list cannot be ordered by “%(field)s”. Allowed: %(allowed)s; “-” in front turns it round.")  # fmt: skip
                raise InvalidInput(
                    words % {"field": field[:60], "allowed": ", ".join(allowed)},
                    field=self.ordering_param,
                    code="unknown_ordering",
                    data={"allowed": allowed},
                )
        return list(fields)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        allowed = self._allowed(view)
        if not allowed:
            return []
        each = "|".join(allowed)
        words = _("Fields to order by, with commas; “-” in front turns one round: %(fields)s.")
        return [
            {
                "name": self.ordering_param,
                "required": False,
                "in": "query",
                "description": str(words % {"fields": ", ".join(allowed)}),
                "schema": {"type": "string", "pattern": rf"^-?({each})(,-?({each}))*$"},
            }
        ]

    def _allowed(self, view: Any) -> list[str]:
        return list(getattr(view, "ordering_fields", None) or [])


NUMBERED = [DjangoFilterBackend, NumberFilter, Ordering]
