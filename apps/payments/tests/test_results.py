"""The bank's answers as Excel or CSV: read whole, or refused by row and column."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import Workbook

from apps.core.errors import DomainError, InvalidInput, InvalidInputs
from apps.payments.actions import BankResult
from apps.payments.results import LARGEST, read_results

HEADER = ["支付单号", "结果", "银行流水号", "退票原因"]
ROWS: list[list[Any]] = [["P26-000001", "成功", "B1", None], ["P26-000002", "退票", None, "户名不符"]]
READ = [BankResult("P26-000001", True, "B1", "", 2), BankResult("P26-000002", False, "", "户名不符", 3)]


def xlsx(*rows: list[Any]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def text(*rows: list[Any], encoding: str = "utf-8-sig") -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode(encoding)


def read(content: bytes) -> list[BankResult]:
    return read_results(SimpleUploadedFile("answer.xlsx", content))


def refusal(content: bytes) -> list[tuple[str, str]]:
    with pytest.raises(DomainError) as caught:
        read(content)
    errors = caught.value.errors if isinstance(caught.value, InvalidInputs) else [caught.value]
    assert all(str(error.message) for error in errors)
    return [(error.field, error.code) for error in errors]


@pytest.mark.parametrize(
    "content",
    [
        xlsx(HEADER, *ROWS),
        text(HEADER, *ROWS),
        text(HEADER, *ROWS, encoding="gb18030"),
        text(HEADER, *ROWS, encoding="utf-8"),
    ],
    ids=["xlsx", "csv with mark", "csv of a Chinese Excel", "csv"],
)
def test_excel_and_csv_are_read_alike(content: bytes) -> None:
    assert read(content) == READ


def test_titles_above_empty_rows_between_and_english_words() -> None:
    rows = [
        ["回盘文件"],
        [],
        ["Order number", "Result"],
        ["P26-000001", "Paid"],
        [None, None],
        ["P26-000002", "FAILED"],
    ]
    assert [(row.order, row.paid, row.row) for row in read(xlsx(*rows))] == [
        ("P26-000001", True, 4),
        ("P26-000002", False, 6),
    ]


def test_a_bare_number_is_the_number_and_not_a_fraction() -> None:
    [row] = read(xlsx(HEADER, ["P26-000001", "成功", 202609160001.0, None]))
    assert row.reference == "202609160001"


def test_every_wrong_row_is_named_with_its_column() -> None:
    rows = [["P26-000001", "成功"], ["P26-000002", "也许"], ["P26-000003", ""], ["P26-000004", "ok"]]
    assert refusal(xlsx(HEADER, *rows)) == [
        ("3.result", "result"),
        ("4.result", "result"),
        ("5.result", "result"),
    ]
    assert refusal(text(HEADER, *rows)) == [
        ("3.result", "result"),
        ("4.result", "result"),
        ("5.result", "result"),
    ]


def damaged() -> bytes:
    return xlsx(HEADER, *ROWS)[:-40]


def other_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("hello.txt", "hello")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "header"),
        (b"PK\x03\x04rubbish", "file_damaged"),
        (damaged(), "file_damaged"),
        (other_zip(), "file_type"),
        (b"%PDF-1.7 \xff\xff\xff", "file_type"),
        (text(["a", "b"], ["1", "2"]), "header"),
        (text(["支付单号"], ["P26-000001"]), "header"),
        (xlsx(HEADER), "empty"),
        (b"x" * (LARGEST + 1), "too_large"),
    ],
    ids=[
        "nothing",
        "no zip",
        "cut off",
        "another zip",
        "pdf",
        "other columns",
        "column missing",
        "no rows",
        "too large",
    ],
)
def test_what_is_no_answer_of_a_bank_is_refused_in_words(content: bytes, code: str) -> None:
    assert refusal(content) == [("file", code)]


def test_errors_are_inputs_at_fault() -> None:
    with pytest.raises(InvalidInput):
        read(xlsx(HEADER))
