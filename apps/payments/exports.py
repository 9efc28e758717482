"""Payment files for the bank, as Excel and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from apps.core.money import to_yuan
from apps.payments.models import PaymentFile, PaymentOrder

WIDTHS = (16, 16, 24, 26, 24, 30, 16, 14, 10)


def _header() -> list[str]:
    return [
        _("Order number"), _("Case number"), _("Account name"), _("Account number"), _("Bank"), _("Branch"),
        _("Clearing number"), _("Amount (yuan)"), _("Private/corporate"),
    ]  # fmt: skip


def _rows(orders: Iterable[PaymentOrder]) -> Iterable[list[object]]:
    for order in orders:
        payee = order.payee
        yield [
            order.number, order.about, payee.name, payee.account, payee.bank, payee.branch,
            payee.clearing_number, to_yuan(order.amount_fen), pgettext("bank account", "corporate") if payee.corporate else pgettext("bank account", "private"),
        ]  # fmt: skip


def payment_workbook(file: PaymentFile, orders: Sequence[PaymentOrder]) -> bytes:
    """One sheet: number and totals on top, then one row an order. Accounts are text cells."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = file.number
    sheet.append(
        [
            _("Payment file"),
            file.number,
            _("orders"),
            file.orders,
            _("Amount (yuan)"),
            to_yuan(file.total_fen),
        ]
    )
    sheet.append([])
    sheet.append(_header())
    for cell in sheet[3]:
        cell.font = Font(bold=True)
    for row in _rows(orders):
        sheet.append([_text(value) for value in row])
    for cell in (sheet["F1"], *sheet["H"][3:]):
        cell.number_format = "#,##0.00"
    for index, width in enumerate(WIDTHS, start=1):
        sheet.column_dimensions[get_column_letter(index)].width = width
    sheet.freeze_panes = "A4"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def payment_csv(file: PaymentFile, orders: Sequence[PaymentOrder]) -> bytes:
    """UTF-8 with a byte order mark, since banks open it in Excel."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_header())
    writer.writerows([_text(value) for value in row] for row in _rows(orders))
    return out.getvalue().encode("utf-8-sig")


def _text(value: object) -> object:
    """A name that begins like a formula must stay a name."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value
