"""Benefits with rules of their own: vaccines, health checks, counselling (HLC-*, VAS-17)."""

from __future__ import annotations

from typing import Any

from apps.adjudication.codes import BENEFIT_CLAIM_SERVICE
from apps.adjudication.cover import in_network, vaccine_place_closed
from apps.adjudication.facts import VisitFacts
from apps.adjudication.words import benefit_name, department_name, grade_name, kind_name, ownership_name
from apps.adjudication.work import Claim, Line

DIRECT_ONLY = ("DENTAL", "EYE")
VACCINE, HEALTH_CHECK, MENTAL_HEALTH = "VACCINE", "HEALTH_CHECK", "MENTAL_HEALTH"
ADVISORY = ("REGISTRATION", "CONSULT")  # around the shot or the check: printed nowhere
INJECTIONS = ("VACCINATION", "INJECTION")


def post_claim_only(claim: Claim) -> None:
    """Lines of another benefit inside an accepted post-claim obey that benefit's own way: dental
    and eye are direct billing only (VAC-06, NET-05), a vaccine needs the right place (VAC-06,
    VAC-23). Whole visits of these benefits stop at intake."""
    if claim.facts.direct:
        return
    for line in list(claim.alive()):
        if line.benefit == line.visit.benefit:
            continue
        bound = line.benefit in DIRECT_ONLY and not _claimable(claim, line.benefit)
        rule = claim.check("intake.direct_only", bound)
        if rule:
            claim.deny("DIRECT_ONLY", rule, [line], benefit=benefit_name(line.benefit))
        elif line.benefit == VACCINE:
            _vaccine_place(claim, line)


def _claimable(claim: Claim, benefit: str) -> bool:
    service = claim.handbook.service(BENEFIT_CLAIM_SERVICE.get(benefit, ""))
    return service is not None and service.offered


def _vaccine_place(claim: Claim, line: Line) -> None:
    hospital = line.visit.hospital
    outside, low = vaccine_place_closed(claim.handbook, hospital)
    department = claim.check("intake.vaccine_department", outside)
    grade = claim.check("intake.vaccine_grade", low)
    if department:
        claim.deny(
            "VACCINE_DEPARTMENT", department, [line],
            department=department_name(hospital.department_group),
            ownership=ownership_name(hospital.ownership),
        )  # fmt: skip
    elif grade:
        claim.deny(
            "VACCINE_GRADE", grade, [line], minimum=claim.handbook.value("vaccine.minimum_grade"),
            hospital=hospital.name, grade=grade_name(hospital.grade),
        )  # fmt: skip


def vaccines(claim: Claim) -> None:
    """HLC-04: approved, non-experimental vaccines and injection fees; registration and consult
    are printed nowhere, a person decides."""
    for line in list(claim.alive()):
        if line.benefit != VACCINE:
            continue
        fact = line.fact
        unapproved = fact.kind == "VACCINE" and (not fact.vaccine_approved or fact.vaccine_experimental)
        other = fact.kind not in ("VACCINE", *INJECTIONS)
        rule = claim.check("decide.vaccine", unapproved or other)
        if rule is None:
            continue
        words: dict[str, Any] = {"item": fact.name, "kind": kind_name(fact.kind)}
        if unapproved:
            claim.deny("VACCINE_NOT_APPROVED", rule, [line], **words)
        elif fact.kind in ADVISORY:
            claim.refer("VACCINE_CONSULT", rule, [line], **words)
        else:
            claim.deny("VACCINE_ITEM", rule, [line], **words)


def health_checks(claim: Claim) -> None:
    """PR-17: with the vaccine rider, where plan and series say so; HLC-02, HLC-03: only the
    items of a health check. The count of eight stands with the limits."""
    lines = [line for line in claim.alive() if line.benefit == HEALTH_CHECK]
    if not lines:
        return
    vaccine = claim.plans.get(VACCINE)
    bought = vaccine is not None and (not vaccine.rider or vaccine.rider in claim.facts.policy.riders)
    rule = claim.check("decide.health_check_rider", claim.plan.health_check_needs_rider and not bought)
    if rule:
        claim.deny("HEALTH_CHECK_RIDER", rule, lines, benefit=benefit_name(VACCINE))
        return
    for line in lines:
        _health_check_item(claim, line)


def _health_check_item(claim: Claim, line: Line) -> None:
    fact, items = line.fact, claim.handbook.value("health_check.items", ())
    known = fact.kind == HEALTH_CHECK and (not fact.code or not items or fact.code in items)
    listed = known or (bool(fact.code) and fact.code in items)
    rule = claim.check("decide.health_check_items", not listed)
    if rule is None:
        return
    words: dict[str, Any] = {"item": fact.name, "kind": kind_name(fact.kind)}
    if fact.kind in ADVISORY:
        claim.refer("HEALTH_CHECK_CONSULT", rule, [line], **words)
    else:
        claim.deny("HEALTH_CHECK_ITEM", rule, [line], **words)


def counselling(claim: Claim) -> None:
    """VAS-17: psychiatrist's diagnosis and recommendation, designated network, listed condition.
    D46: a series without it leaves it to the contract (GEN-07): a person, if the plan has it."""
    for visit in claim.facts.visits:
        lines = [line for line in claim.of_visit(visit) if line.benefit == MENTAL_HEALTH]
        closed = claim.check("decide.mental_health_closed", bool(lines))
        if not lines:
            continue
        place = f"visit:{visit.ref}" if visit.benefit == MENTAL_HEALTH else lines[0].place
        if closed and lines[0].planned is not None:
            claim.refer("MENTAL_HEALTH_CLOSED", closed, lines, place=place)
        elif closed:
            claim.deny(
                "NOT_COVERED", closed, lines, place=place,
                benefit=benefit_name(MENTAL_HEALTH), plan=claim.plan.code,
            )  # fmt: skip
        missing = _unmet(claim, visit)
        rule = claim.check("decide.mental_health", bool(missing))
        if rule and not closed:
            claim.deny(
                "MENTAL_HEALTH", rule, lines, place=place,
                missing="；".join(zh for zh, _ in missing), missing_en="; ".join(en for _, en in missing),
            )  # fmt: skip


def _unmet(claim: Claim, visit: VisitFacts) -> list[tuple[str, str]]:
    """Which of the four conditions fail, in words."""
    conditions = claim.handbook.value("mental_health.conditions", ())
    listed = not conditions or not set(conditions).isdisjoint(visit.conditions)
    tests = (
        (visit.psychiatrist_diagnosed, "无精神科医生确诊", "no psychiatrist's diagnosis"),
        (visit.psychiatrist_recommended, "无精神科医生咨询建议", "no psychiatrist's recommendation"),
        (in_network(visit.hospital, MENTAL_HEALTH), "不在指定网络医院", "not at a designated hospital"),
        (listed, "病种不在列明范围", "condition not listed"),
    )  # fmt: skip
    return [(zh, en) for met, zh, en in tests if not met]
