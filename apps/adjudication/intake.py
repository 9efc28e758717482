"""May this claim be taken in? (machines (d), (e), (f); APT-02, RMB-01, INT-*, VAC-06, LAW-07 …)

Each check is one function over an `Intake`; a rule key that the series does not have is a check
that does not run. The order of `CHECKS` is the order in which an adjuster reads the findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from apps.adjudication.calendar import WEEKDAYS_ONLY, WorkCalendar
from apps.adjudication.clocks import due_at, local
from apps.adjudication.codes import BENEFIT_CLAIM_SERVICE, BENEFIT_DIRECT_SERVICE, CLAIM_SERVICE
from apps.adjudication.counting import add_years
from apps.adjudication.cover import covered_on, emergency, in_network, missing_rider
from apps.adjudication.decision import Finding
from apps.adjudication.facts import Facts, Override, VisitFacts
from apps.adjudication.findings import answer, check, overrides_of, service_rule, settled_by, write
from apps.adjudication.handbook import Handbook, Level, Rule, Service
from apps.adjudication.words import (
    benefit_name,
    channel_names,
    department_name,
    grade_name,
    ownership_name,
    policy_state_name,
)

ACCEPT, REFUSE, HOLD = "ACCEPT", "REFUSE", "HOLD"
Findings = Iterator[Finding]


def assess_intake(facts: Facts, calendar: WorkCalendar = WEEKDAYS_ONLY) -> tuple[Finding, ...]:
    """Findings of all `intake.*` rules. BLOCK refuses (a person confirms, PR-06); REFER and
    SOFT_BLOCK hold until a person answers (`facts.overrides`); WARN goes on."""
    intake = Intake(facts, facts.handbook, calendar)
    found = (finding for run in CHECKS for finding in run(intake))
    overrides = overrides_of(facts)
    return tuple(_heard(finding, overrides) for finding in found)


def intake_outcome(findings: Sequence[Finding]) -> str:
    """ACCEPT | REFUSE | HOLD."""
    levels = {finding.level for finding in findings if not finding.overridden}
    if Level.BLOCK in levels:
        return REFUSE
    return HOLD if levels & {Level.REFER, Level.SOFT_BLOCK} else ACCEPT


def is_small_claim(facts: Facts) -> bool:
    """PR-21: the claimant is told what is needed within one working day."""
    maximum = facts.handbook.value("small_claim.maximum")
    small = maximum is not None and facts.claimed <= maximum and not facts.direct
    return check(facts.handbook.rule("intake.small_claim"), small)


@dataclass(frozen=True, slots=True)
class Intake:
    """What the checks look at."""

    facts: Facts
    handbook: Handbook
    calendar: WorkCalendar

    def rule(self, key: str) -> Rule | None:
        return self.handbook.rule(key)

    @property
    def post_claims(self) -> tuple[VisitFacts, ...]:
        return () if self.facts.direct else self.facts.visits


def is_internet(facts: Facts, visit: VisitFacts) -> bool:
    """Filed or visited as an internet-hospital consult."""
    return facts.category == "INTERNET" or visit.visit_type == "INTERNET"


def _heard(finding: Finding, overrides: dict[str, Override]) -> Finding:
    """A person's answer: an accepted finding stops no more, a refused one blocks."""
    override = answer(finding, overrides.get(finding.ref))
    if override is None:
        return finding
    return settled_by(finding, override) if override.accept else replace(finding, level=Level.BLOCK)


# --- scope ------------------------------------------------------------------------------------


def _series(intake: Intake) -> Findings:
    """C9: the plan's series is that of the handbook in use."""
    rule, plan = intake.rule("decide.series_of_service"), intake.facts.plan
    if rule and check(rule, plan.series != intake.handbook.series):
        yield write(
            "SERIES_MISMATCH", rule, Level.BLOCK, plan_series=plan.series, series=intake.handbook.series
        )


def _version(intake: Intake) -> Findings:
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


def _in_force(intake: Intake) -> Findings:
    """C9: cover on the date of service; a stay counts by its admission (PR-14)."""
    rule, policy = intake.rule("intake.in_force"), intake.facts.policy
    for visit in intake.facts.visits if rule else ():
        if rule and check(rule, not covered_on(policy, visit.started_on)):
            yield write(
                "NOT_IN_FORCE", rule, Level.BLOCK, place=f"visit:{visit.ref}",
                day=visit.started_on, effective=policy.effective_on, until=policy.covers_until,
                status=policy_state_name(policy.status),
            )  # fmt: skip


def _service(intake: Intake) -> Findings:
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
    direct_only = intake.rule("intake.direct_only")
    if direct_only and service.key in ("dental_claim", "eye_claim"):
        return _direct_only(direct_only, visit, rule)
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


def _catalogue(intake: Intake) -> Findings:
    """Observes the closing rules whether or not a service of this claim is closed."""
    closed = {key for key, _ in _services_needed(intake) if _is_closed(intake.handbook, key)}
    check(intake.rule("intake.service_closed"), bool(closed))
    check(intake.rule("intake.internet_closed"), "internet_claim" in closed)
    yield from ()


