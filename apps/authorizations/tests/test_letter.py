"""The letter as paper, and what strangers learn of it."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
import zxingcpp
from django.test import Client
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel

from apps.authorizations.tests.world import Rooms
from apps.documents import demo
from apps.documents.certificates import self_signed
from apps.documents.models import Letter
from apps.documents.signing import certificate as certificate_of_house
from apps.documents.signing import sign
from apps.documents.storage import open_stored
from apps.documents.tests.factories import pdf
from apps.documents.tests.paper import pages_of, picture_of
from apps.members.models import Member


def page(client: Client, letter: Letter) -> str:
    return client.get(f"/v/{letter.token}/").content.decode()


def test_pa01_one_page_archived_with_fonts_hash_and_no_identity(world: Rooms, rulebook: Any) -> None:
    letter = world.letter(world.sent())
    assert letter.file is not None
    with open_stored(letter.file) as file:
        content = file.read()
    (text,) = pages_of(content)
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


def test_much_to_say_stands_on_one_page_and_every_item_by_name(world: Rooms) -> None:
    items = [{"name": f"腹腔镜手术材料第{n}项", "kind": "EXAM", "amount": "1000.00"} for n in range(1, 13)]
    case = world.review_of(
        *items,
        diagnosis_name="急性化脓性阑尾炎伴局限性腹膜炎" * 7,
        treatment="术前禁食，补液纠正电解质紊乱。" * 30,
    )
    world.do(
        case,
        "approve",
        by="senior",
        amount="9000.00",
        valid_until="2026-10-31",
        conditions="请提前一天联系。\n" * 3,
    )
    world.deliver()
    file = world.letter(case).file
    assert file is not None
    with open_stored(file) as content:
        (text,) = pages_of(content.read())
    assert [n for n in range(1, 13) if f"第{n}项" not in text] == []
    assert "人民币玖仟元整" in text


def test_rare_characters_are_drawn_and_the_code_leads_to_the_page(world: Rooms, client: Client) -> None:
    """A surname that common fonts lack, in the letter and in its fonts; the QR code is read from the paper."""
    member = world.policy_of("2026").member
    Member.objects.filter(pk=member.pk).update(name="𠮷小明")
    case = world.sent(treatment="𫍯疗方案：腹腔镜阑尾切除", name="")
    letter = world.letter(case)
    assert letter.file is not None
    with open_stored(letter.file) as file:
        content = file.read()
    (text,) = pages_of(content)
    assert "𠮷**" in text
    assert "𫍯疗方案" in text
    assert "U+" not in text
    (code,) = zxingcpp.read_barcodes(picture_of(content))
    assert code.text.endswith(f"/v/{letter.token}/")
    said = client.get(urlsplit(code.text).path).content.decode()
    assert "有效" in said
    assert "𠮷" not in said


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


@pytest.fixture
def certificate(tmp_path: Path, settings: Any) -> Any:
    settings.LETTER_CERTIFICATE, settings.LETTER_CERTIFICATE_PASSPHRASE = str(tmp_path / "letters.p12"), "pw"
    made = datetime(2026, 1, 1, tzinfo=UTC)
    return self_signed(tmp_path / "letters.p12", "成长优享 理赔部（测试）", now=made, passphrase="pw")


def aside(work: Any, *given: Any) -> Any:
    """Browser tests leave an event loop running in this thread, and pyHanko brings its own."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work, *given).result()


def signature_of(letter: Letter) -> Any:
    assert letter.file is not None
    with open_stored(letter.file) as file:
        reader = PdfFileReader(BytesIO(file.read()))
    assert b"pdfaid" in reader.root["/Metadata"].data  # still an archive's file
    (signature,) = reader.embedded_signatures
    status = aside(validate_pdf_signature, signature)
    assert (status.intact, status.valid, status.coverage) == (True, True, SignatureCoverageLevel.ENTIRE_FILE)
    return signature


def test_signed_where_a_certificate_is_configured(world: Rooms, certificate: Any) -> None:
    signature = signature_of(world.letter(world.sent()))
    assert signature.signer_cert.serial_number == certificate.serial_number
    assert signature.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"  # PAdES


def test_signed_where_an_event_loop_runs_already(certificate: Any) -> None:
    async def sign_here() -> bytes:
        return sign(pdf())

    assert b"ETSI.CAdES.detached" in aside(asyncio.run, sign_here())


def test_the_demonstration_signs_with_a_certificate_of_its_own(
    world: Rooms, settings: Any, tmp_path: Path
) -> None:
    path = tmp_path / "certificates" / "demo.p12"
    settings.LETTER_DEMO_CERTIFICATE = str(path)
    assert certificate_of_house() == ("", "")  # not made yet: unsigned, as before
    assert (demo.build(), demo.build()) == (1, 0)
    assert path.stat().st_mode & 0o077 == 0
    signer = signature_of(world.letter(world.sent())).signer_cert
    assert (signer.subject == signer.issuer, "演示" in signer.subject.human_friendly) == (True, True)
    settings.LETTER_CERTIFICATE = "/etc/claims/letters.p12"
    path.unlink()
    assert (demo.build(), certificate_of_house()[0]) == (0, "/etc/claims/letters.p12")


def test_a_certificate_that_cannot_be_read_sends_nothing_unsigned(
    world: Rooms, settings: Any, tmp_path: Path
) -> None:
    settings.LETTER_CERTIFICATE = str(tmp_path / "none.p12")
    case = world.approved()
    world.deliver()
    assert (world.letter(case).state, world.see(case).state) == ("QUEUED", "LETTER_ISSUED")
    assert "PKCS#12" in world.letter(case).error
