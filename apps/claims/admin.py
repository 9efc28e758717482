"""Claims on the screens: their pages, what search finds, what the timeline shows, and lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.cases.admin import OfCaseAdmin
from apps.cases.forms import CODE_WORDS
from apps.cases.models import CaseFile
from apps.cases.pages import Entry, Page, add_page, add_search, add_timeline, add_waiting_states
from apps.cases.site import site
from apps.claims import views
from apps.claims.models import Claim
from apps.claims.roles import DESK, REVIEWERS
from apps.core.money import format_yuan, to_yuan
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
add_page(Page("claims/check/", views.check, "claim-check", roles=STAFF))
add_page(Page("claims/find-child/", views.find_child, "find-child"))
add_page(Page("claims/find-hospital/", views.find_hospital, "find-hospital"))
add_page(Page("claims/<str:number>/verdict/", views.verdict, "claim-verdict", roles=REVIEWERS))
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


add_search(by_payment_number)
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
        from django.http import HttpResponseRedirect

        claim = self.get_queryset(request).filter(pk=object_id).first() if object_id.isdigit() else None
        if claim is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
        return HttpResponseRedirect(reverse("admin:case", kwargs={"number": claim.case.number}))
