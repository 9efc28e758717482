"""Direct billing on the screens: its pages, the list of claims with its filters, and the list of payments."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.cases.admin import OfCaseAdmin, ReadOnlyAdmin
from apps.cases.pages import Page, add_page, add_waiting_states
from apps.cases.site import site
from apps.core.money import format_yuan, to_yuan
from apps.direct import views
from apps.direct.models import DirectClaim, Flag, HospitalPayment
from apps.direct.roles import DESK
from apps.direct.workflow import STATES

add_page(
    Page(
        "direct/new/",
        views.submit,
        "direct-submit",
        _("Bill of a hospital"),
        "local_hospital",
        DESK,
        "desk",
        30,
    )
)
add_page(Page("direct/admit/", views.admit, "direct-admit", _("Admit a child"), "bed", DESK, "desk", 31))
add_page(
    Page(
        "direct/batch/",
        views.workbook,
        "direct-batch",
        _("Batch of a hospital"),
        "upload_file",
        DESK,
        "desk",
        32,
    )
)
add_waiting_states("direct", {"INTAKE_INCOMPLETE", "ID_PENDING"})


class StateFilter(admin.SimpleListFilter):
    title, parameter_name = _("state"), "state"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, Any]]:
        return list(STATES.items())

    def queryset(self, request: Any, queryset: Any) -> Any:
        return queryset.filter(case__state=self.value()) if self.value() in STATES else queryset


class FlagFilter(admin.SimpleListFilter):
    """Of open claims: what nobody minds any more is not sought."""

    title, parameter_name = _("to be minded"), "flag"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Flag.choices)

    def queryset(self, request: Any, queryset: Any) -> Any:
        if self.value() not in Flag.values:
            return queryset
        return queryset.filter(case__open=True, flags__icontains=f'"{self.value()}"')


class HospitalFilter(admin.SimpleListFilter):
    """Hospitals that have sent a claim."""

    title, parameter_name = _("hospital"), "hospital"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, Any]]:
        rows = (
            model_admin.get_queryset(request)
            .order_by()
            .values_list("case__hospital__code", "case__hospital__name")
        )
        return sorted(set(rows.distinct()[:200]), key=lambda row: row[1] or "")

    def queryset(self, request: Any, queryset: Any) -> Any:
        return queryset.filter(case__hospital__code=self.value()) if self.value() else queryset


@admin.register(DirectClaim, site=site)
class DirectClaimAdmin(OfCaseAdmin):
    list_display = [
        "case_link", "hospital", "state_words", "source", "claimed", "decided", "collected", "paid", "stay", "minded",
        "opened",
    ]  # fmt: skip
    list_filter = [StateFilter, HospitalFilter, "source", FlagFilter, "case__series"]
    search_fields = ["case__number__exact", "authorization__case__number__exact", "appointment__exact"]
    search_help_text = _("Case number, authorization or appointment")
    list_select_related = ["case__member", "case__hospital", "case__claim"]
    ordering = ["-case"]
    excel = (
        (_("case number"), "case__number"), (_("hospital"), "case__hospital__name"), (_("state"), "state_words"),
        (_("source"), "get_source_display"), (_("claimed"), "claimed_yuan"), (_("insurer pays"), "decided_yuan"),
        (_("collected on the spot"), "collected_yuan"), (_("paid to the hospital"), "paid_yuan"),
        (_("admitted on"), "admitted_on"), (_("discharged on"), "discharged_on"), (_("to be minded"), "minded"),
        (_("opened at"), "case__opened_at"),
    )  # fmt: skip

    @admin.display(description=_("hospital"), ordering="case__hospital")
    def hospital(self, row: DirectClaim) -> str:
        return str(row.case.hospital or "—")

    @display(description=_("state"))
    def state_words(self, row: DirectClaim) -> Any:
        return row.case.get_state_display()

    @admin.display(description=_("claimed"))
    def claimed(self, row: DirectClaim) -> str:
        return format_yuan(row.case.claim.claimed_fen)

    @admin.display(description=_("insurer pays"))
    def decided(self, row: DirectClaim) -> str:
        return format_yuan(row.case.claim.decided_fen)

    @admin.display(description=_("collected on the spot"))
    def collected(self, row: DirectClaim) -> str:
        return format_yuan(row.collected_fen)

    @admin.display(description=_("paid to the hospital"))
    def paid(self, row: DirectClaim) -> str:
        return format_yuan(row.paid_fen)

    @admin.display(description=_("stay"))
    def stay(self, row: DirectClaim) -> str:
        if row.admitted_on is None:
            return "—"
        return f"{row.admitted_on} – {row.discharged_on or ''}".strip()

    @admin.display(description=_("to be minded"))
    def minded(self, row: DirectClaim) -> str:
        return "；".join(row.flag_words) or "—"

    @admin.display(description=_("opened at"), ordering="case")
    def opened(self, row: DirectClaim) -> Any:
        return row.case.opened_at

    def claimed_yuan(self, row: DirectClaim) -> Any:
        return to_yuan(row.case.claim.claimed_fen)

    def decided_yuan(self, row: DirectClaim) -> Any:
        fen = row.case.claim.decided_fen
        return None if fen is None else to_yuan(fen)

    def collected_yuan(self, row: DirectClaim) -> Any:
        return to_yuan(row.collected_fen)

    def paid_yuan(self, row: DirectClaim) -> Any:
        return to_yuan(row.paid_fen)

    def change_view(self, request: Any, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        row = self.get_queryset(request).filter(pk=object_id).first() if object_id.isdigit() else None
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
        return HttpResponseRedirect(reverse("admin:case", kwargs={"number": row.case.number}))


@admin.register(HospitalPayment, site=site)
class HospitalPaymentAdmin(ReadOnlyAdmin):
    list_display = ["claim", "hospital", "statement", "reference", "amount", "ahead", "paid_at"]
    list_filter = ["ahead", "direct__case__series"]
    search_fields = ["direct__case__number__exact", "statement__exact", "reference__exact"]
    search_help_text = _("Case number, statement or payment")
    list_select_related = ["direct__case__hospital"]
    ordering = ["-pk"]
    excel = (
        (_("case number"), "direct__case__number"), (_("hospital"), "direct__case__hospital__name"),
        (_("statement"), "statement"), (_("payment"), "reference"), (_("amount"), "amount_yuan"),
        (_("before the decision"), "ahead"), (_("paid at"), "paid_at"),
    )  # fmt: skip

    @admin.display(description=_("case number"))
    def claim(self, row: HospitalPayment) -> Any:
        number = row.direct.case.number
        return format_html('<a href="{}">{}</a>', reverse("admin:case", kwargs={"number": number}), number)

    @admin.display(description=_("hospital"))
    def hospital(self, row: HospitalPayment) -> str:
        return str(row.direct.case.hospital)

    @admin.display(description=_("amount"), ordering="amount_fen")
    def amount(self, row: HospitalPayment) -> str:
        return format_yuan(row.amount_fen)

    def amount_yuan(self, row: HospitalPayment) -> Any:
        return to_yuan(row.amount_fen)
