"""An e-mail read without trusting it: any bytes in, a `Letter` of plain text and parts out; never raises.

Everything costs at most a little more than the length of the bytes. What would cost more (thousands of
parts, multiparts in multiparts, endless headers) is not taken apart at all and says so in `refusal`.
"""

from __future__ import annotations

import codecs
import email.errors
import email.header
import email.parser
import email.policy
import email.utils
import hashlib
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import Message
from html import unescape

MAX_HEADER_BYTES = 512 * 1024
MAX_CONTAINERS = 60  # multiparts and enclosed messages, written anywhere in the bytes
MAX_DASHES = 4_000  # lines that may be boundaries
MAX_PARTS = 120
MAX_LINES = 1_000_000  # 60 MB of base64
MAX_DEPTH = 12
MAX_TEXT = 100_000  # characters kept for reading; the whole message is kept as it came
MAX_HTML = 2_000_000
MAX_VALUE = 4_000  # of one header
MAX_REFERENCES = 40

CONTAINER = re.compile(rb"^content-type:\s*(?:multipart|message)/", re.I | re.M)
MESSAGE_ID = re.compile(r"<[^<>\s\x00-\x20\x7f\ud800-\udfff]{1,250}>")  # no byte that nobody declared
# Control characters, half surrogates, and what turns the direction of a line around or hides in it.
UNSAFE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufffe\uffff]"
)
CHINESE = {"gb2312", "gbk", "gb18030", "hz"}
CHARSETS = {
    "utf-8", "ascii", "big5", "big5hkscs", "cp950", "iso8859-1", "iso8859-2", "iso8859-15", "cp1250", "cp1251", "cp1252",
    "koi8-r", "utf-16", "utf-16-le", "utf-16-be", "shift_jis", "cp932", "euc_jp", "euc_kr", "iso2022_jp", "utf-7",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """A file inside a message: its bytes decoded, its name as the sender wrote it."""

    name: str
    content_type: str  # as claimed; what it is is told from the bytes
    data: bytes
    inline: bool = False
    inside: str = ""  # subject of the enclosed message it came in
    broken: bool = False


@dataclass(slots=True)
class Letter:
    """What one message says. `refusal` (a code) = its parts were not taken apart."""

    digest: str  # of the whole, or of what stands for it
    identity: str
    message_id: str = ""
    references: list[str] = field(default_factory=list)  # In-Reply-To first
    sender: str = ""  # one address in lower case; "" when there is none or several
    sender_name: str = ""
    reply_to: str = ""
    recipients: int = 0
    subject: str = ""
    sent_at: datetime | None = None
    automatic: str = ""  # REPLY | BOUNCE | LIST
    authentication: str = ""  # the receiving server's Authentication-Results
    text: str = ""
    cut: bool = False
    parts: list[Part] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)  # codes
    refusal: str = ""


# --- The whole ------------------------------------------------------------------------------------------


def read_letter(raw: bytes, *, now: datetime, whole: bool = True, size: int = 0) -> Letter:
    """Take a message apart. With `whole=False` the bytes are only its beginning: the header is read.

    `now` is when it reached us; a date after that is a defect. Never raises.
    """
    digest = hashlib.sha256(raw).hexdigest()
    head, _blank, body = _split(raw)
    letter = Letter(digest=digest, identity=digest)
    try:
        _read_header(letter, head, now)
    except Exception as error:  # the standard library's parsers have known holes
        letter.defects.append(f"header:{type(error).__name__}")
    letter.identity = _identity(letter, body if whole else str(size).encode(), digest)
    if not whole:
        letter.refusal = "TOO_LARGE"
        return letter
    letter.refusal = _too_much(raw, head)
    if not letter.refusal:
        try:
            _Reader(letter).read(email.parser.BytesParser(policy=email.policy.compat32).parsebytes(raw))
        except Exception as error:
            letter.refusal = "UNREADABLE"
            letter.defects.append(f"body:{type(error).__name__}")
    letter.defects = list(dict.fromkeys(letter.defects))[:20]
    return letter


def _split(raw: bytes) -> tuple[bytes, bytes, bytes]:
    found = re.search(rb"\r?\n\r?\n", raw)
    return (
        (raw[: found.start()], raw[found.start() : found.end()], raw[found.end() :])
        if found
        else (raw, b"", b"")
    )


