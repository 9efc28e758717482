"""The bank's answers: an Excel or CSV with order number, result, reference and reason."""

from __future__ import annotations

import csv
import io
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError, InvalidInput, InvalidInputs
from apps.core.imports.workbook import open_workbook
from apps.core.imports.workbook import rows as sheet_rows
from apps.payments.actions import BankResult

HEADERS = {
    "order": {"order number", "支付单号", "order"},
    "result": {"result", "结果", "状态"},
    "reference": {"bank reference", "银行流水号", "reference"},
    "reason": {"reason", "退票原因", "原因"},
}
PAID = {"paid", "success", "成功", "已支付"}
RETURNED = {"returned", "failed", "失败", "退票"}
LARGEST = 5 * 1024 * 1024


def read_results(upload: UploadedFile) -> list[BankResult]:
    """Parse the bank's file; raises InvalidInputs naming row, column, value and what is expected."""
    rows = _table(upload)
    columns, start = _columns(rows)
    results: list[BankResult] = []
    errors: list[DomainError] = []
    for number, row in enumerate(rows[start:], start=start + 1):
        values = {name: _cell(row, index) for name, index in columns.items()}
        if not any(values.values()):
            continue
        word = values["result"].lower()
        if word not in PAID | RETURNED:
            errors.append(
                InvalidInput(
                    _("Row %(row)d, column “result”: “%(value)s”; expected 成功/paid or 退票/returned.")
                    % {"row": number, "value": values["result"]},
                    field=f"{number}.result",
                    code="result",
                )
            )
            continue
        results.append(
            BankResult(
                order=values["order"],
                paid=word in PAID,
                reference=values.get("reference", ""),
                reason=values.get("reason", ""),
                row=number,
            )
        )
    if errors:
        raise InvalidInputs(errors)
    if not results:
        raise InvalidInput(_("The file holds no results."), field="file", code="empty")
    return results


def _table(upload: UploadedFile) -> list[list[Any]]:
    content = upload.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise InvalidInput(_("The file is larger than 5 MB."), field="file", code="too_large")
    if content[:2] == b"PK":
        with open_workbook(io.BytesIO(content)) as book:
            return (
                [list(values) for _number, values in sheet_rows(book.worksheets[0])]
                if book.worksheets
                else []
            )
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return list(csv.reader(io.StringIO(content.decode(encoding))))
        except (UnicodeDecodeError, csv.Error):
            continue
    raise InvalidInput(_("An Excel (.xlsx) or CSV file is expected."), field="file", code="file_type")


def _columns(rows: list[list[Any]]) -> tuple[dict[str, int], int]:
    """Where each column stands, found in the first rows; title rows above are passed over."""
    for number, row in enumerate(rows[:10]):
        found = {
            name: index
            for name, words in HEADERS.items()
            for index, cell in enumerate(row)
            if str(cell or "").strip().lower() in words
        }
        if {"order", "result"} <= found.keys():
            return found, number + 1
    raise InvalidInput(
        _("No header row found. Expected columns: 支付单号, 结果, 银行流水号, 退票原因."),
        field="file",
        code="header",
    )


def _cell(row: list[Any], index: int) -> str:
    """The cell as text; Excel holds a bare number as 12345.0."""
    value = row[index] if index < len(row) else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).strip()
