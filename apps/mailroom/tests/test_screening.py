"""Files of a message are looked at like uploads; what is refused says why in words one can pass on."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from apps.claims.tests.world import World
from apps.documents.tests.factories import pdf, picture
from apps.mailroom import reasons
from apps.mailroom.inbox.mime import Part
from apps.mailroom.inbox.polling import take_in
from apps.mailroom.inbox.screening import kind_by_name, screen
from apps.mailroom.tests.letters import INVOICE, box, letter


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "."), data)
    return buffer.getvalue()


def one(data: bytes, name: str = "a.pdf", kind: str = "application/octet-stream", **fields: Any) -> Any:
    return screen([Part(name, kind, data, **fields)], None)[0]


@pytest.mark.parametrize(
    ("data", "name", "kind", "reason"),
    [
        (b"MZ\x90\x00program", "发票.pdf", "application/pdf", "EXECUTABLE"),
        (b"harmless", "发票.pdf.exe", "application/pdf", "EXECUTABLE"),
        (b"\x7fELF", "scan", "image/png", "EXECUTABLE"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "a.pdf", "application/pdf", "OFFICE"),
        (zipped(**{"[Content_Types]__xml": b"<x/>"}), "a.pdf", "application/pdf", "OFFICE"),
        (b"whatever", "清单.xlsm", "", "OFFICE"),
        (zipped(a__pdf=b"x" * 10_000_000), "all.zip", "application/zip", "ARCHIVE"),
        (b"Rar!\x1a\x07", "all.pdf", "", "ARCHIVE"),
        (b"\x78\x9f\x3e\x22", "winmail.dat", "application/ms-tnef", "TNEF"),
        (b"x", "smime.p7m", "application/pkcs7-mime", "ENCRYPTED_MAIL"),
        (b"x", "smime.p7s", "application/pkcs7-signature", "SIGNATURE"),
        (b"<html><script>", "a.pdf", "text/html", "WEB_PAGE"),
        (b"%PDF-1.7 broken", "a.pdf", "application/pdf", "FILE_BROKEN"),
        (b"plain words", "notes.txt", "text/plain", "FILE_TYPE"),
        (b"", "a.pdf", "application/pdf", "FILE_EMPTY"),
    ],
)
def test_what_is_refused_and_why(own_folders: None, data: bytes, name: str, kind: str, reason: str) -> None:
    found = one(data, name, kind)
    assert (found.reason, found.received) == (reason, None)
    assert str(reasons.words(reason)) != reason


def test_good_files_are_recognized_by_their_bytes(own_folders: None) -> None:
    found = one(INVOICE, "发票.pdf", "application/pdf")
    assert (found.reason, found.received.content.content_type) == ("", "image/jpeg")
    assert found.received.name == "发票.jpg"
    assert one(pdf(3), "病历").received.content.pages == 3


def test_a_small_inline_picture_is_a_signature_and_a_large_one_a_photo(own_folders: None) -> None:
    logo = picture("PNG", (40, 40))
    assert one(logo, "logo.png", "image/png", inline=True).decoration
    assert not one(logo, "logo.png", "image/png").decoration
    photo = picture("PNG", (1500, 1500), text="发票" * 30) + b"\x00" * 9000
    assert not one(photo, "IMG.png", "image/png", inline=True).decoration


def test_the_name_of_a_file_says_its_kind(world: World) -> None:
    handbook = world.handbook("2026").handbook
    found = {
        name: kind_by_name(name, handbook)
        for name in (
            "王小明-发票1.jpg",
            "门诊病历.pdf",
            "出院小结.pdf",
            "IMG_0001.jpg",
            "费用明细清单.pdf",
            "护照.jpg",
        )
    }
    assert found["王小明-发票1.jpg"] == "INVOICE"
    assert found["门诊病历.pdf"] == "MEDICAL_RECORD"
    assert found["出院小结.pdf"] == "DISCHARGE_SUMMARY"
    assert found["费用明细清单.pdf"] == "ITEMIZED_BILL"
    assert found["IMG_0001.jpg"] == "OTHER"


def test_good_and_bad_files_of_one_message_stand_side_by_side(world: World) -> None:
    files = {"发票.jpg": INVOICE, "清单.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "all.zip": zipped(a=b"x")}
    email, fresh = take_in(box(), letter(files=files))
    assert fresh
    rows = {row.name: (row.reason, row.file_id is not None) for row in email.files.all()}
    assert rows == {"发票.jpg": ("", True), "清单.xls": ("OFFICE", False), "all.zip": ("ARCHIVE", False)}
