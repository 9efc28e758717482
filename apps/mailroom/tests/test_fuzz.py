"""Whatever bytes a mailbox holds: the poller never raises, and each message leaves exactly one record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.claims.tests.world import World
from apps.mailroom.inbox.mailboxes import folder_of
from apps.mailroom.inbox.mime import read_letter
from apps.mailroom.inbox.polling import poll
from apps.mailroom.models import Email, EmailFile
from apps.mailroom.tests.letters import CLAIMS_2026, INVOICE, RECORD, box, letter
from apps.mailroom.tests.test_mime import NOW

SEEDS = [
    letter(files={"发票.jpg": INVOICE, "病历.pdf": RECORD, "a.docx": b"PK\x03\x04[Content_Types].xml"}),
    letter("=?gb2312?B?zfXQocP3?=", In_Reply_To="<a@b>", References="<c@d> <e@f>", Auto_Submitted="auto-replied"),
    b"From: a@b.cn\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\nSubject: x\n\ny\n--b--",
    b"From: a@b.cn\nContent-Type: text/html; charset=gbk\nContent-Transfer-Encoding: quoted-printable\n\n=CD=F5<p",
    b"Content-Type: multipart/signed; boundary=\"b\"\n\n--b\n\nx\n--b\nContent-Disposition: attachment; filename*0*=gbk''%B7;"
    b" filename*1*=%A2\nContent-Transfer-Encoding: base64\n\n!!!!\n--b--",
]  # fmt: skip
TOKENS = [
    b"\n", b"\r", b"\r\n\r\n", b"\x00", b"--b", b"--b--", b": ", b";", b"=?utf-8?B?", b"?=", b"\"", b"boundary=", b"charset=",
    b"Content-Type: message/rfc822\n\n", b"Content-Type: multipart/mixed; boundary=b\n", b"Content-Transfer-Encoding: uuencode\n",
    b"filename*=", b"%FF%FE", b"\xff\xfe", b"From: ", b"Date: ", b"<a@b>", b"charset=utf-16", b"charset=utf-7", b"begin 644 x\n",
    b"message/external-body", b"message/partial", b"text/rfc822-headers", b"\xed\xa0\x80", b"=?gb2312?Q?=CD?=",
]  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A real message with bytes cut out, put in, doubled or swapped."""
    raw = bytearray(draw(st.sampled_from(SEEDS)))
    for _turn in range(draw(st.integers(0, 12))):
        at = draw(st.integers(0, max(len(raw) - 1, 0)))
        length = draw(st.integers(0, 60))
        what = draw(st.integers(0, 3))
        if what == 0:
            del raw[at : at + length]
        elif what == 1:
            raw[at:at] = draw(st.sampled_from(TOKENS) | st.binary(max_size=20))
        elif what == 2:
            raw[at:at] = raw[at : at + length] * draw(st.integers(1, 4))
        else:
            raw[at : at + length] = draw(st.binary(min_size=0, max_size=length))
    return bytes(raw)


ANY = st.one_of(
    mutated(),
    mutated(),
    st.binary(max_size=600),
    st.lists(st.sampled_from(TOKENS), max_size=60).map(b"".join),
)


@given(ANY)
def test_reading_never_raises_and_says_only_what_a_database_takes(raw: bytes) -> None:
    found = read_letter(raw, now=NOW)
    words = [found.subject, found.sender, found.sender_name, found.text, found.message_id, *found.references]
    for word in [*words, *(one.name for one in found.parts), *(one.inside for one in found.parts)]:
        assert "\x00" not in word
        word.encode("utf-8")
    assert len(found.identity) == 64
    assert read_letter(raw, now=NOW).identity == found.identity


@pytest.fixture
def folder(world: World, settings: Any, tmp_path: Path) -> Path:
    settings.MAIL_ACCOUNTS, settings.MAIL_FOLDER = [], str(tmp_path / "boxes")
    return folder_of(CLAIMS_2026)


@given(st.lists(ANY, min_size=1, max_size=3, unique=True))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_polling_never_raises_and_leaves_one_record_a_message(folder: Path, raws: list[bytes]) -> None:
    (folder / "new").mkdir(parents=True, exist_ok=True)
    EmailFile.objects.all().delete()
    Email.objects.all().delete()
    for index, raw in enumerate(raws):
        (folder / "new" / f"{index}").write_bytes(raw)
    found = poll(box())
    assert found.error == ""
    assert found.new == Email.objects.count()
    assert found.new + found.known == len(raws)
    identities = {read_letter(raw, now=NOW).identity for raw in raws}
    assert set(Email.objects.values_list("identity", flat=True)) == identities
    assert not Email.objects.filter(settled=False).exists()
    assert list((folder / "new").iterdir()) == []
    for index, raw in enumerate(raws):  # the same again: nothing new
        (folder / "new" / f"again{index}").write_bytes(raw)
    assert poll(box()).new == 0
