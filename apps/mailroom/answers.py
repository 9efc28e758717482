"""Answers to e-mails: templates of the house, sent through the outbox into the sender's thread."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import translation

from apps.accounts.actors import Actor
from apps.adjudication.handbook import Handbook
from apps.core.errors import NotFound
from apps.mailroom import reasons
from apps.mailroom.inputs import AnswerInput
from apps.mailroom.models import Email, EmailAnswer
from apps.messaging.models import CallTask, Message
from apps.messaging.outbox import queue_message
from apps.products.queries import current_handbook


def queue(email: Email, given: AnswerInput, actor: Actor, now: datetime) -> Message | CallTask:
    """Write the message and join it to the e-mail, in the caller's transaction; once a version."""
    message = queue_message(
        None,
        case=email.case,  # type: ignore[arg-type]
        channel=Message.Channel.EMAIL,
        template=given.template,
        recipient=email.sender,
        context=_context(email, given),
        key=f"email:{email.pk}:{email.version}",
        language=given.language,
    )
    if isinstance(message, Message):
        EmailAnswer.objects.get_or_create(
            message=message, defaults={"email": email, "by": actor.label, "at": now}
        )
    return message


def _context(email: Email, given: AnswerInput) -> dict[str, Any]:
    """No word about a child: a stranger may read it. The case's own words come from its handbook."""
    english = given.language.startswith("en")
    context: dict[str, Any] = {
        "addressee": email.sender_name,
        "text": given.text,
        "subject": email.subject,
        "mailbox": email.mailbox.address,
    }
    with translation.override("en" if english else "zh-hans"):
        context["refused"] = [
            {"name": row.name, "why": str(reasons.words(row.reason))}
            for row in email.files.exclude(reason="").exclude(reason__in=("SIGNATURE", "CALENDAR", "REPORT"))
        ]
        context["refusal"] = str(reasons.words(email.reason)) if email.reason in reasons.REFUSED else ""
    handbook = _handbook(email)
    if handbook is not None:
        context["contacts"] = {key: contact.value for key, contact in handbook.contacts.items()}
        context["by_email"] = takes_claims(handbook)
    return context


def _handbook(email: Email) -> Handbook | None:
    if email.case is not None:
        return email.case.handbook.handbook
    try:
        return current_handbook(email.series).handbook
    except NotFound:
        return None


def takes_claims(handbook: Handbook) -> bool:
    """Whether e-mail is a way to submit a claim in this series (2024 RMB-38; 2026 only tells courier numbers)."""
    service = handbook.service("reimbursement")
    return service is not None and service.offered and "EMAIL" in service.channels
