"""Intake: where the child was treated (APT-02, RMB-01, LAW-07, APP-03, DBO-03, NET-01, VAC-06)."""

from __future__ import annotations

from apps.adjudication.clocks import due_at, local
from apps.adjudication.codes import BENEFIT_CLAIM_SERVICE
from apps.adjudication.counting import add_years
from apps.adjudication.cover import emergency, in_network, missing_rider, vaccine_place_closed
from apps.adjudication.findings import check, write
from apps.adjudication.handbook import Level, Rule
from apps.adjudication.intake_base import Findings, Intake, direct_only, is_closed, is_internet
from apps.adjudication.words import benefit_name, department_name, grade_name, ownership_name


def private(intake: Intake) -> Findings:
    """RMB-01/RMB-30, APT-02/DBO-03: public institutions only; the printed exception is the
    internet hospital (INT-01); emergencies wait for a senior (LAW-07, VIS-03, PR-20)."""
    public, refused = intake.rule("intake.public_only"), intake.rule("intake.private_refused")
    hold = intake.rule("intake.emergency_hold")
    for visit in intake.post_claims:
        excepted = is_internet(intake.facts, visit) and intake.rule("intake.internet") is not None
        outside = visit.hospital.ownership == "PRIVATE" and not excepted
        held = outside and hold is not None and emergency(visit)
        check(public, outside)
        check(refused, outside and not held)
        check(hold, held)
        check(intake.rule("intake.emergency_hold_time"), held)
        rule = hold if held else refused or public
        if outside and rule:
            code, level = ("EMERGENCY_HOLD", Level.REFER) if held else ("PRIVATE_NO_REIMB", Level.BLOCK)
            yield write(
                code, rule, level, place=f"visit:{visit.ref}", discretion=held,
                also=[public, refused], hospital=visit.hospital.name,
            )  # fmt: skip


def direct_billed(intake: Intake) -> Findings:
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


def network(intake: Intake) -> Findings:
    """NET-01, NET-02: direct billing only where the member's version is listed for the benefit; a
    version with lists of its own inherits none (NET-02)."""
    rule, hold = intake.rule("intake.network_by_version"), intake.rule("intake.emergency_hold")
    own = _own_lists(intake)
    for visit in intake.facts.visits if intake.facts.direct else ():
        outside = not in_network(visit.hospital, visit.benefit)
        check(own, outside)
        if own is not rule:
            check(rule, outside)
        if not outside or rule is None:
            continue
        if intake.facts.letter_left is not None:  # REC-01: the letter binds within its scope
            yield write(
                "LETTER_PLACE", own or rule, Level.WARN, place=f"visit:{visit.ref}", also=[own, rule],
                hospital=visit.hospital.name, benefit=benefit_name(visit.benefit),
            )  # fmt: skip
            continue
        held = emergency(visit) and check(hold, True)
        code, level = ("OUT_OF_NETWORK_EMERGENCY", Level.REFER) if held else ("OUT_OF_NETWORK", Level.BLOCK)
        yield write(
            code, hold if held and hold else own or rule, level, place=f"visit:{visit.ref}", discretion=held,
            also=[own, rule], hospital=visit.hospital.name, benefit=benefit_name(visit.benefit),
        )  # fmt: skip


def _own_lists(intake: Intake) -> Rule | None:
    """The rule by which the series prints the lists of the member's version."""
    facts, other = intake.facts, intake.rule("intake.network_no_inheritance")
    version = intake.handbook.versions.get(facts.plan.version)
    group = version.network_group if version else ""
    printed = {network.rule for network in intake.handbook.networks if network.group == group}
    return other if other and other.id in printed else intake.rule("intake.network_by_version")


def rider(intake: Intake) -> Findings:
    """NET-03: an optional benefit needs its rider."""
    rule = intake.rule("intake.rider")
    for visit in intake.facts.visits if rule else ():
        if rule and check(rule, missing_rider(intake.facts, visit.benefit)):
            name = benefit_name(visit.benefit)
            yield write("NO_RIDER", rule, Level.BLOCK, place=f"visit:{visit.ref}", benefit=name)


def optional_direct_only(intake: Intake) -> Findings:
    """VAC-06, NET-05: dental and eye are direct billing only (PR-10: benefits, not departments).
    Where services say so themselves, `service` has written the finding already."""
    rule = intake.rule("intake.direct_only")
    for visit in intake.post_claims if rule else ():
        key = BENEFIT_CLAIM_SERVICE.get(visit.benefit, "")
        closed = is_closed(intake.handbook, key)
        bound = visit.benefit in ("DENTAL", "EYE")
        if rule and check(rule, bound and (closed or intake.handbook.service(key) is None)) and not closed:
            yield direct_only(rule, visit, rule)


def vaccine(intake: Intake) -> Findings:
    """VAC-06, VAC-23: ordinary department, minimum grade; VAC-24: filed after the visit."""
    minimum = intake.handbook.value("vaccine.minimum_grade")
    department, grade = intake.rule("intake.vaccine_department"), intake.rule("intake.vaccine_grade")
    after = intake.rule("intake.vaccine_after_visit")
    received = local(intake.facts.reported_at).date()
    for visit in intake.post_claims:
        if visit.benefit != "VACCINE" and intake.facts.category != "VACCINE":
            continue
        hospital, place = visit.hospital, f"visit:{visit.ref}"
        outside, low = vaccine_place_closed(intake.handbook, hospital)
        if department and check(department, outside):
            yield write(
                "VACCINE_DEPARTMENT", department, Level.BLOCK, place=place,
                department=department_name(hospital.department_group),
                ownership=ownership_name(hospital.ownership),
            )  # fmt: skip
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


def internet(intake: Intake) -> Findings:
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


def internet_late(intake: Intake) -> Findings:
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


def limitation(intake: Intake) -> Findings:
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
