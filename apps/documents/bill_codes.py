"""QR and bar codes on scans, and the bill that a QR code describes, to prefill a bill.

Electronic fiscal bills and VAT invoices print a QR code with comma-separated fields ("01,xx,code,
number,amount,date,check code,…"). Issuers differ in their order, so fields are told by their shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import zxingcpp
from PIL import Image, ImageFilter

from apps.documents.models import StoredFile
from apps.documents.previews import can_render, page_image

READ_WIDTH = 2000  # an A4 page at 240 dpi
DIGITAL_KINDS = {"31", "32", "51", "59", "61", "83", "84", "85", "86", "87", "88"}
ELECTRONIC_VAT_KINDS = {"08", "10", "14"}


@dataclass(frozen=True, slots=True)
class ScannedCode:
    text: str
    format: str
    page: int = 1


@dataclass(frozen=True, slots=True)
class BillData:
    """What a QR code says about a bill; whatever it does not say is empty and typed by a person."""

    bill_type: str  # FISCAL_E | VAT | DIGITAL
    code: str
    number: str
    check_code: str = ""
    amount: Decimal | None = None
    issued_on: date | None = None
    electronic: bool = True
    page: int = 1

    def as_json(self) -> dict[str, Any]:
        """For the API and forms: amounts as text, dates in ISO form."""
        data = asdict(self)
        data["amount"] = None if self.amount is None else str(self.amount)
        data["issued_on"] = self.issued_on.isoformat() if self.issued_on else None
        return data


def read_image(image: Image.Image, page: int = 1) -> tuple[ScannedCode, ...]:
    """Codes of one picture: first as it is, then with the noise filtered away."""
    for attempt in (image, image.convert("L").filter(ImageFilter.MedianFilter(3))):
        found = zxingcpp.read_barcodes(attempt)
        if found:
            return tuple(ScannedCode(code.text, code.format.name, page) for code in found if code.text)
    return ()


def read_codes(stored: StoredFile, pages: int = 5) -> tuple[ScannedCode, ...]:
    """Codes on the first pages of a stored file; () for XML and OFD."""
    if not can_render(stored):
        return ()
    wanted = range(1, min(stored.pages, pages) + 1)
    return tuple(code for page in wanted for code in read_image(page_image(stored, page, READ_WIDTH), page))


def bills_on(stored: StoredFile, pages: int = 5) -> tuple[BillData, ...]:
    """The bills that the QR codes of a file describe, each once."""
    found: dict[tuple[str, str], BillData] = {}
    for code in read_codes(stored, pages):
        bill = bill_from_text(code.text, code.page)
        if bill:
            found.setdefault((bill.code, bill.number), bill)
    return tuple(found.values())


def bill_from_text(text: str, page: int = 1) -> BillData | None:
    """The bill in the text of a QR code; None when it is something else."""
    fields = [part.strip() for part in text.strip().split(",")]
    if len(fields) < 4 or not re.fullmatch(r"\d{2}", fields[0]):
        return None
    kind, rest = fields[1], fields[2:]
    named = _identity(kind, rest)
    if named is None:
        return None
    bill_type, code, number, others = named
    check = next(_matching(others, r"(?=.*\d)[0-9A-Za-z]{6}" if bill_type == "FISCAL_E" else r"\d{20}"), "")
    return BillData(
        bill_type=bill_type,
        code=code,
        number=number,
        check_code=check.upper(),
        amount=next((Decimal(value) for value in _matching(others, r"\d{1,10}\.\d{1,2}")), None),
        issued_on=next((day for value in _matching(others, r"20\d{6}") if (day := _day(value))), None),
        electronic=bill_type != "VAT" or kind in ELECTRONIC_VAT_KINDS,
        page=page,
    )


def _identity(kind: str, rest: list[str]) -> tuple[str, str, str, list[str]] | None:
    """(type, code, number, remaining fields) by the lengths of neighboring fields (PR-01)."""
    for index, value in enumerate(rest):
        if re.fullmatch(r"\d{20}", value) and (kind in DIGITAL_KINDS or rest[0] == ""):
            return "DIGITAL", "", value, rest[index + 1 :]
        following = rest[index + 1] if index + 1 < len(rest) else ""
        if re.fullmatch(r"\d{8}", value) and re.fullmatch(r"\d{10}", following):
            return "FISCAL_E", value, following, rest[index + 2 :]
        if re.fullmatch(r"\d{10}|\d{12}", value) and re.fullmatch(r"\d{8}", following):
            return "VAT", value, following, rest[index + 2 :]
    return None


def _matching(values: list[str], pattern: str) -> Iterator[str]:
    return (value for value in values if re.fullmatch(pattern, value))


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y%m%d").date()
    except ValueError:
        return None
