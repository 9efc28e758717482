"""Booking: the only writers of the two books.

Accounts are locked in the order of policy and key, after the case, so that no two decisions wait for
each other in a circle. A movement that would exceed a ceiling is refused by a CHECK constraint even
when two decisions race. Corrections are reversals; entries are never changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection
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
    """The named accounts of one policy by key, locked; missing ones are opened. One query."""
    return lock_limits_many({policy_id: specs})[policy_id]


_LOCK = """
INSERT INTO ledger_limitaccount (policy_id, "key", unit, ceiling, used, reserved) VALUES {values}
ON CONFLICT (policy_id, "key") DO UPDATE SET ceiling = CASE
    WHEN excluded.ceiling >= ledger_limitaccount.used + ledger_limitaccount.reserved THEN excluded.ceiling
    ELSE ledger_limitaccount.used + ledger_limitaccount.reserved END
RETURNING id, policy_id, "key", unit, ceiling, used, reserved
"""
CHUNK = 500


def lock_limits_many(wanted: Mapping[int, Sequence[LimitSpec]]) -> dict[int, dict[str, LimitAccount]]:
    """The same for many policies: one query for every 500 accounts.

    One upsert opens what is missing, follows a ceiling that the plan changed (no further down than
    what is used and reserved) and locks the rows, always in the order of policy and key.
    """
    found: dict[int, dict[str, LimitAccount]] = {policy_id: {} for policy_id in wanted}
    named = {(policy_id, spec.key): spec for policy_id, specs in wanted.items() for spec in specs}
    ordered = sorted(named.items(), key=lambda item: item[0])
    for start in range(0, len(ordered), CHUNK):
        rows = [
            (policy_id, key, spec.unit, spec.ceiling)
            for (policy_id, key), spec in ordered[start : start + CHUNK]
        ]
        values = ", ".join(["(%s, %s, %s, %s, 0, 0)"] * len(rows))
        with connection.cursor() as cursor:
            cursor.execute(_LOCK.format(values=values), [value for row in rows for value in row])
            for pk, policy_id, key, unit, ceiling, used, reserved in cursor.fetchall():
                account = LimitAccount(pk, policy_id, key, unit, ceiling, used, reserved)
                account._state.adding, account._state.db = False, connection.alias
                found[policy_id][key] = account
    return found


def use_limits(
    accounts: Mapping[str, LimitAccount], uses: Iterable[Use], *, reference: str, service_date: date | None
) -> list[LimitEntry]:
    """Book uses against locked accounts: one statement for entries, one for balances.

    `reference` is "case number/decision version"; booking it twice is a constraint error.
    """
    entries = reckon_uses(accounts, uses, reference=reference, service_date=service_date)
    return _write(entries, [entry.account for entry in entries])


def too_little(key: str, left: int, asked: int) -> Conflict:
    """The limit, in its own unit, has less than was decided on: somebody else used it meanwhile."""
    return Conflict(
        _("The limit %(key)s has %(left)s left, %(asked)s are asked. Decide again.")
        % {"key": key, "left": left, "asked": asked},
        code="limit_race",
        data={"key": key},
    )


def reckon_uses(
    accounts: Mapping[str, LimitAccount], uses: Iterable[Use], *, reference: str, service_date: date | None
) -> list[LimitEntry]:
    """Entries for uses of locked accounts, whose balances move in memory; the caller writes both."""
    entries = []
    for use in uses:
        if use.amount == 0:
            continue
        account = accounts[use.key]
        if use.amount > account.left:
            raise too_little(use.key, account.left, use.amount)
        account.used += use.amount
        entries.append(
            LimitEntry(
                account=account,
                kind=LimitEntry.Kind.USE,
                used=use.amount,
                reference=reference,
                service_date=service_date,
            )
        )
    return entries


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
    specs: dict[int, list[LimitSpec]] = {}
    for original in originals:
        account = original.account
        specs.setdefault(account.policy_id, []).append(LimitSpec(account.key, account.unit, account.ceiling))
    accounts = {row.pk: row for locked in lock_limits_many(specs).values() for row in locked.values()}
    entries = reckon_reversal(originals, accounts, new_reference=new_reference)
    return _write(entries, list(accounts.values()))


def reckon_reversal(
    originals: Iterable[LimitEntry], accounts: Mapping[int, LimitAccount], *, new_reference: str
) -> list[LimitEntry]:
    """Reversals of entries; the locked accounts (by id) move in memory, the caller writes both."""
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
    return entries


def _write(entries: list[LimitEntry], touched: list[LimitAccount]) -> list[LimitEntry]:
    if entries:
        LimitEntry.objects.bulk_create(entries)
        LimitAccount.objects.bulk_update(
            {account.pk: account for account in touched}.values(), ["used", "reserved"]
        )
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
    MoneyAccount.objects.filter(pk=account.pk).update(
        balance=F("balance") + amount, settled=F("settled") + settled
    )
    return entry


@dataclass(frozen=True, slots=True)
class Due:
    """What a decision adds to (or takes from) what we owe a party for a case; of a payment, less than 0."""

    account: str
    party: str
    case: str
    series: str
    tpa: str
    amount: int
    reference: str


_OWE = """
INSERT INTO ledger_moneyaccount ("key", party, reference, series, tpa, balance, settled) VALUES {values}
ON CONFLICT ("key") DO UPDATE SET balance = ledger_moneyaccount.balance + excluded.balance,
    settled = ledger_moneyaccount.settled + excluded.settled
RETURNING id, "key"
"""


def post_dues(dues: Sequence[Due], kind: str = MoneyEntry.Kind.DUE) -> list[MoneyEntry]:
    """Post what several decisions owe: one statement for the accounts, entries left to the caller to insert.

    With another `kind`, what was paid for them together or came back; signed as in `post_money`.
    """
    entries: list[MoneyEntry] = []
    sign = -1 if kind in (MoneyEntry.Kind.PAID, MoneyEntry.Kind.RETURNED) else 0
    for start in range(0, len(dues), CHUNK):
        rows = sorted(dues[start : start + CHUNK], key=lambda due: due.account)
        values = ", ".join(["(%s, %s, %s, %s, %s, %s, %s)"] * len(rows))
        with connection.cursor() as cursor:
            given = [
                (due.account, due.party, due.case, due.series, due.tpa, due.amount, sign * due.amount)
                for due in rows
            ]
            cursor.execute(_OWE.format(values=values), [value for row in given for value in row])
            ids = {key: pk for pk, key in cursor.fetchall()}
        entries += [
            MoneyEntry(
                account_id=ids[due.account],
                kind=kind,
                amount=due.amount,
                reference=due.reference,
            )
            for due in rows
        ]
    return entries
