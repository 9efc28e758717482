"""What keeps a list as fast with a million rows as with ten: nothing is counted, nothing is collected
from the rows to fill a filter, and what is searched for has an index."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from import_export.admin import ExportMixin
from import_export.formats.base_formats import XLSX
from import_export.resources import ModelResource
from unfold.admin import ModelAdmin, TabularInline
from unfold.paginator import InfinitePaginator as Uncounted

from apps.core.excel import workbook_bytes
from apps.core.look_ups import with_number
from apps.core.money import to_yuan

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


class ListResource(ModelResource):
    """The rows of a list as people read them: headings and values in words, money in yuan.

    Fields are named as in `Meta.fields`, or declared with a translatable `column_name`. `coded` are
    fields that hold codes without choices; `word` finds their words.
    """

    coded: Collection[str] = ()

    def word(self, code: str) -> Any:
        return code

    def get_export_headers(self, selected_fields: Any = None) -> list[str]:
        return [self._heading(field) for field in self.get_export_fields(selected_fields)]

    def export_field(self, field: Any, instance: Any, **kwargs: Any) -> Any:
        name = self.get_field_name(field)
        dehydrate = getattr(self, f"dehydrate_{name}", None)
        value = dehydrate(instance) if dehydrate else field.get_value(instance)
        if callable(value):
            value = value()
        return self._shown(name, self._columns(field), value)

    def _shown(self, name: str, columns: list[Any], value: Any) -> Any:
        if value is None or value == "":
            return None
        if isinstance(value, (list, tuple)):
            return "、".join(str(self._shown(name, [], one)) for one in value)
        if name in self.coded:
            return self.word(value)
        if columns and columns[-1].choices:
            return dict(columns[-1].flatchoices).get(value, value)
        if isinstance(value, bool):
            return gettext("yes") if value else gettext("no")
        return to_yuan(value) if name.endswith("_fen") else value

    def _heading(self, field: Any) -> str:
        if field.column_name != self.get_field_name(field):
            return str(field.column_name)
        columns = self._columns(field)
        if not columns:
            return str(field.column_name)
        owners = [str(column.related_model._meta.verbose_name) for column in columns[-2:-1]]
        name = str(columns[-1].verbose_name).removesuffix("（分）").removesuffix(" (fen)")
        return name if owners and owners[0] in name else " · ".join([*owners, name])

    def after_export(self, queryset: Any, dataset: Any, **kwargs: Any) -> None:
        dataset.title = str(self._meta.model._meta.verbose_name_plural)

    def _columns(self, field: Any) -> list[Any]:
        """The model fields on the way to a value; none for what is no field of a model."""
        model, found = self._meta.model, []
        for part in (field.attribute or "").split("__"):
            try:
                found.append(model._meta.get_field(part))
            except (FieldDoesNotExist, AttributeError):
                return []
            model = found[-1].related_model
        return found


class OwnExcel(XLSX):
    """Written as all our Excel files are: texts stay texts, days and amounts are values."""

    def export_data(self, dataset: Any, **kwargs: Any) -> bytes:
        return workbook_bytes({dataset.title: (dataset.headers, dataset)})


class Exportable(ExportMixin):
    """An Excel export of what is filtered; the resource decides what is masked."""

    formats = [OwnExcel]
    skip_export_form = True

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
