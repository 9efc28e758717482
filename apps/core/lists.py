"""What keeps a list as fast with a million rows as with ten: nothing is counted, nothing is collected
from the rows to fill a filter, and what is searched for has an index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.paginator import InfinitePaginator as Uncounted

from apps.core.look_ups import with_number

DEEPEST_ROW = 20_000


class InfinitePaginator(Uncounted):  # templates know it by this name
    """Pages without a total. Who wants to see more than the first 20,000 rows filters."""

    def validate_number(self, number: Any) -> int:
        valid = int(super().validate_number(number))
        return min(valid, int(DEEPEST_ROW // self.per_page))


class NumberSearch:
    """For an admin whose `search_fields` are numbers ("case__number__exact"): whole ones, by their indexes."""

    model: type[Model]
    search_fields: Sequence[str]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        paths = [field.removesuffix("__exact") for field in self.search_fields]
        return queryset.filter(pk__in=with_number(self.model, paths, search_term)), False


def known_values(
    field: str, words: Any, values: Callable[[], Iterable[tuple[str, Any]]]
) -> type[admin.SimpleListFilter]:
    """A filter whose values are known: Django's own reads all rows to find out which occur."""

    class Known(admin.SimpleListFilter):
        title, parameter_name = words, f"{field}__exact"

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
            return list(values())

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            return queryset.filter(**{field: self.value()}) if self.value() else queryset

    return Known
