"""The ledger's accounts and the decision core's balances: one name for both."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from apps.adjudication.accumulators import COUNT, kind_of, limit_accounts, policy_period
from apps.adjudication.facts import Balance, Facts
from apps.core.money import to_fen, to_yuan
from apps.ledger.actions import LimitSpec
from apps.ledger.models import LimitAccount

KEY_LENGTH = 80


def period_of(facts: Facts) -> str:
    return policy_period(facts.policy, facts.member)


def account_key(key: str) -> str:
    """The ledger's name of an accumulator: accounts belong to a policy row, so the period goes."""
    what = key.rpartition("|")[2]
    if len(what) <= KEY_LENGTH:
        return what
    return f"{what[: KEY_LENGTH - 17]}#{hashlib.sha256(what.encode()).hexdigest()[:16]}"


def with_balances(facts: Facts, accounts: Iterable[LimitAccount], keys: Iterable[str] = ()) -> Facts:
    """Facts with the balances of ledger accounts. `keys` are accumulators whose name had to be cut."""
    period = period_of(facts)
    full = {account_key(key): key for key in keys}
    balances = tuple(
        _balance(full.get(account.key, f"{period}|{account.key}"), account) for account in accounts
    )
    return replace(facts, balances=balances)


def _balance(key: str, account: LimitAccount) -> Balance:
    def value(amount: int) -> Decimal:
        return Decimal(amount) if account.unit == "COUNT" else to_yuan(amount)

    return Balance(key, value(account.ceiling), value(account.used), value(account.reserved))


def year_specs(facts: Facts) -> list[LimitSpec]:
    """The accounts that a policy period has from the start."""
    accounts = limit_accounts(facts.plan, period_of(facts), facts.handbook)
    return [spec_of(account.key, account.limit) for account in accounts]


def spec_of(key: str, limit: Any) -> LimitSpec:
    counted = kind_of(key) == COUNT
    return LimitSpec(
        account_key(key), "COUNT" if counted else "FEN", int(limit) if counted else to_fen(limit)
    )
