"""What settlements hear of and what they stand for below: orders under their numbers, papers in the outbox, the
timeline of a claim."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse

from apps.accounts.actors import Actor
from apps.cases.models import CaseFile
from apps.documents.public_views import verify_others
from apps.messaging.attachments import register_source
from apps.messaging.outbox import on_delivered
from apps.payments.models import PaymentOrder
from apps.payments.subjects import BankResult, Subject, register
from apps.settlements import letters
from apps.settlements.models import TOKEN
from apps.settlements.runs import PREFIX


def connect() -> None:
    register(Subject(PREFIX, _book, _page))
    register_source(letters.attachment, TOKEN)
    verify_others(TOKEN, letters.verify)
    on_delivered(letters.delivered)


def _book(actor: Actor, order: PaymentOrder, result: BankResult, now: datetime) -> list[CaseFile]:
    from apps.settlements.actions import book

    return book(actor, order, result, now)


def _page(number: str) -> str:
    return reverse("admin:settlement", args=[number])
