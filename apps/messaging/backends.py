"""Ways out of the house. The embedded default writes files that one can open: `var/outbox/`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone
from django.utils.module_loading import import_string

FILE_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
READABLE_BACKEND = "apps.messaging.backends.ReadableEmailBackend"
FILE_SMS = "apps.messaging.backends.FileSms"


class SmsBackend(Protocol):
    def send(self, recipient: str, text: str, *, key: str) -> None:
        """Hand one SMS over; raise when it was not taken. `key` makes a repetition recognizable."""


class FileSms:
    """Writes each SMS as a text file."""

    def send(self, recipient: str, text: str, *, key: str) -> None:
        write_file(f"sms-{key}.txt", f"To: {recipient}\n\n{text}\n".encode())


class ReadableEmailBackend(BaseEmailBackend):
    """Django mail back end: a text file for each e-mail and its attachments beside it."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            key = message.extra_headers.get("X-Idempotency-Key", "mail")
            names = []
            for attachment in message.attachments:
                name, content = attachment[0], attachment[1]  # type: ignore[index]
                data = content.encode() if isinstance(content, str) else content
                names.append(write_file(f"email-{key}-{name}", data).name)
            lines = [
                f"From: {message.from_email}",
                f"To: {', '.join(message.to)}",
                f"Subject: {message.subject}",
                *(
                    f"{name}: {message.extra_headers[name]}"
                    for name in ("Message-ID", "In-Reply-To", "Reply-To")
                    if name in message.extra_headers
                ),
                *(f"Attachment: {name}" for name in names),
                "",
                str(message.body),
                "",
            ]
            write_file(f"email-{key}.txt", "\n".join(lines).encode())
        return len(email_messages)


def write_file(name: str, data: bytes) -> Path:
    folder = Path(settings.VAR_DIR) / "outbox" / f"{timezone.localdate():%Y-%m-%d}"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / re.sub(r"[^\w.\-]+", "_", name)
    path.write_bytes(data)
    return path


def sms_backend() -> SmsBackend:
    """`settings.SMS_BACKEND` (dotted path of a class with `send`), else files."""
    backend: SmsBackend = import_string(getattr(settings, "SMS_BACKEND", FILE_SMS))()
    return backend


def email_connection() -> BaseEmailBackend:
    """Django's mail back end; where settings write mail to files, ours, which people can read."""
    backend = settings.EMAIL_BACKEND
    connection: BaseEmailBackend = get_connection(READABLE_BACKEND if backend == FILE_BACKEND else backend)
    return connection
