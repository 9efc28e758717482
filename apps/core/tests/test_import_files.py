"""Files that are no honest workbook are refused in words, before they are unpacked."""

import io

import pytest

from apps.core.errors import InvalidInput
from apps.core.imports import Column, Importer, Sheet, cells, run
from apps.core.imports.importer import find_tables
from apps.core.imports.workbook import open_workbook
from apps.core.tests.workbooks import book, replaced, zipped

SHEET = Sheet(
    "things",
    ("清单", "Things"),
    (
        Column("code", ("编号", "Code"), cells.code, required=True),
        Column("since", ("日期", "Since"), cells.day, required=True, expected="a date"),
        Column("note", ("备注", "Note")),
    ),
)


class Counting(Importer):
    kind = "things"
    title = "things"
    sheets = (SHEET,)

    def __init__(self):
        self.rows = []

    def apply(self, sheet, chunk, report):
        self.rows += [row.values for row in chunk]
        report.outcomes["created"] += len(chunk)


def read(file, **options):
    importer = Counting()
    return importer, run(importer, file, dry_run=True, **options)


BOMB = {
    "[Content_Types].xml": b"<Types/>",
    "xl__workbook.xml": b"<workbook/>",
    "xl__big.xml": b" " * 400_000_000,
}
BAD_FILES = {
    "empty": (lambda: io.BytesIO(b""), "file_empty"),
    "old xls": (lambda: io.BytesIO(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512), "file_type"),
    "renamed csv": (lambda: io.BytesIO("编号,日期\nA1,2021-01-01\n".encode()), "file_type"),
    "web page": (lambda: io.BytesIO(b"<html><table></table></html>"), "file_type"),
    "word": (lambda: zipped(word__document_xml=b"<document/>"), "file_type"),
    "cut off": (lambda: io.BytesIO(book(("清单", [["编号", "日期"]])).getvalue()[:900]), "file_damaged"),
    "nonsense inside": (
        lambda: replaced(book(("清单", [["编号", "日期"]])), "xl/worksheets/sheet1.xml", b"<worksheet><sheetData"),
        "file_damaged",
    ),
    "entities": (
        lambda: replaced(
            book(("清单", [["编号", "日期"]])), "xl/worksheets/sheet1.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><sst>&b;</sst>'
        ),
        "file_type",
    ),
    "no header": (lambda: book(("清单", [["甲", "乙"], ["A1", "2021-01-01"]])), "no_header"),
    "no rows": (lambda: book(("清单", [["编号", "日期"]])), "file_empty"),
    "column twice": (lambda: book(("清单", [["编号", "日期", "编号"], ["A", "2021-01-01", "B"]])), "doubled_columns"),
    "column missing": (lambda: book(("清单", [["编号", "备注"], ["A1", "x"]])), "missing_columns"),
}  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_files_are_refused_with_words(case):
    make, code = BAD_FILES[case]
    with pytest.raises(InvalidInput) as refused:
        read(make())
    assert refused.value.code == code
    assert refused.value.field == "file"
    assert len(str(refused.value.message)) > 5  # words of either language


@pytest.mark.django_db
def test_a_zip_bomb_is_refused_unread():
    with pytest.raises(InvalidInput) as refused:
        read(zipped(**BOMB))
    assert refused.value.code == "file_bomb"


@pytest.mark.django_db
def test_too_large_a_file_is_refused(monkeypatch):
    monkeypatch.setattr("apps.core.imports.workbook.MAX_FILE", 100)
    with pytest.raises(InvalidInput) as refused:
        read(book(("清单", [["编号", "日期"], ["A", "2021-01-01"]])))
    assert refused.value.code == "file_too_large"


@pytest.mark.django_db
def test_a_missing_column_is_named():
    with pytest.raises(InvalidInput) as refused:
        read(BAD_FILES["column missing"][0]())
    assert refused.value.data["missing"] == ["日期"]
    assert "日期" in str(refused.value.message)


@pytest.mark.django_db
def test_the_header_is_found_below_titles_and_by_either_language():
    rows = [
        ["二〇二六年清单"],
        [],
        ["截止", "10月"],
        [" * 编 号（必填）", "Since", "其他"],
        ["A1", "2021-1-1", 1],
    ]
    importer, report = read(book(("随便", rows)))
    assert [row["code"] for row in importer.rows] == ["A1"]
    assert "其他" in report.notices[0]


@pytest.mark.django_db
def test_the_right_worksheet_is_found_by_title_or_header():
    header = ["编号", "日期"]
    named = book(("说明", [["本表说明"]]), ("清单", [header, ["A1", "2021-1-1"]]))
    importer, _report = read(named)
    assert len(importer.rows) == 1
    unnamed = book(("Sheet1", [["说明"]]), ("Sheet2", [header, ["A1", "2021-1-1"]]))
    importer, _report = read(unnamed)
    assert len(importer.rows) == 1


@pytest.mark.django_db
def test_blank_rows_and_footers_are_no_rows():
    rows = [["编号", "日期"], ["A1", "2021-1-1"], [], [None, " "], ["A2", 44197], ["合计", 2], ["备注：以上"]]
    importer, report = read(book(("清单", rows)))
    assert report.rows == 2
    assert not report.errors
    assert importer.rows[1]["since"].isoformat() == "2021-01-01"


@pytest.mark.django_db
def test_every_wrong_cell_is_listed_with_row_column_value_and_what_is_expected():
    rows = [["清单"], ["编号", "日期"], [None, "昨天"], ["A2", "2021-1-1"], ["A3", None]]
    _importer, report = read(book(("清单", rows)))
    found = [(error.row, error.column, error.value, error.expected) for error in report.errors]
    assert found == [
        (3, "编号", "", found[0][3]),
        (3, "日期", "昨天", "a date"),
        (5, "日期", "", "a date"),
    ]
    assert report.wrong_rows == 2


def test_sensitive_values_are_masked_in_the_error_list():
    sheet = Sheet("s", ("清单",), (Column("id", ("证件号码",), cells.code, sensitive=True),))
    from apps.core.imports import Report, Row

    report = Report()
    report.error(sheet, Row(2, {}, {"id": "310105202001011234"}), "id", "x")
    assert report.errors[0].value == "310***********1234"


def test_serial_numbers_of_the_mac_calendar_are_shifted():
    file = book(("清单", [["编号", "日期"], ["A1", 42798]]))
    with open_workbook(file) as workbook:
        table = find_tables(workbook, (SHEET,))[0]
        table.mac_epoch = True
        assert table._shift(SHEET.columns[1], 42798) == 44260
        assert table._shift(SHEET.columns[0], 42798) == 42798
