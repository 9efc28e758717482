"""Claims on the screens: their pages, what search finds, what the timeline shows, and lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from apps.cases.admin import OfCaseAdmin, ReadOnlyAdmin
from apps.cases.forms import CODE_WORDS
from apps.cases.models import CaseFile
from apps.cases.pages import Entry, Page, add_page, add_search, add_timeline, add_waiting_states
from apps.cases.site import site
from apps.claims import batches, views
from apps.claims.models import Claim, Inquiry, Original, Parcel
from apps.claims.roles import DESK, REVIEWERS
from apps.core.money import format_yuan, to_yuan
from apps.documents.queries import kind_title
from apps.payments.models import PaymentOrder

HITS = 50
STAFF = DESK | REVIEWERS

add_page(
    Page("claims/report/", views.report, "claim-report", _("Report a claim"), "add_call", STAFF, "work", 20)
)
add_page(
    Page(
        "claims/coverage/",
        views.coverage,
        "claim-coverage",
        _("Coverage check"),
        "health_and_safety",
        frozenset(),
        "work",
        30,
    )
)
add_page(
    Page(
        "claims/day-sixty/", views.day_sixty, "claim-day-sixty", _("Day 60"), "hourglass_bottom",
        REVIEWERS | {"manager"}, "work", 60,
    )
)  # fmt: skip
add_page(
    Page(
        "claims/batch/", batches.batch, "claim-batch", _("Decide together"), "done_all", REVIEWERS, "work", 40
    )
)
add_page(Page("claims/check/", views.check, "claim-check", roles=STAFF))
add_page(Page("claims/find-child/", views.find_child, "find-child"))
add_page(Page("claims/channel/", views.channel, "claim-channel", roles=STAFF))
add_page(Page("claims/find-hospital/", views.find_hospital, "find-hospital"))
add_page(Page("claims/<str:number>/verdict/", views.verdict, "claim-verdict", roles=REVIEWERS))
add_page(Page("claims/<str:number>/correction/", views.correction, "claim-correction", roles=DESK))
add_page(Page("claims/<str:number>/letter/", views.letter, "claim-letter-preview", roles=REVIEWERS))
add_waiting_states("claim", {"AWAITING_ORIGINALS", "MATERIALS_PENDING"})


# --- Search and timeline (bills, letters and messages are found and shown by their own apps) ------


def by_payment_number(text: str) -> Iterable[int]:
    return PaymentOrder.objects.filter(number=text.upper()).values_list("case_id", flat=True)[:HITS]


def payments_in(case: CaseFile) -> Iterable[Entry]:
    for order in PaymentOrder.objects.filter(case=case.pk).select_related("payee").order_by("pk"):
        words = gettext("Payment %(number)s: ¥ %(amount)s to %(payee)s")
        yield Entry(
            at=order.paid_at or order.ordered_at,
            title=words % {"number": order.number, "amount": format_yuan(order.amount_fen), "payee": order.payee.account_masked},
            kind="payment", icon="payments", state=order.get_state_display(), text=order.return_reason,
            level="bad" if order.state == "RETURNED" else "good" if order.state == "PAID" else "",
        )  # fmt: skip


def by_courier_number(text: str) -> Iterable[int]:
    """A scanned label finds the claim it was announced for."""
    return Parcel.objects.filter(tracking_number=text.upper()).values_list("claim_id", flat=True)[:HITS]


add_search(by_payment_number)
add_search(by_courier_number)
add_timeline(payments_in)


# --- Lists -------------------------------------------------------------------------------------


@admin.register(Claim, site=site)
class ClaimAdmin(OfCaseAdmin):
    list_display = [
        "case_link",
        "category",
        "channel_words",
        "route_words",
        "state_words",
        "claimed",
        "decided",
        "reported_at",
    ]
    list_filter = ["category", "channel", "route"]
    search_fields = ["case__number__exact"]
    search_help_text = _("Case number")
    ordering = ["-reported_at"]
    excel = (
        (_("case number"), "case__number"), (_("category"), "get_category_display"), (_("channel"), "channel_words"),
        (_("route"), "route_words"), (_("state"), "state_words"), (_("claimed"), "claimed_yuan"),
        (_("insurer pays"), "decided_yuan"), (_("reported at"), "reported_at"),
    )  # fmt: skip

    @admin.display(description=_("channel"), ordering="channel")
    def channel_words(self, claim: Claim) -> Any:
        return CODE_WORDS.get(claim.channel, claim.channel)

    @admin.display(description=_("route"), ordering="route")
    def route_words(self, claim: Claim) -> Any:
        return CODE_WORDS.get(claim.route, claim.route) or "—"

    @admin.display(description=_("state"))
    def state_words(self, claim: Claim) -> Any:
        return claim.case.get_state_display()

    @admin.display(description=_("claimed"), ordering="claimed_fen")
    def claimed(self, claim: Claim) -> str:
        return format_yuan(claim.claimed_fen)

    @admin.display(description=_("insurer pays"), ordering="decided_fen")
    def decided(self, claim: Claim) -> str:
        return format_yuan(claim.decided_fen)

    def claimed_yuan(self, claim: Claim) -> Any:
        return to_yuan(claim.claimed_fen)

    def decided_yuan(self, claim: Claim) -> Any:
        return None if claim.decided_fen is None else to_yuan(claim.decided_fen)

    def change_view(self, request: Any, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        claim = self.get_queryset(request).filter(pk=object_id).first() if object_id.isdigit() else None
        if claim is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
        return HttpResponseRedirect(reverse("admin:case", kwargs={"number": claim.case.number}))


class OfClaimAdmin(ReadOnlyAdmin):
    """A list of rows that belong to a claim; each opens the page of its case."""

    list_select_related = ["claim__case__member"]

    @admin.display(description=_("case number"))
    def claim_link(self, row: Any) -> Any:
        case = row.claim.case
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:case", kwargs={"number": case.number}), case.number
        )

    @admin.display(description=_("state of the claim"))
    def claim_state(self, row: Any) -> Any:
        return row.claim.case.get_state_display()

    def change_view(self, request: Any, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        row = self.get_queryset(request).filter(pk=object_id).first() if object_id.isdigit() else None
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
        return HttpResponseRedirect(reverse("admin:case", kwargs={"number": row.claim.case.number}))


@admin.register(Parcel, site=site)
class ParcelAdmin(OfClaimAdmin):
    list_display = [
        "tracking",
        "claim_link",
        "claim_state",
        "state",
        "arrival",
        "sent_on",
        "arrived_at",
        "logged_by",
    ]
    list_filter = ["state", "arrival", "claim__case__series"]
    search_fields = ["tracking_number__exact", "claim__case__number__exact"]
    search_help_text = _("Courier number or case number")
    ordering = ["-pk"]
    excel = (
        (_("courier number"), "tracking_number"), (_("case number"), "claim__case__number"), (_("state"), "get_state_display"),
        (_("arrived by"), "get_arrival_display"), (_("sent on"), "sent_on"), (_("arrived at"), "arrived_at"),
        (_("announced by"), "announced_by"), (_("logged by"), "logged_by"), (_("note"), "note"),
    )  # fmt: skip

    @admin.display(description=_("courier number"))
    def tracking(self, row: Parcel) -> str:
        return row.tracking_number or "—"


@admin.register(Original, site=site)
class OriginalAdmin(OfClaimAdmin):
    list_display = [
        "kind_words", "claim_link", "claim_state", "is_original", "sheets", "condition", "shelf", "logged_at", "logged_by",
        "returned_at",
    ]  # fmt: skip
    list_filter = [
        ("returned_at", admin.EmptyFieldListFilter),
        "is_original",
        "condition",
        "claim__case__series",
    ]
    search_fields = ["claim__case__number__exact", "parcel__tracking_number__exact", "shelf__exact"]
    search_help_text = _("Case number, courier number or shelf")
    list_select_related = ["claim__case__handbook", "parcel"]
    ordering = ["-pk"]
    excel = (
        (_("kind"), "kind_words"), (_("about"), "place"), (_("case number"), "claim__case__number"),
        (_("courier number"), "parcel__tracking_number"), (_("original"), "is_original"), (_("sheets"), "sheets"),
        (_("condition"), "get_condition_display"), (_("shelf"), "shelf"), (_("logged at"), "logged_at"),
        (_("logged by"), "logged_by"), (_("returned at"), "returned_at"), (_("returned by"), "returned_by"),
        (_("returned with"), "returned_with"),
    )  # fmt: skip

    @admin.display(description=_("kind"))
    def kind_words(self, row: Original) -> str:
        return kind_title(row.claim.case.handbook.handbook, row.kind, get_language() or "zh")


@admin.register(Inquiry, site=site)
class InquiryAdmin(OfClaimAdmin):
    list_display = [
        "kind",
        "claim_link",
        "state",
        "short",
        "assignee",
        "due_on",
        "opinion",
        "ordered_by",
        "ordered_at",
        "answered_at",
    ]
    list_filter = ["state", "kind", "opinion", ("assignee", admin.RelatedOnlyFieldListFilter)]
    search_fields = ["claim__case__number__exact"]
    search_help_text = _("Case number")
    list_select_related = ["claim__case", "assignee"]
    ordering = ["-pk"]
    excel = (
        (_("kind"), "get_kind_display"), (_("case number"), "claim__case__number"), (_("state"), "get_state_display"),
        (_("question"), "question"), (_("given to"), "assignee"), (_("answer wanted by"), "due_on"),
        (_("opinion"), "get_opinion_display"), (_("answer"), "answer"), (_("ordered by"), "ordered_by"),
        (_("ordered at"), "ordered_at"), (_("answered by"), "answered_by"), (_("answered at"), "answered_at"),
    )  # fmt: skip

    @admin.display(description=_("question"))
    def short(self, row: Inquiry) -> str:
        return row.question[:60]
