"""What the blocks of the case page show about an advance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.advances.actions.papers import list_of
from apps.advances.assess import look_on, most_fen, others_fen, requirements, stay_of
from apps.advances.guards import objections
from apps.advances.inputs import REASONS
from apps.advances.queries import in_hospital
from apps.advances.workflow import BEFORE_ADVANCED, BEFORE_DECISION
from apps.authorizations.bedside import Bedside, add_bedside
from apps.cases.kinds import Kind, Panel
from apps.cases.models import CaseFile
from apps.documents.queries import checklist_rows, letters_on, unasked
from apps.messaging.models import CallTask, Message

Context = Mapping[str, Any]
NEXT = {
    "APPLIED": _(
        "Verify the entitlement: hospital, stay, cost, cover. The provider says whether the hospital is in its network."
    ),
    "VERIFIED": _("Call the family within one working day and record the call."),
    "CONTACTED": _("The family sends the papers; each is looked at and ticked."),
    "MATERIALS_PENDING": _("Papers are missing. The two working days of the review begin with the last one."),
    "MATERIALS_COMPLETE": _("Record the findings of the review, then approve, propose or terminate."),
    "INVESTIGATING": _("Record the result of the investigation; approve or terminate."),
    "APPROVED": _(
        "The family signs the entrustment letter; attach the scan, tick it signed and legible, record the signature."
    ),
    "SIGNED": _(
        "The provider pays the hospital within one working day; somebody else than who approved records it."
    ),
    "ADVANCED": _("The family announces the discharge at least a day before."),
    "DISCHARGE_NOTICED": _("On the day of discharge: collect the six papers, settle, file the claim."),
    "SETTLED": _("The claim is examined on its own; its decision says whether there is a difference."),
    "ADJUDICATED": _("Nothing is to be refunded. The advance closes with the payments of the claim."),
    "REFUND_DUE": _("The family refunds the difference to the provider; record what the provider received."),
    "REFUNDED": _("The difference is refunded. The advance closes with the payments of the claim."),
}


def application(case: CaseFile, actor: Any) -> Context:
    """What was asked, and everything that stands against it."""
    given = case.advance  # type: ignore[attr-defined]
    found = look_on(case)
    before = case.state in BEFORE_DECISION
    return {
        "given": given, "next": NEXT.get(case.state, ""), "lines": list(given.lines.order_by("position")),
        "objections": objections(case, given, found) if before else [],
        "stay": [row for row in stay_of(given) if row.pk != given.pk],
        "ended_for": REASONS.get(given.ended_for, given.ended_text),
    }  # fmt: skip


def money(case: CaseFile, actor: Any) -> Context:
    """Who pays whom: the provider the hospital, the claim the provider and the family, the family the provider."""
    given, found = case.advance, look_on(case)  # type: ignore[attr-defined]
    open_ = case.state in BEFORE_ADVANCED
    return {
        "given": given, "open": open_, "covered_fen": found.suggested_fen, "others_fen": others_fen(given),
        "most_fen": most_fen(given, found), "suspicion": REASONS.get(given.suspicion, ""),
        "refunds": list(given.refunds.order_by("pk")),
        "rest_fen": max((given.claim.claim.decided_fen or 0) - (given.adjudicated_fen or 0), 0)
        if given.claim is not None and given.adjudicated_fen is not None else 0,
    }  # fmt: skip


def checklist(case: CaseFile, actor: Any) -> Context:
    """The same shape as on a claim, so that the same block draws it; the list that the state waits for."""
    found = look_on(case)
    papers = found.papers
    rows = checklist_rows(requirements(found, list_of(case.state)), papers, case.handbook.handbook)
    return {
        "rows": rows,
        "others": unasked(rows, papers),
        "lacking": [row.requirement for row in rows if not row.requirement.satisfied],
        "satisfied": sum(row.requirement.satisfied for row in rows),
    }


def sent(case: CaseFile, actor: Any) -> Context:
    """Letters, messages and calls."""
    return {
        "letters": letters_on(case),
        "sendings": list(Message.objects.filter(case=case.pk).order_by("-pk")[:20]),
        "calls": list(CallTask.objects.filter(case=case.pk).order_by("-pk")[:20]),
    }


def add_panels(kind: Kind) -> None:
    if kind.panels:
        return
    for name, title, template, fill, side in (
        (
            "application",
            _("Application and entitlement"),
            "advances/panels/application.html",
            application,
            "main",
        ),
        ("money", _("Review and money"), "advances/panels/money.html", money, "main"),
        ("checklist", _("Papers"), "documents/panels/checklist.html", checklist, "aside"),
        ("sent", _("Letters, messages and calls"), "advances/panels/sent.html", sent, "aside"),
    ):
        kind.panels.append(Panel(name, title, template, fill, side))
    add_bedside(Bedside("advances/parts/in_hospital.html", in_hospital))
