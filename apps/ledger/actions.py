"""Booking: the only writers of the two books.

Accounts are locked in the order of their ids, after the case, so that no two decisions wait for
each other in a circle. A movement that would exceed a ceiling is refused by a CHECK constraint even
when two decisions race. Corrections are reversals; entries are never changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict
from apps.ledger.models import LimitAccount, LimitEntry, MoneyAccount, MoneyEntry


@dataclass(frozen=True, slots=True)
class LimitSpec:
    """A ceiling that a policy has: accumulator key, FEN or COUNT, ceiling in fen or times."""

    key: str
    unit: str
    ceiling: int


@dataclass(frozen=True, slots=True)
class Use:
    """Use of one limit in fen or times; negative amounts are for reversals only."""

    key: str
    amount: int


def lock_limits(policy_id: int, specs: Sequence[LimitSpec]) -> dict[str, LimitAccount]:
    """The accounts of a policy by key, locked in id order; missing ones are opened.

    One query when all exist, three when some are new. A ceiling that the plan changed since is
    raised, or lowered no further than what is used and reserved.
    """
    accounts = _locked(policy_id)
    missing = [spec for spec in specs if spec.key not in accounts]
    if missing:
        rows = [LimitAccount(policy_id=policy_id, key=s.key, unit=s.unit, ceiling=s.ceiling) for s in missing]
        LimitAccount.objects.bulk_create(rows, ignore_conflicts=True)
        accounts = _locked(policy_id)
    changed = []
    for spec in specs:
        account = accounts[spec.key]
        ceiling = max(spec.ceiling, account.used + account.reserved)
        if account.ceiling != ceiling:
            account.ceiling = ceiling
            changed.append(account)
    if changed:
        LimitAccount.objects.bulk_update(changed, ["ceiling"])
    return accounts


def _locked(policy_id: int) -> dict[str, LimitAccount]:
    rows = LimitAccount.objects.select_for_update().filter(policy=policy_id).order_by("pk")
    return {account.key: account for account in rows}


def use_limits(
    accounts: Mapping[str, LimitAccount], uses: Iterable[Use], *, reference: str, service_date: date | None
) -> list[LimitEntry]:
    """Book uses against locked accounts: one statement for entries, one for balances.

    `reference` is "case number/decision version"; booking it twice is a constraint error.
    """
    entries, touched = [], []
    for use in uses:
        if use.amount == 0:
            continue
        account = accounts[use.key]
        if use.amount > account.left:
            raise Conflict(
                _("The limit %(key)s has %(left)s left, %(asked)s are asked. Decide again.")
                % {"key": use.key, "left": account.left, "asked": use.amount},
                code="limit_race",
                data={"key": use.key},
            )
        account.used += use.amount
        touched.append(account)
        entries.append(
            LimitEntry(
                account=account, kind=LimitEntry.Kind.USE, used=use.amount, reference=reference, service_date=service_date
            )
        )
    return _write(entries, touched)


def reverse_limits(reference: str, *, new_reference: str) -> list[LimitEntry]:
    """Undo every entry booked under a reference that was not reversed yet (a new decision version)."""
    originals = list(
        LimitEntry.objects.filter(reference=reference, reversed_by__isnull=True)
        .exclude(kind=LimitEntry.Kind.REVERSAL)
        .select_related("account")
        .order_by("account_id")
    )
    if not originals:
        return []
    ids = [entry.account_id for entry in originals]
    accounts = {row.pk: row for row in LimitAccount.objects.select_for_update().filter(pk__in=ids).order_by("pk")}
    entries = []
    for original in originals:
        account = accounts[original.account_id]
        account.used -= original.used
        account.reserved -= original.reserved
        entries.append(
            LimitEntry(
                account=account,
                kind=LimitEntry.Kind.REVERSAL,
                used=-original.used,
                reserved=-original.reserved,
                reference=f"{new_reference}~{original.pk}",
                service_date=original.service_date,
                reverses=original,
            )
        )
    return _write(entries, list(accounts.values()))


def _write(entries: list[LimitEntry], touched: list[LimitAccount]) -> list[LimitEntry]:
    if entries:
        LimitEntry.objects.bulk_create(entries)
        LimitAccount.objects.bulk_update({account.pk: account for account in touched}.values(), ["used", "reserved"])
    return entries


# --- Money owed ------------------------------------------------------------------------------


def money_account(key: str, *, party: str, reference: str, series: str, tpa: str) -> MoneyAccount:
    """The account of one party for one case, opened on first use."""
    account, _created = MoneyAccount.objects.get_or_create(
        key=key, defaults={"party": party, "reference": reference, "series": series, "tpa": tpa}
    )
    return account


def post_money(account: MoneyAccount, kind: str, amount: int, *, reference: str) -> MoneyEntry:
    """Post a signed amount (fen) to a money account; the same reference and kind only once.

    DUE > 0 (we owe), PAID < 0, RETURNED > 0 (the bank sent it back), REVERSAL either way.
    """
    entry = MoneyEntry.objects.create(account=account, kind=kind, amount=amount, reference=reference)
    settled = -amount if kind in (MoneyEntry.Kind.PAID, MoneyEntry.Kind.RETURNED) else 0
    MoneyAccount.objects.filter(pk=account.pk).update(balance=F("balance") + amount, settled=F("settled") + settled)
    return entry
