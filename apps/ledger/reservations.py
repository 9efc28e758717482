"""Money promised ahead: reserved under a case, drawn down by its bills, released at its end.

A reservation is the sum of the `reserved` columns of all entries under "case number/…" on an account.
It never exceeds what the limit has left (the CHECK of the account holds that even in a race), a
draw-down turns reserved money into used money, and a release gives back what is left. So on every
account at any time: balance = sum of its entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from django.db.models import Q, Sum

from apps.ledger.actions import too_little
from apps.ledger.models import LimitAccount, LimitEntry
from apps.members.queries import starts


def reserve(
    accounts: Mapping[str, LimitAccount], amount: int, *, reference: str, service_date: date | None
) -> list[LimitEntry]:
    """Promise `amount` fen on each of the locked accounts. Raises Conflict when one has less left."""
    for key, account in accounts.items():
        if amount > account.left:
            raise too_little(key, account.left, amount)
    return [
        _move(account, LimitEntry.Kind.RESERVE, 0, amount, reference, service_date)
        for account in accounts.values()
    ]


def draw_down(
    case_number: str, amount: int, *, reference: str, service_date: date | None
) -> list[LimitEntry]:
    """Use `amount` fen on every account the case reserved on, first out of its reservation.

    What exceeds the reservation comes out of what the limit has left; Conflict when that is too little.
    """
    locked = _locked(case_number)
    for account, held in locked:
        if amount - held > account.left:
            raise too_little(account.key, account.left + held, amount)
    return [
        _move(account, LimitEntry.Kind.USE, amount, -min(amount, held), reference, service_date)
        for account, held in locked
    ]


def release(case_number: str, *, reference: str) -> list[LimitEntry]:
    """Give back whatever the case still holds; nothing when it holds nothing."""
    return [
        _move(account, LimitEntry.Kind.RELEASE, 0, -held, reference, None)
        for account, held in _locked(case_number)
        if held
    ]


def held_by(case_number: str) -> dict[int, int]:
    """What a case still holds in fen, by id of the account. One query."""
    rows = LimitEntry.objects.filter(starts("reference", f"{case_number}/")).order_by()
    return {row["account"]: row["held"] for row in rows.values("account").annotate(held=Sum("reserved"))}


def hand_over(case_number: str, amount: int, *, reference: str) -> list[LimitEntry]:
    """Let go of up to `amount` fen of what the case holds on every account, for a claim that uses it itself
    in the same transaction under a reference of its own."""
    return [
        _move(account, LimitEntry.Kind.RELEASE, 0, -min(amount, held), reference, None)
        for account, held in _locked(case_number)
        if min(amount, held) > 0
    ]


def held_by_many(case_numbers: Iterable[str]) -> dict[str, dict[int, int]]:
    """What several cases still hold in fen, by number and id of the account. One query."""
    wanted = sorted(set(case_numbers))
    condition = Q(pk=None)
    for number in wanted:
        condition |= starts("reference", f"{number}/")
    found: dict[str, dict[int, int]] = {number: {} for number in wanted}
    rows = LimitEntry.objects.filter(condition).exclude(reserved=0)
    for reference, account, reserved in rows.values_list("reference", "account", "reserved"):
        held = found[reference.split("/")[0]]
        held[account] = held.get(account, 0) + reserved
    return found


def _locked(case_number: str) -> list[tuple[LimitAccount, int]]:
    """The accounts of a reservation, locked in the house's order (policy, key), then what is held."""
    keys = list(held_by(case_number))
    accounts = list(LimitAccount.objects.filter(pk__in=keys).select_for_update().order_by("policy_id", "key"))
    held = held_by(case_number)
    return [(account, held.get(account.pk, 0)) for account in accounts]


def _move(
    account: LimitAccount, kind: str, used: int, reserved: int, reference: str, service_date: date | None
) -> LimitEntry:
    account.used += used
    account.reserved += reserved
    account.save(update_fields=["used", "reserved"])
    return LimitEntry.objects.create(
        account=account,
        kind=kind,
        used=used,
        reserved=reserved,
        reference=reference,
        service_date=service_date,
    )
