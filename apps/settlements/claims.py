"""Which direct claims a hospital can be paid for now, with what each line of a statement says of them.

A constant number of queries, however many claims there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.cases.models import CaseFile, ExternalNumber
from apps.claims.models import Bill, Decision, DecisionLine, Visit
from apps.direct.queries import PAID_STATES, hospital_owes_fen, overpaid, unsettled
from apps.hospitals.models import Hospital
from apps.products.calendars import working_calendar
from apps.settlements.models import PaymentTerms, StatementLine
from apps.settlements.terms import due_on, in_force

KIND = "direct"
DECIDED = "ADJUDICATED"
REVIEWED = "UNDER_REVIEW"  # complete, and not decided yet: what terms "on receipt" pay
VOID_BILLS = ("VOID", "RED_LETTER")


@dataclass(frozen=True, slots=True)
class Ready:
    """A claim that can be paid, or that has no terms to be paid by (`terms` None).

    `amount_fen` below 0: the hospital was paid too much and owes that back.
    """

    case: CaseFile
    terms: PaymentTerms | None
    version: int  # of the decision; 0 before the review
    received_on: date
    due_on: date | None
    billed_fen: int
    third_party_fen: int
    not_covered_fen: int
    member_fen: int
    insurer_fen: int
    before_fen: int
    visits: tuple[Visit, ...]
    bills: tuple[str, ...]
    hospital_number: str

    @property
    def amount_fen(self) -> int:
        return self.insurer_fen - self.before_fen


def unpaid(actor: Actor, hospital: Hospital | None = None) -> QuerySet[CaseFile]:
    """Claims that are decided, or that terms "on receipt" pay before, and stand in no statement that waits; and
    those of which the hospital owes something back."""
    waiting = StatementLine.objects.filter(case=OuterRef("pk"), living=True, settled=False)
    today = timezone.localdate()
    ahead = PaymentTerms.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=today), hospital=OuterRef("hospital"), series=OuterRef("series"),
        kind=PaymentTerms.Kind.ON_RECEIPT, state=PaymentTerms.State.IN_FORCE, starts_on__lte=today,
    )  # fmt: skip
    early = CaseFile.objects.filter(kind=KIND, open=True, state=REVIEWED, direct__paid_fen=0).filter(
        Exists(ahead)
    )
    rows = CaseFile.objects.filter(
        Q(pk__in=unsettled().values("pk")) | Q(pk__in=early.values("pk")) | Q(pk__in=overpaid().values("pk"))
    )
    if hospital is not None:
        rows = rows.filter(hospital=hospital)
    return visible_to(
        rows.filter(~Exists(waiting)).select_related("claim", "direct", "member", "hospital"), actor
    )


def ready(cases: Iterable[CaseFile]) -> list[Ready]:
    """What a statement would say of claims, in the order in which they came in. Six queries."""
    own = list(cases)
    ids = [case.pk for case in own]
    visits: dict[int, list[Visit]] = defaultdict(list)
    found = Visit.objects.filter(claim__in=ids).select_related("campus").order_by("started_on", "pk")
    for visit in found:
        visits[visit.claim_id].append(visit)
    bills, billed = _bills(ids)
    decided = decisions_of(ids)
    numbers = dict(ExternalNumber.objects.filter(case__in=ids).order_by("-pk").values_list("case", "number"))
    terms: dict[int, list[PaymentTerms]] = defaultdict(list)
    for row in PaymentTerms.objects.filter(
        hospital__in={case.hospital_id for case in own}, state=PaymentTerms.State.IN_FORCE
    ):
        terms[row.hospital_id].append(row)
    calendar, today = working_calendar(), timezone.localdate()
    rows = []
    for case in own:
        received_on = _day(case.claim.first_received_at or case.claim.reported_at or case.opened_at)
        there = terms[case.hospital_id or 0]
        fitting = in_force(there, case.series, received_on) or in_force(there, case.series, today)
        paid = case.direct.paid_fen
        total, third = billed.get(case.pk, (0, 0))
        sums = decided.get(case.pk)
        if case.state in (DECIDED, *PAID_STATES) and sums is not None:
            version, third, disallowed, member, insurer = sums
            if case.state != DECIDED:  # without what the family is to refund of it
                paid = insurer + hospital_owes_fen(case)
        else:
            version, disallowed, member, insurer = 0, 0, 0, case.claim.claimed_fen
        rows.append(
            Ready(
                case, fitting, version, received_on, due_on(fitting, received_on, calendar) if fitting else None, total,
                third, disallowed, member, insurer, paid, tuple(visits[case.pk]), tuple(bills[case.pk]),
                numbers.get(case.pk) or _record(visits[case.pk]),
            )
        )  # fmt: skip
    return sorted(rows, key=lambda row: (row.received_on, row.case.pk))


def _day(moment: datetime) -> date:
    return timezone.localtime(moment).date()


def _record(visits: Sequence[Visit]) -> str:
    return next(
        (v.admission_number or v.record_number for v in visits if v.admission_number or v.record_number), ""
    )


def _bills(ids: Sequence[int]) -> tuple[dict[int, list[str]], dict[int, tuple[int, int]]]:
    """Numbers of the bills of claims, and what they come to and others paid (fen)."""
    numbers: dict[int, list[str]] = defaultdict(list)
    sums: dict[int, tuple[int, int]] = defaultdict(lambda: (0, 0))
    rows = Bill.objects.filter(visit__claim__in=list(ids)).exclude(state__in=VOID_BILLS)
    for bill in rows.select_related("visit").order_by("visit__position", "position"):
        claim = bill.visit.claim_id
        numbers[claim].append(bill.number)
        billed, third = sums[claim]
        sums[claim] = billed + bill.amount_fen, third + bill.third_party_fen
    return numbers, sums


def decisions_of(ids: Sequence[int]) -> dict[int, tuple[int, int, int, int, int]]:
    """Of the decision in force: version, third party, not covered, the member's share, what we pay (fen)."""
    latest = Decision.objects.filter(claim=OuterRef("claim")).order_by("-version").values("pk")[:1]
    decisions = Decision.objects.filter(claim__in=list(ids), pk=Subquery(latest))
    lines = (
        DecisionLine.objects.filter(decision__in=decisions.values("pk")).order_by().values("decision__claim")
    )
    sums = lines.annotate(
        third=Sum("third_party_fen"), disallowed=Sum("disallowed_fen"), deductible=Sum("deductible_fen"),
        member=Sum("member_fen"),
    )  # fmt: skip
    parts: dict[int, Any] = {row["decision__claim"]: row for row in sums}
    found = {}
    for claim, version, insurer in decisions.values_list("claim", "version", "insurer_fen"):
        row = parts.get(claim) or {"third": 0, "disallowed": 0, "deductible": 0, "member": 0}
        found[claim] = (version, row["third"], row["disallowed"], row["deductible"] + row["member"], insurer)
    return found
