"""Hospitals, networks and look-ups: lists, the directory, and the way to the import."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from import_export.fields import Field
from unfold.decorators import action

from apps.accounts.actors import actor_of
from apps.accounts.visibility import visible_to
from apps.core.imports.admin import may_import
from apps.core.lists import Exportable, ListResource, ReadOnlyInline, ReadOnlyList, known_values
from apps.hospitals import queries
from apps.hospitals.directory import DirectoryForm, look_up
from apps.hospitals.models import Campus, Hospital, NetworkEntry, NetworkLookup, Scope
from apps.hospitals.words import answer_words, asked_words
from apps.products.labels import label, labels


class ScopeFilter(admin.SimpleListFilter):
    """Hospitals that bill a scope directly today (NET-06)."""

    title = _("direct-billing scope")
    parameter_name = "scope"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Scope.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Hospital]) -> QuerySet[Hospital]:
        if self.value() not in Scope.values:
            return queryset
        entries = queries.visible_entries(actor_of(request)).valid_on(timezone.localdate())  # type: ignore[attr-defined]
        entries = entries.alias(scopes=Cast("direct_billing", TextField()))
        listed = entries.filter(campus__hospital=OuterRef("pk"), scopes__contains=f'"{self.value()}"')
        return queryset.filter(Exists(listed))


class HospitalResource(ListResource):
    class Meta:
        model = Hospital
        fields = ("code", "name", "name_en", "province", "city", "ownership", "hospital_type", "grade", "brand",
                  "internet_licensed", "popular", "service_hours", "visit_tips", "special_departments", "active",
                  "sample")  # fmt: skip
        export_order = fields


class CampusInline(ReadOnlyInline):
    model = Campus
    fields = ["code", "name", "address", "phone"]


@admin.register(Hospital)
class HospitalAdmin(Exportable, ReadOnlyList):
    resource_classes = [HospitalResource]
    list_display = [
        "name",
        "code",
        "city",
        "ownership",
        "hospital_type",
        "grade",
        "brand",
        "popular",
        "active",
        "sample",
    ]
    list_filter = ["city", "ownership", "hospital_type", "grade", ScopeFilter, "internet_licensed", "popular", "active",
                   "sample"]  # fmt: skip
    search_fields = ["name"]
    search_help_text = _("Name, pinyin, initials, code or brand")
    ordering = ["city", "name"]
    inlines = [CampusInline]
    actions_list = ["open_directory", "import_excel"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Hospital]:
        return queries.visible_hospitals(actor_of(request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Hospital], search_term: str
    ) -> tuple[QuerySet[Hospital], bool]:
        return (queryset.filter(queries.search(search_term)) if search_term.strip() else queryset), False

    def get_urls(self) -> list[Any]:
        own = path("directory/", self.admin_site.admin_view(self.directory), name="hospitals_directory")
        return [own, *super().get_urls()]

    def directory(self, request: HttpRequest) -> HttpResponse:
        """Filter by city, type, scope, department, benefit, plan group and date; staff look-ups are recorded."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        actor = actor_of(request)
        form = DirectoryForm(actor, request.GET)
        context: dict[str, Any] = {"title": gettext("Hospital directory"), "form": form, "opts": self.opts}
        if request.GET and form.is_valid():
            criteria = form.criteria()
            page = request.GET.get("page", "1")
            query = request.GET.copy()
            query.pop("page", None)
            found = look_up(actor, criteria, int(page) if page.isdecimal() else 1)
            context |= {"found": found, "criteria": criteria, "query": query.urlencode()}
        return TemplateResponse(
            request, "hospitals/directory.html", {**self.admin_site.each_context(request), **context}
        )

    @action(description=_("Directory"), url_path="open-directory", icon="travel_explore")
    def open_directory(self, request: HttpRequest) -> HttpResponseRedirect:
        return redirect(reverse("admin:hospitals_directory"))

    @action(
        description=_("Import from Excel"), url_path="import-excel", icon="upload", permissions=["import"]
    )
    def import_excel(self, request: HttpRequest) -> HttpResponseRedirect:
        return redirect(reverse("admin:core_importjob_upload", args=["hospitals"]))

    def has_import_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_import(request)


