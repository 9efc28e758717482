"""Does this decision belong to this series and this policy? (C9, PR-14)"""

from __future__ import annotations

from apps.adjudication.cover import covered_on
from apps.adjudication.handbook import Level
from apps.adjudication.words import policy_state_name
from apps.adjudication.work import Claim


def series_of_service(claim: Claim) -> None:
    """C9: the plan belongs to the series of the handbook in use; otherwise nothing is decided."""
    plan, series = claim.plan, claim.handbook.series
    rule = claim.check("decide.series_of_service", plan.series != series)
    if rule:
        claim.note("SERIES_MISMATCH", rule, Level.BLOCK, plan_series=plan.series, series=series)


def in_force(claim: Claim) -> None:
    """C9: cover on the date of service; of a stay, on the day of admission (PR-14)."""
    policy = claim.facts.policy
    for visit in claim.facts.visits:
        rule = claim.check("intake.in_force", not covered_on(policy, visit.started_on))
        if rule:
            claim.deny(
                "NOT_IN_FORCE", rule, claim.of_visit(visit), place=f"visit:{visit.ref}",
                day=visit.started_on, effective=policy.effective_on, until=policy.covers_until,
                status=policy_state_name(policy.status),
            )  # fmt: skip


def stay_period(claim: Claim) -> None:
    """PR-14: a stay over the end of the policy belongs to its admission, unless the plan says
    otherwise: then a person splits it."""
    until = claim.facts.policy.covers_until
    for visit in claim.facts.visits:
        crossing = visit.in_stay and visit.started_on <= until < visit.ended_on
        rule = claim.check("decide.stay_period", crossing)
        if crossing and not claim.plan.stay_belongs_to_admission:
            claim.refer(
                "STAY_SPANS_PERIODS", rule or claim.contract("decide.stay_period"), claim.of_visit(visit),
                place=f"visit:{visit.ref}", day=visit.started_on, end=visit.ended_on, until=until,
            )  # fmt: skip
