"""Finance data under `fixtures/finance`: estimation rules, chart of accounts, return codes.

Parsed once a process. A wrong file is an error at start (`manage.py check`), not at the first claim.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.adjudication.codes import BENEFITS, VISIT_TYPES

ASPECTS = ("PROVISION", "DUE", "PAID", "RETURNED", "RECEIVABLE", "REFUND", "WRITE_OFF")
TO_HOSPITALS = "_HOSPITAL"  # ends the names of postings for what hospitals bill directly
GRAINS = ("CASE", "DAY", "PAYMENT")
STEPS = ("ACCOUNT", "RETRY", "ASK")


class WrongData(ValueError):
    """A file under `fixtures/finance` says something this house does not understand."""


def _read(name: str) -> dict[str, Any]:
    path: Path = settings.BASE_DIR / "fixtures" / "finance" / f"{name}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


# --- Estimation ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EstimateRule:
    """Expected paid ratio of undecided claims; empty fields are for all."""

    id: str
    since: date
    ratio: Decimal
    series: str = ""
    benefit: str = ""
    visit_type: str = ""

    @property
    def label(self) -> str:
        """'S26-IP 90%': what a movement keeps of the rule it was reckoned by."""
        return f"{self.id} {(self.ratio * 100).normalize():f}%"

    def fits(self, series: str, benefit: str, visit_type: str, day: date) -> bool:
        return (
            self.since <= day
            and self.series in ("", series)
            and self.benefit in ("", benefit)
            and self.visit_type in ("", visit_type)
        )

    def of(self, claimed_fen: int) -> int:
        """Fen expected of fen reported, half a fen up."""
        return int((self.ratio * claimed_fen).quantize(Decimal(1), ROUND_HALF_UP))


@cache
def estimate_rules() -> tuple[EstimateRule, ...]:
    rules = tuple(_estimate(entry) for entry in _read("reserves")["estimate"])
    ids = [rule.id for rule in rules]
    if len(ids) != len(set(ids)):
        raise WrongData("reserves.toml: an id stands twice")
    if not any(not (rule.series or rule.benefit or rule.visit_type) for rule in rules):
        raise WrongData("reserves.toml: a rule for everything is missing")
    return rules


def _estimate(entry: Mapping[str, Any]) -> EstimateRule:
    unknown = set(entry) - {"id", "from", "ratio", "series", "benefit", "visit_type"}
    if unknown:
        raise WrongData(f"reserves.toml, {entry.get('id')}: unknown {', '.join(sorted(unknown))}")
    ratio = Decimal(entry["ratio"])
    if not 0 <= ratio <= 1:
        raise WrongData(f"reserves.toml, {entry['id']}: ratio {ratio} is not between 0 and 1")
    benefit, visit_type = entry.get("benefit", ""), entry.get("visit_type", "")
    if benefit and benefit not in BENEFITS:
        raise WrongData(f"reserves.toml, {entry['id']}: benefit {benefit}")
    if visit_type and visit_type not in VISIT_TYPES:
        raise WrongData(f"reserves.toml, {entry['id']}: visit type {visit_type}")
    return EstimateRule(entry["id"], entry["from"], ratio, entry.get("series", ""), benefit, visit_type)


def rule_for(series: str, benefit: str, visit_type: str, day: date) -> EstimateRule:
    """The most specific rule in force on a day; of equal ones the latest."""
    fitting = [rule for rule in estimate_rules() if rule.fits(series, benefit, visit_type, day)]
    if not fitting:  # claims older than the first rule
        fitting = [rule for rule in estimate_rules() if not (rule.series or rule.benefit or rule.visit_type)]
    return max(
        fitting, key=lambda rule: (bool(rule.series), bool(rule.benefit), bool(rule.visit_type), rule.since)
    )


# --- Accounts --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Account:
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Posting:
    debit: Account
    credit: Account
    grain: str  # CASE | DAY
    items: tuple[str, ...]
    summary: str


@dataclass(frozen=True)
class Chart:
    """How one series is booked."""

    word: str
    postings: Mapping[str, Posting] = field(default_factory=dict)


def chart_of(series: str) -> Chart:
    """The chart of a series, else the one for all."""
    charts = _charts()
    return charts.get(series) or charts[""]


@cache
def _charts() -> dict[str, Chart]:
    entries = {entry.get("series", ""): entry for entry in _read("accounts")["chart"]}
    if "" not in entries:
        raise WrongData("accounts.toml: a chart for all series is missing")
    return {series: _chart(entry, entries[""]) for series, entry in entries.items()}


def _chart(entry: Mapping[str, Any], common: Mapping[str, Any]) -> Chart:
    accounts = {**common["accounts"], **entry.get("accounts", {})}
    postings = {**common.get("postings", {}), **entry.get("postings", {})}
    missing = set(ASPECTS) - set(postings)
    if missing:
        raise WrongData(f"accounts.toml: no posting for {', '.join(sorted(missing))}")
    own = [name for name in postings if name.removesuffix(TO_HOSPITALS) in ASPECTS]
    if unknown := set(postings) - set(own):
        raise WrongData(f"accounts.toml: no entry is a {', '.join(sorted(unknown))}")
    return Chart(
        entry.get("word", common["word"]), {name: _posting(postings[name], accounts) for name in own}
    )


def _posting(entry: Mapping[str, Any], accounts: Mapping[str, Any]) -> Posting:
    if entry["grain"] not in GRAINS:
        raise WrongData(f"accounts.toml: grain {entry['grain']}")
    debit, credit = (Account(**accounts[entry[side]]) for side in ("debit", "credit"))
    if debit == credit:
        raise WrongData(f"accounts.toml: {entry['summary']} debits and credits {debit.code}")
    return Posting(debit, credit, entry["grain"], tuple(entry["items"]), entry["summary"])


# --- Bank returns ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReturnMeaning:
    """What a bank's words mean, and what to do: ACCOUNT, RETRY or ASK."""

    key: str
    zh: str
    en: str
    next: str
    codes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    def fits(self, reason: str) -> bool:
        text = reason.strip().casefold()
        code = text.replace(":", " ").replace("：", " ").replace("-", " ").split(" ")[0]
        return code in (known.casefold() for known in self.codes) or any(
            word.casefold() in text for word in self.words
        )


@cache
def return_meanings() -> tuple[ReturnMeaning, ...]:
    """In the order of the file; the last is for what nothing else fits."""
    found = tuple(
        ReturnMeaning(
            entry["key"],
            entry["zh"],
            entry["en"],
            entry["next"],
            tuple(entry["codes"]),
            tuple(entry["words"]),
        )
        for entry in _read("returns")["return"]
    )
    if any(meaning.next not in STEPS for meaning in found):
        raise WrongData("returns.toml: `next` is ACCOUNT, RETRY or ASK")
    return found


def meaning_of(reason: str) -> ReturnMeaning:
    meanings = return_meanings()
    return next((meaning for meaning in meanings if meaning.fits(reason)), meanings[-1])
