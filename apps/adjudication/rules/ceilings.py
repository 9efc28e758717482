"""Ceilings on the cost that counts: items, visits, days, and counts of visits.

They cut the eligible cost before deductible and coinsurance; what they cut is disallowed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_CEILING, Decimal

from apps.adjudication.accumulators import (
    COUNT_YEAR,
    DAY,
    HEALTH_CHECK,
    VISIT,
    YEAR,
    count_limit,
    day_what,
    item_what,
    visit_name,
    visit_what,
)
from apps.adjudication.facts import ZERO
from apps.adjudication.handbook import Level
from apps.adjudication.money import round_fen
from apps.adjudication.plan import BenefitPlan, Limit
from apps.adjudication.words import Name, benefit_name, kind_name
from apps.adjudication.work import Claim, Line

PER = {
    VISIT: Name("每次", "a visit"), DAY: Name("每日", "a day"), YEAR: Name("每年", "a year"),
    COUNT_YEAR: Name("每年次数", "pieces a year"),
}  # fmt: skip


def item_limits(claim: Claim, planned: BenefitPlan, lines: Sequence[Line]) -> None:
    """A bed at 800 a day, … : by kind or code of the line."""
    for item, limit in planned.item_limits:
        chosen = [line for line in lines if item in (line.fact.kind, line.fact.code) and line.open > 0]
        if not chosen:
            continue
        if limit.per == COUNT_YEAR:
            _item_count(claim, planned, item, limit, chosen)
        else:
            _item_yuan(claim, planned, item, limit, chosen)


def _item_yuan(claim: Claim, planned: BenefitPlan, item: str, limit: Limit, lines: list[Line]) -> None:
    what = item_what(planned.code, item, limit, _place(limit, lines))
    ceiling = limit.value * _days(lines, item=True) if limit.per == DAY else limit.value
    over = _cut(claim, what, ceiling, lines)
    rule = claim.check("decide.benefit_limit", over > 0)
    if over > 0:
        claim.note(
            "ITEM_LIMIT", rule or claim.contract("decide.benefit_limit"), Level.REDUCE, lines,
            place=lines[0].place, amount=over,
            item=kind_name(item), limit=limit.value, per=PER[limit.per], over=over, ceiling=ceiling,
        )  # fmt: skip


def _item_count(claim: Claim, planned: BenefitPlan, item: str, limit: Limit, lines: list[Line]) -> None:
    """Pieces a year: of the line that crosses, the share of the pieces left counts."""
    what, over = item_what(planned.code, item, limit), ZERO
    for line in lines:
        pieces = max(line.fact.quantity.to_integral_value(ROUND_CEILING), Decimal(1))
        left = claim.accounts.left(what, limit.value)
        taken = min(pieces, left)
        cut = line.open - round_fen(line.open * taken / pieces)
        claim.accounts.use(what, limit.value, taken)
        line.disallow(cut)
        over += cut
    rule = claim.check("decide.benefit_limit", over > 0)
    if over > 0:
        claim.note(
            "ITEM_LIMIT", rule or claim.contract("decide.benefit_limit"), Level.REDUCE, lines,
            place=lines[0].place, amount=over,
            item=kind_name(item), limit=limit.value, per=PER[limit.per], over=over, ceiling=limit.value,
        )  # fmt: skip


def visit_and_day(claim: Claim, planned: BenefitPlan, lines: Sequence[Line]) -> None:
    """Per visit (PR-13) and per day; a stay's day limit counts for each of its days."""
    key = claim.limit_key(planned.code)
    for limit in planned.limits:
        if limit.per == VISIT:
            what, ceiling, code = visit_what(planned.code, lines[0].group), limit.value, "VISIT_LIMIT"
        elif limit.per == DAY:
            what, code = day_what(planned.code, _first_day(lines)), "DAY_LIMIT"
            ceiling = limit.value * _days(lines)
        else:
            continue
        left = claim.accounts.left(what, ceiling)
        over = _cut(claim, what, ceiling, lines)
        rule = claim.check(key, over > 0)
        if over > 0:
            claim.note(
                code, rule or claim.contract(key), Level.REDUCE, lines,
                place=f"visit:{lines[0].visit.ref}", amount=over, benefit=benefit_name(planned.code),
                limit=ceiling, left=left, over=over, day=_first_day(lines),
            )  # fmt: skip


def count(claim: Claim, planned: BenefitPlan, lines: Sequence[Line]) -> None:
    """Visits a year (HLC-01: the ninth health check); nothing of the visit is payable then."""
    maximum = count_limit(planned, claim.handbook)
    if maximum is None or not any(line.open > 0 for line in lines):
        return
    what, checkup = f"benefit:{planned.code}:count", planned.code == HEALTH_CHECK
    maximum = claim.accounts.limit(what, maximum)
    left = claim.accounts.left(what, maximum)
    key = "decide.health_check_count" if checkup else claim.limit_key(planned.code)
    rule = claim.check(key, left < 1) or claim.contract(key)
    if left < 1:
        claim.deny(
            "HEALTH_CHECK_COUNT" if checkup else "COUNT_LIMIT", rule,
            [line for line in lines if line.open > 0], place=f"visit:{lines[0].visit.ref}",
            used=int(maximum - left), maximum=int(maximum), limit=int(maximum),
            benefit=benefit_name(planned.code),
        )  # fmt: skip


def book_count(claim: Claim, planned: BenefitPlan, lines: Sequence[Line]) -> None:
    """A visit counts once something of it is paid."""
    maximum = count_limit(planned, claim.handbook)
    if maximum is not None and any(line.open > 0 for line in lines):
        claim.accounts.use(f"benefit:{planned.code}:count", maximum, Decimal(1))


def _cut(claim: Claim, what: str, ceiling: Decimal, lines: Sequence[Line]) -> Decimal:
    """Let the lines through in order until the account is used up; returns what was cut off."""
    left = claim.accounts.left(what, ceiling)
    cut = used = ZERO
    for line in lines:
        over = max(line.open - (left - used), ZERO)
        line.disallow(over)
        used += line.open
        cut += over
    claim.accounts.use(what, ceiling, used)
    return cut


def _place(limit: Limit, lines: Sequence[Line]) -> str:
    if limit.per == VISIT:
        return visit_name(lines[0].group)
    return _first_day(lines).isoformat() if limit.per == DAY else ""


def _first_day(lines: Sequence[Line]) -> date:
    return min(line.visit.started_on for line in lines)


def _days(lines: Sequence[Line], *, item: bool = False) -> Decimal:
    """Days of a stay (at least one); for an item, its quantity where that is billed by the day."""
    visits = [line.visit for line in lines]
    nights = Decimal(max((visit.ended_on - visit.started_on).days for visit in visits) or 1)
    if not item:
        return max(nights, Decimal(1))
    billed = sum((line.fact.quantity for line in lines), ZERO)
    return min(billed, nights + 1) if billed > 1 else max(nights, Decimal(1))
