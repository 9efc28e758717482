"""Who bears what of the cost that counts: deductible, coinsurance, yearly maxima."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from apps.adjudication.accumulators import ANNUAL, YEAR, deductible_account, visit_name
from apps.adjudication.facts import ZERO
from apps.adjudication.handbook import Level
from apps.adjudication.money import share_of
from apps.adjudication.plan import BenefitPlan
from apps.adjudication.rules.permission import unused_social
from apps.adjudication.words import benefit_name
from apps.adjudication.work import Claim, Line

FULL = Decimal(1)


@dataclass(frozen=True, slots=True)
class Rate:
    """The insurer's share of one benefit in one visit, and where it comes from."""

    share: Decimal
    basis: str
    basis_en: str
    full_visit: bool = False  # uses one of the fully paid visits (EPY-01)


def deductible(claim: Claim, planned: BenefitPlan, lines: Sequence[Line]) -> None:
    """Per visit first, then what is left of the year's; in line order, never above the cost."""
    account = deductible_account(planned)
    visit_what = f"deductible:{planned.code}:visit:{visit_name(lines[0].group)}"
    year_what = f"deductible:{account}:year"
    of_visit = _take(claim, visit_what, planned.deductible_visit, lines)
    of_year = _take(claim, year_what, planned.deductible_year, lines)
    taken = of_visit + of_year
    rule = claim.check("decide.deductible", taken > 0)
    if taken > 0:
        claim.note(
            "DEDUCTIBLE", rule or claim.contract("decide.deductible"), Level.REDUCE, lines,
            place=_place(lines), amount=taken, visit=of_visit, year=of_year,
            benefit=benefit_name(planned.code),
        )  # fmt: skip


def _take(claim: Claim, what: str, planned: Decimal, lines: Sequence[Line]) -> Decimal:
    if not planned:
        return ZERO
    left = claim.accounts.left(what, planned)
    taken = ZERO
    for line in lines:
        part = min(line.open, left - taken)
        line.deductible += part
        line.open -= part
        taken += part
    claim.accounts.use(what, planned, taken)
    return taken


def coinsurance(claim: Claim, planned: BenefitPlan, lines: Sequence[Line]) -> Rate:
    """PR-11, EPY-01: one rate for the benefit in the visit; rounded once, spread over the lines."""
    rate = _rate(claim, planned, lines)
    insurer = share_of(rate.share, [line.open for line in lines])
    borne = ZERO
    for line, part in zip(lines, insurer, strict=True):
        borne += line.open - part
        line.member += line.open - part
        line.open = part
    rule = claim.check("decide.coinsurance", borne > 0)
    if borne > 0:
        claim.note(
            "COINSURANCE", rule or claim.contract("decide.coinsurance"), Level.REDUCE, lines,
            place=_place(lines), amount=borne, percent=percent(rate.share),
            basis=rate.basis, basis_en=rate.basis_en, benefit=benefit_name(planned.code),
        )  # fmt: skip
    return rate


def _rate(claim: Claim, planned: BenefitPlan, lines: Sequence[Line]) -> Rate:
    terms = planned.coinsurance
    rate = Rate(terms.standard, "计划约定比例", "the plan's share")
    if planned.full_pay_visits is not None:
        rate = _full_visit_rate(claim, planned, lines)
    alternative = terms.unused_social
    unused = alternative is not None and any(unused_social(claim, line.visit) for line in lines)
    if alternative is not None and unused and alternative < rate.share:
        return Rate(alternative, "有社保未经社保结算", "social insurance not used")
    return rate


def _full_visit_rate(claim: Claim, planned: BenefitPlan, lines: Sequence[Line]) -> Rate:
    """EPY-01: fully paid visits are consumed in decision order; afterwards the co-pay begins."""
    terms, quota = planned.coinsurance, Decimal(planned.full_pay_visits or 0)
    left = _full_visits_left(claim, planned, quota)
    used_up = left < 1
    rule = claim.check("decide.full_visits", used_up)
    if not used_up:
        return Rate(FULL, "全额赔付次数内", "within the fully paid visits", full_visit=True)
    after = terms.standard if terms.after_full_visits is None else terms.after_full_visits
    if any(line.open > 0 for line in lines):
        claim.note(
            "FULL_VISITS_USED", rule or claim.contract("decide.full_visits"), Level.REDUCE, lines,
            place=_place(lines), quota=int(quota), percent=percent(after),
        )  # fmt: skip
    return Rate(after, "全额赔付次数用完", "fully paid visits used up")


def _full_visits_left(claim: Claim, planned: BenefitPlan, quota: Decimal) -> Decimal:
    """The ledger's count, or the caller's where the ledger has no account."""
    what = f"full:{planned.code}"
    left = claim.accounts.left(what, quota)
    return left if claim.accounts.knows(what) else left - claim.facts.full_visits_used


def book_full_visit(claim: Claim, planned: BenefitPlan, lines: Sequence[Line], rate: Rate) -> None:
    if rate.full_visit and any(line.open > 0 for line in lines):
        claim.accounts.use(f"full:{planned.code}", Decimal(planned.full_pay_visits or 0), Decimal(1))


def benefit_year(claim: Claim, planned: BenefitPlan, lines: Sequence[Line]) -> None:
    """APP-20, GEN-07, VAC-03, VAC-21: what is paid for a benefit in the policy period."""
    key = claim.limit_key(planned.code)
    for limit in planned.limits:
        if limit.per == YEAR:
            what = f"benefit:{planned.code}:year"
            _cap(claim, what, limit.value, lines, "BENEFIT_LIMIT", key, planned.code)


def annual_maximum(claim: Claim, lines: Sequence[Line]) -> None:
    """REC-02, APP-20: the annual maximum; the line that crosses it is split."""
    _cap(claim, ANNUAL, claim.plan.annual_maximum, lines, "ANNUAL_LIMIT", "decide.annual_limit", "")


def _cap(
    claim: Claim, what: str, planned: Decimal, lines: Sequence[Line], code: str, key: str, benefit: str
) -> None:
    left = claim.accounts.left(what, planned)
    over, paid, cut = ZERO, ZERO, []
    for line in lines:
        above = max(line.open - (left - paid), ZERO)
        if above > 0:
            line.disallow(above)
            cut.append(line)
            over += above
        paid += line.open
    claim.accounts.use(what, planned, paid)
    rule = claim.check(key, over > 0)
    if over > 0:
        claim.note(
            code, rule or claim.contract(key), Level.REDUCE, cut, place=_place(lines), amount=over,
            limit=claim.accounts.limit(what, planned), left=left, over=over, benefit=benefit_name(benefit),
        )  # fmt: skip


def percent(share: Decimal) -> str:
    """0.8 → 80"""
    return f"{(share * 100).normalize():f}"


def _place(lines: Sequence[Line]) -> str:
    return f"visit:{lines[0].visit.ref}"
