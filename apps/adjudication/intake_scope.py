"""Intake: series, cover, services, channels, limitation."""

from __future__ import annotations

from collections.abc import Iterator

from apps.adjudication.codes import BENEFIT_CLAIM_SERVICE, BENEFIT_DIRECT_SERVICE, CLAIM_SERVICE
from apps.adjudication.cover import covered_on
from apps.adjudication.decision import Finding
from apps.adjudication.facts import VisitFacts
from apps.adjudication.findings import check, service_rule, write
from apps.adjudication.handbook import Handbook, Level, Rule, Service
from apps.adjudication.intake_base import Findings, Intake, direct_only, is_closed, is_internet
from apps.adjudication.words import benefit_name, channel_names, policy_state_name


def series(intake: Intake) -> Findings:
    """C9: the plan's series is that of the handbook in use."""
    rule, plan = intake.rule("decide.series_of_service"), intake.facts.plan
    if rule and check(rule, plan.series != intake.handbook.series):
        yield write(
            "SERIES_MISMATCH", rule, Level.BLOCK, plan_series=plan.series, series=intake.handbook.series
        )


def version(intake: Intake) -> Findings:
    """GEN-01, GEN-02: the version belongs to the series; GEN-03: it has a network group."""
    plan, versions = intake.facts.plan, intake.handbook.versions
    rule, group = intake.rule("intake.versions"), intake.rule("intake.plan_group")
    version = versions.get(plan.version)
    if rule and check(rule, version is None):
        known = ", ".join(versions)
        yield write(
            "VERSION_UNKNOWN", rule, Level.BLOCK,
            version=plan.version, series=intake.handbook.series, known=known,
        )  # fmt: skip
    if group and check(group, version is not None and not version.network_group):
        yield write("PLAN_NO_GROUP", group, Level.BLOCK, version=plan.version)


def in_force(intake: Intake) -> Findings:
    """C9: cover on the date of service; a stay counts by its admission (PR-14)."""
    rule, policy = intake.rule("intake.in_force"), intake.facts.policy
    for visit in intake.facts.visits if rule else ():
        if rule and check(rule, not covered_on(policy, visit.started_on)):
            yield write(
                "NOT_IN_FORCE", rule, Level.BLOCK, place=f"visit:{visit.ref}",
                day=visit.started_on, effective=policy.effective_on, until=policy.covers_until,
                status=policy_state_name(policy.status),
            )  # fmt: skip


def service(intake: Intake) -> Findings:
    """GEN-04, INT-06 …: the service of the claim, and of each visit's benefit, is offered."""
    for key, visit in _services_needed(intake):
        service = intake.handbook.service(key)
        if service is None:
            continue
        rule = service_rule(intake.handbook, service)
        if check(rule, not service.offered):
            yield _closed(intake, service, rule, visit)


def _services_needed(intake: Intake) -> Iterator[tuple[str, VisitFacts]]:
    """Once per service, with the first visit that needs it."""
    by_benefit = BENEFIT_DIRECT_SERVICE if intake.facts.direct else BENEFIT_CLAIM_SERVICE
    seen: set[str] = set()
    for visit in intake.facts.visits:
        general = CLAIM_SERVICE["INTERNET" if is_internet(intake.facts, visit) else intake.facts.category]
        for key in (general, by_benefit.get(visit.benefit, general)):
            if key not in seen:
                seen.add(key)
                yield key, visit


def _closed(intake: Intake, service: Service, rule: Rule, visit: VisitFacts) -> Finding:
    place = f"visit:{visit.ref}"
    if service.key == "internet_claim" and visit.hospital.ownership == "PUBLIC":
        rule = intake.rule("intake.internet_closed") or rule
        return write(
            "INTERNET_PUBLIC", rule, Level.REFER, place=place, discretion=True,
            series=intake.handbook.series, hospital=visit.hospital.name,
        )  # fmt: skip
    if _contract_prevails(intake, service):
        precedence = intake.rule("intake.precedence")
        return write(
            "CONTRACT_BENEFIT", rule, Level.REFER, place=place, discretion=True, also=[precedence],
            series=intake.handbook.series, benefit=benefit_name(visit.benefit), plan=intake.facts.plan.code,
        )  # fmt: skip
    bound = intake.rule("intake.direct_only")
    if bound and service.key in ("dental_claim", "eye_claim"):
        return direct_only(bound, visit, rule)
    also = [intake.rule("intake.service_closed")]
    if service.key == "internet_claim":
        also.append(intake.rule("intake.internet_closed"))
    redirect = service.redirect
    return write(
        "SERVICE_CLOSED", rule, Level.BLOCK, place=place, also=also,
        series=intake.handbook.series, service=service.title.zh, service_en=service.title.en,
        redirect=redirect.zh if redirect else "", redirect_en=redirect.en if redirect else "",
    )  # fmt: skip


def _contract_prevails(intake: Intake, service: Service) -> bool:
    """GEN-07: a benefit the handbook does not have but the contract does (D46: counselling) is
    not refused; the contract decides, so a person reads it."""
    rule = intake.rule("intake.precedence")
    agreed = service.key == "mental_health_claim" and intake.facts.plan.benefit("MENTAL_HEALTH") is not None
    return check(rule, agreed)


def catalogue(intake: Intake) -> Findings:
    """Observes the closing rules whether or not a service of this claim is closed."""
    closed = {key for key, _ in _services_needed(intake) if is_closed(intake.handbook, key)}
    check(intake.rule("intake.service_closed"), bool(closed))
    check(intake.rule("intake.internet_closed"), "internet_claim" in closed)
    yield from ()


def channel(intake: Intake) -> Findings:
    """RMB-20, RMB-38: a channel the series offers; GEN-08: vaccine claims use the general ones."""
    facts = intake.facts
    check(intake.rule("intake.vaccine_channel"), facts.category == "VACCINE")
    if not facts.direct:
        finding = channel_not_offered(intake.handbook, facts.category, facts.channel)
        check(intake.rule("intake.channel"), finding is not None)
        if finding:
            yield finding


def channel_not_offered(handbook: Handbook, category: str, channel: str) -> Finding | None:
    """What is said of a report of this category by a channel that the series does not offer for it.

    Asked without a claim too, by whoever is about to report one; so nothing is observed here.
    """
    rule, service = handbook.rule("intake.channel"), handbook.service(CLAIM_SERVICE[category])
    general = handbook.rule("intake.vaccine_channel") or (service and not service.channels)
    if category == "VACCINE" and general:
        service = handbook.service("reimbursement")
    if rule is None or service is None or not service.channels or channel in service.channels:
        return None
    return write(
        "CHANNEL_NOT_OFFERED", handbook.rules.get(service.channel_rule) or rule, Level.SOFT_BLOCK, discretion=True,
        also=[rule], channel=channel_names((channel,)), channels=channel_names(service.channels),
    )  # fmt: skip