def _is_closed(handbook: Handbook, key: str) -> bool:
    service = handbook.service(key)
    return service is not None and not service.offered


def _channel(intake: Intake) -> Findings:
    """RMB-20, RMB-38: a channel the series offers; GEN-08: vaccine claims use the general ones."""
    facts = intake.facts
    service = intake.handbook.service(CLAIM_SERVICE[facts.category])
    reused = check(intake.rule("intake.vaccine_channel"), facts.category == "VACCINE")
    if reused or (service and not service.channels and facts.category == "VACCINE"):
        service = intake.handbook.service("reimbursement")
    rule = intake.rule("intake.channel")
    channels = service.channels if service else ()
    if rule and not facts.direct and check(rule, bool(channels) and facts.channel not in channels):
        known = intake.handbook.rules.get(service.channel_rule) if service else None
        yield write(
            "CHANNEL_NOT_OFFERED", known or rule, Level.SOFT_BLOCK, discretion=True, also=[rule],
            channel=channel_names((facts.channel,)), channels=channel_names(channels),
        )  # fmt: skip


# --- where ------------------------------------------------------------------------------------


def _private(intake: Intake) -> Findings:
    """RMB-01/RMB-30, APT-02/DBO-03: public institutions only; the printed exception is the
    internet hospital (INT-01); emergencies wait for a senior (LAW-07, VIS-03, PR-20)."""
    public, refused = intake.rule("intake.public_only"), intake.rule("intake.private_refused")
    hold = intake.rule("intake.emergency_hold")
    for visit in intake.post_claims:
        excepted = is_internet(intake.facts, visit) and intake.rule("intake.internet") is not None
        private = visit.hospital.ownership == "PRIVATE" and not excepted
        held = private and hold is not None and emergency(visit)
        check(public, private)
        check(refused, private and not held)
        check(hold, held)
        check(intake.rule("intake.emergency_hold_time"), held)
        rule = hold if held else refused or public
        if private and rule:
            code, level = ("EMERGENCY_HOLD", Level.REFER) if held else ("PRIVATE_NO_REIMB", Level.BLOCK)
            yield write(
                code, rule, level, place=f"visit:{visit.ref}", discretion=held,
                also=[public, refused], hospital=visit.hospital.name,
            )  # fmt: skip


def _direct_billed(intake: Intake) -> Findings:
    """APP-03/APP-25: a direct-billed visit is not claimed again; DBO-03 forbids it outright and
    holds a direct-billing public visit that was paid in cash."""
    scope, forbidden = intake.rule("intake.portal_scope"), intake.rule("intake.network_private_visit")
    for visit in intake.post_claims:
        public_listed = visit.hospital.ownership == "PUBLIC" and in_network(visit.hospital, visit.benefit)
        unused = public_listed and not visit.direct_billed
        check(scope, visit.direct_billed)
        check(forbidden, visit.direct_billed or unused)
        place = f"visit:{visit.ref}"
        if visit.direct_billed and forbidden:
            yield write("ALREADY_DIRECT_BILLED", forbidden, Level.BLOCK, place=place, also=[scope])
        elif visit.direct_billed and scope:
            yield write("ALREADY_DIRECT_BILLED", scope, Level.REFER, place=place, discretion=True)
        elif unused and forbidden:
            yield write(
                "DIRECT_BILLING_UNUSED", forbidden, Level.REFER, place=place, discretion=True,
                hospital=visit.hospital.name,
            )  # fmt: skip


def _network(intake: Intake) -> Findings:
    """NET-01, NET-02: direct billing only where the member's version is listed for the benefit."""
    rule, hold = intake.rule("intake.network_by_version"), intake.rule("intake.emergency_hold")
    for visit in intake.facts.visits if intake.facts.direct else ():
        outside = not in_network(visit.hospital, visit.benefit)
        check(rule, outside)
        check(intake.rule("intake.network_no_inheritance"), outside)
        if not outside or rule is None:
            continue
        held = emergency(visit) and check(hold, True)
        code, level = ("OUT_OF_NETWORK_EMERGENCY", Level.REFER) if held else ("OUT_OF_NETWORK", Level.BLOCK)
        yield write(
            code, hold if held and hold else rule, level, place=f"visit:{visit.ref}", discretion=held,
            also=[rule], hospital=visit.hospital.name, benefit=benefit_name(visit.benefit),
        )  # fmt: skip


def _rider(intake: Intake) -> Findings:
    """NET-03: an optional benefit needs its rider."""
    rule = intake.rule("intake.rider")
    for visit in intake.facts.visits if rule else ():
        if rule and check(rule, missing_rider(intake.facts, visit.benefit)):
            name = benefit_name(visit.benefit)
            yield write("NO_RIDER", rule, Level.BLOCK, place=f"visit:{visit.ref}", benefit=name)


