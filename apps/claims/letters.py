"""What the letters of a claim say: from assessment and decision to the contexts of `documents`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import override

from apps.adjudication.checklist import Requirement
from apps.adjudication.decision import Decision, Finding, Movement
from apps.adjudication.findings import CONTRACT
from apps.adjudication.handbook import Basis, Handbook, Level
from apps.cases.models import CaseFile
from apps.claims.assess import Assessment
from apps.claims.limits import limit_title, shown
from apps.claims.models import Category
from apps.claims.originals import mailing
from apps.claims.rows import ClaimRows
from apps.core.money import to_fen
from apps.documents.letter_contexts import (
    About,
    AcceptanceContext,
    EobContext,
    EobLine,
    LimitLeft,
    MissingPaper,
    PayeeBlock,
    Reason,
    RefusalContext,
    SupplementContext,
    VisitLine,
)
from apps.documents.queries import kind_title
from apps.documents.register import printed
from apps.members.names import mask_name
from apps.payments.models import Payee

VISIT_WORDS = {
    "OUTPATIENT": "门诊", "EMERGENCY": "急诊", "INPATIENT": "住院", "OBSERVATION_WARD": "留观", "INTERNET": "互联网问诊",
}  # fmt: skip
REASONS = (Level.BLOCK, Level.DENY, Level.REDUCE)


def about(case: CaseFile) -> About:
    return About(
        addressee=_addressee(case),
        child=case.member.masked_name,
        policy=case.policy.number,
        case=case.number,
        reported_on=local_day(case.claim.reported_at),
        plan=case.policy.plan.name,
    )


def _addressee(case: CaseFile) -> str:
    """Who reported; of what a hospital billed, the family."""
    if case.claim.category != Category.DIRECT:
        reporter: str = case.claim.reporter_name
        return reporter
    holder = case.policy.policyholder
    return holder.name if holder else f"{case.member.masked_name} 的监护人"


def local_day(moment: datetime) -> date:
    return timezone.localtime(moment).date()


def visit_lines(rows: ClaimRows) -> tuple[VisitLine, ...]:
    return tuple(
        VisitLine(
            on=row.visit.started_on,
            hospital=row.visit.hospital.name,
            what=VISIT_WORDS.get(row.visit.visit_type, row.visit.visit_type),
            claimed_fen=row.visit.claimed_fen,
            until=row.visit.ended_on if row.visit.ended_on != row.visit.started_on else None,
        )
        for row in rows.visits
    )


def acceptance(found: Assessment, *, decision_by: date | None = None) -> AcceptanceContext:
    case, handbook = found.rows.case, found.facts.handbook
    titles = dict.fromkeys(kind_title(handbook, paper.kind) for paper in found.rows.papers)
    how = mailing(found) if case.claim.route == "MAIL" else None
    return AcceptanceContext(
        about=about(case),
        visits=visit_lines(found.rows),
        claimed_fen=case.claim.claimed_fen,
        papers=tuple(titles),
        originals_expected=case.claim.route == "MAIL",
        originals=how.originals if how else (),
        decision_by=decision_by,
    )


# --- Supplement notice --------------------------------------------------------------------------


def supplement(found: Assessment, text: str = "") -> SupplementContext:
    """Everything that is missing at once (LAW-01), the mailing instructions inside (PR-05)."""
    handbook, missing = found.facts.handbook, found.lacking
    originals = found.route_name == "MAIL" or any(entry.form == "ORIGINAL" for entry in missing)
    annotation = any(entry.key == "INVOICE_ANNOTATION" for entry in missing)
    return SupplementContext(
        about=about(found.rows.case),
        missing=tuple(_missing(entry, found.rows) for entry in missing),
        satisfied=tuple(
            dict.fromkeys(entry.title.zh for entry in found.requirements if entry.status == "SATISFIED")
        ),
        originals_by_mail=originals and found.route_name == "MAIL",
        annotation=str(handbook.value("annotation.text", "")) if annotation else "",
        text=text,
    )


def _missing(entry: Requirement, rows: ClaimRows) -> MissingPaper:
    return MissingPaper(
        title=entry.title.zh,
        why=entry.why.zh,
        remedy=entry.remedy.zh,
        place=_place(entry.place, rows),
        original=entry.form == "ORIGINAL",
    )


def _place(place: str, rows: ClaimRows) -> str:
    """'bill:1.2' → '票据 01020304 1234567890'."""
    for bill in rows.bills():
        if place == f"bill:{bill.ref}":
            return f"票据 {printed(bill.bill.identity)}"
    return ""


# --- Decision -----------------------------------------------------------------------------------


def reasons_of(findings: Iterable[Finding], handbook: Handbook) -> tuple[Reason, ...]:
    """The findings that take something away, in the words of the letter."""
    return tuple(reason_of(finding, handbook) for finding in findings if finding.level in REASONS)


def reason_of(finding: Finding, handbook: Handbook) -> Reason:
    rule = handbook.rules.get(finding.rule)
    printed_rule = rule is not None and rule.basis in (Basis.PRINTED, Basis.LAW)
    return Reason(
        text=finding.message_zh,
        clause=rule.says.zh if rule else CONTRACT.says.zh,
        rule=finding.rule,
        source=finding.source if printed_rule else "",
        amount_fen=to_fen(finding.amount),
        remedy=finding.remedy_zh,
    )


def own_reason(text: str, handbook: Handbook) -> tuple[Reason, ...]:
    """A refusal that rests on a person's ground, such as a rescission (LAW-12)."""
    rule = handbook.rule("decide.rescission")
    if not text or rule is None:
        return ()
    return (Reason(text=text, clause=rule.says.zh, rule=rule.id, source=rule.source),)


