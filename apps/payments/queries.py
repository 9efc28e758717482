"""Reads of payments."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, QuerySet, Sum

from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.cases.models import CaseFile
from apps.ledger.models import MoneyAccount
from apps.payments.models import PaymentFile, PaymentOrder


def payable_key(case: CaseFile, party: str = "MEMBER") -> str:
    """Key of the account of what we owe the party (MEMBER | HOSPITAL) for one case."""
    return f"payable:{case.number}:{party}"


def payable_fen(case: CaseFile) -> int:
    """What is owed and not yet paid (fen); negative when too much was paid."""
    account = MoneyAccount.objects.filter(key=payable_key(case)).first()
    return account.balance if account else 0


def under_way_fen(case: CaseFile) -> int:
    """What living orders carry that the bank has not confirmed yet (fen)."""
    waiting = [PaymentOrder.State.ORDERED, PaymentOrder.State.IN_FILE]
    found = PaymentOrder.objects.filter(case=case, state__in=waiting).aggregate(total=Sum("amount_fen"))
    return found["total"] or 0


def unordered_fen(case: CaseFile) -> int:
    """What is owed and stands on no order yet; negative when too much was paid or ordered."""
    return payable_fen(case) - under_way_fen(case)


def living_orders(case: CaseFile, *, paid: bool = False) -> list[PaymentOrder]:
    """Orders that wait for the bank; with `paid` also those it confirmed."""
    states = [PaymentOrder.State.ORDERED, PaymentOrder.State.IN_FILE]
    if paid:
        states.append(PaymentOrder.State.PAID)
    return list(PaymentOrder.objects.filter(case=case, state__in=states).order_by("pk"))


def assigned_fen(case: CaseFile) -> int:
    """What living orders carry, or the bank confirmed, for whom the claim is assigned to (fen)."""
    dead = [PaymentOrder.State.RETURNED, PaymentOrder.State.STOPPED]
    rows = PaymentOrder.objects.filter(case=case, assigned=True).exclude(state__in=dead)
    return rows.aggregate(total=Sum("amount_fen"))["total"] or 0


def payables_of(numbers: Iterable[str], party: str) -> dict[str, int]:
    """What is owed to the party and not yet paid for many cases, by their numbers (fen). One query."""
    keys = {f"payable:{number}:{party}": number for number in numbers}
    found = MoneyAccount.objects.filter(key__in=list(keys)).values_list("key", "balance")
    return dict.fromkeys(keys.values(), 0) | {keys[key]: balance for key, balance in found}


def orders_visible_to(actor: Actor) -> QuerySet[PaymentOrder]:
    return visible_to(PaymentOrder.objects.select_related("case", "payee", "file"), actor)


def files_visible_to(actor: Actor) -> QuerySet[PaymentFile]:
    """A payment file is visible to those who see all its orders; who sees all sees all files."""
    if actor.may_see_cases and not actor.restricted:
        return PaymentFile.objects.all()
    items = PaymentOrder.objects.filter(file=OuterRef("pk"))
    hidden = items.exclude(pk__in=visible_to(PaymentOrder.objects.all(), actor).values("pk"))
    return PaymentFile.objects.filter(~Exists(hidden)) if actor.may_see_cases else PaymentFile.objects.none()


def returned_by_the_bank(case: CaseFile, payee_id: int | None) -> PaymentOrder | None:
    """The latest order of the case to this very payee that the bank sent back; a payee set anew has none."""
    returned = PaymentOrder.objects.filter(case=case, payee=payee_id, state=PaymentOrder.State.RETURNED)
    return returned.order_by("-pk").first()


def live_order(case: CaseFile) -> PaymentOrder | None:
    """The order that is under way or paid for the latest decision; None when none lives."""
    dead = [PaymentOrder.State.RETURNED, PaymentOrder.State.STOPPED]
    return (
        PaymentOrder.objects.filter(case=case).exclude(state__in=dead).order_by("-decision_version").first()
    )
