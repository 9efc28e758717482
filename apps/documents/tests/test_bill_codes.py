"""QR codes of bills prefill what people would type (PR-01)."""

import io
from datetime import date
from decimal import Decimal

import pytest
import segno
from PIL import Image, ImageFilter

from apps.documents.bill_codes import BillData, bill_from_text, bills_on, read_image
from apps.documents.storage import store_upload
from apps.documents.tests.factories import upload

FISCAL = "01,01,31010126,0004512345,128.50,20261009,a1b2c3,7F3A"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            FISCAL,
            BillData("FISCAL_E", "31010126", "0004512345", "A1B2C3", Decimal("128.50"), date(2026, 10, 9)),
        ),
        (
            "01,04,031001900111,12345678,66.04,20260302,12345678901234567890,9ABC,",
            BillData(
                "VAT",
                "031001900111",
                "12345678",
                "12345678901234567890",
                Decimal("66.04"),
                date(2026, 3, 2),
                False,
            ),
        ),
        (
            "01,10,0310019001,12345678,66.04,20260302,,9ABC,",
            BillData("VAT", "0310019001", "12345678", "", Decimal("66.04"), date(2026, 3, 2), True),
        ),
        (
            "01,31,,25312000000012345678,1200.00,20260703,,AC21",
            BillData("DIGITAL", "", "25312000000012345678", "", Decimal("1200.00"), date(2026, 7, 3)),
        ),
        ("01,01,31010126,0004512345,,20261399,,", BillData("FISCAL_E", "31010126", "0004512345")),
        ("https://example.com/x", None),
        ("01,01", None),
        ("", None),
    ],
)
def test_bill_is_read_from_the_text_of_its_code(text, expected):
    assert bill_from_text(text) == expected


def test_result_is_ready_for_the_api():
    bill = bill_from_text(FISCAL)
    assert bill.as_json() == {
        "bill_type": "FISCAL_E",
        "code": "31010126",
        "number": "0004512345",
        "check_code": "A1B2C3",
        "amount": "128.50",
        "issued_on": "2026-10-09",
        "electronic": True,
        "page": 1,
    }


def sheet(angle: float = 0, blur: bool = False) -> Image.Image:
    """An A4 page at 150 dpi with the code of a bill in a corner."""
    buffer = io.BytesIO()
    segno.make(FISCAL, error="m").save(buffer, kind="png", scale=5, border=4)
    page = Image.new("L", (1240, 1754), "white")
    page.paste(Image.open(buffer).convert("L"), (820, 120))
    page = page.rotate(angle, expand=True, fillcolor=255)
    return page.filter(ImageFilter.GaussianBlur(0.8)) if blur else page


@pytest.mark.parametrize("scan", [sheet(), sheet(7), sheet(180, blur=True)])
def test_code_is_found_on_straight_turned_and_soft_scans(scan):
    assert [code.text for code in read_image(scan)] == [FISCAL]


def test_speckled_scan_is_read_after_the_median_filter():
    page = sheet()
    for n in range(0, 1240 * 1754, 97):  # a dirty scanner glass
        page.putpixel((n % 1240, n // 1240), 0 if n % 2 else 255)
    assert [code.text for code in read_image(page)] == [FISCAL]


@pytest.mark.django_db
def test_bills_of_a_scan_with_several_pages_are_each_found_once():
    buffer = io.BytesIO()
    sheet().save(buffer, "PDF", save_all=True, append_images=[Image.new("L", (1240, 1754), "white"), sheet()])
    stored = store_upload(upload(buffer.getvalue(), "scan.pdf"))
    assert [(bill.number, bill.page) for bill in bills_on(stored)] == [("0004512345", 1)]