def _optional_direct_only(intake: Intake) -> Findings:
    """VAC-06, NET-05: dental and eye are direct billing only (PR-10: benefits, not departments).
    Where services say so themselves, `_service` has written the finding already."""
    rule = intake.rule("intake.direct_only")
    for visit in intake.post_claims if rule else ():
        key = BENEFIT_CLAIM_SERVICE.get(visit.benefit, "")
        closed = _is_closed(intake.handbook, key)
        bound = visit.benefit in ("DENTAL", "EYE")
        if rule and check(rule, bound and (closed or intake.handbook.service(key) is None)) and not closed:
            yield _direct_only(rule, visit, rule)


def _direct_only(rule: Rule, visit: VisitFacts, other: Rule) -> Finding:
    return write(
        "DIRECT_ONLY", rule, Level.BLOCK, place=f"visit:{visit.ref}", also=[other],
        benefit=benefit_name(visit.benefit),
    )  # fmt: skip


# --- vaccine and internet ---------------------------------------------------------------------


def _vaccine(intake: Intake) -> Findings:
    """VAC-06, VAC-23: ordinary department, minimum grade; VAC-24: filed after the visit."""
    groups = tuple(intake.handbook.value("vaccine.department_groups", ()) or ("GENERAL",))
    minimum = intake.handbook.value("vaccine.minimum_grade")
    department, grade = intake.rule("intake.vaccine_department"), intake.rule("intake.vaccine_grade")
    after = intake.rule("intake.vaccine_after_visit")
    received = local(intake.facts.reported_at).date()
    for visit in intake.post_claims:
        if visit.benefit != "VACCINE" and intake.facts.category != "VACCINE":
            continue
        hospital, place = visit.hospital, f"visit:{visit.ref}"
        outside = hospital.department_group not in groups or hospital.ownership != "PUBLIC"
        if department and check(department, outside):
            yield write(
                "VACCINE_DEPARTMENT", department, Level.BLOCK, place=place,
                department=department_name(hospital.department_group),
                ownership=ownership_name(hospital.ownership),
            )  # fmt: skip
        low = minimum is not None and (hospital.grade or 0) < minimum
        if grade and check(grade, low):
            yield write(
                "VACCINE_GRADE", grade, Level.BLOCK, place=place,
                minimum=minimum, hospital=hospital.name, grade=grade_name(hospital.grade),
            )  # fmt: skip
        if after and check(after, received < visit.started_on):
            yield write(
                "VACCINE_BEFORE_VISIT", after, Level.BLOCK, place=place,
                received=received, day=visit.started_on,
            )  # fmt: skip


def _internet(intake: Intake) -> Findings:
    """INT-01: follow-up with a prior visit, at a network or licensed internet hospital."""
    rule = intake.rule("intake.internet")
    for visit in intake.post_claims if rule else ():
        if rule is None or not is_internet(intake.facts, visit):
            continue
        place, hospital = f"visit:{visit.ref}", visit.hospital
        first = not (visit.follow_up and visit.prior_visit_ref)
        unlicensed = not (hospital.internet_network or hospital.internet_licensed)
        check(rule, first or unlicensed)
        if first:
            yield write("INTERNET_NOT_FOLLOW_UP", rule, Level.BLOCK, place=place)
        if unlicensed:
            yield write("INTERNET_NOT_LICENSED", rule, Level.BLOCK, place=place, hospital=hospital.name)


def _internet_late(intake: Intake) -> Findings:
    """INT-03 (DL-07): sent within one working day; late is only noted."""
    rule = intake.rule("intake.internet_late")
    spec = next((spec for spec in intake.handbook.clocks if rule and rule.id in spec.rules), None)
    for visit in intake.post_claims if rule and spec else ():
        if rule is None or spec is None or not is_internet(intake.facts, visit):
            continue
        due, received = due_at(spec, visit.started_on, intake.calendar), local(intake.facts.reported_at)
        if check(rule, received >= due.at):
            yield write(
                "INTERNET_LATE", rule, Level.WARN, place=f"visit:{visit.ref}",
                day=visit.started_on, latest=due.day, received=received.date(),
            )  # fmt: skip


def _limitation(intake: Intake) -> Findings:
    """LAW-06: two years' limitation; a warning only."""
    rule, years = intake.rule("intake.limitation"), intake.handbook.value("limitation.years")
    received = local(intake.facts.reported_at).date()
    for visit in intake.facts.visits if rule and years else ():
        late = received > add_years(visit.started_on, int(years))
        if rule and check(rule, late):
            yield write(
                "LIMITATION", rule, Level.WARN, place=f"visit:{visit.ref}",
                day=visit.started_on, received=received, years=years,
            )  # fmt: skip


CHECKS: tuple[Callable[[Intake], Findings], ...] = (
    _series,
    _version,
    _in_force,
    _catalogue,
    _service,
    _private,
    _direct_billed,
    _network,
    _rider,
    _optional_direct_only,
    _vaccine,
    _internet,
    _internet_late,
    _channel,
    _limitation,
)
