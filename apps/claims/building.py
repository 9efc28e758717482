"""From a checked report to rows that are not saved yet."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Protocol

from apps.cases.models import CaseFile, ExternalNumber
from apps.claims.checks import settled
from apps.claims.inputs import BillInput, LineInput, PaperInput, VisitInput
from apps.claims.models import Bill, BillLine, Claim, Visit
from apps.claims.reporting import Report
from apps.claims.rows import BillRows, ClaimRows, VisitRows
from apps.core.crypto import mask
from apps.core.money import to_fen
from apps.documents.models import Paper
from apps.documents.register import bill_identity, clean_number
from apps.documents.retention import retain_until
from apps.hospitals.models import Campus, Hospital


class Known(Protocol):
    """What a visit names, looked up: a `Report`, or the look-ups of a correction."""

    hospitals: dict[str, Hospital]
    campuses: dict[tuple[str, str], Campus]
    prior_visits: dict[str, Visit]


BENEFIT_OF_CATEGORY = {"VACCINE": "VACCINE", "HEALTH_CHECK": "HEALTH_CHECK"}
BENEFIT_OF_VISIT = {"OBSERVATION_WARD": "EMERGENCY", "INTERNET": "OUTPATIENT"}
FEN_FIELDS = (
    "pooled_fund", "serious_illness", "assistance", "other_insurer", "personal_account", "cash", "copay", "selfpay",
    "deposit", "deposit_added", "deposit_returned", "social_deductible",
)  # fmt: skip


def build_rows(report: Report, case: CaseFile) -> ClaimRows:
    """All rows of the report for a case that has its number already."""
    claim = _claim(report, case)
    rows = ClaimRows(case, claim)
    for position, given in enumerate(report.input.visits, 1):
        visit = build_visit(claim, position, given, report)
        rows.visits.append(visit)
    claim.claimed_fen = sum(row.visit.claimed_fen for row in rows.visits)
    rows.papers = [_paper(report, case, given) for given in report.input.papers]
    return rows


def _claim(report: Report, case: CaseFile) -> Claim:
    given = report.input
    return Claim(
        case=case,
        category=given.category,
        channel=given.channel,
        reported_at=case.opened_at,
        reporter_name=given.reporter.name,
        reporter_relation=given.reporter.relation,
        reporter_phone=given.reporter.phone,
        reporter_phone_masked=mask(given.reporter.phone)[:20] if given.reporter.phone else "",
        payee=report.payee,
        e_signed=given.e_signed,
        first_received_at=case.opened_at if given.papers else None,
        note=given.note,
    )


def build_visit(claim: Claim, position: int, given: VisitInput, report: Known) -> VisitRows:
    visit = Visit(
        claim=claim,
        position=position,
        visit_type=given.visit_type,
        benefit=given.benefit or default_benefit(given.visit_type, claim.category),
        hospital=report.hospitals[given.hospital],
        campus=report.campuses.get((given.hospital, given.campus)),
        department=given.department,
        department_group=given.department_group,
        doctor=given.doctor,
        record_number=given.record_number,
        admission_number=given.admission_number,
        started_on=given.started_on,
        ended_on=given.ended_on or given.started_on,
        admitted_at=given.admitted_at,
        discharged_at=given.discharged_at,
        diagnoses=[{"code": row.code, "name": row.name, "system": row.system} for row in given.diagnoses],
        procedures=[{"code": row.code, "name": row.name} for row in given.procedures],
        conditions=list(given.conditions),
        cause=given.cause,
        event_on=given.event_on,
        emergency=given.emergency,
        surgery=given.surgery or any(line.kind == "SURGERY" for bill in given.bills for line in bill.lines),
        follow_up=given.follow_up,
        prior_visit=report.prior_visits.get(given.prior_claim),
        prior_reference=given.prior_reference or given.prior_claim,
        direct_billed=given.direct_billed,
        used_social_insurance=given.used_social_insurance,
        psychiatrist_diagnosed=given.psychiatrist_diagnosed,
        psychiatrist_recommended=given.psychiatrist_recommended,
    )
    rows = VisitRows(visit)
    rows.bills = [
        build_bill(visit, index, bill, given.hospital, f"{position}.{index}")
        for index, bill in enumerate(given.bills, 1)
    ]
    visit.claimed_fen = to_fen(claimed(given.bills))
    return rows


def claimed(bills: Iterable[BillInput]) -> Decimal:
    """After third-party settlement; void and red-letter bills claim nothing (PR-12, LAW-11)."""
    live = (bill for bill in bills if bill.state not in ("VOID", "RED_LETTER"))
    return sum((bill.amount - settled(bill) for bill in live), Decimal(0))


def default_benefit(visit_type: str, category: str) -> str:
    return BENEFIT_OF_CATEGORY.get(category) or BENEFIT_OF_VISIT.get(visit_type, visit_type)


def build_bill(visit: Visit, position: int, given: BillInput, issuer: str, ref: str) -> BillRows:
    amounts = {f"{name}_fen": to_fen(getattr(given, name)) for name in FEN_FIELDS}
    bill = Bill(
        visit=visit,
        position=position,
        bill_type=given.bill_type,
        code=clean_number(given.code),
        number=clean_number(given.number),
        check_code=clean_number(given.check_code),
        identity=bill_identity(given.bill_type, given.code, given.number, given.check_code, issuer=issuer),
        serial_number=given.serial_number,
        issued_on=given.issued_on,
        amount_fen=to_fen(given.amount),
        insurance_type=given.insurance_type,
        insurance_number=given.insurance_number,
        state=given.state,
        electronic=given.electronic or given.bill_type in ("FISCAL_E", "DIGITAL"),
        verified=given.verified,
        **amounts,
    )
    return BillRows(bill, ref, [build_line(bill, index, line) for index, line in enumerate(given.lines, 1)])


def build_line(bill: Bill, position: int, given: LineInput) -> BillLine:
    return BillLine(
        bill=bill,
        position=position,
        name=given.name,
        kind=given.kind,
        code=given.code,
        category=given.category,
        benefit=given.benefit,
        specification=given.specification,
        quantity=given.quantity,
        unit_price_fen=to_fen(given.unit_price),
        amount_fen=to_fen(given.amount),
        third_party_fen=to_fen(given.third_party),
        procedure_categories=list(given.procedure_categories),
        vaccine_approved=given.vaccine_approved,
        vaccine_experimental=given.vaccine_experimental,
    )


def _paper(report: Report, case: CaseFile, given: PaperInput) -> Paper:
    file = report.files.get(given.file)
    return Paper(
        case=case,
        kind=given.kind,
        form=given.form,
        file=file,
        pages=max(given.pages, file.pages if file else 1),
        subject=given.subject,
        verification=given.verification,
        valid_until=given.valid_until,
        received_at=case.opened_at,
        retain_until=retain_until(given.kind, case.policy, case.handbook.handbook),
    )


def external_numbers(report: Report, case: CaseFile) -> list[ExternalNumber]:
    return [
        ExternalNumber(case=case, system=row.system, number=row.number)
        for row in report.input.external_numbers
    ]
