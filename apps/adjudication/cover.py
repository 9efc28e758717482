"""Small questions about cover that intake, the engine and the check list share."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from apps.adjudication.codes import NETWORK_OF
from apps.adjudication.facts import Facts, HospitalFacts, PolicyFacts, VisitFacts
from apps.adjudication.handbook import Handbook
from apps.adjudication.plan import Plan, WaitingPeriod


def covered_on(policy: PolicyFacts, day: date) -> bool:
    """In force on a day: a policy that ended early covers up to `ended_on` (C9)."""
    if policy.status == "PENDING" or (policy.status != "IN_FORCE" and policy.ended_on is None):
        return False
    return policy.effective_on <= day <= policy.covers_until


def emergency(visit: VisitFacts) -> bool:
    """Flagged as emergency or seen in an emergency department (LAW-07, VIS-03)."""
    return visit.emergency or visit.visit_type == "EMERGENCY"


def in_network(hospital: HospitalFacts, benefit: str) -> bool:
    """Listed for the benefit, or for the one whose network it uses (NET-01)."""
    return not set(NETWORK_OF.get(benefit, (benefit,))).isdisjoint(hospital.networks)


def vaccine_place_closed(handbook: Handbook, hospital: HospitalFacts) -> tuple[bool, bool]:
    """Where no vaccine post-claim is taken (VAC-06, VAC-23): wrong department or ownership, and
    too low a grade (an ungraded hospital has none)."""
    groups = tuple(handbook.value("vaccine.department_groups", ()) or ("GENERAL",))
    minimum = handbook.value("vaccine.minimum_grade")
    outside = hospital.department_group not in groups or hospital.ownership != "PUBLIC"
    return outside, minimum is not None and (hospital.grade or 0) < minimum


def missing_rider(facts: Facts, benefit: str) -> bool:
    """An optional benefit whose rider the policy lacks: the plan names the rider, or the
    handbook's network calls the benefit optional and the plan has nothing of it (NET-03)."""
    return rider_missing(facts.handbook, facts.plan, facts.policy.riders, benefit)


def rider_missing(handbook: Handbook, plan: Plan, riders: Collection[str], benefit: str) -> bool:
    """The same before there is a visit: for a plan and the riders bought with it."""
    planned = plan.benefit(benefit)
    if planned is not None:
        return bool(planned.rider) and planned.rider not in riders
    return any(network.benefit == benefit and network.optional for network in handbook.networks)


def last_waiting_day(waiting: WaitingPeriod, *, since: date, renewed: bool) -> date | None:
    """The last day, inclusive, that a waiting period leaves uncovered; None when it has no days (PR-16).

    `since` is the first day of continuous cover.
    """
    days = waiting.renewed_days if renewed else waiting.days
    return since + timedelta(days=days - 1) if days else None