def _identity(letter: Letter, body: bytes, digest: str) -> str:
    """The Message-ID, together with what it says: the same mail delivered twice is one, and nobody hides
    another mail by sending one under its id before. Without an id, all its bytes."""
    if not letter.message_id:
        return digest
    said = hashlib.sha256(body.replace(b"\r\n", b"\n").rstrip(b"\n")).hexdigest()
    return hashlib.sha256(f"{letter.message_id}\n{said}".encode()).hexdigest()


def _too_much(raw: bytes, head: bytes) -> str:
    """Bombs are told from the bytes, before anything is built from them."""
    if len(head) > MAX_HEADER_BYTES:
        return "HEADER_BOMB"
    containers = sum(
        1 for _found, _n in zip(CONTAINER.finditer(raw), range(MAX_CONTAINERS + 1), strict=False)
    )
    if containers > MAX_CONTAINERS or raw.count(b"\n--") > MAX_DASHES or raw.count(b"\r--") > 2 * MAX_DASHES:
        return "MIME_BOMB"
    if raw.count(b"\n") > MAX_LINES:
        return "MIME_BOMB"
    return ""


# --- Header ---------------------------------------------------------------------------------------------


def _read_header(letter: Letter, head: bytes, now: datetime) -> None:
    header = email.parser.BytesParser(policy=email.policy.compat32).parsebytes(
        head[:MAX_HEADER_BYTES] + b"\n\n", headersonly=True
    )
    values = _Values(header)
    letter.automatic = _automatic(values)  # first: whatever fails below, this must hold
    ids = MESSAGE_ID.findall(values.raw("message-id"))
    letter.message_id = ids[0] if ids else ""
    if not ids:
        letter.defects.append("NO_MESSAGE_ID")
    threads = f"{values.raw('in-reply-to')} {values.raw('references', MAX_VALUE * 4)}"
    letter.references = list(dict.fromkeys(MESSAGE_ID.findall(threads)))[:MAX_REFERENCES]
    letter.subject = one_line(values.words("subject"))
    letter.sender, letter.sender_name = _sender(letter, values)
    replies = _addresses(values.words("reply-to"))
    letter.reply_to = replies[0][1] if len(replies) == 1 and replies[0][1] != letter.sender else ""
    letter.recipients = sum(value.count("@") for name in ("to", "cc", "bcc") for value in values.all(name))
    letter.authentication = one_line(values.raw("authentication-results"), 1000)
    letter.sent_at = _date(letter, values.raw("date", 200), now)


class _Values:
    """The header's lines by name; every value is cut before anybody looks into it."""

    def __init__(self, header: Message):
        self.lines: dict[str, list[str]] = {}
        for name, value in header.raw_items():
            self.lines.setdefault(str(name).lower(), []).append(str(value))

    def all(self, name: str) -> list[str]:
        return self.lines.get(name, [])

    def raw(self, name: str, limit: int = MAX_VALUE) -> str:
        return self.lines.get(name, [""])[0][:limit]

    def words(self, name: str) -> str:
        return decoded(self.raw(name))


def _sender(letter: Letter, values: _Values) -> tuple[str, str]:
    found = _addresses(values.raw("from")) if len(values.all("from")) == 1 else []
    if len(found) != 1:
        letter.defects.append("NO_SENDER" if not found and not values.all("from") else "SEVERAL_SENDERS")
        return "", ""
    return found[0][1], one_line(decoded(found[0][0]), 80)


def _addresses(value: str) -> list[tuple[str, str]]:
    """(name, address) of each; addresses in lower case, only those that look like one."""
    pairs = email.utils.getaddresses([_recover(value).replace("\r", " ").replace("\n", " ")])
    found = [(name, address.strip().lower()) for name, address in pairs]
    return [pair for pair in found if is_address(pair[1])]


def is_address(text: str) -> bool:
    return (
        len(text) <= 254
        and re.fullmatch(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]+(\.[\w-]+)+", text) is not None
    )


def _automatic(values: _Values) -> str:
    """Machines' mail: never answered, never filed by itself (RFC 3834)."""
    kind = values.raw("content-type").lower()
    if values.raw("return-path").strip() == "<>" or "report-type=delivery-status" in kind.replace(
        '"', ""
    ).replace(" ", ""):
        return "BOUNCE"
    sender = values.raw("from").lower()
    if re.search(r"\b(mailer-daemon|postmaster)@", sender):
        return "BOUNCE"
    submitted = values.raw("auto-submitted").split(";")[0].strip().lower()
    if submitted not in ("", "no") or any(
        values.all(name) for name in ("x-autoreply", "x-autorespond", "x-auto-response-suppress")
    ):
        return "REPLY"
    precedence = values.raw("precedence").strip().lower()
    if precedence in ("auto_reply", "auto-reply"):
        return "REPLY"
    if precedence in ("bulk", "list", "junk") or values.all("list-id") or values.all("list-unsubscribe"):
        return "LIST"
    return ""


