"""A plan as facts of the decision core: the planned items are a visit with one bill nobody has issued."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.utils import timezone

from apps.adjudication.facts import BillFacts, Facts, HospitalFacts, LineFacts, PaperFacts, VisitFacts
from apps.authorizations.models import Authorization, PlannedLine
from apps.cases.models import CaseFile
from apps.core.money import to_yuan
from apps.hospitals.models import Campus, Hospital
from apps.ledger.accounts import with_balances
from apps.ledger.models import LimitAccount
from apps.members.facts import member_facts, policy_facts
from apps.members.models import Policy
from apps.products.models import HandbookVersion

DIRECT = "DIRECT"
EVERYTHING = ("*",)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is planned where, however it was told: by a request or by the rows of a case."""

    ref: str
    policy: Policy
    handbook: HandbookVersion
    hospital: Hospital
    campus: Campus | None
    department_group: str
    department: str
    visit_type: str
    benefit: str
    planned_on: date
    days: int
    lines: tuple[LineFacts, ...]
    diagnosis: str = ""
    cause: str = "ILLNESS"
    surgery: bool = False
    emergency_at: datetime | None = None
    course: Decimal = Decimal(0)
    channel: str = ""
    category: str = DIRECT  # or REIMBURSEMENT, where the family pays and claims afterwards
    third_party: Decimal = Decimal(0)  # what others are expected to pay of it


def plan_of(case: CaseFile, lines: Iterable[PlannedLine]) -> Plan:
    given: Authorization = case.authorization
    assert case.hospital is not None
    policy = case.policy
    policy.member = case.member  # the same child, read with the case
    return Plan(
        ref=case.number, policy=policy, handbook=case.handbook, hospital=case.hospital, campus=given.campus,
        department_group=given.department_group, department=given.department, visit_type=given.visit_type,
        benefit=given.benefit, planned_on=given.planned_on, days=given.planned_days,
        lines=tuple(line_facts(line) for line in lines), diagnosis=given.diagnosis, cause=given.cause,
        surgery=given.surgery, emergency_at=given.emergency_at, course=to_yuan(given.course_fen), channel=given.channel,
    )  # fmt: skip


def line_facts(line: PlannedLine) -> LineFacts:
    return LineFacts(
        ref=f"{line.supplement}.{line.position}", name=line.name, kind=line.kind, amount=to_yuan(line.amount_fen),
        quantity=Decimal(line.quantity).normalize(), unit_price=to_yuan(line.unit_price_fen), code=line.code,
        procedure_categories=tuple(line.procedure_categories),
    )  # fmt: skip


def facts_of(
    plan: Plan,
    now: datetime,
    *,
    papers: Iterable[PaperFacts] = (),
    accounts: Iterable[LimitAccount] = (),
    networks: Iterable[str] = (),
) -> Facts:
    """Everything the core asks about the plan. No query."""
    total = sum((line.amount for line in plan.lines), Decimal(0))
    today = timezone.localtime(now).date()
    bill = BillFacts(
        "plan", "OTHER", "", plan.planned_on, total, plan.lines, third_party=min(plan.third_party, total)
    )
    visit = VisitFacts(
        ref="plan", visit_type=plan.visit_type, benefit=plan.benefit, started_on=plan.planned_on,
        ended_on=plan.planned_on, hospital=_hospital(plan, networks), bills=(bill,), cause=plan.cause,
        diagnoses=(plan.diagnosis,) if plan.diagnosis else (), emergency=plan.emergency_at is not None, surgery=plan.surgery,
        direct_billed=plan.category == DIRECT, department=plan.department, admission=plan.ref, course_cost=plan.course,
    )  # fmt: skip
    facts = Facts(
        claim_ref=plan.ref, category=plan.category, channel=plan.channel, reported_at=timezone.localtime(now),
        decided_on=today, handbook=plan.handbook.handbook, plan=plan.policy.plan.terms,
        member=member_facts(plan.policy.member), policy=policy_facts(plan.policy), visits=(visit,),
        papers=tuple(papers), authorizations=EVERYTHING, e_card=True, handbook_sha=plan.handbook.sha256,
        plan_sha=plan.policy.plan.sha256,
    )  # fmt: skip
    return with_balances(facts, accounts)


def _hospital(plan: Plan, networks: Iterable[str]) -> HospitalFacts:
    return HospitalFacts(
        ref=plan.hospital.code, name=plan.hospital.name, ownership=plan.hospital.ownership, grade=plan.hospital.grade,
        city=plan.hospital.city, department_group=plan.department_group, networks=tuple(sorted(networks)),
    )  # fmt: skip
