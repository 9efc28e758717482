"""Reads of the inbox that screens and API share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.cache import cache
from django.db.models import QuerySet
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.accounts.actions import log_read
from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.adjudication.handbook import Handbook
from apps.adjudication.keys import PAPERS
from apps.core.crypto import blind_index
from apps.core.errors import NotFound
from apps.documents.queries import kind_title
from apps.mailroom.actions.emails import may_read
from apps.mailroom.inbox.polling import SENDER_SPACE
from apps.mailroom.models import Email, EmailFile
from apps.products.queries import current_handbook

LOGGED_AGAIN_AFTER = 15 * 60


def emails(actor: Actor) -> QuerySet[Email]:
    """What the actor may see of the inbox; nothing for whom it does not concern."""
    may_read(actor)
    return visible_to(Email.objects.select_related("mailbox", "case", "member", "suggested"), actor)


def email_for(actor: Actor, pk: int) -> Email:
    """One message; its reading is logged once a quarter of an hour (LAW-09). NotFound when hidden."""
    related = (
        "mailbox",
        "raw",
        "case__handbook",
        "case__member",
        "suggested__handbook",
        "suggested__member",
        "member",
    )
    email = emails(actor).select_related(*related).filter(pk=pk).first()
    if email is None:
        raise NotFound(_("There is no such e-mail."))
    if cache.add(f"read:{actor.key}:email:{pk}", 1, LOGGED_AGAIN_AFTER):
        child = email.member.number if email.member else ""
        log_read(actor, subject=f"member:{child}" if child else f"email:{pk}", what=f"email:{pk}")
    return email


def file_for(actor: Actor, email_pk: int, position: int) -> EmailFile:
    """A readable file of a message, by its place in it; logged as the message is."""
    email = email_for(actor, email_pk)
    row = email.files.select_related("file").filter(position=position).exclude(file=None).first()
    if row is None:
        raise NotFound(_("There is no such file."))
    return row


def from_sender(address: str) -> QuerySet[Email]:
    """By the whole address; it is stored encrypted."""
    return Email.objects.filter(sender_index=blind_index(address.strip().lower(), SENDER_SPACE))


def find_by_sender(text: str) -> Iterable[int]:
    """Cases to which somebody with this address wrote."""
    if "@" not in text:
        return []
    return from_sender(text).exclude(case=None).values_list("case_id", flat=True)[:50]


def handbook_of(email: Email) -> Handbook | None:
    """Of its case, of the case it may belong to, else of its mailbox's series."""
    case = email.case or email.suggested
    if case is not None:
        return case.handbook.handbook
    try:
        return current_handbook(email.series).handbook
    except NotFound:
        return None


def paper_kinds(handbook: Handbook | None) -> list[tuple[str, Any]]:
    """Kinds of paper by the titles of the series, first those it asks for."""
    if handbook is None:
        return [(kind, kind) for kind in PAPERS]
    asked = dict.fromkeys(document.key for document in handbook.documents)
    language = get_language() or "zh-hans"
    return [
        (kind, kind_title(handbook, kind, language))
        for kind in [*asked, *(k for k in PAPERS if k not in asked)]
    ]
