"""Pages of finance in the sidebar, and the journal of reserves as a list."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import actor_of
from apps.accounts.visibility import visible_to
from apps.cases.admin import OfCaseAdmin
from apps.cases.casepage import who_words
from apps.cases.pages import Page, add_page
from apps.cases.site import APP_TITLES, site
from apps.core.money import format_yuan, to_yuan
from apps.finance import views
from apps.finance.access import (
    READERS,
    RETURN_DESK,
    STATEMENT_DESK,
    VOUCHER_MAKERS,
    VOUCHER_RELEASERS,
    may_read_books,
)
from apps.finance.models import Movement
from apps.finance.words import group_words, month_words

APP_TITLES.setdefault("finance", _("Finance"))
BOOKKEEPERS = READERS | VOUCHER_MAKERS | VOUCHER_RELEASERS

add_page(
    Page(
        "finance/returns/",
        views.bank_returns,
        "finance-returns",
        _("Bank returns"),
        "undo",
        RETURN_DESK,
        "desk",
        60,
    )
)
add_page(
    Page(
        "finance/statements/", views.member_statements, "finance-statements", _("Member statements"), "receipt_long",
        STATEMENT_DESK, "desk", 80,
    )
)  # fmt: skip
add_page(
    Page(
        "finance/statements/<str:number>/<str:kind>/", views.statement_file, "finance-statement-file",
        roles=STATEMENT_DESK,
    )
)  # fmt: skip
add_page(
    Page(
        "finance/vouchers/",
        views.voucher_batches,
        "finance-vouchers",
        _("Vouchers"),
        "menu_book",
        BOOKKEEPERS,
        "desk",
        70,
    )
)
add_page(
    Page("finance/vouchers/<str:number>/", views.voucher_batch, "finance-voucher-batch", roles=BOOKKEEPERS)
)
add_page(
    Page(
        "finance/vouchers/<str:number>/<str:kind>/",
        views.voucher_file,
        "finance-voucher-file",
        roles=BOOKKEEPERS,
    )
)
add_page(Page("finance/voucher/<int:pk>/", views.voucher, "finance-voucher", roles=BOOKKEEPERS))
add_page(
    Page(
        "finance/month/",
        views.month,
        "finance-month",
        _("Outstanding claims"),
        "account_balance",
        READERS,
        "manage",
        20,
    )
)
add_page(Page("finance/month/cases/", views.month_cases, "finance-cases", roles=READERS))
add_page(Page("finance/month/file/", views.month_file, "finance-month-file", roles=READERS))


@admin.register(Movement, site=site)
class MovementAdmin(OfCaseAdmin):
    """The journal; the insurer's own people only."""

    list_display = [
        "at",
        "case_link",
        "kind",
        "basis",
        "rule",
        "benefit_words",
        "visit_year",
        "change",
        "outstanding",
        "month_words",
        "author",
    ]
    list_filter = ["kind", "basis", "series"]
    search_fields = ["case__number__exact", "payment__exact"]
    ordering = ["-id"]
    excel = (
        (_("at"), "at"), (_("case"), "case__number"), (_("series"), "series"), (_("kind"), "get_kind_display"),
        (_("basis"), "get_basis_display"), (_("estimation rule"), "rule"), (_("benefit"), "benefit_words"),
        (_("year of visit"), "visit_year"), (_("change of reserve"), "change_yuan"), (_("outstanding"), "outstanding_yuan"),
        (_("paid"), "paid_yuan"), (_("accounting month"), "month_words"), (_("reason"), "reason"), (_("who"), "author"),
    )  # fmt: skip

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_read_books(actor_of(request))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Movement]:
        return visible_to(Movement.objects.select_related("case"), actor_of(request))

    @admin.display(description=_("change of reserve"), ordering="reserve_fen")
    def change(self, row: Movement) -> str:
        return format_yuan(row.reserve_fen)

    @admin.display(description=_("benefit"), ordering="benefit")
    def benefit_words(self, row: Movement) -> str:
        return group_words("benefit", row.benefit)

    @admin.display(description=_("accounting month"), ordering="month")
    def month_words(self, row: Movement) -> str:
        return month_words(row.month)

    @admin.display(description=_("who"))
    def author(self, row: Movement) -> str:
        return who_words(row.who)

    @admin.display(description=_("outstanding"))
    def outstanding(self, row: Movement) -> str:
        return format_yuan(row.after_fen)

    def change_yuan(self, row: Movement) -> Any:
        return to_yuan(row.reserve_fen)

    def outstanding_yuan(self, row: Movement) -> Any:
        return to_yuan(row.after_fen)

    def paid_yuan(self, row: Movement) -> Any:
        return to_yuan(row.paid_fen)
