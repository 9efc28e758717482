"""E-mail as the world writes it: Chinese in every encoding, nested, inline, hostile. Nothing raises."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from apps.mailroom.inbox.mime import html_to_text, read_letter
from apps.mailroom.tests.letters import GUARDIAN, letter

NOW = datetime(2026, 9, 16, 2, 0, tzinfo=UTC)


def read(raw: bytes, **fields: object):  # type: ignore[no-untyped-def]
    return read_letter(raw, now=NOW, **fields)  # type: ignore[arg-type]


def part(headers: bytes, body: bytes = b"abc") -> bytes:
    return (
        b"From: a@b.cn\nContent-Type: multipart/mixed; boundary=b\n\n--b\n"
        + headers
        + b"\n\n"
        + body
        + b"\n--b--"
    )


# --- Words ------------------------------------------------------------------------------------


def test_a_usual_message() -> None:
    found = read(letter("补充材料 C26-000012", files={"发票（一）.jpg": b"x"}))
    assert (found.sender, found.sender_name, found.subject) == (GUARDIAN, "王建国", "补充材料 C26-000012")
    assert found.message_id == "<one@example.com>"
    assert found.sent_at == datetime(2026, 9, 16, 1, 0, tzinfo=UTC)
    assert found.text.strip() == "您好，附件是补充材料。"
    assert [(one.name, one.data) for one in found.parts] == [("发票（一）.jpg", b"x")]
    assert (found.refusal, found.defects, found.automatic) == ("", [], "")


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (b"=?gb2312?B?zfXQocP3tcS3osax?=", "王小明的发票"),
        (b"=?GBK?Q?=CD=F5=D0=A1=C3=F7?=", "王小明"),
        (b"=?utf-8?B?546L5bCP?= =?utf-8?B?5piO?=", "王小明"),
        (b"=?utf-8?B?546L5bA=?=\r\n =?utf-8?B?j+aYjg==?=", "王小明"),  # a character cut in two
        ("王小明".encode(), "王小明"),
        ("王小明".encode("gb18030"), "王小明"),
        ("䶮𠮷".encode("gb18030"), "䶮𠮷"),
        (b"=?unknown-8bit?B?zfU=?=", "王"),
        (b"=?utf-8?B?!!!!?=", ""),
        (b"=?rot13?Q?abc?=", "abc"),
        (b"a\x00b\x1b[31m\xe2\x80\xae c", "ab[31m c"),
    ],
)
def test_subjects(subject: bytes, expected: str) -> None:
    assert read(b"Subject: " + subject + b"\r\nFrom: a@b.cn\r\n\r\nx").subject == expected


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        (b"Content-Disposition: attachment; filename=\"=?gb2312?B?t6LGsS5wZGY=?=\"", "发票.pdf"),
        (b"Content-Disposition: attachment; filename*=GBK''%B7%A2%C6%B1.pdf", "发票.pdf"),
        (b"Content-Disposition: attachment; filename*0*=UTF-8''%E5%8F%91; filename*1*=%E7%A5%A8.pdf", "发票.pdf"),
        (b"Content-Disposition: attachment; filename=\"\xb7\xa2\xc6\xb1.pdf\"", "发票.pdf"),
        (b"Content-Type: application/pdf; name=\"=?UTF-8?B?5Y+R56WoLnBkZg==?=\"", "发票.pdf"),
        (b"Content-Disposition: attachment; filename=\"../../etc/passwd\"", "passwd"),
        (b"Content-Disposition: attachment; filename=\"C:\\\\Windows\\\\a.pdf\"", "a.pdf"),
        (b"Content-Disposition: attachment; filename=\"a\x00\xe2\x80\xaefdp.exe\"", "afdp.exe"),
        (b"Content-Disposition: attachment; filename=\"..\"", ""),
    ],
)  # fmt: skip
def test_file_names(headers: bytes, name: str) -> None:
    assert [one.name for one in read(part(headers)).parts] == [name]


@pytest.mark.parametrize("charset", ["gb2312", "gbk", "gb18030", "utf-8", "big5", "nonsense", ""])
def test_bodies_in_every_charset(charset: str) -> None:
    codec = charset if charset not in ("nonsense", "") else "gb18030"
    text = "請查收" if charset == "big5" else "您好，请查收附件"
    kind = f"; charset={charset}" if charset else ""
    raw = f"From: a@b.cn\nContent-Type: text/plain{kind}\n\n".encode() + text.encode(codec)
    assert read(raw).text == text


def test_html_is_shown_as_words_and_nothing_of_it_runs_or_is_fetched() -> None:
    html = (
        "<head><title>x</title></head><p>您好&nbsp;&lt;b&gt;</p><script>alert(1)</script>"
        "<img src='http://spy.example/x.png'><a href='javascript:x'>点这里</a><style>p{}</style><td>1</td><td>2</td>"
    )
    raw = b"From: a@b.cn\nContent-Type: text/html; charset=utf-8\n\n" + html.encode()
    assert read(raw).text == "您好 <b>\n点这里 1 2"
    assert "<" not in html_to_text("<<script>script>alert(1)</script>>")  # words, whatever was meant
    assert html_to_text("<p>a<!-- <p>hidden") == "a"


def test_plain_text_wins_over_html_and_enclosed_messages_are_opened() -> None:
    inner = EmailMessage()
    inner["Subject"], inner["From"] = "转发的发票", "clinic@example.com"
    inner.set_content("里面的文字")
    inner.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="内.pdf")
    outer = EmailMessage()
    outer["From"] = "a@b.cn"
    outer.set_content("外面的文字")
    outer.add_alternative("<p>not this</p>", subtype="html")
    outer.add_attachment(inner)
    found = read(outer.as_bytes())
    assert found.text.split() == ["外面的文字", "———", "转发的发票", "———", "里面的文字"]
    assert [(one.name, one.inside) for one in found.parts] == [("内.pdf", "转发的发票")]


def test_inline_pictures_are_parts() -> None:
    headers = b"Content-Type: image/png\nContent-ID: <logo>\nContent-Transfer-Encoding: base64"
    assert [(one.inline, one.data) for one in read(part(headers, b"eHl6")).parts] == [(True, b"xyz")]


# --- Who, when, and whether a machine ---------------------------------------------------------


def test_only_one_plain_sender_counts() -> None:
    for header in (
        b"",
        b"From: a@b.cn, c@d.cn\n",
        b"From: a@b.cn\nFrom: c@d.cn\n",
        b"From: nobody\n",
        b"From: <a@b>\n",
    ):
        assert read(header + b"Subject: x\n\nx").sender == ""
    assert read(b'From: "a@b.cn" <Evil@X.cn>\n\nx').sender == "evil@x.cn"


@pytest.mark.parametrize(
    ("date", "defect"),
    [
        (b"", "NO_DATE"), (b"Date: tomorrow\n", "NO_DATE"), (b"Date: Mon, 1 Jan 1800 00:00:00 +0000\n", "NO_DATE"),
        (b"Date: Thu, 1 Jan 2099 00:00:00 +0800\n", "FUTURE_DATE"), (b"Date: Wed, 99 Sep 2026 99:99:99 +9999\n", "NO_DATE"),
        (b"Date: Fri, 18 Sep 2026 00:00:00 +0800\n", "FUTURE_DATE"),
    ],
)  # fmt: skip
def test_dates_that_cannot_be(date: bytes, defect: str) -> None:
    assert defect in read(date + b"From: a@b.cn\n\nx").defects


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        (b"Auto-Submitted: auto-replied", "REPLY"), (b"Auto-Submitted: no", ""), (b"X-Autoreply: yes", "REPLY"),
        (b"Precedence: bulk", "LIST"), (b"Precedence: auto_reply", "REPLY"), (b"List-Id: <x.y>", "LIST"),
        (b"Return-Path: <>", "BOUNCE"), (b"From: MAILER-DAEMON@mx.cn", "BOUNCE"),
        (b"Content-Type: multipart/report; report-type=\"delivery-status\"; boundary=b", "BOUNCE"), (b"X-Other: 1", ""),
    ],
)  # fmt: skip
def test_machines_are_recognized(headers: bytes, kind: str) -> None:
    assert read(headers + b"\n\nx").automatic == kind


def test_header_lines_cannot_be_smuggled() -> None:
    found = read(letter("=?utf-8?B?" + "QQ0KQmNjOiB4QHkuY24=" + "?=", message_id="<a@b>"))
    assert "\n" not in found.subject
    assert "\r" not in found.subject
    raw = b"Message-ID: <a\r\n b@c>\r\nFrom: a@b.cn\r\n\r\nx"
    assert read(raw).message_id == ""


def test_ten_thousand_recipients_are_a_number() -> None:
    raw = b"From: a@b.cn\nTo: " + b", ".join(b"u%d@x.cn" % n for n in range(10_000)) + b"\n\nx"
    assert (read(raw).recipients, read(raw).refusal) == (10_000, "")


# --- Bombs ------------------------------------------------------------------------------------

BOMBS = {
    "nested multiparts": b"".join(b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (n, n) for n in range(3000)),
    "nested messages": b"Content-Type: message/rfc822\n\n" * 3000,
    "empty parts": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\n" * 2_000_000,
    "many parts": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\nA: b\n\nx\n" * 500,
    "deep parts": b"".join(b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (n, n) for n in range(30)),
    "lines": b"From: a@b.cn\n\n" + b"\n" * 20_000_000,
    "endless header": b"Subject: " + b"=?a?q?" * 2_000_000,
    "many headers": b"A: b\n" * 200_000,
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_not_taken_apart(name: str) -> None:
    started = time.monotonic()
    found = read(BOMBS[name])
    assert found.refusal in ("MIME_BOMB", "HEADER_BOMB")
    assert (found.parts, found.text) == ([], "")
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "start", [b"<!--<", b"<script ", b"<script>", b"<p", b"&", b"<svg></svg ", b"<a b='"]
)
def test_html_costs_no_more_than_its_length(start: bytes) -> None:
    started = time.monotonic()
    read(b"Content-Type: text/html\n\n" + start * (2_000_000 // len(start)))
    assert time.monotonic() - started < 10


def test_a_beginning_is_read_when_the_whole_is_too_large() -> None:
    found = read(letter("大")[:300], whole=False, size=10**9)
    assert (found.refusal, found.subject, found.sender) == ("TOO_LARGE", "大", GUARDIAN)


# --- Identity ---------------------------------------------------------------------------------


def test_identity_is_of_id_and_words() -> None:
    one = read(letter())
    assert read(b"Received: by x\n" + letter()).identity == one.identity
    assert read(letter().replace(b"\n", b"\r\n")).identity == one.identity
    assert read(letter(text="other")).identity != one.identity
    assert read(letter(message_id="<two@x>")).identity != one.identity
    assert read(letter(message_id="")).identity == read(letter(message_id="")).digest
