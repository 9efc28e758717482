"""From rows to `Facts`, what the decision core reads; and what clocks ask about a claim."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from django.utils import timezone

from apps.adjudication.conditions import all_hold, subject_of
from apps.adjudication.facts import (
    Balance,
    BillFacts,
    Facts,
    HospitalFacts,
    LineFacts,
    Override,
    VisitFacts,
)
from apps.adjudication.handbook import Condition
from apps.cases.models import CaseFile
from apps.claims.models import Bill, BillLine, Visit
from apps.claims.rows import BillRows, ClaimRows, VisitRows, load
from apps.claims.variants import variant_of
from apps.core.money import to_yuan
from apps.documents.queries import BillMarks, bill_marks, paper_facts
from apps.hospitals.models import NetworkEntry
from apps.members.facts import member_facts, policy_facts

PAYEE_RELATIONS = {
    "MOTHER": "GUARDIAN",
    "FATHER": "GUARDIAN",
    "GUARDIAN": "GUARDIAN",
    "SELF": "INSURED",
    "OTHER": "OTHER",
}
UNSEEN = BillMarks()


def gather(cases: Sequence[CaseFile], now: datetime) -> dict[int, Facts]:
    """Facts of several claims by case id, without balances; a constant number of queries."""
    return {pk: facts_of(rows, now) for pk, rows in load(cases).items()}


def facts_of(rows: ClaimRows, now: datetime, balances: Iterable[Balance] = ()) -> Facts:
    """The facts of one claim; no query. `rows` may be saved or not."""
    case, claim = rows.case, rows.claim
    plan_row = case.policy.plan
    plan = plan_row.terms
    handbook = case.handbook.handbook
    marks = bill_marks(rows.papers)
    version = handbook.versions.get(plan.version)
    group = version.network_group if version else ""
    payee = claim.payee
    facts = Facts(
        claim_ref=case.number,
        category=claim.category,
        channel=claim.channel,
        reported_at=timezone.localtime(claim.reported_at),
        decided_on=timezone.localtime(now).date(),
        handbook=handbook,
        plan=plan,
        member=member_facts(case.member),
        policy=policy_facts(case.policy),
        visits=tuple(_visit(visit, rows, marks, group) for visit in rows.visits),
        papers=paper_facts(rows.papers),
        balances=tuple(balances),
        overrides=tuple(
            Override(row.finding, row.accept, row.reason, str(row.user)) for row in rows.overrides
        ),
        payee_structured=payee is not None,
        e_signed=claim.e_signed,
        e_card=rows.e_card,
        payee_relation=PAYEE_RELATIONS.get(payee.relation, "OTHER") if payee else "",
        day_totals=tuple(rows.day_totals),
        handbook_sha=case.handbook.sha256,
        plan_sha=plan_row.sha256,
    )
    return variant_of(case).facts(rows, facts)


def _visit(rows: VisitRows, claim: ClaimRows, marks: dict[str, BillMarks], group: str) -> VisitFacts:
    visit = rows.visit
    lines = [line for bill in rows.bills for line in bill.lines]
    return VisitFacts(
        ref=rows.ref,
        visit_type=visit.visit_type,
        benefit=visit.benefit,
        started_on=visit.started_on,
        ended_on=visit.ended_on,
        hospital=_hospital(visit, _networks_on(visit, claim.networks, group, visit.started_on)),
        bills=tuple(_bill(bill, marks.get(bill.ref, UNSEEN), claim.duplicates) for bill in rows.bills),
        cause=visit.cause,
        diagnoses=tuple(entry["code"] for entry in visit.diagnoses),
        conditions=tuple(visit.conditions),
        emergency=visit.emergency,
        surgery=visit.surgery,
        follow_up=visit.follow_up,
        prior_visit_ref=visit.prior_reference or (str(visit.prior_visit_id) if visit.prior_visit_id else ""),
        direct_billed=visit.direct_billed,
        used_social_insurance=visit.used_social_insurance,
        drugs_prescribed=any(line.kind == "DRUG" for line in lines),
        psychiatrist_diagnosed=visit.psychiatrist_diagnosed,
        psychiatrist_recommended=visit.psychiatrist_recommended,
        department=visit.department,
        admission=visit.admission_number,
    )


def _networks_on(visit: Visit, entries: Iterable[NetworkEntry], group: str, day: date) -> tuple[str, ...]:
    """Benefits in which the place is listed for the member's network group on the day (NET-01)."""
    found = {
        entry.benefit
        for entry in entries
        if entry.network_group == group
        and entry.campus.hospital_id == visit.hospital_id
        and (visit.campus_id is None or entry.campus_id == visit.campus_id)
        and entry.department_group == visit.department_group
        and entry.starts_on <= day
        and (entry.ends_on is None or day <= entry.ends_on)
    }
    return tuple(sorted(found))


def _hospital(visit: Visit, networks: tuple[str, ...]) -> HospitalFacts:
    hospital = visit.hospital
    return HospitalFacts(
        ref=hospital.code,
        name=hospital.name,
        ownership=hospital.ownership,
        grade=hospital.grade,
        city=hospital.city,
        department_group=visit.department_group,
        networks=networks,
        internet_licensed=hospital.internet_licensed,
        internet_network=hospital.ownership == "PRIVATE" and bool(networks),
    )


def _bill(rows: BillRows, marks: BillMarks, duplicates: dict[str, str]) -> BillFacts:
    bill: Bill = rows.bill
    return BillFacts(
        ref=rows.ref,
        bill_type=bill.bill_type,
        identity=bill.identity,
        issued_on=bill.issued_on,
        amount=to_yuan(bill.amount_fen),
        lines=tuple(_line(rows.line_ref(line), line) for line in rows.lines),
        third_party=to_yuan(bill.third_party_fen),
        personal_account=to_yuan(bill.personal_account_fen),
        state=bill.state,
        electronic=bill.electronic,
        verified=bill.verified or marks.verified,
        annotated=marks.annotated,
        duplicate_of=duplicates.get(bill.identity, ""),
    )


def _line(ref: str, line: BillLine) -> LineFacts:
    return LineFacts(
        ref=ref,
        name=line.name,
        kind=line.kind,
        amount=to_yuan(line.amount_fen),
        quantity=line.quantity.normalize(),
        unit_price=to_yuan(line.unit_price_fen),
        third_party=to_yuan(line.third_party_fen),
        code=line.code,
        category=line.category,
        benefit=line.benefit,
        procedure_categories=tuple(line.procedure_categories),
        vaccine_approved=line.vaccine_approved,
        vaccine_experimental=line.vaccine_experimental,
    )


# --- Clocks ------------------------------------------------------------------------------------


def facts_in(ctx: Any) -> Facts:
    """The facts of the case of an action, gathered once an action."""
    if "facts" not in ctx.loaded:
        ctx.loaded["facts"] = gather([ctx.case], ctx.now)[ctx.case.pk]
    facts: Facts = ctx.loaded["facts"]
    return facts


def clock_matches(ctx: Any, when: Sequence[Condition]) -> bool:
    """Whether a clock's conditions hold for this claim (category, visit type, amount …)."""
    return not when or all_hold(when, subject_of(facts_in(ctx), ctx.case.claim.route))
