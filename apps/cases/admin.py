"""Read-only lists of cases, clocks and events. Cases change through their page only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.accounts.actors import actor_of
from apps.accounts.visibility import visible_to
from apps.cases.calculator import calculator
from apps.cases.casepage import who_words
from apps.cases.clocks import spec_of
from apps.cases.kinds import KINDS
from apps.cases.models import CaseEvent, CaseFile, Clock
from apps.cases.pages import Page, add_page
from apps.cases.site import site
from apps.cases.timeleft import due_words, words
from apps.core.excel import LIMIT, excel_response
from apps.core.lists import NumberSearch, ReadOnlyList, known_values
from apps.core.money import format_yuan, to_yuan
from apps.hospitals.models import Hospital
from apps.products.models import HandbookVersion
from apps.products.queries import series_codes

add_page(
    Page("calculator/", calculator, "calculator", _("Working-day calculator"), "calendar_month", order=40)
)


def handbook(request: HttpRequest) -> HttpResponse:
    """The newest handbook this person may read; the others stand at its top."""
    newest = visible_to(HandbookVersion.objects.filter(published=True), actor_of(request))
    row = newest.order_by("-series", "-number").first()
    if row is None:
        return HttpResponseRedirect(reverse("admin:products_handbookversion_changelist"))
    return HttpResponseRedirect(reverse("admin:products_handbook_current", args=[row.series]))


def hospitals(request: HttpRequest) -> HttpResponse:
    """The directory of the apps below, in the sidebar."""
    found: HttpResponse = site._registry[Hospital].directory(request)
    return found


add_page(
    Page(
        "hospitals/hospital/directory/",
        hospitals,
        "hospitals_directory",
        _("Hospital directory"),
        "local_hospital",
        order=50,
    )
)
add_page(Page("handbook/", handbook, "handbook", _("Handbook"), "menu_book", order=60))


class ReadOnlyAdmin(NumberSearch, ReadOnlyList):
    """A list that everybody on staff with a role may read, as far as their scope goes; with Excel."""

    list_fullwidth = True
    actions = ["export_excel"]
    excel: tuple[tuple[Any, str], ...] = ()  # heading, attribute or method of this admin
    visibility_path = ""  # of the case, for models that belong to one

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(actor_of(request).roles)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return visible_to(super().get_queryset(request), actor_of(request))

    @admin.action(description=_("Export to Excel"), permissions=["view"])
    def export_excel(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        columns = [str(heading) for heading, _name in self.excel]
        rows = ([self._value(row, name) for _heading, name in self.excel] for row in queryset[:LIMIT])
        return excel_response(str(self.model._meta.verbose_name_plural), columns, rows)

    def _value(self, row: Any, name: str) -> Any:
        if hasattr(self, name):
            return getattr(self, name)(row)
        value: Any = row
        for part in name.split("__"):
            value = getattr(value, part, "")
        return value() if callable(value) else value


class KindFilter(admin.SimpleListFilter):
    title, parameter_name = _("kind"), "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(kind.code, kind.label) for kind in KINDS.values()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class UrgencyFilter(admin.SimpleListFilter):
    """Of open cases: nobody asks how urgent a closed one was."""

    title, parameter_name = _("priority"), "priority"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", "1"), ("2", "2"), ("3", "3")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(open=True, priority=self.value()) if self.value() else queryset


def series() -> list[tuple[str, str]]:
    return [(code, code) for code in series_codes()]


@admin.register(CaseFile, site=site)
class CaseAdmin(ReadOnlyAdmin):
    list_display = [
        "number_link", "kind_words", "child", "series", "state_words", "amount", "due", "assignee", "opened_at",
    ]  # fmt: skip
    list_display_links = None
    list_filter = [KindFilter, "open", known_values("series", _("series"), series), UrgencyFilter]
    search_fields = ["number__exact", "external_numbers__number__exact", "policy__number__exact"]
    search_help_text = _("Case, external or policy number")
    list_select_related = ["assignee"]
    ordering = ["-opened_at"]
    sortable_by = ["number_link", "opened_at"]  # what has an index over all history
    excel = (
        (_("case number"), "number"), (_("kind"), "kind_words"), (_("child"), "child"), (_("series"), "series"),
        (_("state"), "state_words"), (_("amount"), "yuan"), (_("due"), "due"), (_("assignee"), "assignee"),
        (_("opened at"), "opened_at"), (_("closed at"), "closed_at"),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Children are fetched for the rows of the page, as in `queries.with_row_data`."""
        return super().get_queryset(request).prefetch_related("member")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """A case has one page, and it is not a change form."""
        case = self.get_queryset(request).filter(pk=object_id).first() if object_id.isdigit() else None
        if case is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return HttpResponseRedirect(reverse("admin:case", kwargs={"number": case.number}))

    @admin.display(description=_("case number"), ordering="number")
    def number_link(self, case: CaseFile) -> str:
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:case", kwargs={"number": case.number}), case.number
        )

    @admin.display(description=_("kind"))
    def kind_words(self, case: CaseFile) -> Any:
        return case.get_kind_display()

    @admin.display(description=_("child"))
    def child(self, case: CaseFile) -> str:
        return case.member.masked_name

    @admin.display(description=_("state"))
    def state_words(self, case: CaseFile) -> Any:
        return case.get_state_display()

    @admin.display(description=_("amount"))
    def amount(self, case: CaseFile) -> str:
        return format_yuan(case.amount_fen)

    @admin.display(description=_("due"))
    def due(self, case: CaseFile) -> str:
        return due_words(case.next_due)

    def yuan(self, case: CaseFile) -> Any:
        return to_yuan(case.amount_fen)


