"""Recoveries in the admin: the desk, and refunds as a list."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import actor_of
from apps.accounts.visibility import visible_to
from apps.cases.admin import ReadOnlyAdmin
from apps.cases.pages import Page, add_page, add_search
from apps.cases.site import APP_TITLES, site
from apps.core.money import format_yuan, to_yuan
from apps.recoveries import views
from apps.recoveries.models import Refund
from apps.recoveries.roles import READERS

APP_TITLES.setdefault("recoveries", _("Recovery"))
add_page(
    Page("recoveries/", views.desk, "recoveries", _("Recoveries"), "assignment_return", READERS, "desk", 65)
)


def by_reference(text: str) -> list[int]:
    """A bank reference finds its recovery."""
    found = Refund.objects.filter(bank_reference=text.strip(), undone_at__isnull=True)
    return list(found.values_list("recovery", flat=True)[:5])


add_search(by_reference)


@admin.register(Refund, site=site)
class RefundAdmin(ReadOnlyAdmin):
    list_display = [
        "received_on",
        "case_link",
        "amount",
        "bank_reference",
        "payer",
        "recorded_by",
        "standing",
    ]
    list_display_links = None
    list_filter = [("received_on", admin.DateFieldListFilter)]
    search_fields = ["bank_reference__exact", "recovery__case__number__exact"]
    search_help_text = _("Bank reference or case number")
    list_select_related = ["recovery__case", "recorded_by"]
    ordering = ["-id"]
    sortable_by = ()
    excel = (
        (_("received on"), "received_on"), (_("case"), "recovery__case__number"), (_("amount"), "yuan"),
        (_("bank reference"), "bank_reference"), (_("payer"), "payer"), (_("recorded by"), "recorded_by"),
        (_("recorded at"), "recorded_at"), (_("state"), "standing"), (_("why undone"), "undone_why"),
    )  # fmt: skip

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(READERS & actor_of(request).roles)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Refund]:
        rows = Refund.objects.select_related("recovery__case", "recorded_by")
        return visible_to(rows, actor_of(request))

    @admin.display(description=_("case"))
    def case_link(self, row: Refund) -> str:
        number = row.recovery.case.number
        return format_html('<a href="{}">{}</a>', reverse("admin:case", args=[number]), number)

    @admin.display(description=_("amount"))
    def amount(self, row: Refund) -> str:
        return format_yuan(row.amount_fen)

    @admin.display(description=_("state"))
    def standing(self, row: Refund) -> Any:
        return _("undone") if row.undone_at else _("recorded")

    def yuan(self, row: Refund) -> Any:
        return to_yuan(row.amount_fen)
