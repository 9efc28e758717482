"""Pages of settlements in the sidebar, and the lists: statements, differences, terms of payment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.accounts.actors import actor_of
from apps.accounts.visibility import visible_to
from apps.cases.models import CaseFile
from apps.cases.pages import Entry, Page, add_page, add_timeline
from apps.cases.site import APP_TITLES, site
from apps.core.lists import Exportable, ListResource, ReadOnlyList, known_values
from apps.core.money import format_yuan
from apps.products.queries import series_codes
from apps.settlements import views
from apps.settlements.access import READERS
from apps.settlements.claims import KIND
from apps.settlements.models import OPEN_STATES, Difference, PaymentTerms, Statement
from apps.settlements.queries import settlements_of
from apps.settlements.terms import words

APP_TITLES.setdefault("settlements", _("Payment of hospitals"))
add_page(
    Page(
        "hospital-statements/", views.overview, "settlements", _("Payment of hospitals"), "account_balance_wallet",
        READERS, "desk", 55,
    )
)  # fmt: skip
add_page(Page("hospital-statements/<str:number>/", views.statement, "settlement", roles=READERS))
add_page(
    Page(
        "hospital-statements/<str:number>/<str:kind>/", views.statement_file, "settlement-file", roles=READERS
    )
)
add_page(Page("hospital-terms/<str:code>/", views.hospital, "settlement-hospital", roles=READERS))


def of_claim(case: CaseFile) -> Iterator[Entry]:
    """The statements of a claim, on its timeline."""
    if case.kind != KIND:
        return
    for line in settlements_of(case):
        statement = line.statement
        yield Entry(
            at=statement.paid_at or statement.checked_at or statement.made_at,
            title=statement.number,
            kind="payment",
            icon="account_balance_wallet",
            text=format_yuan(line.amount_fen),
            state=statement.get_state_display()
            if line.living
            else line.dropped or statement.get_state_display(),
            link=reverse("admin:settlement", args=[statement.number]),
        )


add_timeline(of_claim)
SeriesFilter = known_values("series", _("series"), lambda: [(code, code) for code in series_codes()])


class SettlementList(Exportable, ReadOnlyList):
    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        actor = actor_of(request)
        return bool(READERS & actor.roles) and not (actor.hospital or actor.provider or actor.member)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return visible_to(super().get_queryset(request), actor_of(request))


class DueFilter(admin.SimpleListFilter):
    title, parameter_name = _("to be paid by"), "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("late", _("overdue")), ("open", _("not paid yet"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in ("late", "open"):
            queryset = queryset.filter(state__in=OPEN_STATES)
        return queryset.filter(due_on__lt=timezone.localdate()) if self.value() == "late" else queryset


class StatementResource(ListResource):
    class Meta:
        model = Statement
        fields = [
            "number", "hospital__code", "hospital__name", "series", "tpa", "until", "state", "claims", "billed_fen",
            "total_fen", "due_on", "made_at", "checked_at", "order__number", "paid_at",
        ]  # fmt: skip


@admin.register(Statement, site=site)
class StatementAdmin(SettlementList):
    resource_classes = [StatementResource]
    list_display = [
        "page", "hospital_name", "series", "state", "count", "billed", "total", "until", "due_on", "order_number", "made_at",
    ]  # fmt: skip
    list_display_links = None
    list_filter = ["state", SeriesFilter, DueFilter, ("made_at", admin.DateFieldListFilter)]
    search_fields = [
        "number__exact", "order__number__exact", "hospital__code__exact", "hospital__name", "lines__case__number__exact",
    ]  # fmt: skip
    search_help_text = _("Statement, payment order, case, or the hospital's name or code")
    list_select_related = ["hospital", "order"]
    sortable_by = ["page", "due_on", "total", "made_at"]
    ordering = ["-made_at"]

    @admin.display(description=_("number"), ordering="number")
    def page(self, row: Statement) -> str:
        return format_html('<a href="{}">{}</a>', reverse("admin:settlement", args=[row.number]), row.number)

    @admin.display(description=_("hospital"))
    def hospital_name(self, row: Statement) -> str:
        return row.hospital.name

    @admin.display(description=pgettext_lazy("statement", "Claims"))
    def count(self, row: Statement) -> int:
        return row.claims

    @admin.display(description=_("billed"))
    def billed(self, row: Statement) -> str:
        return format_yuan(row.billed_fen)

    @admin.display(description=pgettext_lazy("statement", "to be paid"), ordering="total_fen")
    def total(self, row: Statement) -> str:
        return format_yuan(row.total_fen)

    @admin.display(description=_("payment order"))
    def order_number(self, row: Statement) -> str:
        return row.order.number if row.order else "—"


class OpenFilter(admin.SimpleListFilter):
    """The list is a work list: what is open, unless asked otherwise."""

    title, parameter_name = _("outcome"), "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("all", _("all")),
            *((code, label) for code, label in Difference.Outcome.choices if code != "OPEN"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value() or Difference.Outcome.OPEN
        return queryset if chosen == "all" else queryset.filter(outcome=chosen)

    def choices(self, changelist: Any) -> Any:
        found = iter(super().choices(changelist))
        yield {**next(found), "display": pgettext_lazy("difference", "open")}
        yield from found


class DifferenceResource(ListResource):
    class Meta:
        model = Difference
        fields = [
            "hospital_list__statement__number", "hospital_list__statement__hospital__name", "kind", "about", "ours_fen", "theirs_fen", "ours",
            "theirs", "outcome", "reason", "resolved_at",
        ]  # fmt: skip


@admin.register(Difference, site=site)
class DifferenceAdmin(SettlementList):
    resource_classes = [DifferenceResource]
    list_display = [
        "statement", "hospital_name", "kind", "about", "ours_yuan", "theirs_yuan", "theirs", "outcome", "reason", "age",
    ]  # fmt: skip
    list_display_links = None
    list_filter = ["kind", OpenFilter]
    search_fields = ["about__exact", "case__number__exact", "hospital_list__statement__number__exact"]
    search_help_text = _("Statement, case, or the number in the hospital's list")
    list_select_related = ["hospital_list__statement__hospital", "case"]
    sortable_by = ["statement"]
    ordering = ["pk"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(hospital_list__superseded=False)

    @admin.display(description=_("statement"), ordering="hospital_list__statement__number")
    def statement(self, row: Difference) -> str:
        number = row.hospital_list.statement.number
        address = reverse("admin:settlement", args=[number])
        return format_html('<a href="{}#d{}">{}</a>', address, row.pk, number)

    @admin.display(description=_("hospital"))
    def hospital_name(self, row: Difference) -> str:
        return row.hospital_list.statement.hospital.name

    @admin.display(description=_("ours"))
    def ours_yuan(self, row: Difference) -> str:
        return format_yuan(row.ours_fen)

    @admin.display(description=_("the hospital's"))
    def theirs_yuan(self, row: Difference) -> str:
        return format_yuan(row.theirs_fen)

    @admin.display(description=_("days"))
    def age(self, row: Difference) -> int:
        return (timezone.now() - row.hospital_list.read_at).days


class TermsResource(ListResource):
    class Meta:
        model = PaymentTerms
        fields = [
            "hospital__code", "hospital__name", "series", "tpa", "kind", "days", "unit", "cutoff_day", "contract",
            "starts_on", "ends_on", "state", "reason",
        ]  # fmt: skip


@admin.register(PaymentTerms, site=site)
class PaymentTermsAdmin(SettlementList):
    resource_classes = [TermsResource]
    list_display = [
        "hospital_page", "series", "in_words", "contract", "starts_on", "ends_on", "state", "proposed_by", "confirmed_by",
    ]  # fmt: skip
    list_display_links = None
    list_filter = ["state", "kind", SeriesFilter]
    search_fields = ["hospital__code__exact", "hospital__name", "contract"]
    search_help_text = _("The hospital's name or code, or the contract")
    list_select_related = ["hospital", "proposed_by", "confirmed_by"]
    sortable_by = ["starts_on"]
    ordering = ["-starts_on"]

    @admin.display(description=_("hospital"), ordering="hospital__name")
    def hospital_page(self, row: PaymentTerms) -> str:
        address = reverse("admin:settlement-hospital", args=[row.hospital.code])
        return format_html('<a href="{}">{}</a>', address, row.hospital.name)

    @admin.display(description=_("payment terms"))
    def in_words(self, row: PaymentTerms) -> str:
        return words(row)
