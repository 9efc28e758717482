"""Why the child was treated: exclusions and waiting periods (GEN-07, PR-16)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from apps.adjudication.cover import last_waiting_day
from apps.adjudication.facts import VisitFacts
from apps.adjudication.plan import BenefitPlan, WaitingPeriod
from apps.adjudication.words import cause_name
from apps.adjudication.work import Claim


def exclusions(claim: Claim) -> None:
    """An excluded main diagnosis is not payable; an excluded further diagnosis is for a person,
    since its costs stand among those of the main one."""
    listed = claim.facts.policy.exclusions + claim.plan.excluded_diagnoses
    for visit in claim.facts.visits:
        main, further = _matches(visit.diagnoses, listed)
        rule = claim.check("decide.exclusion", bool(main or further))
        if not (main or further):
            continue
        rule, lines, place = (
            rule or claim.contract("decide.exclusion"),
            claim.of_visit(visit),
            f"visit:{visit.ref}",
        )
        basis = _basis(claim, main or further)
        if main:
            claim.deny("EXCLUSION", rule, lines, place=place, diagnosis=main, basis=basis)
        else:
            claim.refer("EXCLUSION_SECONDARY", rule, lines, place=place, diagnosis=further, basis=basis)


def _matches(diagnoses: Sequence[str], prefixes: Sequence[str]) -> tuple[str, str]:
    """The main diagnosis if excluded, and the first further one that is."""
    hit = [code if any(code.startswith(prefix) for prefix in prefixes) else "" for code in diagnoses]
    return (hit[0] if hit else ""), next((code for code in hit[1:] if code), "")


def _basis(claim: Claim, code: str) -> str:
    policy = claim.facts.policy
    if any(code.startswith(prefix) for prefix in policy.exclusions):
        return f"特别约定：{policy.exclusion_text or '、'.join(policy.exclusions)}"
    return "条款责任免除"


def waiting_period(claim: Claim) -> None:
    """PR-16: by cause, benefit, first or renewed policy; the last waiting day is included."""
    for visit in claim.facts.visits:
        for code in dict.fromkeys(line.benefit for line in claim.of_visit(visit)):
            planned = claim.plans.get(code)
            waiting = _waiting(planned, visit) if planned else None
            last = _last_day(claim, waiting) if waiting else None
            rule = claim.check("decide.waiting_period", last is not None and visit.started_on <= last)
            if last is None or waiting is None or visit.started_on > last:
                continue
            claim.deny(
                "WAITING_PERIOD", rule or claim.contract("decide.waiting_period"),
                [line for line in claim.of_visit(visit) if line.benefit == code],
                place=f"visit:{visit.ref}", day=visit.started_on, cause=cause_name(visit.cause),
                since=claim.facts.policy.continuous_since, days=_days(claim, waiting), last=last,
            )  # fmt: skip


def _waiting(planned: BenefitPlan, visit: VisitFacts) -> WaitingPeriod | None:
    return next((waiting for waiting in planned.waiting if waiting.cause == visit.cause), None)


def _days(claim: Claim, waiting: WaitingPeriod) -> int:
    return waiting.renewed_days if claim.facts.policy.renewed else waiting.days


def _last_day(claim: Claim, waiting: WaitingPeriod) -> date | None:
    policy = claim.facts.policy
    return last_waiting_day(waiting, since=policy.continuous_since, renewed=policy.renewed)