def _date(letter: Letter, value: str, now: datetime) -> datetime | None:
    try:
        found = email.utils.parsedate_to_datetime(value.strip())
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found
        found = found.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        letter.defects.append("NO_DATE")
        return None
    if found > now + timedelta(hours=1):
        letter.defects.append("FUTURE_DATE")
    if not 1990 <= found.year <= now.year + 1:
        letter.defects.append("NO_DATE")
        return None
    return found


# --- Words ----------------------------------------------------------------------------------------------


def decoded(value: str) -> str:
    """RFC 2047 words, raw UTF-8 or raw GB18030 as text."""
    value = _recover(value[:MAX_VALUE])
    if "=?" not in value:
        return value
    try:
        chunks = email.header.decode_header(value.replace("\r", "").replace("\n", ""))
    except (ValueError, LookupError, AssertionError, email.errors.HeaderParseError):
        return value
    found, pending, before = [], b"", ""
    for chunk, charset in chunks:  # a character may be cut in two between encoded words
        data = chunk if isinstance(chunk, bytes) else chunk.encode("utf-8", "surrogateescape")
        if charset != before and pending:
            found.append(to_text(pending, before))
            pending = b""
        pending, before = pending + data, charset or ""
    found.append(to_text(pending, before))
    return "".join(found)


def _recover(value: str) -> str:
    """What the parser kept as half surrogates are bytes nobody declared."""
    if not any("\ud800" <= char <= "\udfff" for char in value):
        return value
    return to_text(
        value.encode("utf-8", "surrogateescape") if _escaped(value) else value.encode("utf-8", "replace"), ""
    )


def _escaped(value: str) -> bool:
    return all(not "\ud800" <= char <= "\udfff" or "\udc80" <= char <= "\udcff" for char in value)


def to_text(data: bytes, charset: str) -> str:
    """Decode by the charset named, if it is one; else UTF-8, else GB18030. Never raises."""
    named = _codec(charset)
    for codec in dict.fromkeys((named, "utf-8", "gb18030") if named != "ascii" else ("utf-8", "gb18030")):
        if codec:
            with suppress(UnicodeError, ValueError):
                return data.decode(codec)
    return data.decode(named or "utf-8", "replace")


def _codec(charset: str) -> str:
    """A text codec by its name in a header; '' for one that is not known or not harmless."""
    try:
        name = codecs.lookup(charset.strip().strip("\"'")[:40]).name if charset else ""
    except (LookupError, ValueError, UnicodeError):
        return ""
    if name in CHINESE:
        return name if name == "hz" else "gb18030"  # what says GB2312 is often GBK
    return name if name in CHARSETS else ""


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """Without anything a database refuses or a reader is misled by."""
    return UNSAFE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))[:limit]


def one_line(text: str, limit: int = 200) -> str:
    return " ".join(clean(text, limit * 4).split())[:limit]


HIDDEN = ("script", "style", "head", "title", "template", "noscript", "svg", "object", "iframe")
BREAKS = re.compile(r"/?(?:p|div|br|tr|li|h[1-6]|table|ul|ol|blockquote|hr)\b", re.I)


