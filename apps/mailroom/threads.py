"""What an e-mail of ours carries so that its answer finds the way back: Reply-To, In-Reply-To, References."""

from __future__ import annotations

from apps.mailroom.inbox.mailboxes import claims_mailbox
from apps.mailroom.inbox.mime import MESSAGE_ID
from apps.mailroom.models import EmailAnswer
from apps.messaging.models import Message

TO_STAFF = ("clock_reminder", "clock_escalation")


def headers_of(message: Message) -> dict[str, str]:
    """One query. Members answer to the mailbox of their series (RMB-26, RMB-38)."""
    answer = EmailAnswer.objects.filter(message=message).select_related("email__mailbox").first()
    if answer is None:
        box = claims_mailbox(message.case.handbook.handbook) if _to_member(message) else ""  # type: ignore[union-attr]
        return {"Reply-To": box} if box else {}
    found = {"Reply-To": answer.email.mailbox.address}
    thread = [
        one for one in [*answer.email.references[:10], answer.email.message_id] if MESSAGE_ID.fullmatch(one)
    ]
    if answer.email.message_id in thread:
        found["In-Reply-To"] = answer.email.message_id
    if thread:
        found["References"] = " ".join(thread)
    return found


def _to_member(message: Message) -> bool:
    return message.case is not None and message.template not in TO_STAFF
