"""What stands in a cell becomes a value, or an error that says what is expected."""

from datetime import date, datetime, time

import pytest

from apps.core.imports import cells
from apps.core.imports.cells import CellError


@pytest.mark.parametrize(
    "written",
    [
        "2021-3-5", "2021/03/05", "2021年3月5日", "2021 年 3 月 5 日", "20210305", "2021.3.5", " 2021-03-05 ",
        "２０２１－０３－０５", "2021-03-05 00:00:00", "2021-03-05T08:30:00", 44260, 44260.0, 44260.75, "44260", 20210305,
        date(2021, 3, 5), datetime(2021, 3, 5, 14, 0), "2021-03-05\u200b",
    ],
)  # fmt: skip
def test_a_day_in_every_shape(written):
    assert cells.day(written) == date(2021, 3, 5)


@pytest.mark.parametrize(
    "written",
    [
        "03/04/2021",
        "5.3.21",
        "2021-13-01",
        "2021-02-30",
        "去年",
        True,
        time(8, 0),
        5,
        999999,
        "2021-3",
        "#VALUE!",
    ],
)
def test_a_day_is_never_guessed(written):
    with pytest.raises(CellError):
        cells.day(written)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("３１０１０５２０２００１０１１２３Ｘ", "31010520200101123X"),
        (" 310105 20200101 123x ", "31010520200101123X"),
        (13800138000, "13800138000"),
        (13800138000.0, "13800138000"),
        ("\u202a310105\u202c", "310105"),
    ],
)
def test_a_number_that_identifies_is_folded(written, read):
    assert cells.code(written) == read


@pytest.mark.parametrize("written", [310105202001011234, 3.10105202001011e17, "3.10105E+17", "#N/A"])
def test_a_number_that_excel_rounded_is_refused(written):
    with pytest.raises(CellError):
        cells.code(written)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("　王 小明 ", "王小明"), ("王䶮", "王䶮"), ("𠮷田", "𠮷田"), ("买买提•艾力", "买买提·艾力"),
        ("John  Smith", "John Smith"), ("欧阳\t𠮷", "欧阳𠮷"), ("Ｊｏｈｎ", "John"),
    ],
)  # fmt: skip
def test_a_name_keeps_its_glyphs(written, read):
    assert cells.person_name(written) == read


@pytest.mark.parametrize("written", ["王?明", "王？明", "李\ue863", "王\ufffd", "12345", "王" * 81])
def test_a_damaged_name_is_refused(written):
    with pytest.raises(CellError):
        cells.person_name(written)


@pytest.mark.parametrize(
    ("written", "read"),
    [("是", True), ("有", True), ("Ｙ", True), (1, True), (True, True), ("否", False), (0, False)],
)
def test_yes_and_no(written, read):
    assert cells.yes_no(written) is read


def test_yes_and_no_is_never_guessed():
    with pytest.raises(CellError):
        cells.yes_no("大概")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("138-0013-8000", "13800138000"), ("+86 138 0013 8000", "13800138000"), ("８６13800138000", "13800138000"),
        ("+852 9123 4567", "+85291234567"), ("0085291234567", "+85291234567"), (13800138000, "13800138000"),
    ],
)  # fmt: skip
def test_phones(written, read):
    assert cells.phone(written) == read


@pytest.mark.parametrize("written", ["1380013800", "12345678901", "无"])
def test_wrong_phones(written):
    with pytest.raises(CellError):
        cells.phone(written)


def test_several_words_and_none():
    parse = cells.several_of({"疫苗": "VACCINE", "齿科": "DENTAL"})
    assert parse("疫苗、 齿科") == parse("dental;VACCINE") == ["DENTAL", "VACCINE"]
    assert parse("无") == []
    with pytest.raises(CellError, match="疫苗 / 齿科"):
        parse("美容")


@pytest.mark.parametrize("written", [None, "", " 　", "—", "N/A", "/", "\u200b"])
def test_blank_cells(written):
    assert cells.is_blank(written)


def test_prose_keeps_chinese_punctuation():
    assert cells.short_text("门诊，急诊（１楼）") == "门诊，急诊（1楼）"
    assert cells.long_text("一、 哮喘；\n\n二、鼻炎。") == "一、 哮喘；\n二、鼻炎。"
    assert cells.long_text("无") == ""
