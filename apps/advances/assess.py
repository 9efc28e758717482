"""What the rules say about an advance: who treats the child, is it covered, and how much of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from apps.adjudication.checklist import Requirement, checklist, lacking
from apps.adjudication.clocks import due_at, in_time
from apps.adjudication.facts import LineFacts
from apps.adjudication.handbook import Title
from apps.adjudication.trace import observe
from apps.advances.models import Advance, AdvanceLine
from apps.authorizations.assess import Trial, clock
from apps.authorizations.facts import Plan, facts_of
from apps.cases.models import CaseFile
from apps.core.money import to_yuan
from apps.documents.models import Paper
from apps.documents.queries import paper_facts, papers_of
from apps.hospitals.queries import Asked, entries_at, listed_at
from apps.ledger.queries import limits_of
from apps.ledger.reservations import held_by
from apps.products.queries import network_group, working_calendar

SERVICE = "advance"
PAPERS, SIGNATURE, DISCHARGE = "ADVANCE", "ADVANCE_SIGNATURE", "DISCHARGE"
REIMBURSEMENT = "REIMBURSEMENT"  # what the family claims afterwards (ADV-15, APP-02)


@dataclass(frozen=True)
class Look(Trial):
    """One look at a stay as it would be claimed; `consent` is what the family said on the phone (ADV-13)."""

    consent: bool = False


def plan_of(case: CaseFile, lines: Iterable[AdvanceLine]) -> Plan:
    given: Advance = case.advance  # type: ignore[attr-defined]
    assert case.hospital is not None
    policy = case.policy
    policy.member = case.member  # the same child, read with the case
    return Plan(
        ref=case.number, policy=policy, handbook=case.handbook, hospital=case.hospital, campus=given.campus,
        department_group=given.department_group, department=given.department, visit_type=given.visit_type,
        benefit=given.visit_type, planned_on=given.admitted_on, days=given.planned_days,
        lines=tuple(
            LineFacts(ref=str(line.position), name=line.name, kind=line.kind, amount=to_yuan(line.amount_fen))
            for line in lines
        ),
        diagnosis=given.diagnosis, cause=given.cause, surgery=any(line.kind == "SURGERY" for line in lines),
        channel=given.channel, category=REIMBURSEMENT, third_party=Decimal(to_yuan(given.expected_fen)),
    )  # fmt: skip


def look(case: CaseFile, now: datetime, touched: Sequence[Paper] = ()) -> Look:
    """The stay as it would be claimed, on the limits of now; what this very case holds is free for it.

    `touched` are papers as an action that is under way leaves them. Six queries.
    """
    lines = list(case.advance.lines.order_by("position"))  # type: ignore[attr-defined]
    known = {paper.pk: paper for paper in papers_of(case)} | {
        paper.pk: paper for paper in touched if paper.pk
    }
    papers = [*known.values(), *(paper for paper in touched if paper.pk is None)]
    plan = plan_of(case, lines)
    entries = entries_at(plan.campus or plan.hospital, plan.policy.series)
    held = held_by(case.number)
    accounts = [copy(account) for account in limits_of(plan.policy.pk)]
    for account in accounts:
        account.reserved -= held.get(account.pk, 0)
    group = network_group(plan.policy.plan, plan.handbook.handbook)
    asked = Asked((plan.benefit,), plan.department_group, group, plan.planned_on)
    networks = listed_at(plan.hospital, entries, asked)
    facts = facts_of(plan, now, papers=paper_facts(papers), accounts=accounts, networks=networks)
    consent = case.advance.consent  # type: ignore[attr-defined]
    return Look(plan, facts, now, entries, accounts, (), papers, consent)


def look_in(ctx: Any) -> Look:
    """The look at the case of an action; made once an action."""
    return _kept(ctx.loaded, ctx.case, ctx.now)


def look_on(case: CaseFile) -> Look:
    """What a page shows; made once a page, guards and panels share it."""
    return _kept(case.looked, case, timezone.now())


def _kept(kept: dict[str, Any], case: CaseFile, now: datetime) -> Look:
    if "look" not in kept:
        kept["look"] = look(case, now, kept.get("papers", ()))
    found: Look = kept["look"]
    return found


# --- Money ----------------------------------------------------------------------------------------


def stay_of(given: Advance) -> list[Advance]:
    """All advances of one stay, this one included, the first one first (PR-18)."""
    first = given.stay_id or given.pk
    rows = Advance.objects.filter(stay=first) | Advance.objects.filter(pk=first)
    return list(rows.select_related("case").order_by("pk"))


def others_fen(given: Advance) -> int:
    """What other advances of the stay take of its cover already (ADV-03)."""
    gone = ("TERMINATED", "WITHDRAWN", "INELIGIBLE")
    rows = [row for row in stay_of(given) if row.pk != given.pk and row.case.state not in gone]
    return sum(row.advanced_fen or row.approved_fen or 0 for row in rows)


def most_fen(given: Advance, found: Look) -> int:
    """The most that may be advanced: what the plan pays of the estimate on the limits of now, less what other
    advances of the stay take (ADV-03). The handbook prints no share of it."""
    return max(found.suggested_fen - others_fen(given), 0)


# --- Papers ---------------------------------------------------------------------------------------


def requirements(found: Look, name: str = PAPERS) -> tuple[Requirement, ...]:
    """One of the three lists: for the review (ADV-06), the signature (ADV-08) or the discharge (ADV-10)."""
    visits = tuple(
        replace(visit, bills=()) for visit in found.facts.visits
    )  # no invoice is known before it came
    facts = replace(found.facts, visits=visits)
    return tuple(_as_told(entry, found) for entry in checklist(facts, "", name))


def _as_told(entry: Requirement, found: Look) -> Requirement:
    """The consent that the family gave on the phone stands in this system (ADV-13)."""
    if entry.key != "PAPER_CONSENT" or entry.satisfied or not found.consent:
        return entry
    words = Title("电话中已同意，已登记", "given on the phone, taken down")
    return replace(entry, status="SATISFIED", automatic=True, why=words, remedy=Title("", ""), fault="")


def missing(found: Look, name: str = PAPERS) -> tuple[Requirement, ...]:
    return lacking(requirements(found, name))


# --- Discharge ------------------------------------------------------------------------------------


def announced_late(case: CaseFile, discharged_on: date, at: datetime) -> bool:
    """ADV-09: at least so many days before the discharge; the same day is too late."""
    spec = clock(case.handbook.handbook, "advance.discharge_notice")
    if spec is None:
        return False
    due = due_at(spec, discharged_on, working_calendar())
    late = observe(spec.rules[0], not in_time(spec, at, due))
    observe(spec.id, late)
    return late
