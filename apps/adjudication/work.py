"""The working state of one decision: lines on their way from billed to paid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from apps.adjudication.accumulators import Accounts
from apps.adjudication.codes import KIND_BENEFIT
from apps.adjudication.decision import Finding, LineDecision
from apps.adjudication.facts import ZERO, BillFacts, Facts, LineFacts, Override, VisitFacts
from apps.adjudication.findings import answer, check, contract_rule, overrides_of, settled_by, write
from apps.adjudication.handbook import Level, Rule
from apps.adjudication.plan import BenefitPlan
from apps.adjudication.routing import visit_key
from apps.adjudication.soundness import check_bill


class Line:
    """One line: what is still `open` after each step ends as the insurer's share."""

    __slots__ = (
        "benefit", "bill", "deductible", "denied", "disallowed", "fact", "group", "member", "open",
        "planned", "reasons", "third_party", "visit",
    )  # fmt: skip

    def __init__(self, visit: VisitFacts, bill: BillFacts, fact: LineFacts, plans: dict[str, BenefitPlan]):
        self.visit, self.bill, self.fact = visit, bill, fact
        self.group = visit_key(visit)
        self.benefit = fact.benefit or KIND_BENEFIT.get(fact.kind, visit.benefit)
        self.planned = plans.get(self.benefit)
        self.open = fact.amount
        self.third_party = self.disallowed = self.deductible = self.member = ZERO
        self.denied = False
        self.reasons: list[str] = []

    @property
    def place(self) -> str:
        return f"line:{self.fact.ref}"

    def disallow(self, amount: Decimal) -> None:
        self.open -= amount
        self.disallowed += amount

    def decided(self) -> LineDecision:
        return LineDecision(
            ref=self.fact.ref,
            bill=self.bill.ref,
            visit=self.visit.ref,
            benefit=self.benefit,
            billed=self.fact.amount,
            third_party=self.third_party,
            disallowed=self.disallowed,
            deductible=self.deductible,
            member=self.member,
            insurer=self.open,
            reasons=tuple(dict.fromkeys(self.reasons)),
        )


