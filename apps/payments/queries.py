"""Reads of payments."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, QuerySet

from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.cases.models import CaseFile
from apps.ledger.models import MoneyAccount
from apps.payments.models import PaymentFile, PaymentOrder


def payable_key(case: CaseFile) -> str:
    """Key of the account of what we owe the member for one case."""
    return f"payable:{case.number}:MEMBER"


def payable_fen(case: CaseFile) -> int:
    """What is owed and not yet paid (fen); negative when the member was paid too much."""
    account = MoneyAccount.objects.filter(key=payable_key(case)).first()
    return account.balance if account else 0


def orders_visible_to(actor: Actor) -> QuerySet[PaymentOrder]:
    return visible_to(PaymentOrder.objects.select_related("case", "payee", "file"), actor)


def files_visible_to(actor: Actor) -> QuerySet[PaymentFile]:
    """A payment file is visible to those who see all its orders."""
    items = PaymentOrder.objects.filter(file=OuterRef("pk"))
    hidden = items.exclude(pk__in=visible_to(PaymentOrder.objects.all(), actor).values("pk"))
    return PaymentFile.objects.filter(~Exists(hidden)) if actor.may_see_cases else PaymentFile.objects.none()


def live_order(case: CaseFile) -> PaymentOrder | None:
    """The order that is under way or paid for the latest decision; None when none lives."""
    dead = [PaymentOrder.State.RETURNED, PaymentOrder.State.STOPPED]
    return (
        PaymentOrder.objects.filter(case=case).exclude(state__in=dead).order_by("-decision_version").first()
    )
