"""Pages and lists of appointments in the admin."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.decorators import display

from apps.accounts.actors import Actor, actor_of
from apps.accounts.visibility import visible_to
from apps.appointments import views
from apps.appointments.models import Appointment, HospitalBan
from apps.appointments.roles import COUNTER, DESK, MACHINES, MANAGERS, READERS
from apps.appointments.workflow import STATES
from apps.cases.admin import ReadOnlyAdmin, series
from apps.cases.pages import Page, add_page
from apps.cases.site import site
from apps.core.lists import known_values
from apps.hospitals.actions import NETWORK_MANAGERS
from apps.hospitals.models import Hospital
from apps.hospitals.queries import search as search_hospitals
from apps.members.brands import ASKERS, REVIEWERS
from apps.members.brands import MANAGERS as BRAND_MANAGERS
from apps.members.models import Member
from apps.members.network import Place, Wish
from apps.members.pages import FOLLOWS
from apps.members.queries import search as search_members
from apps.members.queries import visible_members

PEOPLE = READERS - MACHINES
BRANDS = ASKERS | REVIEWERS | BRAND_MANAGERS | NETWORK_MANAGERS

add_page(Page("appointments/new/", views.new_request, "appointment-request", _("Request an appointment"),
              "event_available", DESK, "desk", 15))  # fmt: skip
add_page(Page("appointments/check/", views.check, "appointment-check", roles=DESK))
add_page(Page("appointments/campuses/", views.campuses, "appointment-campuses", roles=DESK))
add_page(Page("appointments/today/", views.today, "appointments-today", _("Arrivals"), "today",
              PEOPLE | (COUNTER - MACHINES), "work", 55))  # fmt: skip
add_page(Page("appointments/missed/", views.missed_visits, "appointments-missed", _("Missed visits"), "event_busy",
              MANAGERS, "manage", 60))  # fmt: skip
add_page(Page("appointments/brands/", views.brands, "appointments-brands", _("Clinic brands"), "storefront",
              BRANDS, "desk", 60))  # fmt: skip


def _book_there(actor: Actor, member: Member, wish: Wish, place: Place) -> tuple[Any, str] | None:
    """From the look-up to the request, filled in as far as is known."""
    if not place.direct or not actor.roles & DESK or wish.on < timezone.localdate():
        return None
    asked = {"member": member.number, "hospital": place.hospital.code, "visit_on": wish.on.isoformat(),
             "benefit": "" if wish.benefit == "EMERGENCY" else wish.benefit, "department_group": wish.department_group}  # fmt: skip
    asked["visit_type"] = "INPATIENT" if wish.benefit == "INPATIENT" else "OUTPATIENT"
    given = urlencode({name: value for name, value in asked.items() if value})
    return pgettext_lazy("look-up", "Request there"), f"{reverse('admin:appointment-request')}?{given}"


FOLLOWS.append(_book_there)
COLORS = {
    "CONFIRMED": "success", "CHECKED_IN": "success", "COMPLETED": "success", "REQUESTED": "info",
    "ARRANGING": "info", "SUSPENDED": "warning", "CANCELLED_LATE": "warning", "NO_SHOW": "danger",
    "REJECTED": "danger", "UNAVAILABLE": "warning", "CANCELLED_ON_TIME": "info", "CANCELLED_SYSTEM": "warning",
}  # fmt: skip


class StateFilter(admin.SimpleListFilter):
    title, parameter_name = _("state"), "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(STATES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(case__state=self.value()) if self.value() else queryset


class SeriesFilter(admin.SimpleListFilter):
    title, parameter_name = _("series"), "series"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return series()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(case__series=self.value()) if self.value() else queryset


@admin.register(Appointment, site=site)
class AppointmentAdmin(ReadOnlyAdmin):
    list_display = [
        "number", "visit_on", "time", "child", "hospital", "department", "benefit_words", "state", "lead_words",
        "series",
    ]  # fmt: skip
    list_display_links = None
    list_filter = [
        ("visit_on", RangeDateFilter),
        StateFilter,
        SeriesFilter,
        known_values("lead", _("lead time"), lambda: [one for one in Appointment.Lead.choices if one[0]]),
        "flagged",
    ]
    list_filter_submit = True
    list_select_related = ["case__member", "case__hospital"]
    search_help_text = _("Case number, number at the hospital, hospital, or the child by name or number")
    search_fields = ["case__number"]
    ordering = ["-visit_on", "-case"]
    sortable_by = ["visit_on"]
    excel = (
        (_("case"), "case__number"), (_("visit day"), "visit_on"), (_("time"), "time"), (_("child"), "child"),
        (_("member number"), "case__member__number"), (_("hospital"), "hospital"), (_("department"), "department"),
        (_("benefit"), "benefit_words"), (_("state"), "state_words"), (_("lead time"), "get_lead_display"),
        (_("to be asked until"), "latest_on"), (_("channel"), "channel_words"), (_("series"), "series"),
        (_("number at the hospital"), "reference"),
    )  # fmt: skip

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        found = Q(case__number=term.upper()) | Q(reference=term)
        found |= Q(case__hospital__in=Hospital.objects.filter(search_hospitals(term)).values("pk"))
        child = search_members(term)
        if child is not None:
            found |= Q(case__member__in=visible_members(actor_of(request)).filter(child).values("pk"))
        return queryset.filter(found), False

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        row = self.get_queryset(request).filter(pk=object_id).first() if object_id.isdigit() else None
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return HttpResponseRedirect(reverse("admin:case", kwargs={"number": row.case.number}))

    @admin.display(description=_("case number"))
    def number(self, row: Appointment) -> str:
        address = reverse("admin:case", kwargs={"number": row.case.number})
        return format_html('<a href="{}">{}</a>', address, row.case.number)

    @admin.display(description=_("time"))
    def time(self, row: Appointment) -> str:
        return f"{row.visit_time:%H:%M}" if row.visit_time else ""

    @admin.display(description=_("child"))
    def child(self, row: Appointment) -> str:
        return row.case.member.masked_name

    @admin.display(description=_("hospital"))
    def hospital(self, row: Appointment) -> str:
        return str(row.case.hospital)

    @admin.display(description=_("benefit"))
    def benefit_words(self, row: Appointment) -> Any:
        from apps.cases.forms import CODE_WORDS

        return CODE_WORDS.get(row.benefit, row.benefit)

    def channel_words(self, row: Appointment) -> Any:
        from apps.cases.forms import CODE_WORDS

        return CODE_WORDS.get(row.channel, row.channel)

    @display(description=_("state"), label=COLORS)  # type: ignore[untyped-decorator]
    def state(self, row: Appointment) -> tuple[str, str]:
        return row.case.state, str(row.case.get_state_display())

    def state_words(self, row: Appointment) -> str:
        return str(row.case.get_state_display())

    @display(description=_("lead time"), label={"LATE": "danger", "ON_TIME": "success"})  # type: ignore[untyped-decorator]
    def lead_words(self, row: Appointment) -> tuple[str, str]:
        return row.lead, str(row.get_lead_display())

    @admin.display(description=_("series"))
    def series(self, row: Appointment) -> str:
        return row.case.series


@admin.register(HospitalBan, site=site)
class HospitalBanAdmin(ReadOnlyAdmin):
    """Children a hospital takes no more; lifted on the page of missed visits."""

    list_display = [
        "since",
        "child",
        "hospital",
        "source",
        "rule",
        "reason",
        "recorded_by",
        "lifted_at",
        "lifted_because",
    ]
    list_display_links = None
    list_filter = [
        known_values("source", _("source"), lambda: HospitalBan.Source.choices),
        ("since", RangeDateFilter),
    ]
    list_filter_submit = True
    list_select_related = ["member", "hospital"]
    search_fields = ["member__number__exact", "hospital__code__exact"]
    ordering = ["-id"]
    sortable_by = ["since"]
    excel = (
        (_("since"), "since"), (_("child"), "child"), (_("member number"), "member__number"), (_("hospital"), "hospital"),
        (_("source"), "get_source_display"), (_("rule"), "rule"), (_("reason"), "reason"),
        (_("recorded by"), "recorded_by"), (_("lifted at"), "lifted_at"), (_("lifted because"), "lifted_because"),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return visible_to(HospitalBan.objects.select_related("member", "hospital"), actor_of(request))

    @admin.display(description=_("child"))
    def child(self, ban: HospitalBan) -> str:
        return ban.member.masked_name
