"""Handbooks to read and compare, plans, and the calendar of working days."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from apps.accounts.actors import actor_of
from apps.accounts.visibility import visible_to
from apps.adjudication.handbook_diff import SECTIONS, Difference
from apps.core.excel import excel_response
from apps.core.lists import ReadOnlyList
from apps.products.labels import label, words
from apps.products.models import CalendarDay, CalendarYear, HandbookVersion, Plan
from apps.products.pages import (
    KIND_NAMES,
    SECTION_NAMES,
    differences,
    filter_differences,
    group_differences,
    read_handbook,
    year_view,
)

CALENDAR_EDITORS = frozenset({"manager", "supervisor"})


@admin.register(HandbookVersion)
class HandbookAdmin(ReadOnlyList):
    """The list of versions, the page to read one, and two side by side."""

    list_display = ["read_link", "title", "number", "operator", "effective_on", "loaded_at", "loaded_by"]
    list_display_links = None
    list_filter = ["series"]
    list_select_related = ["loaded_by"]
    ordering = ["-series", "-number"]
    list_before_template = "products/handbook_links.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[HandbookVersion]:
        return visible_to(HandbookVersion.objects.filter(published=True), actor_of(request))

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        own = [
            path("differences/", wrap(self.differences), name="products_handbook_differences"),
            path("<int:pk>/read/", wrap(self.read), name="products_handbook_read"),
            path("current/<str:series>/", wrap(self.read_current), name="products_handbook_current"),
        ]
        return own + super().get_urls()

    @admin.display(description=_("series"), ordering="series")
    def read_link(self, row: HandbookVersion) -> str:
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:products_handbook_read", args=[row.pk]), row.series
        )

    @admin.display(description=_("title"))
    def title(self, row: HandbookVersion) -> str:
        return words(row.handbook.title)[0]

    @admin.display(description=_("run by"))
    def operator(self, row: HandbookVersion) -> str:
        return row.handbook.tpa or gettext("insurer")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A handbook has no form: reading it is its page."""
        if not object_id.isdecimal():
            raise Http404
        return self.read(request, int(object_id))

    def read(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A handbook from front to back; `q` searches in it."""
        versions = list(self._readable(request))
        version = next((row for row in versions if row.pk == pk), None)
        if version is None:
            raise Http404
        return self._reading(request, version, versions)

    def read_current(self, request: HttpRequest, series: str) -> HttpResponse:
        """The current handbook of a series: where citations of findings lead (`#RMB-22`)."""
        versions = list(self._readable(request))
        version = next((row for row in versions if row.series == series), None)
        if version is None:
            raise Http404
        return self._reading(request, version, versions)

    def _reading(
        self, request: HttpRequest, version: HandbookVersion, versions: list[HandbookVersion]
    ) -> HttpResponse:
        search = request.GET.get("q", "").strip()
        context = {
            **self.admin_site.each_context(request),
            "title": words(version.handbook.title)[0],
            "version": version,
            "versions": versions,
            "handbook": version.handbook,
            "other_title": words(version.handbook.title)[1],
            "sections": read_handbook(version.handbook, search),
            "search": search,
        }
        return render(request, "products/handbook.html", context)

    def differences(self, request: HttpRequest) -> HttpResponse:
        """Two versions side by side; `format=xlsx` gives the rows shown as a workbook."""
        versions = list(self._readable(request))
        left = self._chosen(request, versions, "left", self._second(versions))
        right = self._chosen(request, versions, "right", versions[0] if versions else None)
        every = differences(left.handbook, right.handbook) if left and right else ()
        chosen = {name: request.GET.get(name, "").strip() for name in ("section", "kind", "q")}
        rows = filter_differences(every, section=chosen["section"], kind=chosen["kind"], search=chosen["q"])
        if left and right and request.GET.get("format") == "xlsx":
            return _excel(left, right, rows)
        query = request.GET.copy()
        query["format"] = "xlsx"
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Differences between handbooks"),
            "versions": versions,
            "left": left,
            "right": right,
            "groups": group_differences(rows),
            "count": len(rows),
            "total": len(every),
            "sections": [(name, SECTION_NAMES[name]) for name in SECTIONS],
            "kinds": list(KIND_NAMES.items()),
            "chosen": chosen,
            "excel": "?" + query.urlencode(),
        }
        return render(request, "products/differences.html", context)

    def _readable(self, request: HttpRequest) -> QuerySet[HandbookVersion]:
        if not self.has_view_permission(request):
            raise Http404
        return self.get_queryset(request).order_by("-series", "-number")

    @staticmethod
    def _second(versions: list[HandbookVersion]) -> HandbookVersion | None:
        """What the newest handbook is compared with at first: the series before it."""
        others = [row for row in versions[1:] if row.series != versions[0].series]
        return next(iter(others or versions[1:] or versions), None)

    @staticmethod
    def _chosen(
        request: HttpRequest, versions: list[HandbookVersion], name: str, default: HandbookVersion | None
    ) -> HandbookVersion | None:
        wanted = request.GET.get(name, "")
        if not wanted:
            return default
        found = next((row for row in versions if str(row.pk) == wanted), None)
        if found is None:
            raise Http404
        return found


def _excel(left: HandbookVersion, right: HandbookVersion, rows: list[Difference]) -> HttpResponse:
    heads = ["section", "entry", "title", "field", "rule left", "left", "rule right", "right"]
    lines = (
        [
            SECTION_NAMES[row.section], row.key, words(row.title)[0], label(row.field) if row.field else "",
            row.rule_left, row.left or "", row.rule_right, row.right or "",
        ]
        for row in rows
    )  # fmt: skip
    name = f"handbooks-{left.series}v{left.number}-{right.series}v{right.number}"
    return excel_response(name, [gettext(head) for head in heads], lines)


@admin.register(Plan)
class PlanAdmin(ReadOnlyList):
    list_display = ["code", "series", "version", "scheme", "name", "name_en", "sample", "loaded_at"]
    list_filter = ["series", "sample"]
    search_fields = ["code", "name", "name_en"]
    readonly_fields = ["sha256", "loaded_at"]


class CalendarEditing(ModelAdmin):
    """Every member of staff reads the calendar; managers and supervisors keep it."""

    def _edits(self, request: HttpRequest) -> bool:
        return bool(CALENDAR_EDITORS & actor_of(request).roles)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_active and request.user.is_staff)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._edits(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._edits(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._edits(request)


@admin.register(CalendarDay)
class CalendarDayAdmin(CalendarEditing):
    """Days off and make-up days; what a person enters here is never overwritten by a load."""

    list_display = ["date", "kind", "note", "source", "changed_at"]
    list_filter = ["kind", "source", ("date", admin.DateFieldListFilter)]
    search_fields = ["note"]
    date_hierarchy = "date"
    fields = ["date", "kind", "note"]
    list_before_template = "products/calendar_links.html"

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        own = [
            path("year/", wrap(self.year), name="products_calendar_this_year"),
            path("year/<int:year>/", wrap(self.year), name="products_calendar_year"),
        ]
        return own + super().get_urls()

    def save_model(self, request: HttpRequest, obj: CalendarDay, form: Any, change: bool) -> None:
        obj.source = CalendarDay.Source.MANUAL
        super().save_model(request, obj, form, change)

    def year(self, request: HttpRequest, year: int | None = None) -> HttpResponse:
        """A year on one page: what counts as a working day, and what makes it so."""
        if not self.has_view_permission(request):
            raise Http404
        shown = year or timezone.localdate().year
        if not 2000 <= shown <= 2100:
            raise Http404
        months, known = year_view(shown)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Working days %(year)s") % {"year": shown},
            "year": shown,
            "months": months,
            "known": known,
            "workdays": sum(month.workdays for month in months),
            "editable": self._edits(request),
            "weekdays": [_("Mo"), _("Tu"), _("We"), _("Th"), _("Fr"), _("Sa"), _("Su")],
        }
        return render(request, "products/calendar.html", context)


@admin.register(CalendarYear)
class CalendarYearAdmin(CalendarEditing):
    """A year stops being provisional when somebody has entered its table."""

    list_display = ["year", "provisional", "loaded_at"]
    fields = ["year", "provisional"]
