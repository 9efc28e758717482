"""Lists as Excel files. Texts stay texts: nothing a claimant typed becomes a formula."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from django.http import HttpResponse
from django.utils import timezone
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LIMIT = 20_000
Sheets = Mapping[str, tuple[Sequence[Any], Iterable[Sequence[Any]]]]
HEAD = PatternFill("solid", fgColor="E8EEF7")


def excel_response(name: str, columns: Sequence[Any], rows: Iterable[Sequence[Any]]) -> HttpResponse:
    """A workbook of one sheet with frozen, filterable headings."""
    return excel_sheets(name, {name: (columns, rows)})


def excel_sheets(name: str, sheets: Sheets) -> HttpResponse:
    """The same with several sheets: title → (headings, rows)."""
    response = HttpResponse(workbook_bytes(sheets), content_type=EXCEL)
    stamp = timezone.localtime().strftime("%Y%m%d-%H%M")
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(f'{name}-{stamp}.xlsx')}"
    return response


def workbook_bytes(sheets: Sheets) -> bytes:
    book = Workbook(write_only=True)
    for name, (columns, rows) in sheets.items():
        _fill(book.create_sheet(name[:31]), columns, rows)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _fill(sheet: Any, columns: Sequence[Any], rows: Iterable[Sequence[Any]]) -> None:
    body = [[_cell(sheet, value) for value in row] for row, _n in zip(rows, range(LIMIT), strict=False)]
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(max(len(columns), 1))}{len(body) + 1}"
    for index, column in enumerate(columns, start=1):
        cells = (str(row[index - 1].value or "") for row in body[:200] if index <= len(row))
        widest = max([len(str(column)) * 2, *(sum(2 if ord(c) > 255 else 1 for c in text) for text in cells)])
        sheet.column_dimensions[get_column_letter(index)].width = min(max(widest + 2, 8), 60)
    head = [_cell(sheet, str(column)) for column in columns]
    for cell in head:
        cell.font, cell.fill = Font(bold=True), HEAD
    sheet.append(head)
    for row in body:
        sheet.append(row)


def _cell(sheet: Any, value: Any) -> Any:
    if isinstance(value, datetime):
        value = timezone.localtime(value).replace(tzinfo=None) if timezone.is_aware(value) else value
    elif not isinstance(value, (int, float, Decimal, date, type(None))):
        value = str(value)
    cell = WriteOnlyCell(sheet, value=value)
    if isinstance(value, str):
        cell.data_type = "s"
    elif isinstance(value, Decimal):
        cell.number_format = "#,##0.00"
    elif isinstance(value, datetime):
        cell.number_format = "yyyy-mm-dd hh:mm"
    return cell
