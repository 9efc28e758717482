"""Letters and the bill register for staff: read-only lists, search, download, export."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from import_export.fields import Field
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from apps.cases import pages
from apps.cases.models import CaseFile
from apps.cases.site import site
from apps.core.lists import Exportable, ListResource
from apps.core.money import format_yuan, to_yuan
from apps.documents.actions import render_again
from apps.documents.models import BillRegister, Letter
from apps.documents.queries import letters_on
from apps.documents.register import clean_number, printed
from apps.messaging.admin import OfCaseList

LABELS = {
    Letter.State.QUEUED: "info",
    Letter.State.RENDERED: "info",
    Letter.State.SENT: "success",
    Letter.State.SUPERSEDED: "warning",
    Letter.State.VOID: "warning",
    Letter.State.FAILED: "danger",
}


@admin.register(Letter, site=site)
class LetterAdmin(OfCaseList):
    list_display = ("number", "version", "kind", "case_link", "state_label", "created_at", "download")
    list_filter = ("state", "kind", ("created_at", RangeDateTimeFilter))
    list_filter_submit = True
    search_fields = ("number__exact", "case__number__exact")
    search_help_text = _("Letter or case number")
    ordering = ("-created_at",)
    fields = (
        "number", "version", "kind", "language", "case_link", "state", "download", "sha256", "error",
        "created_at", "rendered_at", "sent_at",
    )  # fmt: skip
    readonly_fields = fields
    actions = ("render_again",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Letter]:
        return super().get_queryset(request).defer("context")

    @display(description=_("state"), ordering="state", label=LABELS)  # type: ignore[untyped-decorator]
    def state_label(self, letter: Letter) -> tuple[str, Any]:
        return letter.state, letter.get_state_display()

    @display(description=_("PDF"))  # type: ignore[untyped-decorator]
    def download(self, letter: Letter) -> Any:
        if letter.file_id is None:
            return "–"
        return format_html('<a href="{}">PDF</a>', reverse("letter-file", args=[letter.pk]))

    @admin.action(description=_("Render again"), permissions=["resend"])
    def render_again(self, request: HttpRequest, queryset: QuerySet[Letter]) -> None:
        n = render_again(list(queryset.values_list("pk", flat=True)))
        words = ngettext("%(n)d letter will be rendered.", "%(n)d letters will be rendered.", n)
        self.message_user(request, words % {"n": n}, messages.SUCCESS)


class BillResource(ListResource):
    bill = Field(column_name=_("bill"))
    case = Field(column_name=_("case"), attribute="case__number")
    amount = Field(column_name=_("amount"))

    class Meta:
        model = BillRegister
        fields = ("bill", "case", "amount", "issued_on", "registered_at", "released_at")
        export_order = fields

    def dehydrate_bill(self, row: BillRegister) -> str:
        return printed(row.identity)

    def dehydrate_amount(self, row: BillRegister) -> Decimal:
        return to_yuan(row.amount_fen)


@admin.register(BillRegister, site=site)
class BillRegisterAdmin(Exportable, OfCaseList):
    list_display = ("bill", "case_link", "amount", "issued_on", "registered_at", "released_at")
    list_filter = (("registered_at", RangeDateTimeFilter),)
    list_filter_submit = True
    search_fields = ("number__exact", "case__number__exact")
    search_help_text = _("Bill code and number, or case number")
    ordering = ("-registered_at",)
    sortable_by = ("registered_at",)
    fields = ("bill", "case_link", "amount", "issued_on", "registered_at", "released_at")
    readonly_fields = fields
    resource_classes = (BillResource,)

    @display(description=_("bill"), ordering="identity")  # type: ignore[untyped-decorator]
    def bill(self, row: BillRegister) -> str:
        return printed(row.identity)

    @display(description=_("amount"), ordering="amount_fen")  # type: ignore[untyped-decorator]
    def amount(self, row: BillRegister) -> str:
        return format_yuan(row.amount_fen)


# --- The case page --------------------------------------------------------------------------------------


def find_by_letter(text: str) -> Iterable[int]:
    return Letter.objects.filter(number=text.upper()).values_list("case_id", flat=True)[:50]


def find_by_bill(text: str) -> Iterable[int]:
    """By the bill's number (10, 8 or 20 digits), alone or with its code: live bills, whose identities
    have an index, and former ones by their number."""
    digits = clean_number(text)
    if not digits.isdigit() or len(digits) < 8:
        return []
    wanted = [f"DIGITAL:{digits}", f"FISCAL:{digits[:8]}:{digits[8:]}"]
    wanted += [f"VAT:{digits[:-8]}:{digits[-8:]}"]
    live = BillRegister.objects.filter(identity__in=wanted, released_at=None)
    by_number = BillRegister.objects.filter(number=digits)
    return {*live.values_list("case_id", flat=True), *by_number.values_list("case_id", flat=True)[:50]}


def timeline(case: CaseFile) -> list[pages.Entry]:
    """Letters of a case, as its panels read them."""
    return [
        pages.Entry(
            at=letter.created_at,
            title=f"{letter.get_kind_display()} {letter.number} v{letter.version}",
            kind="letter",
            icon="description",
            state=letter.get_state_display(),
            link=reverse("letter-file", args=[letter.pk]) if letter.file_id else "",
            level={"FAILED": "bad", "SENT": "good"}.get(letter.state, ""),
            details=((_("error"), letter.error),) if letter.error else (),
        )
        for letter in reversed(letters_on(case))
    ]


pages.add_search(find_by_letter)
pages.add_search(find_by_bill)
pages.add_timeline(timeline)
