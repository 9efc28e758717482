"""Messages as families, hospitals and villains send them."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

from apps.documents.tests.factories import pdf, picture
from apps.mailroom.inbox.mailboxes import mailboxes
from apps.mailroom.models import Email, Mailbox

CLAIMS_2026 = "ext.jdazcservice1@jd.com"
CLAIMS_2024 = "service@windstoneservice.com"
GUARDIAN = "wang@example.com"
STRANGER = "stranger@elsewhere.example"


def box(address: str = CLAIMS_2026) -> Mailbox:
    return next(row for row in mailboxes() if row.address == address)


def letter(
    subject: str = "补充材料",
    *,
    sender: str = GUARDIAN,
    text: str = "您好，附件是补充材料。",
    files: dict[str, bytes] | None = None,
    message_id: str = "<one@example.com>",
    **headers: str,
) -> bytes:
    message = EmailMessage()
    message["From"] = f"王建国 <{sender}>"
    message["To"] = CLAIMS_2026
    message["Subject"] = subject
    message["Date"] = "Wed, 16 Sep 2026 09:00:00 +0800"
    if message_id:
        message["Message-ID"] = message_id
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    for name, data in (files or {}).items():
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def one(**fields: Any) -> Email:
    return Email.objects.get(**fields)


INVOICE = picture("JPEG", text="发票")
RECORD = pdf()
