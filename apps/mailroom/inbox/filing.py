"""What the house files by itself: messages whose case and sender are certain. Once each, by row lock."""

from __future__ import annotations

import logging

from django.db import OperationalError, transaction
from django.utils.translation import gettext as _

from apps.accounts.actors import SYSTEM
from apps.cases.models import CaseFile
from apps.core.errors import DomainError
from apps.mailroom.inbox.matching import Match, match
from apps.mailroom.inbox.papers import attach_files
from apps.mailroom.models import Email
from apps.messaging.headers import message_of
from apps.messaging.outbox import queue_call

log = logging.getLogger(__name__)
CHUNK = 500


def file_waiting(limit: int = CHUNK) -> int:
    """Settle every message nobody has settled yet; returns how many were filed into a case."""
    waiting = Email.objects.filter(settled=False).order_by("pk").values_list("pk", flat=True)
    return sum(_settle_safely(pk) for pk in list(waiting[:limit]))


def _settle_safely(pk: int) -> bool:
    try:
        return settle(pk)
    except OperationalError:  # a deadlock, a lost connection: the next poll tries again
        log.warning("e-mail not matched yet", extra={"email": pk}, exc_info=True)
        return False
    except Exception:  # a person files it; the next message must not wait for this one
        log.exception("e-mail could not be matched", extra={"email": pk})
        Email.objects.filter(pk=pk, settled=False).update(settled=True)
        return False


def settle(pk: int) -> bool:
    """Match one message and, when certain, attach its papers; True when it went into a case now."""
    with transaction.atomic():
        email = Email.objects.select_for_update(of=("self",)).select_related("mailbox").get(pk=pk)
        if email.settled:
            return False
        email.settled = True
        if email.automatic:
            _automatic(email)
        elif email.state == Email.State.NEW:
            _file(email, match(email))
        email.save(update_fields=["settled", "state", "reason", "case", "suggested", "why", "member"])
        return email.state == Email.State.MATCHED


def _file(email: Email, found: Match) -> None:
    email.member = found.members[0] if found.members else None
    email.why, email.suggested, email.reason = found.why, found.case, found.doubt
    if found.case is None or found.doubt:
        return
    email.reason = _attach(email, found.case)
    if not email.reason:
        email.state, email.case, email.suggested = Email.State.MATCHED, found.case, None


def _attach(email: Email, case: CaseFile) -> str:
    """Papers onto the case in a savepoint; the code of what stands against it, or ''."""
    try:
        with transaction.atomic():
            attach_files(email, case, SYSTEM)
    except DomainError as error:
        log.info("e-mail not filed by itself", extra={"email": email.pk, "code": error.code})
        return "NOT_NOW"
    return ""


def _automatic(email: Email) -> None:
    """A machine's mail is shown at the case it speaks of. What came back undelivered is told by phone."""
    for reference in email.references:
        message = message_of(reference)
        if message is None or message.case is None:
            continue
        email.case, email.why = message.case, "REPLY"
        if email.automatic == Email.Automatic.BOUNCE:
            script = _("This e-mail came back undelivered. Please pass it on by phone:\n\n%(text)s")
            queue_call(
                None,
                case=message.case,
                purpose="delivery_failed",
                script=script % {"text": message.body},
                key=f"bounce:{message.pk}",
            )
        return
