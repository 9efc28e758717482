"""The claim of a stay: built from what the advance knows and what the specialist brought (ADV-10, ADV-15)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext as _

from apps.accounts.actors import SYSTEM
from apps.advances.models import Advance
from apps.cases.context import Ctx
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.claims.actions.intake import report_claim
from apps.claims.assignment import ADVANCE
from apps.claims.models import Category
from apps.core.errors import Blocked, InvalidInputs
from apps.documents.actions import look_alike
from apps.documents.models import Paper
from apps.documents.queries import papers_of

CARRIED = ("DISCHARGE", "ADVANCE")  # the lists whose papers go with the claim


def claim_data(ctx: Ctx[Any], found: Any) -> dict[str, Any]:
    """The report of a reimbursement claim (APP-02); nothing of the advance's decision is in it (ADV-15)."""
    case, given = ctx.case, ctx.subject
    assert case.hospital is not None
    visit = {
        "visit_type": given.visit_type, "hospital": case.hospital.code, "department": given.department,
        "department_group": given.department_group, "campus": given.campus.code if given.campus else "",
        "started_on": given.admitted_on, "ended_on": found.discharged_on, "admission_number": given.admission_number,
        "cause": given.cause, "event_on": given.admitted_on if given.cause == "ACCIDENT" else None,
        "diagnoses": [{"code": given.diagnosis, "name": given.diagnosis_name}] if given.diagnosis else [],
        "used_social_insurance": found.used_social_insurance, "bills": [asdict(bill) for bill in found.bills],
    }  # fmt: skip
    return {
        "member": {"number": case.member.number, "policy": case.policy.number}, "reporter": {"name": given.caller},
        "visits": [visit], "channel": given.channel, "category": Category.REIMBURSEMENT.value,
        "papers": [_paper(paper) for paper in carried(case)], "payee": asdict(found.payee) if found.payee else None,
        "external_numbers": [{"system": ADVANCE, "number": case.number}],
        "note": _("From inpatient advance %(number)s (source ADVANCE).") % {"number": case.number},
    }  # fmt: skip


def carried(case: CaseFile) -> list[Paper]:
    """The usable papers that a claim may ask for; what concerns the advance alone stays behind."""
    wanted = {
        kind
        for document in case.handbook.handbook.documents
        if set(document.lists) & set(CARRIED) and document.form != "DATA"
        for kind in (document.key, *document.satisfied_by)
    }
    return [paper for paper in papers_of(case) if paper.usable and paper.kind in wanted]


def _paper(paper: Paper) -> dict[str, Any]:
    return {
        "kind": paper.kind, "form": paper.form, "pages": paper.pages, "file": paper.file.sha256 if paper.file else "",
        "verification": paper.verification, "valid_until": paper.valid_until,
    }  # fmt: skip


def file_claim(ctx: Ctx[Any], data: dict[str, Any], stay: Sequence[Advance]) -> CaseFile:
    """Report it by the claims room's own way, let it know the papers as they were seen here, and give up to the
    provider what it advanced."""
    provider = ctx.subject.provider
    if provider is None or provider.payee is None:
        words = _("The provider has no confirmed account; enter it, and let somebody else confirm it.")
        raise Blocked(words, code="no_account", rule="ADV-14")
    try:
        claim = report_claim(ctx.actor, data=data, now=ctx.now)
    except InvalidInputs as several:
        for error in several.errors:
            error.field = error.field.removeprefix("visits.0.").replace("ended_on", "discharged_on")
        raise
    look_alike(claim, carried(ctx.case))
    amount = sum(row.advanced_fen or 0 for row in stay)
    perform(claim.number, "assign_claim", SYSTEM, now=ctx.now, payee=provider.payee_id, amount_fen=amount)
    return CaseFile.objects.get(pk=claim.pk)
