"""What keeps a list as fast with a million rows as with ten: nothing is counted, nothing is collected
from the rows to fill a filter, and what is searched for has an index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from import_export.admin import ExportMixin
from import_export.formats.base_formats import XLSX
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.import_export.forms import ExportForm
from unfold.paginator import InfinitePaginator as Uncounted

from apps.core.look_ups import with_number

DEEPEST_ROW = 20_000


class InfinitePaginator(Uncounted):  # templates know it by this name
    """Pages without a total. Who wants to see more than the first 20,000 rows filters."""

    def validate_number(self, number: Any) -> int:
        valid = int(super().validate_number(number))
        return min(valid, int(DEEPEST_ROW // self.per_page))


class ReadOnlyList(ModelAdmin):
    """A list for every member of staff that nobody edits: its rows are written by an import or an action."""

    list_per_page = 50
    show_full_result_count = False
    paginator = InfinitePaginator

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_active and request.user.is_staff)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyInline(TabularInline):
    """What belongs to a row, on its page; whoever sees the row sees it."""

    extra = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class SafeExcel(XLSX):
    """Texts that look like formulas stay texts."""

    def export_data(self, dataset: Any, **kwargs: Any) -> Any:
        return super().export_data(dataset, escape=True, **kwargs)


class Exportable(ExportMixin):
    """An Excel export of what is filtered; the resource decides what is masked."""

    formats = [SafeExcel]
    export_form_class = ExportForm

    def has_export_permission(self, request: HttpRequest) -> bool:
        return bool(self.has_view_permission(request))


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
