"""Excel out: read-only lists with a masked, formula-proof export."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from import_export.admin import ExportMixin
from import_export.formats.base_formats import XLSX
from unfold.admin import ModelAdmin
from unfold.contrib.import_export.forms import ExportForm

from apps.core.lists import InfinitePaginator


class SafeExcel(XLSX):
    """Texts that look like formulas stay texts."""

    def export_data(self, dataset: Any, **kwargs: Any) -> Any:
        return super().export_data(dataset, escape=True, **kwargs)


class ReadOnlyList(ModelAdmin):
    """A list for every member of staff that nobody edits: its rows are written by an import or an action."""

    list_per_page = 50
    show_full_result_count = False
    paginator = InfinitePaginator
    list_filter_sheet = True

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


class ExportableList(ExportMixin, ReadOnlyList):
    """The same with an Excel export of what is filtered; the resource decides what is masked."""

    formats = [SafeExcel]
    export_form_class = ExportForm

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)
