"""What case pages show: the appeal, the decision under appeal, and on a claim or complaint its appeals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import SYSTEM, Actor
from apps.appeals.guards import appealable
from apps.appeals.models import Appeal
from apps.appeals.queries import appeals_on
from apps.appeals.roles import DESK
from apps.appeals.target import DECIDED_STATES, compared, decision_of, target_of
from apps.appeals.workflow import BEFORE_RESULT
from apps.cases.kinds import KINDS, Kind, Panel
from apps.cases.models import CaseFile
from apps.cases.queries import case_for
from apps.claims import panels as claims
from apps.documents.models import Letter
from apps.documents.queries import letters_on, papers_of
from apps.members.queries import spokesperson
from apps.messaging.models import CallTask, Message

Context = Mapping[str, Any]


def said(case: CaseFile, actor: Any) -> Context:
    """What the family says, what was asked for, the result and the answer."""
    row: Appeal = case.appeal  # type: ignore[attr-defined]
    return {
        "row": row,
        "standing": case.state in BEFORE_RESULT,
        "rules": [one.rule for one in row.rules.all()],
    }


def decision(case: CaseFile, actor: Any) -> Context:
    """The decision under appeal with its findings, line by line, beside the one that followed it."""
    row: Appeal = case.appeal  # type: ignore[attr-defined]
    before, after = decision_of(row, row.version), decision_of(row, row.new_version)
    refusal = Letter.objects.filter(case=row.origin_id, kind=Letter.Kind.REFUSAL).order_by("-version").first() if row.at_intake else None  # fmt: skip
    return {
        "row": row, "decision": before, "after": after, "lines": compared(row),
        "findings": before.result.get("findings", ()) if before else (),
        "new_findings": after.result.get("findings", ()) if after else (),
        "grounds": refusal.context.get("reasons", ()) if refusal else (),
    }  # fmt: skip


def of_the_claim(fill: Callable[[CaseFile, Any], Context]) -> Callable[[CaseFile, Any], Context]:
    """A block of the claim under appeal; its page shows the same."""

    def context(case: CaseFile, actor: Any) -> Context:
        if "claim_page" not in case.looked:
            row: Appeal = case.appeal  # type: ignore[attr-defined]
            case.looked["claim_page"] = case_for(SYSTEM, row.origin.number)
        return fill(case.looked["claim_page"], actor)

    return context


def papers(case: CaseFile, actor: Any) -> Context:
    """What the family added; while it may add more, also where that is done."""
    found = papers_of(case)
    return {
        "rows": (),
        "others": found,
        "lacking": (),
        "hidden": not found and case.state not in BEFORE_RESULT,
    }


def contacts(case: CaseFile, actor: Any) -> Context:
    return {
        "letters": letters_on(case),
        "sendings": list(Message.objects.filter(case=case.pk).order_by("-pk")[:20]),
        "calls": list(CallTask.objects.filter(case=case.pk).order_by("-pk")[:20]),
        "person": spokesperson(case.policy) if case.open else None,
    }


def _appeals(case: CaseFile) -> tuple[list[Appeal], Appeal | None]:
    """All of a claim, and the one that is not over; read once a page."""
    if "appeals" not in case.looked:
        case.looked["appeals"] = appeals_on(case.pk)
    found: list[Appeal] = case.looked["appeals"]
    return found, next((row for row in found if row.ended_at is None), None)


def open_on_claim(case: CaseFile, actor: Any) -> Context:
    """Above everything else: the decision under appeal stays, or is made again."""
    _found, running = _appeals(case)
    standing = running is not None and running.case.state in BEFORE_RESULT
    return {"running": running, "standing": standing, "hidden": running is None}


def on_claim(case: CaseFile, actor: Any) -> Context:
    """The appeals of a claim, and whether one can be recorded now."""
    found, running = _appeals(case)
    decided = case.state in DECIDED_STATES.get(case.kind, ())
    may = decided and running is None and isinstance(actor, Actor) and bool(actor.roles & DESK)
    possible = may and appealable(case, target_of(case)) is None
    return {
        "appeals": found,
        "possible": possible,
        "hidden": not found and not possible,
    }


def on_complaint(case: CaseFile, actor: Any) -> Context:
    """What became of the wish to appeal, or where it is taken up."""
    row = Appeal.objects.filter(complaint=case.pk).select_related("case").order_by("-case").first()
    wished = case.enquiry.appeal_wished  # type: ignore[attr-defined]
    may = wished and isinstance(actor, Actor) and bool(actor.roles & DESK)
    return {"appeal": row, "may": may, "hidden": row is None and not may}


def add_panels(kind: Kind) -> None:
    if kind.panels:
        return
    for name, title, template, fill, side in (
        ("said", _("What the family says"), "appeals/panels/said.html", said, "main"),
        ("decision", _("The decision under appeal"), "appeals/panels/decision.html", decision, "main"),
        ("limits", _("Limits"), "claims/panels/limits.html", of_the_claim(claims.limits), "main"),
        ("history", _("History of five years"), "claims/panels/history.html", of_the_claim(claims.history), "main"),
        ("checklist", _("Papers of the appeal"), "documents/panels/checklist.html", papers, "aside"),
        ("contacts", _("Letters and contacts"), "appeals/panels/contacts.html", contacts, "aside"),
        ("statutory", _("How the time limits were counted"), "claims/panels/statutory.html", claims.statutory, "aside"),
    ):  # fmt: skip
        kind.panels.append(Panel(name, title, template, fill, side))
    for code in ("claim", "direct"):
        KINDS[code].panels.insert(
            0, Panel("appeal", _("Appeal"), "appeals/panels/open_on_claim.html", open_on_claim)
        )
        KINDS[code].panels.append(Panel("appeals", _("Appeals"), "appeals/panels/on_claim.html", on_claim, "aside"))  # fmt: skip
    KINDS["enquiry"].panels.append(
        Panel("appeal", _("Appeal"), "appeals/panels/on_complaint.html", on_complaint, "aside")
    )
