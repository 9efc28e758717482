"""The insurer's accounts for refunds and the bounds of a plan (`fixtures/recoveries`), read once a process."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Account:
    name: str
    bank: str
    account: str


@dataclass(frozen=True)
class Config:
    most_instalments: int
    most_days: int  # calendar days from today to the last instalment
    accounts: dict[str, Account]  # by series; "" for all


@cache
def config() -> Config:
    path = settings.BASE_DIR / "fixtures" / "recoveries" / "accounts.toml"
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    accounts = {
        entry.get("series", ""): Account(entry["name"], entry["bank"], entry["account"])
        for entry in data["account"]
    }
    if "" not in accounts:
        raise ValueError("recoveries/accounts.toml: an account for all series is missing")
    return Config(data["plan"]["most_instalments"], data["plan"]["most_days"], accounts)


def account_for(series: str) -> Account:
    """Where the families of a series refund to."""
    accounts = config().accounts
    return accounts.get(series) or accounts[""]
