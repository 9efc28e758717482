"""Bills in the admin: lists of bills, reminders, payments and what a gateway said; pages beside them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.accounts.actors import actor_of
from apps.accounts.visibility import visible_to
from apps.billing import views
from apps.billing.models import (
    BillPayment,
    BillReminder,
    Channel,
    GatewayNotice,
    OnlinePayment,
    SelfPayBill,
)
from apps.billing.queries import AGES, cases_by_number
from apps.billing.roles import CALLERS, CLERKS, FINANCE, READERS
from apps.billing.workflow import STATES
from apps.cases.admin import ReadOnlyAdmin
from apps.cases.casepage import who_words
from apps.cases.models import CaseFile
from apps.cases.pages import Page, add_page, add_search
from apps.cases.site import site
from apps.core.lists import known_values
from apps.core.money import format_yuan, to_yuan
from apps.products.queries import series_codes

MONEY = FINANCE | frozenset({"manager", "auditor", "supervisor", "collections", "tpa_manager"})

add_page(Page("bills/calls/", views.calls, "bill-calls", _("Calls about bills"), "call", CALLERS, "work", 70))
add_page(Page("bills/calls/<str:number>/", views.call_made, "bill-call-made", roles=CALLERS))
add_page(
    Page(
        "bills/new/",
        views.new_bill,
        "bill-new",
        _("Record an unpaid bill"),
        "receipt_long",
        CLERKS,
        "desk",
        60,
    )
)
add_page(
    Page(
        "bills/open/",
        views.ages,
        "bill-ages",
        _("Open self-pay bills"),
        "hourglass_bottom",
        READERS,
        "manage",
        80,
    )
)
add_page(Page("bills/online/", views.day_of_payments, "bill-online", _("Electronic payments of a day"), "contactless",
              MONEY, "manage", 85))  # fmt: skip
add_page(Page("bills/online/settle/", views.settle_difference, "bill-online-settle", roles=MONEY))
add_search(cases_by_number)


class SeriesFilter(admin.SimpleListFilter):
    title, parameter_name = _("series"), "series"
    path = "case__series"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(code, code) for code in series_codes()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.path: self.value()}) if self.value() else queryset


class StateFilter(admin.SimpleListFilter):
    title, parameter_name = _("state"), "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(STATES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        found = CaseFile.objects.filter(
            kind="bill", state=self.value(), open=self.value() not in ("PAID", "CANCELLED")
        )
        return queryset.filter(case__in=found.values("pk"))


class AgeFilter(admin.SimpleListFilter):
    """Of open bills, by days since they were made."""

    title, parameter_name = _("age of open bills"), "age"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        ends = [*(day - 1 for day in AGES[1:]), None]
        words = [
            f"{first}–{last}" if last is not None else f"≥ {first}"
            for first, last in zip(AGES, ends, strict=True)
        ]
        return [
            (str(first), _("%(days)s days") % {"days": text}) for first, text in zip(AGES, words, strict=True)
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in {str(first) for first in AGES}:
            return queryset
        first = int(self.value() or 0)
        midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        found = queryset.filter(live=True, case__opened_at__lt=midnight - timedelta(days=first))
        after = AGES[AGES.index(first) + 1 :]
        if after:
            found = found.filter(case__opened_at__gte=midnight - timedelta(days=after[0]))
        return found


class BillList(ReadOnlyAdmin):
    """Rows lead to the page of their case."""

    case_path = "case"
    list_display_links = None

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(actor_of(request).roles & READERS)

    def case_of(self, row: Any) -> CaseFile:
        for part in self.case_path.split("__"):
            row = getattr(row, part)
        found: CaseFile = row
        return found

    @admin.display(description=pgettext_lazy("self-pay", "bill"))
    def bill_link(self, row: Any) -> str:
        number = self.case_of(row).number
        return format_html('<a href="{}">{}</a>', reverse("admin:case", args=[number]), number)

    def number(self, row: Any) -> str:
        return self.case_of(row).number

    @admin.display(description=_("child"))
    def child(self, row: Any) -> str:
        return self.case_of(row).member.masked_name

    @admin.display(description=_("series"))
    def series(self, row: Any) -> str:
        return self.case_of(row).series

    @admin.display(description=_("amount"))
    def amount(self, row: Any) -> str:
        return format_yuan(row.amount_fen)

    def amount_yuan(self, row: Any) -> Any:
        return to_yuan(row.amount_fen)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """A row has no page of its own."""
        row = self.get_queryset(request).filter(pk=object_id).first() if object_id.isdigit() else None
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return HttpResponseRedirect(reverse("admin:case", args=[self.case_of(row).number]))


@admin.register(SelfPayBill, site=site)
class SelfPayBillAdmin(BillList):
    list_display = [
        "bill_link", "child", "series", "hospital", "visited_on", "state_words", "total", "paid", "open_amount",
        "reminders", "opened_at",
    ]  # fmt: skip
    list_filter = [
        StateFilter,
        SeriesFilter,
        AgeFilter,
        known_values("source", _("source"), lambda: list(SelfPayBill.Source.choices)),
        ("visited_on", admin.DateFieldListFilter),
    ]
    list_select_related = ["case__member", "hospital"]
    search_fields = [
        "case__number__exact",
        "reference__exact",
        "claim__number__exact",
        "case__policy__number__exact",
    ]
    search_help_text = _("Bill, claim, policy number, or the hospital's bill number")
    ordering = ["-case"]
    sortable_by = ["bill_link", "open_amount", "visited_on"]
    excel = (
        (pgettext_lazy("self-pay", "bill"), "number"), (_("child"), "child"), (_("series"), "series"), (_("hospital"), "hospital__name"),
        (_("visit date"), "visited_on"), (_("state"), "state_words"), (_("source"), "get_source_display"),
        (_("hospital's bill number"), "reference"), (_("amount"), "total_yuan"), (pgettext_lazy("self-pay", "paid"), "paid_yuan"),
        (pgettext_lazy("self-pay", "open"), "open_yuan"), (_("reminders that count"), "reminders"), (_("card greyed for it since"), "exhausted_at"),
        (_("opened at"), "opened_at"), (_("settled at"), "settled_at"),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(open_=F("total_fen") - F("paid_fen"))

    @admin.display(description=_("state"))
    def state_words(self, bill: SelfPayBill) -> Any:
        return bill.case.get_state_display()

    @admin.display(description=_("amount"), ordering="total_fen")
    def total(self, bill: SelfPayBill) -> str:
        return format_yuan(bill.total_fen)

    @admin.display(description=pgettext_lazy("self-pay", "paid"))
    def paid(self, bill: SelfPayBill) -> str:
        return format_yuan(bill.paid_fen)

    @admin.display(description=pgettext_lazy("self-pay", "open"), ordering="open_")
    def open_amount(self, bill: SelfPayBill) -> str:
        return format_yuan(bill.open_fen)

    @admin.display(description=_("opened at"), ordering="case__opened_at")
    def opened_at(self, bill: SelfPayBill) -> Any:
        return bill.case.opened_at

    def total_yuan(self, bill: SelfPayBill) -> Any:
        return to_yuan(bill.total_fen)

    def paid_yuan(self, bill: SelfPayBill) -> Any:
        return to_yuan(bill.paid_fen)

    def open_yuan(self, bill: SelfPayBill) -> Any:
        return to_yuan(bill.open_fen)


class OfBill(BillList):
    case_path = "bill__case"
    list_select_related = ["bill__case__member"]
    search_fields = ["bill__case__number__exact"]
    search_help_text = _("Number of the bill")


class BillSeries(SeriesFilter):
    path = "bill__case__series"


@admin.register(BillReminder, site=site)
class BillReminderAdmin(OfBill):
    list_display = [
        "made_at", "bill_link", "child", "channel", "result", "counted_as", "result_at", "operator_label", "why_not",
    ]  # fmt: skip
    list_filter = [
        known_values("channel", _("channel"), lambda: list(Channel.choices)),
        known_values("result", _("result"), lambda: list(BillReminder.Result.choices)),
        BillSeries,
        ("made_at", admin.DateFieldListFilter),
    ]
    ordering = ["-made_at"]
    sortable_by = ["made_at"]
    excel = (
        (_("at"), "made_at"), (pgettext_lazy("self-pay", "bill"), "number_of_bill"), (_("child"), "child"), (_("attempt"), "attempt"),
        (_("reminder no."), "counted_as"), (_("channel"), "get_channel_display"), (_("result"), "get_result_display"),
        (_("result at"), "result_at"), (_("operator"), "operator_label"), (_("why it does not count"), "why_not"),
        (_("note"), "note"),
    )  # fmt: skip

    def number_of_bill(self, row: BillReminder) -> str:
        return row.bill.case.number

    def attempt(self, row: BillReminder) -> int:
        return row.number


@admin.register(BillPayment, site=site)
class BillPaymentAdmin(OfBill):
    list_display = [
        "at",
        "bill_link",
        "child",
        "kind",
        "way",
        "amount",
        "reference",
        "paid_on",
        "who",
    ]
    list_filter = [
        known_values("kind", _("kind"), lambda: list(BillPayment.Kind.choices)),
        known_values("way", _("way"), lambda: list(BillPayment.Way.choices)),
        BillSeries,
        ("paid_on", admin.DateFieldListFilter),
    ]
    search_fields = ["bill__case__number__exact", "reference__exact"]
    search_help_text = _("Number of the bill or the receipt")
    ordering = ["-pk"]
    sortable_by: list[str] = []
    excel = (
        (_("at"), "at"), (pgettext_lazy("self-pay", "bill"), "number"), (_("child"), "child"), (_("kind"), "get_kind_display"),
        (_("way"), "get_way_display"), (_("amount"), "amount_yuan"), (_("receipt number"), "reference"),
        (pgettext_lazy("day of a payment", "paid on"), "paid_on"), (_("who"), "who"), (_("note"), "note"),
    )  # fmt: skip

    @admin.display(description=_("who"))
    def who(self, row: BillPayment) -> str:
        return who_words(row.actor_label)


@admin.register(OnlinePayment, site=site)
class OnlinePaymentAdmin(OfBill):
    list_display = [
        "payment_number", "bill_link", "child", "amount", "state", "refunded", "started_at", "paid_at", "flag",
    ]  # fmt: skip
    list_filter = [
        known_values("state", _("state"), lambda: list(OnlinePayment.State.choices)),
        ("started_at", admin.DateFieldListFilter),
    ]
    search_fields = ["number__exact", "reference__exact", "bill__case__number__exact"]
    search_help_text = _("Number of the payment, of the gateway or of the bill")
    ordering = ["-started_at"]
    sortable_by = ["started_at"]
    excel = (
        (_("number"), "payment_number"), (pgettext_lazy("self-pay", "bill"), "number"), (_("child"), "child"), (_("amount"), "amount_yuan"),
        (_("state"), "get_state_display"), (_("refunded"), "refunded_yuan"), (_("started at"), "started_at"),
        (_("paid at"), "paid_at"), (_("gateway's number"), "reference"), (_("to be looked at"), "flag"),
    )  # fmt: skip

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(actor_of(request).roles & MONEY)

    @admin.display(description=_("number"), ordering="number")
    def payment_number(self, row: OnlinePayment) -> str:
        return row.number

    @admin.display(description=_("refunded"))
    def refunded(self, row: OnlinePayment) -> str:
        return format_yuan(row.refunded_fen)

    def refunded_yuan(self, row: OnlinePayment) -> Any:
        return to_yuan(row.refunded_fen)


@admin.register(GatewayNotice, site=site)
class GatewayNoticeAdmin(ReadOnlyAdmin):
    """What the gateway said, in the order of arrival, also what nobody asked for."""

    list_display = ["at", "gateway", "number", "kind", "amount", "said_at", "outcome", "event"]
    list_display_links = None
    list_filter = [
        known_values("outcome", _("outcome"), lambda: list(GatewayNotice.Outcome.choices)),
        ("at", admin.DateFieldListFilter),
    ]
    search_fields = ["number__exact", "event__exact"]
    search_help_text = _("Number of the payment or of the notice")
    ordering = ["-at"]
    sortable_by = ["at"]
    excel = (
        (_("at"), "at"), (_("gateway"), "gateway"), (_("payment"), "number"), (_("kind"), "kind"),
        (_("amount"), "amount_yuan"), (_("happened at"), "said_at"), (_("outcome"), "get_outcome_display"),
        (_("event"), "event"),
    )  # fmt: skip

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(actor_of(request).roles & MONEY)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Notices of payments one may see; of unknown payments for whoever is not restricted."""
        rows = super(ReadOnlyAdmin, self).get_queryset(request)
        actor = actor_of(request)
        return visible_to(rows, actor) if actor.restricted else rows

    @admin.display(description=_("amount"))
    def amount(self, row: GatewayNotice) -> str:
        return format_yuan(row.amount_fen)

    def amount_yuan(self, row: GatewayNotice) -> Any:
        return to_yuan(row.amount_fen)
