"""What is not in dispute of a claim, and the claims that reach day 60 without a decision (LAW-05). Reads only.

The undisputed part is what the rules give in the worst case for the member: every open finding answered
with no, every line in dispute left out. It is never more than the claim gives in the end on these facts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import OuterRef, Prefetch, QuerySet, Subquery
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.adjudication.decision import Decision
from apps.adjudication.engine import adjudicate
from apps.adjudication.facts import ZERO, BillFacts, Facts, Override, VisitFacts
from apps.adjudication.handbook import Level
from apps.cases.models import CaseFile, Clock
from apps.claims.assess import Assessment
from apps.claims.facts import facts_of
from apps.claims.models import Inquiry
from apps.claims.rows import add_duplicates, load
from apps.core.money import to_fen
from apps.ledger.accounts import with_balances
from apps.ledger.queries import limits_of_many

CLOCK = "law.undisputed"
ANSWERABLE = (Level.REFER, Level.SOFT_BLOCK)


@dataclass(frozen=True)
class Undisputed:
    """`facts` are those of the part alone, so that its decision can be replayed."""

    facts: Facts
    decision: Decision
    disputed: tuple[str, ...]  # lines left out
    refused: tuple[str, ...]  # findings taken as answered with no

    @property
    def fen(self) -> int:
        return to_fen(self.decision.insurer)


def undisputed(found: Assessment, disputed: Collection[str]) -> Undisputed | None:
    """The part of a claim that is certain; None when nothing of it is. `disputed` are refs of lines; a
    dispute about no particular line is about the whole claim."""
    open_ones = [finding for finding in found.open_findings if finding.level in ANSWERABLE]
    facts = _without(found.facts, disputed)
    if facts is None:
        return None
    answers = tuple(Override(finding.ref, False, "LAW-05", "") for finding in open_ones)
    facts = replace(facts, overrides=(*facts.overrides, *answers))
    decision = adjudicate(facts)
    if decision.outcome not in ("APPROVE", "PARTIAL") or not decision.insurer:
        return None
    return Undisputed(facts, decision, tuple(sorted(disputed)), tuple(finding.ref for finding in open_ones))


def in_dispute(inquiries: Iterable[Inquiry], lines: Collection[str]) -> frozenset[str]:
    """The lines that open inquiries are about: those they name, else all of them."""
    refs: set[str] = set()
    for inquiry in inquiries:
        if inquiry.state == Inquiry.State.OPEN:
            refs.update(inquiry.places or lines)
    return frozenset(refs)


def _without(facts: Facts, disputed: Collection[str]) -> Facts | None:
    visits = tuple(visit for visit in (_visit(one, disputed) for one in facts.visits) if visit is not None)
    return replace(facts, visits=visits) if visits else None


def _visit(visit: VisitFacts, disputed: Collection[str]) -> VisitFacts | None:
    bills = tuple(bill for bill in (_bill(one, disputed) for one in visit.bills) if bill is not None)
    return replace(visit, bills=bills) if bills else None


def _bill(bill: BillFacts, disputed: Collection[str]) -> BillFacts | None:
    """Without its lines in dispute. What others paid on the whole bill stays and falls on the rest."""
    lines = tuple(line for line in bill.lines if line.ref not in disputed)
    if len(lines) == len(bill.lines):
        return bill
    amount = sum((line.amount for line in lines), ZERO)
    if not lines or amount <= ZERO:
        return None
    return replace(bill, lines=lines, amount=amount, third_party=min(bill.third_party, amount))


# --- Day 60 ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sixty:
    """A claim that reaches day 60: the day, and how much of it is certain."""

    case: CaseFile
    received_on: date
    day: date
    days: int  # since the claim and papers were first received
    late: bool
    part: Undisputed | None


def nearing_sixty(actor: Actor, now: datetime, *, within: int = 15) -> QuerySet[CaseFile]:
    """Open claims whose day 60 is over or comes within so many days, the longest waiting first."""
    clocks = Clock.objects.filter(case=OuterRef("pk"), key=CLOCK, state=Clock.State.RUNNING)
    due = Subquery(clocks.values("due_at")[:1])
    cases = visible_to(CaseFile.objects.filter(kind="claim", open=True), actor).annotate(sixty_at=due)
    cases = cases.filter(sixty_at__lte=now + timedelta(days=within))
    running = Prefetch(
        "clocks", queryset=Clock.objects.filter(key=CLOCK, state=Clock.State.RUNNING), to_attr="sixty"
    )
    inquiries = Prefetch(
        "claim__inquiries",
        queryset=Inquiry.objects.filter(state=Inquiry.State.OPEN),
        to_attr="open_inquiries",
    )
    related = ("member", "policy__plan", "handbook", "claim__payee", "assignee")
    return cases.select_related(*related).prefetch_related(running, inquiries).order_by("sixty_at", "pk")


def sixties(cases: Sequence[Any], now: datetime) -> list[Sixty]:
    """Rows of the worklist for cases of `nearing_sixty`; eight queries, however many they are."""
    rows = load(cases, day_totals=False)
    add_duplicates(rows.values())
    accounts = limits_of_many({case.policy_id for case in cases})
    found = []
    for case in cases:
        facts = with_balances(facts_of(rows[case.pk], now), accounts.get(case.policy_id, ()))
        found.append(_sixty(case, Assessment(rows[case.pk], facts), now))
    return found


def _sixty(case: Any, found: Assessment, now: datetime) -> Sixty:
    clock = case.sixty[0]
    began = timezone.localtime(clock.started_at).date()
    return Sixty(
        case=case,
        received_on=began,
        day=clock.day,
        days=(timezone.localtime(now).date() - began).days,
        late=clock.due_at <= now,
        part=part_of(case, found, case.claim.open_inquiries),
    )


def part_of(case: CaseFile, found: Assessment, inquiries: Iterable[Inquiry]) -> Undisputed | None:
    """What is certain of a claim in review; None in every other state, and where a part was paid already."""
    if case.state not in ("UNDER_REVIEW", "DISPUTED") or case.claim.decided_fen is not None:
        return None
    return undisputed(found, in_dispute(inquiries, found.rows.lines()))
