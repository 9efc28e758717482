"""What the files of a message are: kept like papers, or refused with a reason a clerk can pass on."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from apps.adjudication.handbook import Handbook
from apps.core.errors import DomainError
from apps.documents.storage import Received, receive
from apps.mailroom.inbox.mime import Part

UNSORTED = "OTHER"
DECORATION_BYTES = 8 * 1024
EXECUTABLES = (b"MZ", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"#!")
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ARCHIVES = (b"Rar!", b"7z\xbc\xaf'\x1c", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"MSCF")
DANGEROUS = re.compile(r"\.(exe|scr|com|bat|cmd|ps1|vbs|js|jse|wsf|msi|lnk|hta|jar|apk|dll|iso|img)$", re.I)
OFFICE = re.compile(r"\.(docx?|docm|dotm?|xlsx?|xlsm|xlsb|xltm|pptx?|pptm|rtf|wps|et)$", re.I)

# What is written on files, in the order in which it is looked for; the series' own titles come first.
NAMED: tuple[tuple[str, str], ...] = (
    ("发票", "INVOICE"), ("票据", "INVOICE"), ("invoice", "INVOICE"), ("receipt", "INVOICE"),
    ("结算单", "THIRD_PARTY_SETTLEMENT"), ("清单", "ITEMIZED_BILL"), ("明细", "ITEMIZED_BILL"),
    ("出院小结", "DISCHARGE_SUMMARY"), ("出院记录", "DISCHARGE_SUMMARY"), ("手术", "SURGERY_REPORT"),
    ("病历", "MEDICAL_RECORD"), ("病例", "MEDICAL_RECORD"), ("处方", "PRESCRIPTION"), ("诊断证明", "DIAGNOSIS_CERTIFICATE"),
    ("检查报告", "EXAM_REPORT"), ("检验报告", "EXAM_REPORT"), ("化验", "EXAM_REPORT"), ("申请书", "CLAIM_APPLICATION"),
    ("申请表", "CLAIM_FORM"), ("户口", "HOUSEHOLD_REGISTER"), ("出生证", "BIRTH_CERTIFICATE"), ("出生医学证明", "BIRTH_CERTIFICATE"),
    ("护照", "PASSPORT"), ("身份证", "INSURED_ID"), ("银行卡", "BANK_ACCOUNT"), ("银行账户", "BANK_ACCOUNT"),
    ("接种", "VACCINATION_RECORD"), ("预估", "COST_ESTIMATE"),
)  # fmt: skip


@dataclass(slots=True)
class Screened:
    """One file of a message: received, or with a reason."""

    part: Part
    name: str
    received: Received | None = None
    reason: str = ""
    decoration: bool = False
    kind: str = UNSORTED


def screen(parts: Sequence[Part], handbook: Handbook | None) -> list[Screened]:
    """Look at each file's bytes as an upload would; what is no paper of ours gets a reason. Never raises."""
    return [_screen(part, index, handbook) for index, part in enumerate(parts, 1)]


def _screen(part: Part, index: int, handbook: Handbook | None) -> Screened:
    found = Screened(part, part.name or f"{index}{_extension(part.content_type)}")
    found.kind = kind_by_name(found.name, handbook)
    found.reason = "BROKEN" if part.broken and not part.data else _refused_by_sight(part, found.name)
    if found.reason:
        return found
    try:
        found.received = receive(io.BytesIO(part.data), found.name)
    except DomainError as error:
        found.reason = error.code.upper()[:30]
    except Exception:
        found.reason = "FILE_BROKEN"
    found.decoration = found.received is not None and _is_decoration(part)
    return found


def _refused_by_sight(part: Part, name: str) -> str:
    """Kinds one can name better than "not one of ours"; the bytes count, then the name, then the claim."""
    head, kind = part.data[:1024], part.content_type
    if kind in ("application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature"):
        return "SIGNATURE"
    if kind in ("application/pkcs7-mime", "application/x-pkcs7-mime", "application/pgp-encrypted"):
        return "ENCRYPTED_MAIL"
    if kind == "application/ms-tnef" or head.startswith(b"\x78\x9f\x3e\x22") or name.lower() == "winmail.dat":
        return "TNEF"
    if head.startswith(EXECUTABLES) or DANGEROUS.search(name):
        return "EXECUTABLE"
    if head.startswith(OLE) or OFFICE.search(name) or _is_office_zip(part.data):
        return "OFFICE"
    if head.startswith(ARCHIVES) or (head.startswith(b"PK") and not name.lower().endswith(".ofd")):
        return "ARCHIVE"
    if kind in ("text/calendar", "application/ics"):
        return "CALENDAR"
    if kind in ("message/delivery-status", "text/rfc822-headers", "message/disposition-notification"):
        return "REPORT"
    if kind in ("text/html", "application/xhtml+xml", "image/svg+xml"):
        return "WEB_PAGE"
    return ""


def _is_office_zip(data: bytes) -> bool:
    return data.startswith(b"PK") and b"[Content_Types].xml" in data[:4096]


def _is_decoration(part: Part) -> bool:
    return part.inline and part.content_type.startswith("image/") and len(part.data) < DECORATION_BYTES


def _extension(content_type: str) -> str:
    return {"application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png"}.get(content_type, "")


def kind_by_name(name: str, handbook: Handbook | None) -> str:
    """The kind of paper a file's name speaks of; OTHER when it says nothing. A person looks anyway (RMB-20)."""
    for document in handbook.documents if handbook else ():
        if len(document.title.zh) > 1 and document.title.zh in name:
            return document.key
    low = name.lower()
    return next((kind for words, kind in NAMED if words in low), UNSORTED)
