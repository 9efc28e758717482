"""What the rules say about a claim now: intake, route, papers, decision. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import Q
from django.utils import timezone

from apps.adjudication.checklist import Requirement, checklist, lacking
from apps.adjudication.decision import Decision, Finding
from apps.adjudication.engine import adjudicate
from apps.adjudication.facts import ZERO, Balance, Facts
from apps.adjudication.handbook import Level
from apps.adjudication.intake import assess_intake, intake_outcome
from apps.adjudication.routing import Routing, route
from apps.cases.models import CaseFile
from apps.claims.facts import facts_of
from apps.claims.rows import ClaimRows, add_duplicates, load
from apps.claims.variants import variant_of
from apps.ledger.accounts import with_balances
from apps.ledger.models import LimitAccount, LimitEntry
from apps.ledger.queries import limits_of_many
from apps.members.queries import starts
from apps.products.queries import working_calendar

STOPPING = (Level.REFER, Level.SOFT_BLOCK, Level.PEND)


@dataclass
class Assessment:
    """One look at a claim; each part is computed when first asked for, without queries."""

    rows: ClaimRows
    facts: Facts

    @property
    def route_name(self) -> str:
        return self.rows.claim.route

    @cached_property
    def intake(self) -> tuple[Finding, ...]:
        return assess_intake(self.facts, working_calendar())

    @property
    def intake_outcome(self) -> str:
        return intake_outcome(self.intake)

    @cached_property
    def routing(self) -> Routing:
        return route(self.facts)

    @cached_property
    def requirements(self) -> tuple[Requirement, ...]:
        """The check list by the route taken, or to be taken. A person may have waived an entry
        that leaves room for it (PR-02)."""
        listed = checklist(self.facts, self.route_name or self.routing.route)
        return tuple(self._waived(entry) for entry in listed)

    def _waived(self, entry: Requirement) -> Requirement:
        answers = {override.finding: override for override in self.facts.overrides}
        answer = answers.get(entry.ref)
        if answer is None or not answer.accept or not entry.discretion:
            return entry
        return replace(entry, status="SATISFIED", automatic=True)

    @property
    def lacking(self) -> tuple[Requirement, ...]:
        return lacking(self.requirements)

    @cached_property
    def decision(self) -> Decision:
        return decide(self.facts, self.intake)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything found, each once: intake, routing, decision."""
        found: dict[str, Finding] = {}
        for finding in (*self.intake, *self.routing.findings, *self.decision.findings):
            found.setdefault(finding.ref, finding)
        return tuple(found.values())

    @property
    def open_findings(self) -> tuple[Finding, ...]:
        """Those that stop a decision until a person answers or something arrives."""
        return tuple(
            finding for finding in self.findings if finding.level in STOPPING and not finding.overridden
        )


def decide(facts: Facts, intake: Iterable[Finding]) -> Decision:
    """What the rules make of a claim. Facts that forbid taking it in (a correction may have brought
    them up) or that block the decision make it a refusal of the whole."""
    decision = adjudicate(facts)
    grounds = tuple(f for f in intake if f.level is Level.BLOCK and not f.overridden)
    return refused(decision, grounds) if grounds or decision.outcome == "BLOCKED" else decision


def refused(decision: Decision, grounds: Iterable[Finding] = ()) -> Decision:
    """The same claim with nothing payable: every line disallowed, no limit moved."""
    refs = tuple(finding.ref for finding in grounds)
    lines = tuple(
        replace(
            line, disallowed=line.billed - line.third_party, deductible=ZERO, member=ZERO, insurer=ZERO,
            reasons=tuple(dict.fromkeys((*refs, *line.reasons))),
        )
        for line in decision.lines
    )  # fmt: skip
    known = {finding.ref for finding in decision.findings}
    ahead = tuple(finding for finding in grounds if finding.ref not in known)
    return replace(
        decision, outcome="DENY", findings=(*ahead, *decision.findings), lines=lines, movements=(),
        disallowed=decision.billed - decision.third_party, deductible=ZERO, member=ZERO, insurer=ZERO,
    )  # fmt: skip


def assess(case: CaseFile, now: datetime) -> Assessment:
    """The claim as it stands, with what is left of its limits; seven queries, one more when it was
    decided before: its own former use is free again for a new decision."""
    return adjudicate_many([case], now)[case.pk]


def adjudicate_many(cases: Sequence[CaseFile], now: datetime) -> dict[int, Assessment]:
    """Assessments of many claims by case id, each on the limits as they stand now; nothing is saved
    or locked. A constant number of queries; `cases` come with the relations `rows.load` needs."""
    rows = load(cases)
    add_duplicates(rows.values())
    accounts = limits_of_many({case.policy_id for case in cases})
    decided = [case.number for case in cases if case.claim.decided_fen is not None]
    former = own_entries(decided) if decided else []
    found = {}
    for case in cases:
        own = [copy(account) for account in accounts.get(case.policy_id, ())]
        give_back(own, [entry for entry in former if entry.reference.startswith(f"{case.number}/")])
        variant = variant_of(case)
        set_free(own, variant.held(rows[case.pk]))
        found[case.pk] = variant.assessment(rows[case.pk], with_balances(facts_of(rows[case.pk], now), own))
    return found


def own_entries(numbers: Iterable[str]) -> list[LimitEntry]:
    """What the latest decisions of these cases booked and nobody reversed yet; one query."""
    condition = Q()
    for number in numbers:
        condition |= starts("reference", f"{number}/")
    unreversed = LimitEntry.objects.filter(condition, kind=LimitEntry.Kind.USE, reversed_by__isnull=True)
    # Sorted here: asked for an order, SQLite reads the whole table in it.
    return sorted(unreversed.select_related("account"), key=lambda entry: entry.pk)


def give_back(accounts: Iterable[LimitAccount], entries: Iterable[LimitEntry]) -> None:
    """Reckon the entries out of the accounts in memory; nothing is saved."""
    by_id = {account.pk: account for account in accounts}
    for entry in entries:
        if entry.account_id in by_id:
            by_id[entry.account_id].used -= entry.used


def set_free(accounts: Iterable[LimitAccount], held: Mapping[int, int]) -> None:
    """What is reserved for the claim itself counts as free for it; nothing is saved."""
    for account in accounts:
        account.reserved -= held.get(account.pk, 0)


def reassess(rows: ClaimRows, now: datetime, balances: Iterable[Balance]) -> Assessment:
    """The same rows looked at again, after one of them changed; no query."""
    return variant_of(rows.case).assessment(rows, facts_of(rows, now, balances))


def assessment_in(ctx: Any) -> Assessment:
    """The assessment of the case of an action; made once an action."""
    return _kept(ctx.loaded, ctx.case, ctx.now)


def assessment_of(case: CaseFile) -> Assessment:
    """The assessment a page shows; made once a page, guards and panels share it."""
    return _kept(case.looked, case, timezone.now())


def _kept(kept: dict[str, Any], case: CaseFile, now: datetime) -> Assessment:
    if "assessment" not in kept:
        kept["assessment"] = assess(case, now)
        kept["facts"] = kept["assessment"].facts
    found: Assessment = kept["assessment"]
    return found