def refusal(
    rows: ClaimRows, reasons: Sequence[Reason], *, at_intake: bool, on: date, text: str = ""
) -> RefusalContext:
    return RefusalContext(
        about=about(rows.case),
        at_intake=at_intake,
        decided_on=on,
        claimed_fen=rows.claim.claimed_fen,
        reasons=tuple(reasons),
        visits=visit_lines(rows),
        text=text,
    )


def explanation(
    rows: ClaimRows,
    decision: Decision,
    handbook: Handbook,
    *,
    outcome: str,
    paid_fen: int,
    former_fen: int,
    on: date,
    text: str,
) -> EobContext:
    """`former_fen`: what the decision before this one gave, 0 for the first; the letter says what still moves."""
    taking = [finding for finding in decision.findings if finding.level in REASONS]
    numbers = {finding.ref: index for index, finding in enumerate(taking, 1)}
    payee, assignee = rows.claim.payee, rows.claim.assigned_to
    with override("zh-hans"):
        limits = tuple(limit_left(movement) for movement in decision.movements)
    return EobContext(
        about=about(rows.case),
        outcome=outcome,
        decided_on=on,
        lines=tuple(_eob_lines(rows, decision, numbers)),
        paid_fen=paid_fen,
        reasons=tuple(reason_of(finding, handbook) for finding in taking),
        limits=limits,
        payee=payee_block(payee) if payee and paid_fen else None,
        text=text,
        former_fen=former_fen,
        more_fen=max(paid_fen - former_fen, 0),
        less_fen=max(former_fen - paid_fen, 0),
        provider=assignee.provider if assignee else "",
        provider_fen=min(rows.claim.assigned_fen, paid_fen) if assignee else 0,
    )


def _eob_lines(rows: ClaimRows, decision: Decision, numbers: dict[str, int]) -> Iterable[EobLine]:
    named = rows.lines()
    groups = {
        bill.ref: f"{row.visit.started_on.isoformat()} {row.visit.hospital.name} · {printed(bill.bill.identity)}"
        for row in rows.visits
        for bill in row.bills
    }
    for line in decision.lines:
        yield EobLine(
            name=named[line.ref].name,
            billed_fen=to_fen(line.billed),
            third_party_fen=to_fen(line.third_party),
            disallowed_fen=to_fen(line.disallowed),
            deductible_fen=to_fen(line.deductible),
            own_fen=to_fen(line.member),
            paid_fen=to_fen(line.insurer),
            reasons=tuple(numbers[ref] for ref in line.reasons if ref in numbers),
            group=groups[line.bill],
        )


def limit_left(movement: Movement) -> LimitLeft:
    return LimitLeft(
        title=str(limit_title(movement.key)),
        limit=shown(movement.key, movement.limit),
        used=shown(movement.key, movement.limit - movement.after),
        left=shown(movement.key, movement.after),
    )


def payee_block(payee: Payee) -> PayeeBlock:
    return PayeeBlock(
        name=mask_name(payee.name), bank=f"{payee.bank} {payee.branch}".strip(), account=payee.account_masked
    )


def message_context(case: CaseFile, **more: Any) -> dict[str, Any]:
    """What the texts of messages may name; no more of a child than needed (LAW-09)."""
    return {
        "case": case.number,
        "child": case.member.masked_name,
        "state": str(case.get_state_display()),
        **more,
    }
