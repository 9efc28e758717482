"""On line or by mail (RMB-20, RMB-22, RMB-38, RMB-39; PR-12, PR-13, PR-15)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from apps.adjudication.decision import Finding
from apps.adjudication.facts import ZERO, Facts, VisitFacts
from apps.adjudication.findings import CONTRACT, check, write
from apps.adjudication.handbook import Level
from apps.adjudication.money import pretty

ONLINE, MAIL, DIRECT = "ONLINE", "MAIL", "DIRECT"
AMOUNT, INPATIENT = "AMOUNT", "INPATIENT"


@dataclass(frozen=True, slots=True)
class VisitRoute:
    """One visit in the sense of PR-13 (maybe several rows), its claimed amount and its route."""

    visits: tuple[str, ...]
    day: date
    amount: Decimal
    route: str
    split: bool = False


@dataclass(frozen=True, slots=True)
class Routing:
    route: str  # ONLINE | MAIL | DIRECT (direct billing is not routed)
    rule: str  # rule id
    source: str
    why_zh: str
    why_en: str
    visits: tuple[VisitRoute, ...] = ()
    findings: tuple[Finding, ...] = ()  # SUSPECTED_SPLIT (WARN)


def route(facts: Facts) -> Routing:
    """MAIL as soon as one visit must be mailed, else ONLINE."""
    if facts.direct:
        return Routing(
            DIRECT, CONTRACT.id, CONTRACT.source, "直付案件由医院提交。", "Billed by the hospital."
        )
    by_amount = facts.handbook.value("routing.basis") != INPATIENT
    maximum = facts.handbook.value("routing.online_maximum") if by_amount else None
    visits = tuple(_visit_route(group, facts, maximum) for group in group_visits(facts.visits))
    mailed = any(visit.route == MAIL for visit in visits)
    rules = {key: facts.handbook.rule(key) for key in ("route.online", "route.mail", "route.visit")}
    check(rules["route.online"], not mailed)
    check(rules["route.mail"], mailed)
    check(rules["route.visit"], len(visits) < len(facts.visits))
    check(facts.handbook.rule("route.net_amount"), any(b.settled > 0 for v in facts.visits for b in v.bills))
    rule = rules["route.mail" if mailed else "route.online"] or CONTRACT
    zh, en = _why(visits, maximum, mailed)
    findings = _split_flags(facts, visits, maximum)
    return Routing(MAIL if mailed else ONLINE, rule.id, rule.source, zh, en, visits, findings)


def visit_key(visit: VisitFacts) -> tuple[str, ...]:
    """What makes two rows one visit (PR-13): hospital + department + date; a stay: admission."""
    hospital = visit.hospital.ref
    if visit.in_stay:
        return ("STAY", hospital, visit.admission or visit.started_on.isoformat())
    department = visit.department or visit.hospital.department_group
    return ("VISIT", hospital, department, visit.started_on.isoformat())


def same_visit(one: VisitFacts, other: VisitFacts) -> bool:
    """Whether the bills of two rows belong to one visit (of the same insured)."""
    return visit_key(one) == visit_key(other)


def group_visits(visits: Sequence[VisitFacts]) -> tuple[tuple[VisitFacts, ...], ...]:
    """Rows that are one visit, in order of first appearance."""
    groups: dict[tuple[str, ...], list[VisitFacts]] = {}
    for visit in visits:
        groups.setdefault(visit_key(visit), []).append(visit)
    return tuple(tuple(group) for group in groups.values())


def _visit_route(group: Sequence[VisitFacts], facts: Facts, maximum: Decimal | None) -> VisitRoute:
    """By the amount of one visit, inclusive (RMB-20), or by public stay (RMB-39). The day total
    above the threshold never changes the route, it only flags (PR-15)."""
    amount = sum((visit.claimed for visit in group), ZERO)
    day = min(visit.started_on for visit in group)
    if maximum is None:
        stay = any(visit.in_stay and visit.hospital.ownership == "PUBLIC" for visit in group)
        return VisitRoute(tuple(v.ref for v in group), day, amount, MAIL if stay else ONLINE)
    mailed = amount > maximum
    flagging = facts.handbook.value("routing.split_flag", True)
    split = flagging and not mailed and _day_total(facts, day) > maximum
    return VisitRoute(tuple(v.ref for v in group), day, amount, MAIL if mailed else ONLINE, split)


def _day_total(facts: Facts, day: date) -> Decimal:
    """All visits of one service day: of this claim and of the member's other claims."""
    here = sum((visit.claimed for visit in facts.visits if visit.started_on == day), ZERO)
    if facts.day_totals:
        return here + sum((amount for other, amount in facts.day_totals if other == day), ZERO)
    return here + facts.day_total


def _split_flags(facts: Facts, visits: Sequence[VisitRoute], maximum: Decimal | None) -> tuple[Finding, ...]:
    rule = facts.handbook.rule("route.split_flag")
    found = []
    for visit in visits:
        if check(rule, visit.split) and rule and maximum is not None:
            found.append(
                write(
                    "SUSPECTED_SPLIT", rule, Level.WARN, place=f"visit:{visit.visits[0]}",
                    day=visit.day, total=_day_total(facts, visit.day), threshold=maximum,
                    amount=visit.amount,
                )
            )  # fmt: skip
    return tuple(found)


def _why(visits: Sequence[VisitRoute], maximum: Decimal | None, mailed: bool) -> tuple[str, str]:
    largest = max((visit.amount for visit in visits), default=ZERO)
    if maximum is None:
        if mailed:
            return (
                "含公立医院住院，须邮寄原件（不论金额）。",
                "A public stay: originals are mailed, any amount.",
            )
        return "无公立医院住院，在线或邮件提交即可。", "No public stay: filed online or by email."
    shown, limit = pretty(largest), pretty(maximum)
    if mailed:
        return (
            f"单次就诊申请金额 {shown} 元，超过 {limit} 元，须邮寄原件。",
            f"One visit claims {shown}, above {limit}: originals are mailed.",
        )
    return (
        f"单次就诊申请金额最高 {shown} 元，未超过 {limit} 元，在线提交。",
        f"No visit claims more than {limit} (largest {shown}): filed online.",
    )
