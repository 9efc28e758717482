"""Which mailboxes there are (the handbooks say), and where each is read (the settings say)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.conf import settings

from apps.adjudication.handbook import Contact
from apps.mailroom.models import Mailbox
from apps.products.models import HandbookVersion
from apps.products.queries import current_handbooks

LOCAL = {"localhost", "127.0.0.1", "::1"}
PORTS = {"imaps": 993, "imap+starttls": 143, "imap": 143}


@dataclass(frozen=True, slots=True)
class Account:
    """Where the messages of one address wait: `imaps://user:password@host:993/INBOX` or `maildir:///path`."""

    address: str
    scheme: str  # imaps | imap+starttls | imap (this machine only) | maildir
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""
    folder: str = "INBOX"

    def __repr__(self) -> str:
        return f"<{self.address} at {self.scheme}://{self.host or self.folder}>"


class WrongAccount(ValueError):
    """A setting that cannot be used; says which and why, never the password."""


def account_of(text: str) -> Account:
    """`claims@example.com=imaps://user:p%40ss@imap.example.com/INBOX` as an account."""
    address, _equals, url = text.partition("=")
    address = address.strip().lower()
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise WrongAccount(f"{address}: not an address of a mailbox") from error
    if "@" not in address or parts.scheme not in (*PORTS, "maildir"):
        raise WrongAccount(f"{address or text[:20]}: expected address=imaps://user:password@host/FOLDER")
    if parts.scheme == "maildir":
        return Account(address, "maildir", folder=unquote(parts.path))
    if not parts.hostname or not parts.username or not parts.password:
        raise WrongAccount(f"{address}: host, user and password are needed")
    if parts.scheme == "imap" and parts.hostname not in LOCAL:
        raise WrongAccount(f"{address}: imap without TLS goes no further than this machine; use imaps")
    return Account(
        address,
        parts.scheme,
        host=parts.hostname,
        port=port or PORTS[parts.scheme],
        user=unquote(parts.username),
        password=unquote(parts.password),
        folder=unquote(parts.path.strip("/")) or "INBOX",
    )


def account_for(mailbox: Mailbox) -> Account | None:
    """The account of a mailbox; where none is set and the house is embedded, a folder under var/."""
    for text in settings.MAIL_ACCOUNTS:
        if text.partition("=")[0].strip().lower() == mailbox.address:
            return account_of(text)
    if settings.MAIL_ACCOUNTS or not settings.MAIL_FOLDER:
        return None
    return Account(mailbox.address, "maildir", folder=str(folder_of(mailbox.address)))


def folder_of(address: str) -> Path:
    """Where a developer drops an .eml."""
    return Path(settings.MAIL_FOLDER) / address


def mailboxes() -> list[Mailbox]:
    """The mailboxes of all current handbooks, in their order; new ones get a row, changed ones are set right.

    A mailbox no handbook prints any more is still read: people write to old addresses.
    """
    rows = {row.address: row for row in Mailbox.objects.order_by("pk")}
    for version, contact in reversed(printed()):  # the newest series has the last word
        handbook = version.handbook
        said = {
            "series": handbook.series, "tpa": handbook.tpa, "key": contact.key, "rule": contact.rule,
        }  # fmt: skip
        row = rows.get(contact.value.lower())
        if row is None:
            row, _made = Mailbox.objects.get_or_create(address=contact.value.lower(), defaults=said)
            rows[row.address] = row
        elif any(getattr(row, name) != value for name, value in said.items()):
            Mailbox.objects.filter(pk=row.pk).update(**said)
            row.refresh_from_db()
    return list(rows.values())


def printed() -> list[tuple[HandbookVersion, Contact]]:
    """Each e-mail address of each current handbook, the newest series first."""
    return [
        (version, contact)
        for version in current_handbooks()
        for contact in version.handbook.contacts.values()
        if contact.kind == "EMAIL"
    ]


def series_of(address: str) -> set[str]:
    """Every current series that prints the address."""
    return {version.series for version, contact in printed() if contact.value.lower() == address}


def claims_mailbox(handbook: object) -> str:
    """Where members write to about a claim of this series; '' when it prints no address."""
    contact = getattr(handbook, "contacts", {}).get("claims_mailbox")
    return contact.value if contact is not None and contact.kind == "EMAIL" else ""
