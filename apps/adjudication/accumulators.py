"""Names of limit accounts: the contract between the engine and the ledger.

A key is `<period>|<what>`; `<period>` is `policy_period(policy, member)` = policy, member and
first day of the policy period, so nothing leaks from one insured year into the next. `<what>`:

    annual                              yuan paid in the policy period
    benefit:<BENEFIT>:year              yuan paid for a benefit
    benefit:<BENEFIT>:count             visits of a benefit (eight health checks, HLC-01)
    benefit:<BENEFIT>:day:<date>        yuan of eligible cost on a day (a stay: its first day)
    benefit:<BENEFIT>:visit:<visit>     yuan of eligible cost of a visit (PR-13)
    item:<BENEFIT>:<ITEM>:year|count|day:<date>|visit:<visit>
    deductible:<BENEFIT>:year           yuan of deductible borne
    deductible:<BENEFIT>:visit:<visit>  yuan of deductible borne in one visit
    full:<BENEFIT>                      fully paid visits used (EPY-01)

Accounts of a year stand from the start (`limit_accounts`); day and visit accounts are opened when
a decision first moves them, with the limit its movement states. No balance = nothing used yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from apps.adjudication.decision import Movement
from apps.adjudication.facts import ZERO, Balance, Facts, MemberFacts, PolicyFacts
from apps.adjudication.handbook import Handbook
from apps.adjudication.plan import BenefitPlan, Limit, Plan

YUAN, COUNT = "YUAN", "COUNT"
YEAR, COUNT_YEAR, DAY, VISIT = "YEAR", "COUNT_YEAR", "DAY", "VISIT"
ANNUAL = "annual"
HEALTH_CHECK = "HEALTH_CHECK"


class LimitAccount(NamedTuple):
    key: str
    kind: str  # YUAN | COUNT
    limit: Decimal


def policy_period(policy: PolicyFacts, member: MemberFacts) -> str:
    """Prefix of all keys of one insured in one policy period."""
    return f"{policy.ref}:{member.ref}:{policy.effective_on.isoformat()}"


def limit_accounts(plan: Plan, period: str, handbook: Handbook | None = None) -> list[LimitAccount]:
    """The accounts of a policy period; the handbook adds its own count of health checks."""
    accounts = [LimitAccount(f"{period}|{ANNUAL}", YUAN, plan.annual_maximum)]
    for benefit in plan.benefits:
        for what, limit in _yearly(benefit, handbook):
            accounts.append(LimitAccount(f"{period}|{what}", kind_of(what), limit))
    return list({account.key: account for account in accounts}.values())


def opening_balances(plan: Plan, period: str, handbook: Handbook | None = None) -> tuple[Balance, ...]:
    """The same, unused."""
    return tuple(Balance(account.key, account.limit) for account in limit_accounts(plan, period, handbook))


def kind_of(key: str) -> str:
    """YUAN or COUNT, for any key incl. day and visit accounts opened on the way."""
    what = key.rpartition("|")[2]
    return COUNT if what.startswith("full:") or what.endswith(":count") else YUAN


def describe(key: str) -> str:
    """The `<what>` of a key, for screens that know period and member already."""
    return key.rpartition("|")[2]


def _yearly(benefit: BenefitPlan, handbook: Handbook | None) -> Iterator[tuple[str, Decimal]]:
    code = benefit.code
    for limit in benefit.limits:
        if limit.per == YEAR:
            yield f"benefit:{code}:year", limit.value
    count = count_limit(benefit, handbook)
    if count is not None:
        yield f"benefit:{code}:count", count
    for item, limit in benefit.item_limits:
        if limit.per in (YEAR, COUNT_YEAR):
            yield item_what(code, item, limit), limit.value
    if benefit.deductible_year:
        yield f"deductible:{deductible_account(benefit)}:year", benefit.deductible_year
    if benefit.full_pay_visits is not None:
        yield f"full:{code}", Decimal(benefit.full_pay_visits)


def count_limit(benefit: BenefitPlan, handbook: Handbook | None) -> Decimal | None:
    """Visits a year: of the plan and, for health checks, of the handbook, whichever is less."""
    counts = [limit.value for limit in benefit.limits if limit.per == COUNT_YEAR]
    if benefit.code == HEALTH_CHECK and handbook is not None:
        maximum = handbook.value("health_check.maximum")
        counts += [] if maximum is None else [Decimal(maximum)]
    return min(counts, default=None)


def deductible_account(benefit: BenefitPlan) -> str:
    """Benefits may share one yearly deductible (emergency with outpatient)."""
    return benefit.shares_deductible_with or benefit.code


def item_what(benefit: str, item: str, limit: Limit, place: str = "") -> str:
    """`place` = the visit or the day for limits of a visit or a day."""
    tail = {YEAR: "year", COUNT_YEAR: "count", DAY: f"day:{place}", VISIT: f"visit:{place}"}[limit.per]
    return f"item:{benefit}:{item}:{tail}"


def visit_what(benefit: str, visit: tuple[str, ...]) -> str:
    return f"benefit:{benefit}:visit:{visit_name(visit)}"


def day_what(benefit: str, day: date) -> str:
    return f"benefit:{benefit}:day:{day.isoformat()}"


def visit_name(visit: tuple[str, ...]) -> str:
    """A visit's key (PR-13) as one word."""
    return "/".join(visit)


class Accounts:
    """The limits while one claim is decided: what is left, and what this claim uses."""

    __slots__ = ("_balances", "_limits", "_period", "_used")

    def __init__(self, facts: Facts):
        self._period = policy_period(facts.policy, facts.member)
        self._balances = {balance.key: balance for balance in facts.balances}
        self._limits: dict[str, Decimal] = {}
        self._used: dict[str, Decimal] = {}

    def limit(self, what: str, planned: Decimal) -> Decimal:
        """The ledger's limit where it has the account, else the plan's."""
        balance = self._balances.get(f"{self._period}|{what}")
        return planned if balance is None else balance.limit

    def left(self, what: str, planned: Decimal) -> Decimal:
        """Limit − used − reserved − used by this claim so far; never negative."""
        key = f"{self._period}|{what}"
        balance = self._balances.get(key)
        before = planned if balance is None else balance.left
        return max(before - self._used.get(key, ZERO), ZERO)

    def knows(self, what: str) -> bool:
        return f"{self._period}|{what}" in self._balances

    def use(self, what: str, planned: Decimal, amount: Decimal) -> None:
        if amount <= 0:
            return
        key = f"{self._period}|{what}"
        self._limits[key] = self.limit(what, planned)
        self._used[key] = self._used.get(key, ZERO) + amount

    def movements(self) -> tuple[Movement, ...]:
        """One movement per account touched, in order of first use."""
        return tuple(self._movement(key, amount) for key, amount in self._used.items())

    def _movement(self, key: str, amount: Decimal) -> Movement:
        limit, balance = self._limits[key], self._balances.get(key)
        before = limit if balance is None else balance.left
        return Movement(key, amount, limit, before, before - amount)