class NetworkResource(ListResource):
    hospital = Field(attribute="campus__hospital__name", column_name=_("hospital"))
    hospital_code = Field(attribute="campus__hospital__code", column_name=_("hospital code"))
    campus = Field(attribute="campus__name", column_name=_("campus"))
    coded = ("department_group", "network_group", "benefit", "direct_billing")
    word = staticmethod(label)

    class Meta:
        model = NetworkEntry
        fields = ("hospital_code", "hospital", "campus", "department_group", "series", "network_group", "benefit",
                  "direct_billing", "starts_on", "ends_on")  # fmt: skip
        export_order = fields


class ValidFilter(admin.SimpleListFilter):
    title = _("in force today")
    parameter_name = "valid"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("yes")), ("no", _("no"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[NetworkEntry]) -> QuerySet[NetworkEntry]:
        today = timezone.localdate()
        valid = Q(starts_on__lte=today) & (Q(ends_on__isnull=True) | Q(ends_on__gte=today))
        return {"yes": queryset.filter(valid), "no": queryset.exclude(valid)}.get(
            self.value() or "", queryset
        )


@admin.register(NetworkEntry)
class NetworkEntryAdmin(Exportable, ReadOnlyList):
    resource_classes = [NetworkResource]
    list_display = ["hospital", "campus_name", "department_group", "series", "group_words", "benefit_words", "scopes",
                    "starts_on", "ends_on"]  # fmt: skip
    list_filter = [
        "series",
        "network_group",
        known_values("benefit", _("benefit"), lambda: list(Scope.choices)),
        "department_group",
        ValidFilter,
        "campus__hospital__city",
    ]
    list_select_related = ["campus__hospital"]
    search_fields = ["campus__hospital__name", "campus__hospital__pinyin", "campus__hospital__initials",
                     "campus__hospital__code"]  # fmt: skip
    ordering = ["campus__hospital__city", "campus__hospital__name", "series", "network_group", "benefit"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[NetworkEntry]:
        return queries.visible_entries(actor_of(request)).select_related("campus__hospital")

    @admin.display(description=_("hospital"), ordering="campus__hospital__name")
    def hospital(self, entry: NetworkEntry) -> str:
        return entry.campus.hospital.name

    @admin.display(description=_("campus"), ordering="campus__name")
    def campus_name(self, entry: NetworkEntry) -> str:
        return entry.campus.name

    @admin.display(description=_("network group"), ordering="network_group")
    def group_words(self, entry: NetworkEntry) -> str:
        return label(entry.network_group)

    @admin.display(description=_("benefit"), ordering="benefit")
    def benefit_words(self, entry: NetworkEntry) -> str:
        return label(entry.benefit)

    @admin.display(description=_("direct-billing scope"))
    def scopes(self, entry: NetworkEntry) -> str:
        return labels(entry.direct_billing)


@admin.register(NetworkLookup)
class NetworkLookupAdmin(ReadOnlyList):
    """Which look-ups staff made, with the answer of that day (NET-04)."""

    list_display = ["at", "who", "member", "way", "asked", "answer"]
    list_select_related = ["user", "client"]
    list_filter = [("at", admin.DateFieldListFilter), "series", "channel"]
    search_fields = ["member__exact"]
    search_help_text = _("Member number in full")

    def get_queryset(self, request: HttpRequest) -> QuerySet[NetworkLookup]:
        actor = actor_of(request)
        lookups = NetworkLookup.objects.select_related("user", "client")
        if actor.restricted:  # whoever works for one party sees the look-ups of its own people only
            return lookups.filter(user_id=actor.person_id)
        return visible_to(lookups, actor)

    @admin.display(description=_("who"))
    def who(self, lookup: NetworkLookup) -> str:
        return str(lookup.user or lookup.client or "")

    @admin.display(description=_("channel"))
    def way(self, lookup: NetworkLookup) -> str:
        return label(lookup.channel)

    @admin.display(description=_("criteria"))
    def asked(self, lookup: NetworkLookup) -> str:
        return asked_words(lookup)

    @admin.display(description=_("result"))
    def answer(self, lookup: NetworkLookup) -> str:
        return answer_words(lookup)
