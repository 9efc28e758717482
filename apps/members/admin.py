"""Insured children and policies: masked lists, search by anything one may have in hand, reveal with a reason."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from import_export.fields import Field
from unfold.decorators import action, display

from apps.accounts.actions import log_read
from apps.accounts.actors import actor_of
from apps.accounts.visibility import visible_to
from apps.core.errors import DomainError
from apps.core.imports.admin import may_import
from apps.core.imports.cells import fold
from apps.core.lists import Exportable, ListResource, ReadOnlyInline, ReadOnlyList, known_values
from apps.core.look_ups import union
from apps.members import queries
from apps.members.models import FormerIdentity, Guardian, Member, Policy
from apps.members.pages import WishForm, earlier_look_ups, look_up_excel, look_up_page
from apps.members.reveal import Revealed, RevealForm, may_reveal, reveal_value
from apps.products.labels import label
from apps.products.queries import scheme_names, series_codes

STATUS_COLORS = {"IN_FORCE": "success", "PENDING": "info", "LAPSED": "warning", "TERMINATED": "danger"}


def age_on(birth_date: date, day: date) -> int:
    """Full years of age."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


class PolicyInline(ReadOnlyInline):
    model = Policy
    fields = [
        "number",
        "plan",
        "series",
        "tpa",
        "effective_on",
        "expires_on",
        "ended_on",
        "status",
        "renewed",
    ]
    ordering = ["-effective_on"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Policy]:
        return visible_to(super().get_queryset(request).select_related("plan"), actor_of(request))


class GuardianInline(ReadOnlyInline):
    model = Guardian
    fields = [
        "masked_name",
        "relation",
        "id_type",
        "id_masked",
        "mobile_masked",
        "masked_email",
        "is_policyholder",
    ]
    readonly_fields = fields


class FormerIdentityInline(ReadOnlyInline):
    model = FormerIdentity
    fields = ["id_type", "id_masked", "replaced_at"]
    readonly_fields = fields


class MemberResource(ListResource):
    masked_name = Field(attribute="masked_name", column_name=pgettext_lazy("person", "name"))

    class Meta:
        model = Member
        fields = ("number", "masked_name", "sex", "id_type", "id_masked", "mobile_masked", "nationality",
                  "social_insurance")  # fmt: skip
        export_order = fields


class SeriesFilter(admin.SimpleListFilter):
    """Children with a policy of a series in force today."""

    title = _("series in force today")
    parameter_name = "series"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        own = actor_of(request).series
        return [(series, series) for series in series_codes() if not own or series in own]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Member]) -> QuerySet[Member]:
        if not self.value():
            return queryset
        policies = Policy.objects.in_force_on(timezone.localdate()).filter(series=self.value())
        return queryset.filter(pk__in=policies.values("member_id"))