class OfCaseAdmin(ReadOnlyAdmin):
    """Rows that hang on a case: seen by whoever sees the case."""

    list_display_links = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super(ReadOnlyAdmin, self).get_queryset(request).prefetch_related("case")
        actor = actor_of(request)
        if actor.may_see_cases and not actor.restricted:
            return rows
        return rows.filter(case__in=visible_to(CaseFile.objects.all(), actor).values("pk"))

    @admin.display(description=_("case"))
    def case_link(self, row: Any) -> str:
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:case", kwargs={"number": row.case.number}), row.case.number
        )


class ClockStateFilter(admin.SimpleListFilter):
    title, parameter_name = _("state"), "state__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        late = [("late", _("overdue"))]
        return [(str(state.value), state.label) for state in (Clock.State.RUNNING, Clock.State.PAUSED)] + late

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "late":
            return queryset.filter(state=Clock.State.RUNNING, due_at__lte=timezone.now())
        return queryset.filter(state=self.value()) if self.value() else queryset


@admin.register(Clock, site=site)
class ClockAdmin(OfCaseAdmin):
    list_display = [
        "case_link",
        "title",
        "spec_id",
        "kind_of_promise",
        "state",
        "started_at",
        "due",
        "kept",
        "calendar",
    ]
    list_filter = [ClockStateFilter, "provisional"]
    search_fields = ["case__number__exact"]
    ordering = ["due_at"]
    sortable_by = ["due"]
    excel = (
        (_("case"), "case__number"), (_("clock"), "title"), (_("rule id"), "spec_id"), (_("statutory"), "statutory"),
        (_("state"), "get_state_display"), (_("started at"), "started_at"), (_("due at"), "due"),
        (_("overdue"), "breached"), (_("ended at"), "stopped_at"),
    )  # fmt: skip

    @admin.display(description=_("clock"))
    def title(self, clock: Clock) -> str:
        """As the handbook of its case calls it."""
        return words(spec_of(clock.case.handbook.handbook, clock).title)

    @admin.display(description=_("kind"))
    def kind_of_promise(self, clock: Clock) -> str:
        return gettext("statutory") if clock.statutory else gettext("contract")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Those that count or wait; what became of the others stands on the page of their case."""
        clocks = super().get_queryset(request).prefetch_related("case__handbook")
        return clocks if request.GET.get("q") else clocks.exclude(state=Clock.State.STOPPED)

    @admin.display(description=_("due"), ordering="due_at")
    def due(self, clock: Clock) -> str:
        return due_words(clock.due_at)

    @display(description=_("overdue"), label={"late": "danger", "": "success"})
    def kept(self, clock: Clock) -> tuple[str, str]:
        if clock.breached:
            return "late", gettext("overdue")
        return ("", gettext("kept")) if clock.state == Clock.State.STOPPED else ("-", "—")

    @admin.display(description=_("calendar"))
    def calendar(self, clock: Clock) -> str:
        return gettext("provisional") if clock.provisional else "—"


def event_names() -> list[tuple[str, Any]]:
    """Events by the words of the actions they come from."""
    names = {act.event or act.name: act.label for kind in KINDS.values() for act in kind.actions.values()}
    return sorted(names.items())


@admin.register(CaseEvent, site=site)
class EventAdmin(OfCaseAdmin):
    list_display = ["at", "case_link", "action_words", "from_words", "to_words", "who", "reason"]
    list_filter = [known_values("name", _("event"), event_names)]
    search_fields = ["case__number__exact"]
    ordering = ["-id"]
    sortable_by = ()
    excel = (
        (_("at"), "at"), (_("case"), "case__number"), (_("action"), "action_words"),
        (_("from"), "from_words"), (_("to"), "to_words"), (_("who"), "who"), (_("reason"), "reason"),
    )  # fmt: skip

    @admin.display(description=_("action"))
    def action_words(self, event: CaseEvent) -> Any:
        act = KINDS[event.case.kind].actions.get(event.action)
        return act.label if act else (gettext("Opened") if event.action == "open" else event.action)

    @admin.display(description=_("from"))
    def from_words(self, event: CaseEvent) -> Any:
        return KINDS[event.case.kind].states.get(event.from_state, event.from_state) or "—"

    @admin.display(description=_("to"))
    def to_words(self, event: CaseEvent) -> Any:
        return KINDS[event.case.kind].states.get(event.to_state, event.to_state)

    @admin.display(description=_("who"))
    def who(self, event: CaseEvent) -> str:
        return who_words(event.actor_label)

    def get_ordering(self, request: HttpRequest) -> Sequence[str]:
        """Of one name by time, as the index of events has them."""
        return ["-at"] if "name__exact" in request.GET else ["-id"]
