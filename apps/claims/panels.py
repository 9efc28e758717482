"""What the blocks of the case page show about a claim. Templates stand in templates/claims/panels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal as Yuan
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import SYSTEM, Actor
from apps.adjudication.decision import Finding, LineDecision
from apps.adjudication.handbook import Basis, Handbook, Level
from apps.cases.counted import counts
from apps.cases.kinds import Kind, Panel
from apps.cases.models import CaseFile
from apps.claims.assess import Assessment, assessment_of
from apps.claims.assignment import advances_of
from apps.claims.limits import limit_title, shown
from apps.claims.models import BillLine, Inquiry
from apps.claims.originals import (
    mailing,
    missing_originals,
    only_unseen,
    originals_of,
    parcels_of,
    place_words,
    same_parcel,
    waiting,
    wanted_originals,
)
from apps.claims.queries import WAITING, latest_decision, member_history, similar
from apps.claims.rescission import rescission_window
from apps.claims.rows import BillRows, VisitRows
from apps.documents.queries import checklist_rows, letters_on, papers_of, unasked
from apps.ledger.accounts import period_of

Context = Mapping[str, Any]
ICONS = {
    Level.BLOCK: "!", Level.DENY: "!", Level.REDUCE: "!", Level.REFER: "?", Level.SOFT_BLOCK: "?", Level.PEND: "?",
    Level.WARN: "i", Level.RECORD: "✓",
}  # fmt: skip
SHARED = frozenset({"checklist", "letters"})  # blocks that every kind with papers shows


def say(zh: str, en: str) -> str:
    return en if (get_language() or "").startswith("en") else zh


# --- Findings ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FindingRow:
    """A finding as it opens: words, clause, figures, what would change it, who may decide otherwise."""

    finding: Finding
    icon: str
    message: str
    clause: str
    title: str
    source: str
    basis: str
    remedy: str
    where: str
    open: bool
    answerable: bool


def findings(case: CaseFile, actor: Any) -> Context:
    found = assessment_of(case)
    rows = [_finding_row(finding, found) for finding in found.findings]
    order = {
        Level.BLOCK: 0,
        Level.REFER: 1,
        Level.SOFT_BLOCK: 1,
        Level.PEND: 1,
        Level.DENY: 2,
        Level.REDUCE: 3,
        Level.WARN: 4,
    }
    rows.sort(key=lambda row: (not row.open, order.get(row.finding.level, 5)))
    return {
        "findings": rows,
        "open": sum(row.open for row in rows),
        "passed": _passed(found),
        "route": {
            "name": found.routing.route,
            "rule": found.routing.rule,
            "why": say(found.routing.why_zh, found.routing.why_en),
        },
        "decision": found.decision,
        "history": case.claim.decisions.select_related("proposed_by", "signed_by").order_by("-version"),
    }


def _finding_row(finding: Finding, found: Assessment) -> FindingRow:
    handbook: Handbook = found.facts.handbook
    rule = handbook.rules.get(finding.rule)
    stops = finding in found.open_findings
    return FindingRow(
        finding=finding,
        icon="✓" if finding.overridden else ICONS.get(finding.level, "i"),
        message=say(finding.message_zh, finding.message_en),
        clause=say(rule.says.zh, rule.says.en) if rule else "",
        title=say(rule.title.zh, rule.title.en) if rule else "",
        source=finding.source,
        basis=str(rule.basis if rule else Basis.CONFIG),
        remedy=say(finding.remedy_zh, finding.remedy_en),
        where=_where(finding.place, found),
        open=stops,
        answerable=finding.discretion,
    )


def _where(place: str, found: Assessment) -> str:
    kind, _colon, ref = place.partition(":")
    if kind == "line":
        line = found.rows.lines().get(ref)
        return f"{ref} {line.name}" if line else ref
    return ref


def _passed(found: Assessment) -> list[Any]:
    """The checks an adjuster wants to see ticked at a glance."""
    codes = {finding.code for finding in found.findings if not finding.overridden}
    checks = [
        (_("in cover"), {"NOT_IN_FORCE"}),
        (_("waiting period over"), {"WAITING_PERIOD"}),
        (_("public institution"), {"PRIVATE_NO_REIMB", "EMERGENCY_HOLD"}),
        (_("bills not claimed before"), {"BILL_SEEN", "DUPLICATE_BILL"}),
    ]
    ticks = [label for label, bad in checks if not codes & bad]
    if not found.lacking:
        ticks.append(_("papers complete"))
    return ticks


# --- Lines ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LineRow:
    line: BillLine
    decided: LineDecision
    reasons: tuple[Finding, ...]


@dataclass(frozen=True)
class VisitBlock:
    visit: VisitRows
    bills: list[tuple[BillRows, list[LineRow]]]


def lines(case: CaseFile, actor: Any) -> Context:
    """Every line with its arithmetic: billed = third party + not payable + deductible + own + insurer."""
    found = assessment_of(case)
    named, by_ref = found.rows.lines(), {finding.ref: finding for finding in found.findings}
    decided = {line.ref: line for line in found.decision.lines}
    blocks = []
    for visit in found.rows.visits:
        bills = [
            (
                bill,
                [
                    LineRow(
                        named[ref], decided[ref],
                        tuple(by_ref[reason] for reason in decided[ref].reasons if reason in by_ref),
                    )
                    for ref in (bill.line_ref(line) for line in bill.lines)
                    if ref in decided
                ],
            )
            for bill in visit.bills
        ]  # fmt: skip
        blocks.append(VisitBlock(visit, bills))
    return {"visits": blocks, "total": found.decision, "final": latest_decision(case.pk)}


# --- Limits -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LimitRow:
    title: Any
    limit: str
    used: str
    reserved: str
    here: str
    left: str
    exhausted: bool


def limits(case: CaseFile, actor: Any) -> Context:
    """Before and after this claim; accounts that nothing moved stand below."""
    found = assessment_of(case)
    moved = {movement.key: movement.amount for movement in found.decision.movements}
    limit_of = {movement.key: movement.limit for movement in found.decision.movements}
    period = period_of(found.facts)
    balances = {balance.key: balance for balance in found.facts.balances}
    rows = []
    for key in sorted({*balances, *moved}, key=lambda key: (key not in moved, "annual" not in key, key)):
        balance = balances.get(key)
        limit = balance.limit if balance else limit_of[key]
        used, reserved = (balance.used, balance.reserved) if balance else (Yuan(0), Yuan(0))
        here = moved.get(key, Yuan(0))
        left = limit - used - reserved - here
        rows.append(
            LimitRow(
                limit_title(key), shown(key, limit), shown(key, used), shown(key, reserved), shown(key, here),
                shown(key, left), left <= 0,
            )
        )  # fmt: skip
    return {"limits": rows, "period": period, "decided": case.claim.decided_fen is not None}


# --- Papers, bills, letters ---------------------------------------------------------------------------


def checklist(case: CaseFile, actor: Any) -> Context:
    found = assessment_of(case)
    papers = papers_of(case)
    rows = checklist_rows(found.requirements, papers, found.facts.handbook)
    return {
        "rows": rows,
        "others": unasked(rows, papers),
        "lacking": found.lacking,
        "satisfied": sum(row.requirement.status == "SATISFIED" for row in rows),
        "notices": case.claim.notices,
        "notice_at": case.claim.notice_at,
        "notice_reached_at": case.claim.notice_reached_at,
    }


def visits(case: CaseFile, actor: Any) -> Context:
    found = assessment_of(case)
    own = [row.visit for row in found.rows.visits]
    bills = [row.bill for row in found.rows.bills()]
    return {
        "visits": found.rows.visits,
        "claim": case.claim,
        "routes": found.routing.visits,
        "similar": similar(case, own, bills),
        "payee": case.claim.payee,
        "advances": advances_of(case),
    }


def history(case: CaseFile, actor: Any) -> Context:
    """Five years of claims, and how long a rescission is still possible (LAW-12, PR-24)."""
    handbook = case.handbook.handbook
    today = timezone.localdate()
    years = int(handbook.value("history.years", 5))
    viewer = actor if isinstance(actor, Actor) else SYSTEM
    past = [
        row
        for row in member_history(viewer, case.member_id, until=today, years=years)
        if row.case.pk != case.pk
    ]
    return {
        "past": past,
        "years": years,
        "claimed": sum(row.claimed_fen for row in past),
        "paid": sum(row.decided_fen or 0 for row in past),
        "rescission": rescission_window(case, handbook, today),
        "concluded_on": case.policy.concluded_on,
        "continuous_since": case.policy.continuous_since,
    }


def letters(case: CaseFile, actor: Any) -> Context:
    return {"letters": letters_on(case)}


# --- Originals, inquiries, the arithmetic of the clocks ------------------------------------------------


def originals(case: CaseFile, actor: Any) -> Context:
    """How to send them, what came with which parcel, what is still missing, and how long we wait."""
    claim = case.claim
    parcels, rows = parcels_of(case.pk), originals_of(case.pk)
    if claim.route != "MAIL" and not parcels:
        return {"mailed": False, "hidden": True}
    found = assessment_of(case)
    missing = missing_originals(found)
    titles = {document.key: document.title for document in found.facts.handbook.documents}
    return {
        "mailed": True,
        "how": mailing(found),
        "parcels": [
            (
                parcel,
                [
                    (row, titles.get(row.kind), place_words(row.place, found))
                    for row in rows
                    if row.parcel_id == parcel.pk
                ],
            )
            for parcel in parcels
        ],
        "wanted": wanted_originals(found),
        "missing": missing,
        "unusable": {
            entry.ref for entry in missing if entry.status == "UNUSABLE" and not only_unseen(found, entry.key)
        },
        "places": {entry.ref: place_words(entry.place, found) for entry in missing},
        "shelved": sum(row.returned_at is None for row in rows),
        "waiting": waiting(case) if case.state in WAITING else None,
        "together": same_parcel(case, [parcel.tracking_number for parcel in parcels]),
        "expected": case.state == "AWAITING_ORIGINALS",
    }


def inquiries(case: CaseFile, actor: Any) -> Context:
    """Disputes, investigations and medical opinions, newest first."""
    rows = Inquiry.objects.filter(claim=case.pk).select_related("assignee").order_by("-pk")
    found = list(rows)
    return {"inquiries": found, "hidden": not found}


def statutory(case: CaseFile, actor: Any) -> Context:
    """How each clock was counted: day 0, counted days, pauses with their proof, due (LAW-02)."""
    return {"counts": counts(case)}


# --- Registration -------------------------------------------------------------------------------------


def add_panels(kind: Kind) -> None:
    """Main column in the order of an adjuster's eye; papers, limits and letters beside it."""
    if kind.panels:
        return
    for name, title, fill, side in (
        ("inquiries", _("Investigation and medical review"), inquiries, "main"),
        ("findings", _("Findings"), findings, "main"),
        ("lines", _("Lines"), lines, "main"),
        ("limits", _("Limits"), limits, "main"),
        ("visits", _("Visits and bills"), visits, "main"),
        ("history", _("History of five years"), history, "main"),
        ("checklist", _("Papers"), checklist, "aside"),
        ("originals", _("Originals"), originals, "aside"),
        ("letters", _("Letters"), letters, "aside"),
        ("statutory", _("How the time limits were counted"), statutory, "aside"),
    ):
        app = "documents" if name in SHARED else "claims"
        kind.panels.append(Panel(name, title, f"{app}/panels/{name}.html", fill, side))