class Claim:
    """What the rules work on. Rules read facts, add findings and move money of lines."""

    __slots__ = (
        "_overrides", "accounts", "answered", "bills", "facts", "findings", "handbook", "lines", "plan",
        "plans",
    )  # fmt: skip

    def __init__(self, facts: Facts):
        self.facts, self.handbook, self.plan = facts, facts.handbook, facts.plan
        self.plans = {benefit.code: benefit for benefit in facts.plan.benefits}
        self.bills = [
            (bill, _lines(visit, bill, self.plans)) for visit in facts.visits for bill in visit.bills
        ]
        self.lines = [line for _, lines in self.bills for line in lines]
        self.findings: list[Finding] = []
        self.accounts = Accounts(facts)
        self._overrides = overrides_of(facts)
        self.answered: set[str] = set()

    # --- asking -------------------------------------------------------------------------------

    def rule(self, key: str) -> Rule | None:
        return self.handbook.rule(key)

    def contract(self, key: str) -> Rule:
        """The series' rule, or the contract where the series prints none."""
        return contract_rule(self.handbook, key)

    def limit_key(self, benefit: str) -> str:
        """VAC-03, VAC-21: a direct-billed vaccination above its limit has a sentence of its own."""
        own = benefit == "VACCINE" and self.facts.direct and self.rule("decide.vaccine_limit") is not None
        return "decide.vaccine_limit" if own else "decide.benefit_limit"

    def alive(self) -> Iterator[Line]:
        """Lines nobody has denied yet."""
        return (line for line in self.lines if not line.denied)

    def of_visit(self, visit: VisitFacts) -> list[Line]:
        return [line for line in self.lines if line.visit is visit and not line.denied]

    # --- finding ------------------------------------------------------------------------------

    def note(self, code: str, rule: Rule, level: Level, lines: Iterable[Line] = (), **more: Any) -> Finding:
        """Add a finding and give it to its lines as a reason."""
        finding = write(code, rule, level, **more)
        self.findings.append(finding)
        for line in lines:
            line.reasons.append(finding.ref)
        return finding

    def deny(self, code: str, rule: Rule, lines: Iterable[Line], *, place: str = "", **figures: Any) -> None:
        """The lines are not payable: one finding, at `place` or at its single line."""
        chosen = list(lines)
        amount = sum((line.open for line in chosen), ZERO)
        where = place or (chosen[0].place if chosen else "")
        self.note(code, rule, Level.DENY, chosen, place=where, amount=amount, **figures)
        _refuse(chosen)

    def refer(
        self, code: str, rule: Rule, lines: Iterable[Line], *, level: Level = Level.REFER,
        place: str = "", **figures: Any,
    ) -> None:  # fmt: skip
        """A person must decide (or a paper is missing): unanswered the lines stay payable, a
        refusal takes them away, an acceptance settles the finding."""
        chosen = list(lines)
        amount = sum((line.open for line in chosen), ZERO)
        where = place or (chosen[0].place if chosen else "")
        finding = write(code, rule, level, place=where, amount=amount, discretion=True, **figures)
        override = self._heard(finding, chosen)
        if override is not None and not override.accept:
            self.deny(
                "REFUSED_BY_PERSON", rule, chosen, place=where,
                reason=override.reason, actor=override.actor, finding=finding.ref,
            )  # fmt: skip

    def refer_above(
        self, code: str, rule: Rule, lines: Iterable[Line], bound: Decimal, *, level: Level, place: str,
        **figures: Any,
    ) -> None:  # fmt: skip
        """The same about what exceeds `bound` only: the lines beyond it, the one that crosses it in part."""
        over = _above(lines, bound)
        amount = sum(over.values(), ZERO)
        finding = write(code, rule, level, place=place, amount=amount, discretion=True, **figures)
        override = self._heard(finding, over)
        if override is not None and not override.accept:
            for line, above in over.items():
                line.disallow(above)
            self.note(
                "REFUSED_BY_PERSON", rule, Level.DENY, over, place=place, amount=amount,
                reason=override.reason, actor=override.actor, finding=finding.ref,
            )  # fmt: skip

    def _heard(self, finding: Finding, lines: Iterable[Line]) -> Override | None:
        """Add a finding a person may answer; the answer, if there is one."""
        override = answer(finding, self._overrides.get(finding.ref))
        if override is not None:
            self.answered.add(finding.ref)
            finding = settled_by(finding, override)
        self.findings.append(finding)
        for line in lines:
            line.reasons.append(finding.ref)
        return override

    def ignored_overrides(self) -> list[str]:
        """Answers to findings that were not made or leave no room for an answer."""
        return sorted(set(self._overrides) - self.answered)

    def check(self, key: str, fired: bool) -> Rule | None:
        """The rule when it fires; None when it does not or the series does not have it."""
        rule = self.handbook.rule(key)
        return rule if check(rule, fired) else None


def _refuse(lines: Iterable[Line]) -> None:
    for line in lines:
        line.disallow(line.open)
        line.denied = True


def _above(lines: Iterable[Line], bound: Decimal) -> dict[Line, Decimal]:
    """What each line holds beyond `bound` yuan, in the order of the lines."""
    over, left = dict[Line, Decimal](), bound
    for line in lines:
        above = max(line.open - max(left, ZERO), ZERO)
        if above > 0:
            over[line] = above
        left -= line.open
    return over


def _lines(visit: VisitFacts, bill: BillFacts, plans: dict[str, BenefitPlan]) -> list[Line]:
    """The lines of a bill that is arithmetically sound; raises FactsError otherwise."""
    check_bill(f"bill:{bill.ref}", bill)
    return [Line(visit, bill, line, plans) for line in bill.lines]
