"""Payment desk: pending orders, files, and the bank's answers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.widgets import UnfoldAdminFileFieldWidget

from apps.accounts.actions import log_read
from apps.accounts.actors import actor_of
from apps.accounts.visibility import visible_to
from apps.cases.site import site
from apps.core.errors import DomainError, InvalidInput, InvalidInputs
from apps.core.lists import Exportable, ListResource, NumberSearch, ReadOnlyList, known_values
from apps.core.money import format_yuan
from apps.documents.storage import open_stored
from apps.payments.actions import CHECKERS, MAKERS, book_results, cancel_file, make_file, release_file
from apps.payments.models import PaymentFile, PaymentOrder
from apps.payments.queries import files_visible_to
from apps.payments.results import read_results
from apps.payments.subjects import subject_of
from apps.products.queries import series_codes

COLUMNS = {"reason": "退票原因", "bank_reference": "银行流水号"}
SeriesFilter = known_values("series", _("series"), lambda: [(code, code) for code in series_codes()])
DESK = {"finance", "finance_lead", "payment_check", "manager", "auditor"}


class DeskList(NumberSearch, ReadOnlyList):
    """Lists and details; changes go through actions only."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(DESK & actor_of(request).roles)


def page_of(row: PaymentOrder) -> str:
    """Where the admin shows what an order pays."""
    if row.case is not None:
        return reverse("admin:case", args=[row.case.number])
    return subject_of(row.reference).url(row.reference)


def _may_read_accounts(roles: frozenset[str]) -> bool:
    """The bank's file holds whole account numbers; who audits sees that it was made, and by whom."""
    return "auditor" not in roles


def _where(error: DomainError) -> Any:
    """The row of the bank's file an error is about, for people; empty when its words name the row already."""
    row, _dot, name = error.field.partition(".")
    if not row.isdigit() or error.code == "result":
        return ""
    if name not in COLUMNS:
        return _("Row %(row)s") % {"row": row}
    return _("Row %(row)s, column “%(column)s”") % {"row": row, "column": COLUMNS[name]}


class OrderResource(ListResource):
    class Meta:
        model = PaymentOrder
        fields = [
            "number", "case__number", "reference", "series", "payee__name", "payee__account_masked", "amount_fen", "state", "file__number",
            "ordered_at", "paid_at", "bank_reference", "return_reason",
        ]  # fmt: skip


@admin.register(PaymentOrder, site=site)
class PaymentOrderAdmin(Exportable, DeskList):
    resource_classes = [OrderResource]
    list_display = [
        "number",
        "case_link",
        "payee",
        "account",
        "amount",
        "state",
        "file_number",
        "ordered_on",
        "paid_on",
    ]
    list_filter = ["state", SeriesFilter, ("ordered_at", admin.DateFieldListFilter)]
    search_fields = ["number__exact", "case__number__exact", "reference__exact", "bank_reference__exact"]
    search_help_text = _("Order, case, statement or bank reference number")
    fields = [
        "number", "case_link", "series", "payee", "account", "amount", "state", "file_number",
        "ordered_at", "paid_at", "bank_reference", "return_reason", "returned_on",
    ]  # fmt: skip
    sortable_by = ["number", "amount", "ordered_on"]
    list_select_related = ["case", "payee", "file"]
    ordering = ["-ordered_at"]
    actions = ["make_payment_file"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PaymentOrder]:
        return visible_to(super().get_queryset(request), actor_of(request))

    @admin.display(description=_("case number"))
    def case_link(self, row: PaymentOrder) -> str:
        return format_html('<a href="{}">{}</a>', page_of(row), row.about)

    @admin.display(description=_("account number"))
    def account(self, row: PaymentOrder) -> str:
        """Its last digits; the page of the order has as much as may be shown."""
        return f"*{row.payee.account_masked[-4:]}"

    @admin.display(description=_("ordered at"), ordering="ordered_at")
    def ordered_on(self, row: PaymentOrder) -> str:
        return f"{timezone.localtime(row.ordered_at):%Y-%m-%d}"

    @admin.display(description=_("paid at"))
    def paid_on(self, row: PaymentOrder) -> str:
        return f"{timezone.localtime(row.paid_at):%Y-%m-%d}" if row.paid_at else "—"

    @admin.display(description=pgettext_lazy("bank", "returned at"))
    def returned_on(self, row: PaymentOrder) -> str:
        return f"{timezone.localtime(row.returned_at):%Y-%m-%d}" if row.returned_at else "—"

    @admin.display(description=_("payment file"), ordering="file")
    def file_number(self, row: PaymentOrder) -> str:
        return row.file.number if row.file else "—"

    @admin.display(description=_("amount"), ordering="amount_fen")
    def amount(self, row: PaymentOrder) -> str:
        return format_yuan(row.amount_fen)

    @admin.action(description=_("Make a payment file"))
    def make_payment_file(
        self, request: HttpRequest, queryset: QuerySet[PaymentOrder]
    ) -> HttpResponse | None:
        try:
            file = make_file(actor_of(request), list(queryset.values_list("number", flat=True)))
        except DomainError as error:
            self.message_user(request, str(error.message), messages.ERROR)
            return None
        self.message_user(
            request, _("%(number)s made. Somebody else must release it.") % {"number": file.number}
        )
        return HttpResponseRedirect(reverse("admin:payments_paymentfile_desk", args=[file.number]))


