"""The letter as paper, and what strangers learn of it."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

import pypdfium2 as pdfium
import time_machine
from django.test import Client
from pyhanko.pdf_utils.reader import PdfFileReader

from apps.authorizations.tests.world import Rooms
from apps.documents.models import Letter
from apps.documents.storage import open_stored


def page(client: Client, letter: Letter) -> str:
    return client.get(f"/v/{letter.token}/").content.decode()


def test_pa01_one_page_archived_with_fonts_hash_and_no_identity(world: Rooms, rulebook: Any) -> None:
    letter = world.letter(world.sent())
    assert letter.file is not None
    with open_stored(letter.file) as file:
        content = file.read()
    pages = list(pdfium.PdfDocument(content))
    text = "".join(one.get_textpage().get_text_range() for one in pages).replace(" ", "")
    assert len(pages) == 1
    assert letter.sha256 == letter.file.sha256
    for words in (
        "担保函",
        "悦安诊所",
        "10,000.00",
        "急性阑尾炎",
        "2026-10-31",
        letter.number,
        "org.jdaipmi.gop1",
    ):
        assert words in text
    member = world.policy_of("2026").member
    assert member.name not in text
    assert member.id_number not in text
    root = PdfFileReader(BytesIO(content)).root
    assert re.search(r"pdfaid:part\W+3\D", root["/Metadata"].data.decode())
    fonts = root["/Pages"]["/Kids"][0]["/Resources"]["/Font"]
    described = [fonts[name]["/DescendantFonts"][0]["/FontDescriptor"] for name in fonts]
    assert all("/FontFile2" in font or "/FontFile3" in font for font in described)
    rulebook.read_back("PA-01", letter.number)
    rulebook.read_back("PA-20", letter.number)


def test_the_public_page_tells_the_state_and_nothing_of_the_child(
    world: Rooms, client: Client, django_assert_num_queries: Any
) -> None:
    case = world.sent()
    letter = world.letter(case)
    with django_assert_num_queries(1):
        said = page(client, letter)
    with django_assert_num_queries(1):
        assert "查无此文书" in client.get("/v/unknown-token/").content.decode()
    assert "有效" in said
    for word in ("王", "阑尾", "悦安", case.number, "10,000"):
        assert word not in said
    world.do(case, "reissue", by="senior", valid_until="2026-11-15", reason="改期")
    assert "已被替换" in page(client, letter)
    with time_machine.travel("2026-11-16T00:00:00+08:00", tick=False):
        assert "已过有效期" in page(client, world.letter(case))
    world.do(case, "void", by="supervisor", reason="资料不实")
    assert "已作废" in page(client, world.letter(case))