def html_to_text(html: str) -> str:
    """The words of a page, in one pass; tags, scripts, styles and addresses of pictures vanish."""
    found: list[str] = []
    position, end = 0, len(html)
    while position < end:
        start = html.find("<", position)
        if start < 0:
            found.append(html[position:])
            break
        found.append(html[position:start])
        if html.startswith("<!--", start):
            close = html.find("-->", start + 4)
            position = end if close < 0 else close + 3
            continue
        close = html.find(">", start)
        if close < 0:
            break
        tag = html[start + 1 : min(close, start + 40)].strip()
        position = close + 1
        if BREAKS.match(tag):
            found.append("\n")
        elif tag.lower().startswith(("td", "th")):
            found.append(" ")
        name = re.match(r"[a-z]+", tag, re.I)
        if name and name.group().lower() in HIDDEN and not html[start:close].endswith("/"):
            position = _after(html, name.group().lower(), position)
    lines = (" ".join(line.split()) for line in unescape("".join(found)).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _after(html: str, name: str, position: int) -> int:
    """Behind the end of a hidden element; at the end of the page when it never ends."""
    closing = re.compile(rf"</{name}\b[^>]*>", re.I).search(html, position)
    return closing.end() if closing else len(html)


# --- Parts ----------------------------------------------------------------------------------------------


class _Reader:
    """Walks the tree once; text goes to the letter's text, all else to its parts."""

    def __init__(self, letter: Letter):
        self.letter, self.seen = letter, 0
        self.texts: list[str] = []
        self.pages: list[str] = []

    def read(self, message: Message) -> None:
        for part, depth, inside in self._leaves(message, 0, ""):
            self.seen += 1
            if self.seen > MAX_PARTS or depth > MAX_DEPTH:
                self.letter.parts.clear()
                self.letter.refusal = "MIME_BOMB"
                return
            if part.defects:
                self.letter.defects.append("MALFORMED")
            self._leaf(part, inside)
        text = "\n\n".join(filter(None, (one.strip() for one in self.texts)))
        if not text:
            text = "\n\n".join(filter(None, (html_to_text(page[:MAX_HTML]) for page in self.pages)))
        text = clean(text, MAX_TEXT + 1)
        self.letter.text, self.letter.cut = text[:MAX_TEXT], len(text) > MAX_TEXT

    def _leaves(self, part: Message, depth: int, inside: str) -> Iterator[tuple[Message, int, str]]:
        stack = [(part, depth, inside)]
        while stack:
            one, depth, inside = stack.pop()
            payload = one.get_payload()
            if isinstance(payload, list) and payload:
                if one.get_content_type() == "message/rfc822" and isinstance(payload[0], Message):
                    enclosed = _Values(payload[0])
                    inside = one_line(enclosed.words("subject"), 120) or "?"
                    self._returned(enclosed.raw("message-id"))
                    self.texts.append(f"——— {inside} ———")
                stack += [
                    (child, depth + 1, inside) for child in reversed(payload) if isinstance(child, Message)
                ]
            else:
                yield one, depth, inside

    def _returned(self, words: str) -> None:
        """A message that came back names the one it is about only inside."""
        if self.letter.automatic == "BOUNCE":
            found = [*self.letter.references, *MESSAGE_ID.findall(words[:MAX_HEADER_BYTES])]
            self.letter.references = list(dict.fromkeys(found))[:MAX_REFERENCES]

    def _leaf(self, part: Message, inside: str) -> None:
        kind = part.get_content_type().lower()[:100]
        name = file_name(part)
        disposition = str(part.get("content-disposition", "")).split(";")[0].strip().lower()
        attached = bool(name) or disposition == "attachment" or kind not in ("text/plain", "text/html")
        data = part.get_payload(decode=True)
        data = data if isinstance(data, bytes) else b""
        if kind == "text/rfc822-headers":
            lines = re.findall(rb"^message-id:(.*(?:\r?\n[ \t].*)?)", data[:MAX_HEADER_BYTES], re.I | re.M)
            self._returned(" ".join(line.decode("latin-1") for line in lines))
        if not attached:
            self._say(kind, data, str(part.get_content_charset() or ""))
        elif data or name:
            broken = any("Base64" in type(defect).__name__ for defect in part.defects)
            inline = disposition == "inline" or (disposition == "" and part.get("content-id") is not None)
            self.letter.parts.append(Part(name, clean(kind, 100), data, inline, inside, broken))

    def _say(self, kind: str, data: bytes, charset: str) -> None:
        text = to_text(data, charset)
        if kind == "text/html":
            self.pages.append(text)
        elif kind == "text/plain":
            self.texts.append(text[: MAX_TEXT + 1])


def file_name(part: Message) -> str:
    """By RFC 2231 or RFC 2047 or as raw bytes; the last part of a path without what could mislead."""
    for header, parameter in (("content-disposition", "filename"), ("content-type", "name")):
        value = next((str(v) for n, v in part.raw_items() if n.lower() == header), "")
        if not value:
            continue
        tidy = Message()
        tidy[header] = _recover(value[:MAX_VALUE]).replace("\r", "").replace("\n", " ")
        with suppress(Exception):  # unknown charsets, broken continuations: the next place may know it
            found = tidy.get_param(parameter, header=header)
            text = _rfc2231(found) if isinstance(found, tuple) else str(found or "")
            name = one_line(decoded(text), 400)
            name = re.split(r"[\\/]", name)[-1].strip(" .")[-200:]
            if name:
                return name
    return ""


def _rfc2231(found: tuple[str | None, str | None, str]) -> str:
    return to_text(found[2].encode("latin-1", "replace"), found[0] or "")
