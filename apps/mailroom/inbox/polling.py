"""From the server to rows: each message once, whoever polls at the same time and wherever one is killed.

1. read outside any transaction; 2. store (unique on mailbox and identity); 3. mark as seen; 4. file.
Killed after 1: read again. After 2: read again, found stored, marked. After 3: filed by the next poll.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from apps.adjudication.handbook import Handbook
from apps.core.crypto import blind_index
from apps.core.errors import NotFound
from apps.documents.storage import keep, store_bytes
from apps.mailroom.inbox import filing
from apps.mailroom.inbox.mailboxes import Account, WrongAccount, account_for, mailboxes
from apps.mailroom.inbox.masks import mask_numbers
from apps.mailroom.inbox.matching import unproven
from apps.mailroom.inbox.mime import Letter, read_letter
from apps.mailroom.inbox.screening import Screened, screen
from apps.mailroom.inbox.sources import FIRST_BYTES, Source, Trouble, Waiting, opened
from apps.mailroom.models import Email, EmailFile, Mailbox
from apps.members.names import mask_email
from apps.products.queries import current_handbook

log = logging.getLogger(__name__)
AT_ONCE = 200  # messages of one mailbox in one poll
MANY = 50  # recipients
SENDER_SPACE = "email"


@dataclass(slots=True)
class Polled:
    """What one poll of a mailbox did."""

    mailbox: Mailbox
    new: int = 0
    known: int = 0
    filed: int = 0
    error: str = ""
    connected: bool = True


def poll_all() -> list[Polled]:
    """Every mailbox; one that cannot be reached stops none of the others."""
    return [poll(mailbox) for mailbox in mailboxes()]


def poll(mailbox: Mailbox, *, limit: int = AT_ONCE) -> Polled:
    """Take in what waits in one mailbox and file what is certain. Never raises for what mail does."""
    found = Polled(mailbox)
    try:
        account = account_for(mailbox)
        if account is None:
            found.connected = False
        else:
            _poll(found, account, limit)
    except (Trouble, WrongAccount) as error:
        found.error = str(error)
        log.warning("mailbox not read", extra={"mailbox": mailbox.address, "error": found.error})
    _note(found)
    found.filed = filing.file_waiting()
    return found


def _poll(found: Polled, account: Account, limit: int) -> None:
    with opened(account) as source:
        after = _came_to(found.mailbox, source)
        for one in source.waiting(after, limit):
            email, fresh = _take(found.mailbox, source, one)
            if email is None:
                continue
            source.done(one)
            if source.validity:
                _remember(found.mailbox, source.validity, int(one.key))
            found.new += fresh
            found.known += not fresh


def _came_to(mailbox: Mailbox, source: Source) -> int:
    """The last UID taken in. A server that renumbered its folder is read from the start (nothing doubles)."""
    if source.validity and mailbox.uid_validity != source.validity:
        Mailbox.objects.filter(pk=mailbox.pk).update(uid_validity=source.validity, last_uid=0)
        return 0
    return mailbox.last_uid


def _remember(mailbox: Mailbox, validity: int, uid: int) -> None:
    """Compare-and-set: another poller may have come further."""
    Mailbox.objects.filter(pk=mailbox.pk, uid_validity=validity, last_uid__lt=uid).update(last_uid=uid)


def _note(found: Polled) -> None:
    if not found.connected:
        return
    failures = F("failures") + 1 if found.error else 0
    Mailbox.objects.filter(pk=found.mailbox.pk).update(
        polled_at=timezone.now(), error=found.error[:300], failures=failures
    )


# --- One message ----------------------------------------------------------------------------------------


def _take(mailbox: Mailbox, source: Source, one: Waiting) -> tuple[Email | None, bool]:
    """Fetch and store one message; (None, False) when it is gone meanwhile."""
    whole = one.size <= settings.MAIL_MAX_BYTES
    raw = source.fetch(one, first_bytes=0 if whole else FIRST_BYTES)
    if raw is None:
        return None, False
    return take_in(mailbox, raw, arrived_at=one.arrived_at, whole=whole, size=one.size)


def take_in(
    mailbox: Mailbox, raw: bytes, *, arrived_at: datetime | None = None, whole: bool = True, size: int = 0
) -> tuple[Email, bool]:
    """Store one message with its files: (its row, whether it is new). Any bytes; raises only for the database.

    `arrived_at` is the mail server's time; a header's date is never believed. `whole=False`: `raw` is the
    beginning of a message of `size` bytes that is too large.
    """
    now = timezone.now()
    letter = read_letter(raw, now=now, whole=whole, size=size or len(raw))
    known = Email.objects.filter(mailbox=mailbox, identity=letter.identity).first()
    if known is not None:
        return known, False
    screened = screen(letter.parts, _handbook(mailbox))
    email = _row(mailbox, letter, min(arrived_at or now, now), size or len(raw), whole)
    try:
        with transaction.atomic():
            email.raw = store_bytes(raw, f"{letter.digest[:16]}.eml", "message/rfc822")
            email.save(force_insert=True)
            EmailFile.objects.bulk_create(_file(email, index, one) for index, one in enumerate(screened, 1))
    except IntegrityError:  # another poller was faster
        known = Email.objects.filter(mailbox=mailbox, identity=letter.identity).first()
        if known is None:
            raise
        return known, False
    return email, True


def _row(mailbox: Mailbox, letter: Letter, arrived_at: datetime, size: int, whole: bool) -> Email:
    state, reason = Email.State.NEW.value, ""
    if letter.refusal:
        state, reason = Email.State.REFUSED.value, letter.refusal
    elif letter.automatic:
        state, reason = Email.State.DISMISSED.value, "AUTOMATIC"
    return Email(
        mailbox=mailbox,
        series=mailbox.series,
        tpa=mailbox.tpa,
        identity=letter.identity,
        message_id=letter.message_id[:260],
        references=letter.references,
        whole=whole,
        size=size,
        received_at=arrived_at,
        sent_at=letter.sent_at,
        sender=letter.sender,
        sender_name=letter.sender_name,
        sender_masked=mask_email(letter.sender)[:120],
        sender_index=blind_index(letter.sender, SENDER_SPACE) if letter.sender else "",
        reply_to=letter.reply_to,
        recipients=letter.recipients,
        subject=mask_numbers(letter.subject),
        subject_whole=letter.subject,
        text=letter.text,
        cut=letter.cut,
        automatic=letter.automatic,
        defects=_defects(mailbox, letter),
        state=state,
        reason=reason,
    )


def _defects(mailbox: Mailbox, letter: Letter) -> list[str]:
    found = list(letter.defects)
    if letter.recipients > MANY:
        found.append("MANY_RECIPIENTS")
    if unproven(letter.authentication):
        found.append("UNPROVEN")
    if letter.message_id and Email.objects.filter(mailbox=mailbox, message_id=letter.message_id).exists():
        found.append("SAME_ID")
    return found


def _file(email: Email, index: int, one: Screened) -> EmailFile:
    return EmailFile(
        email=email,
        position=index,
        name=one.name,
        claimed_type=one.part.content_type,
        size=len(one.part.data),
        inside=one.part.inside,
        file=keep(one.received) if one.received is not None else None,
        reason=one.reason,
        decoration=one.decoration,
        kind=one.kind,
    )


def _handbook(mailbox: Mailbox) -> Handbook | None:
    try:
        return current_handbook(mailbox.series).handbook
    except NotFound:
        return None