class ResultsForm(forms.Form):
    file = forms.FileField(
        label=_("The bank's answer (.xlsx or .csv)"),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".xlsx,.csv"}),
    )


@admin.register(PaymentFile, site=site)
class PaymentFileAdmin(DeskList):
    list_display = [
        "desk_link",
        "state",
        "orders",
        "total",
        "made_by",
        "made_at",
        "released_by",
        "released_at",
    ]
    list_filter = ["state"]
    search_fields = ["number__exact", "items__number__exact"]
    search_help_text = _("Number of the file or of an order")
    list_select_related = ["made_by", "released_by"]
    ordering = ["-made_at"]
    sortable_by = ["desk_link", "made_at"]
    list_display_links = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[PaymentFile]:
        return files_visible_to(actor_of(request))

    @admin.display(description=_("number"), ordering="number")
    def desk_link(self, row: PaymentFile) -> str:
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:payments_paymentfile_desk", args=[row.number]), row.number
        )

    @admin.display(description=_("total"), ordering="total_fen")
    def total(self, row: PaymentFile) -> str:
        return format_yuan(row.total_fen)

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        own = [
            path("<str:number>/desk/", wrap(self.desk), name="payments_paymentfile_desk"),
            path(
                "<str:number>/<str:kind>/download/", wrap(self.download), name="payments_paymentfile_download"
            ),
        ]
        return own + super().get_urls()

    def _visible(self, request: HttpRequest, number: str) -> PaymentFile:
        if not self.has_view_permission(request):
            raise Http404
        return get_object_or_404(
            self.get_queryset(request).select_related("made_by", "released_by"), number=number
        )

    def _orders(self, request: HttpRequest, file: PaymentFile) -> QuerySet[PaymentOrder]:
        return visible_to(file.items.select_related("payee", "case").order_by("number"), actor_of(request))

    def desk(self, request: HttpRequest, number: str) -> HttpResponse:
        """One payment file: its orders, and what the person may do with it."""
        file = self._visible(request, number)
        errors: list[DomainError] = []
        if request.method == "POST":
            try:
                self._do(request, file)
                return HttpResponseRedirect(request.path)
            except InvalidInputs as several:
                errors = several.errors
            except DomainError as error:
                errors = [error]
        roles = actor_of(request).roles
        context = {
            **self.admin_site.each_context(request),
            "title": file.number,
            "file": file,
            "total": format_yuan(file.total_fen),
            "orders": [
                (row, format_yuan(row.amount_fen), page_of(row)) for row in self._orders(request, file)
            ],
            "form": ResultsForm(),
            "errors": [(_where(error), error) for error in errors],
            "may_release": bool(CHECKERS & roles),
            "may_cancel": bool((MAKERS | CHECKERS) & roles),
            "may_book": bool(MAKERS & roles),
            "may_download": _may_read_accounts(roles),
            "is_maker": file.made_by_id == request.user.pk,
        }
        return render(request, "payments/file.html", context, status=400 if errors else 200)

    def _do(self, request: HttpRequest, file: PaymentFile) -> None:
        actor = actor_of(request)
        if "release" in request.POST:
            release_file(actor, file.number)
            messages.success(request, _("Released. Hand the file to the bank."))
        elif "cancel" in request.POST:
            cancel_file(actor, file.number)
            messages.success(request, _("Taken back; its orders are pending again."))
        elif "results" in request.POST:
            upload = request.FILES.get("file")
            if upload is None:
                raise InvalidInput(_("Choose the bank's file."), field="file", code="required")
            results = read_results(upload)
            booked = book_results(actor, results, file=file.number)
            messages.success(request, _("%(count)d results booked.") % {"count": len(booked)})
            if without := [result.order for result in results if result.paid and not result.reference]:
                words = _("Booked as paid without the bank's reference: %(orders)s. Ask the bank for it.")
                messages.warning(request, words % {"orders": "、".join(without)})

    def download(self, request: HttpRequest, number: str, kind: str) -> HttpResponse:
        """The file for the bank; reading it is logged, since it holds whole account numbers."""
        file = self._visible(request, number)
        stored = file.excel if kind == "xlsx" else file.csv
        if stored is None or not _may_read_accounts(actor_of(request).roles):
            raise Http404
        log_read(actor_of(request), subject=f"payment_file:{file.number}", what=kind)
        with open_stored(stored) as handle:
            response = HttpResponse(handle.read(), content_type=stored.content_type)
        response["Content-Disposition"] = f'attachment; filename="{stored.name}"'
        return response