@admin.register(Member)
class MemberAdmin(Exportable, ReadOnlyList):
    resource_classes = [MemberResource]
    list_display = ["number", "masked_name", "sex", "age", "id_type", "id_masked", "mobile_masked", "covers"]
    list_filter = [SeriesFilter, "sex", "id_type", "social_insurance"]
    search_fields = ["name"]
    search_help_text = _("Name, pinyin or initials; policy, identity, mobile or member number in full")
    ordering = ["-id"]
    sortable_by = ["number", "masked_name"]
    fields = ["number", "masked_name", "sex", "age", "id_type", "id_masked", "mobile_masked", "masked_email",
              "nationality", "social_insurance"]  # fmt: skip
    readonly_fields = fields
    inlines = [PolicyInline, GuardianInline, FormerIdentityInline]
    actions_list = ["import_excel"]
    actions_detail = ["find_hospitals", "show_in_full"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Member]:
        policies = visible_to(
            Policy.objects.select_related("plan").order_by("-effective_on"), actor_of(request)
        )
        members = queries.visible_members(actor_of(request))
        return members.prefetch_related(Prefetch("policies", policies, to_attr="shown_policies"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Member], search_term: str
    ) -> tuple[QuerySet[Member], bool]:
        if not search_term.strip():
            return queryset, False
        condition = queries.search(search_term)
        return (queryset.filter(condition) if condition is not None else queryset.none()), False

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/reveal/", wrap(self.reveal), name="members_member_reveal"),
            path("<int:pk>/hospitals/", wrap(self.hospitals), name="members_member_hospitals"),
            *super().get_urls(),
        ]

    def get_export_data(self, file_format: Any, request: HttpRequest, queryset: Any, **kwargs: Any) -> Any:
        log_read(actor_of(request), subject="members", what="export (masked)")
        return super().get_export_data(file_format, request, queryset, **kwargs)

    @admin.display(description=pgettext_lazy("person", "name"), ordering="pinyin")
    def masked_name(self, member: Member) -> str:
        return member.masked_name

    @admin.display(description=_("age"))
    def age(self, member: Member) -> int:
        return age_on(member.birth_date, timezone.localdate())

    @admin.display(description=_("email"))
    def masked_email(self, member: Member) -> str:
        return member.masked_email

    @admin.display(description=_("policies"))
    def covers(self, member: Member) -> str:
        policies: list[Policy] = getattr(member, "shown_policies", [])
        return " · ".join(f"{policy.number} ({policy.series})" for policy in policies[:3])

    @action(
        description=_("Import from Excel"), url_path="import-excel", icon="upload", permissions=["import"]
    )
    def import_excel(self, request: HttpRequest) -> HttpResponseRedirect:
        return redirect(reverse("admin:core_importjob_upload", args=["roster"]))

    def has_import_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_import(request)

    @action(
        description=_("Show in full…"), url_path="show-in-full", icon="visibility", permissions=["reveal"]
    )
    def show_in_full(self, request: HttpRequest, object_id: str) -> HttpResponseRedirect:
        return redirect(reverse("admin:members_member_reveal", args=[object_id]))

    @action(description=_("Hospitals…"), url_path="find-hospitals", icon="local_hospital")
    def find_hospitals(self, request: HttpRequest, object_id: str) -> HttpResponseRedirect:
        return redirect(reverse("admin:members_member_hospitals", args=[object_id]))

    def hospitals(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Where this child may go without paying on a day, and why not elsewhere (NET-04, DL-46)."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        member = self.get_queryset(request).filter(pk=pk).first()
        if member is None:
            raise Http404
        actor = actor_of(request)
        form = WishForm(actor, request.GET)
        context: dict[str, Any] = {"title": gettext("Hospitals for a child"), "member": member, "form": form,
                                   "earlier": earlier_look_ups(member), "opts": self.opts, "page": None}  # fmt: skip
        if request.GET and form.is_valid():
            try:
                if "export" in request.GET:
                    return look_up_excel(actor, member, form, request.GET)
                context |= look_up_page(actor, member, form, request.GET)
            except DomainError as refused:
                context["error"] = refused
        whole = {**self.admin_site.each_context(request), **context}
        return TemplateResponse(request, "members/hospitals.html", whole)

    def has_reveal_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_reveal(actor_of(request))

    def reveal(self, request: HttpRequest, pk: int) -> HttpResponse:
        """One masked value in full, after a reason; never kept by a browser."""
        if not (self.has_view_permission(request) and self.has_reveal_permission(request)):
            raise PermissionDenied
        member = self.get_queryset(request).filter(pk=pk).first()
        if member is None:
            raise Http404
        form = RevealForm(member, request.POST or None)
        revealed: Revealed | None = None
        error: DomainError | None = None
        if request.method == "POST" and form.is_valid():
            try:
                revealed = reveal_value(actor_of(request), member, **form.cleaned_data)
            except DomainError as refused:
                error = refused
        context = {"title": gettext("Show in full: %(name)s") % {"name": member.masked_name}, "member": member,
                   "form": form, "revealed": revealed, "error": error, "opts": self.opts}  # fmt: skip
        return self._unkept(request, context)

    @staticmethod
    @never_cache
    def _unkept(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
        whole = {**admin.site.each_context(request), **context}
        return TemplateResponse(request, "members/reveal.html", whole)


class PolicyResource(ListResource):
    member = Field(attribute="member__number", column_name=_("member"))
    child = Field(attribute="member__masked_name", column_name=_("child"))
    plan = Field(attribute="plan__name", column_name=_("plan"))
    coded = ("riders", "enroll_channel")
    word = staticmethod(label)

    @cached_property
    def _schemes(self) -> dict[tuple[str, str], str]:
        return scheme_names()

    def dehydrate_scheme(self, policy: Policy) -> str:
        return self._schemes.get((policy.series, policy.scheme), policy.scheme)

    class Meta:
        model = Policy
        fields = ("number", "certificate", "member", "child", "plan", "scheme", "series", "tpa", "status",
                  "effective_on", "expires_on", "ended_on", "renewed", "continuous_since", "riders",
                  "enroll_channel")  # fmt: skip
        export_order = fields


class TodayFilter(admin.SimpleListFilter):
    title = _("in force today")
    parameter_name = "today"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("yes")), ("no", _("no"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Policy]) -> QuerySet[Policy]:
        today = timezone.localdate()
        if self.value() == "yes":
            goes_on = Q(ended_on__isnull=True) | Q(ended_on__gte=today)
            current = queryset.filter(goes_on, effective_on__lte=today, expires_on__gte=today)
            return current.exclude(status=Policy.Status.PENDING)
        over = Q(expires_on__lt=today) | Q(effective_on__gt=today) | Q(ended_on__lt=today)
        return queryset.filter(over | Q(status=Policy.Status.PENDING)) if self.value() == "no" else queryset


@admin.register(Policy)
class PolicyAdmin(Exportable, ReadOnlyList):
    resource_classes = [PolicyResource]
    list_display = ["number", "child", "plan_name", "series", "tpa", "today", "effective_on", "expires_on", "ended_on",
                    "renewed"]  # fmt: skip
    list_filter = [
        known_values("series", _("series"), lambda: [(series, series) for series in series_codes()]),
        "status",
        TodayFilter,
        "enroll_channel",
        "renewed",
        ("effective_on", admin.DateFieldListFilter),
    ]
    list_select_related = ["plan"]
    search_fields = ["number"]
    search_help_text = _("Policy or certificate number; or the child by name, identity or mobile number")
    ordering = ["-effective_on", "-id"]
    sortable_by = ["number", "effective_on"]
    fields = ["number", "certificate", "child", "holder", "plan", "scheme_name", "edition", "series", "tpa", "status",
              "concluded_on", "effective_on", "expires_on", "ended_on", "renewed", "continuous_since",
              "enrolled_with_social", "enroll_channel", "riders", "exclusions", "special_agreement"]  # fmt: skip
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Policy]:
        """Children and holders are fetched for the rows of the page: joined, all may be read."""
        policies = Policy.objects.select_related("plan").prefetch_related("member", "policyholder")
        return visible_to(policies, actor_of(request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Policy], search_term: str
    ) -> tuple[QuerySet[Policy], bool]:
        term = fold(search_term).replace(" ", "").upper()
        if not term:
            return queryset, False
        found = [
            Policy.objects.filter(number=term).values("pk"),
            Policy.objects.filter(certificate=term).values("pk"),
        ]
        child = queries.search(search_term)
        if child is not None:
            found.append(
                Policy.objects.filter(member__in=Member.objects.filter(child).values("pk")).values("pk")
            )
        return queryset.filter(pk__in=union(found)), False

    @admin.display(description=_("child"))
    def child(self, policy: Policy) -> str:
        return f"{policy.member.masked_name} {policy.member.number}"

    @admin.display(description=_("policyholder"))
    def holder(self, policy: Policy) -> str:
        return policy.policyholder.masked_name if policy.policyholder else ""

    @admin.display(description=_("plan"))
    def plan_name(self, policy: Policy) -> str:
        return policy.plan.label

    @admin.display(description=_("scheme"))
    def scheme_name(self, policy: Policy) -> str:
        return scheme_names().get((policy.series, policy.scheme), policy.scheme)

    @display(description=_("today"), label=STATUS_COLORS)
    def today(self, policy: Policy) -> tuple[str, str]:
        status = policy.status_on(timezone.localdate())
        return status.value, str(status.label)
