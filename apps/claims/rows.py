"""The rows of claims, loaded with a constant number of queries, or built and not saved yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef

from apps.cards.models import Card
from apps.cards.queries import policies_with_card
from apps.cases.models import CaseFile
from apps.claims.models import Bill, BillLine, Category, Claim, Override, Visit
from apps.claims.variants import VARIANTS
from apps.core.money import to_yuan
from apps.documents.models import BillRegister, Paper
from apps.hospitals.models import NetworkEntry

Place = tuple[int, str, date]  # hospital, department ("" = a stay), day: what one visit is (PR-13)


@dataclass
class BillRows:
    bill: Bill
    ref: str  # "1.2": position of the visit, position of the bill
    lines: list[BillLine] = field(default_factory=list)

    def line_ref(self, line: BillLine) -> str:
        return f"{self.ref}.{line.position}"


@dataclass
class VisitRows:
    visit: Visit
    bills: list[BillRows] = field(default_factory=list)

    @property
    def ref(self) -> str:
        return str(self.visit.position)


@dataclass
class ClaimRows:
    """All that a claim consists of. `networks` are entries of its series at its hospitals."""

    case: CaseFile
    claim: Claim
    visits: list[VisitRows] = field(default_factory=list)
    papers: list[Paper] = field(default_factory=list)
    overrides: list[Override] = field(default_factory=list)
    networks: list[NetworkEntry] = field(default_factory=list)
    day_totals: list[tuple[date, Decimal]] = field(default_factory=list)
    duplicates: dict[str, str] = field(default_factory=dict)  # bill identity → number of the other case
    e_card: bool = False  # the policy has our card (PR-03)
    own: Any = None  # what its kind knows beside (`claims.variants`)
    billed_directly: set[Place] = field(default_factory=set)  # where hospitals billed visits of these days

    def bills(self) -> Iterator[BillRows]:
        for visit in self.visits:
            yield from visit.bills

    def lines(self) -> dict[str, BillLine]:
        """Lines by ref ("1.1.3")."""
        return {rows.line_ref(line): line for rows in self.bills() for line in rows.lines}


def load(cases: Sequence[CaseFile], *, day_totals: bool = True) -> dict[int, ClaimRows]:
    """The rows of several claims by case id: at most six queries, however many claims and lines.

    `cases` come with `claim`, `member`, `policy__plan` and `handbook` selected, as the engine does.
    Totals of the day flag a suspected split for the reader (PR-15); a decision does without them.
    """
    found = {case.pk: ClaimRows(case, case.claim) for case in cases}
    _load_bills(found)
    for paper in Paper.objects.filter(case__in=found).order_by("pk"):
        found[paper.case_id].papers.append(paper)
    answered = [pk for pk, rows in found.items() if rows.claim.answers]
    overrides = Override.objects.filter(claim__in=answered).select_related("user").order_by("round", "pk")
    for override in overrides if answered else ():
        found[override.claim_id].overrides.append(override)
    add_networks(found.values())
    if day_totals:
        add_day_totals(found.values())
    add_own(found.values())
    return found


def add_own(claims: Iterable[ClaimRows]) -> None:
    """What kinds of claims know beside the common rows; no query for claims that families report."""
    for kind, variant in VARIANTS.items():
        of_kind = [rows for rows in claims if rows.case.kind == kind]
        if of_kind:
            variant.load(of_kind)


def _load_bills(found: dict[int, ClaimRows]) -> None:
    """Two queries: every visit has bills, which intake and corrections see to. The first also tells
    which policies have our card."""
    bills: dict[int, BillRows] = {}
    related, order = ("visit__hospital", "visit__campus"), ("visit__claim", "visit__position", "position")
    card = Card.objects.filter(policy=OuterRef("visit__claim__case__policy"))
    with_card = Bill.objects.filter(visit__claim__in=found).annotate(e_card=Exists(card))
    for bill in with_card.select_related(*related).order_by(*order):
        found[bill.visit.claim_id].e_card = bill.e_card
        visits = found[bill.visit.claim_id].visits
        if not visits or visits[-1].visit.pk != bill.visit_id:
            visits.append(VisitRows(bill.visit))
        bill.visit = visits[-1].visit
        bills[bill.pk] = BillRows(bill, f"{visits[-1].ref}.{bill.position}")
        visits[-1].bills.append(bills[bill.pk])
    for line in BillLine.objects.filter(bill__in=bills).order_by("bill", "position"):
        rows = bills[line.bill_id]
        line.bill = rows.bill
        rows.lines.append(line)


def add_networks(claims: Iterable[ClaimRows]) -> None:
    """Entries of the members' series at the hospitals visited (NET-01, PR-09); one query."""
    claims = list(claims)
    hospitals = {rows.visit.hospital_id for claim in claims for rows in claim.visits}
    series = {claim.case.series for claim in claims}
    entries = NetworkEntry.objects.filter(series__in=series, campus__hospital__in=hospitals).select_related(
        "campus"
    )
    by_place: dict[tuple[str, int], list[NetworkEntry]] = defaultdict(list)
    for entry in entries:
        by_place[entry.series, entry.campus.hospital_id].append(entry)
    for claim in claims:
        for hospital in {rows.visit.hospital_id for rows in claim.visits}:
            claim.networks.extend(by_place[claim.case.series, hospital])


def add_cards(claims: Iterable[ClaimRows]) -> None:
    """Which policies have our e-card (PR-03), for claims that are not stored yet; one query."""
    claims = list(claims)
    held = policies_with_card({rows.case.policy_id for rows in claims})
    for rows in claims:
        rows.e_card = rows.case.policy_id in held


# States in which what was claimed counts no more for the day total.
GONE = ("WITHDRAWN", "REJECTED_INTAKE", "CLOSED_NO_PAPERS")


def add_day_totals(claims: Iterable[ClaimRows]) -> None:
    """What the children's other claims claim for the same service days (PR-15), and which visits of them
    hospitals billed directly (DBO-03); one query."""
    claims = list(claims)
    members = {claim.case.member_id for claim in claims}
    days = {rows.visit.started_on for claim in claims for rows in claim.visits}
    visits = Visit.objects.filter(claim__case__member__in=members, started_on__in=days)
    rows = visits.exclude(claim__case__state__in=GONE).values_list(
        "claim_id", "claim__case__member", "started_on", "claimed_fen", "claim__category", "hospital", "department",
        "visit_type",
    )  # fmt: skip
    others = list(rows)
    for claim in claims:
        totals: dict[date, int] = defaultdict(int)
        own = {visit.visit.started_on for visit in claim.visits}
        for claim_id, member_id, day, fen, category, hospital, department, visit_type in others:
            if member_id != claim.case.member_id or claim_id == claim.case.pk or day not in own:
                continue
            if category == Category.DIRECT:
                claim.billed_directly.add(_place(hospital, department, day, visit_type))
            else:
                totals[day] += fen
        claim.day_totals = [(day, to_yuan(fen)) for day, fen in sorted(totals.items())]


def same_place(visit: Visit) -> Place:
    return _place(visit.hospital_id, visit.department, visit.started_on, visit.visit_type)


def _place(hospital: int, department: str, day: date, visit_type: str) -> Place:
    return hospital, "" if visit_type == "INPATIENT" else department, day


def add_duplicates(claims: Iterable[ClaimRows]) -> None:
    """Other claims that hold a bill of these in the register (LAW-11); one query."""
    claims = list(claims)
    identities = {rows.bill.identity for claim in claims for rows in claim.bills()}
    registered = BillRegister.objects.filter(identity__in=identities, released_at=None)
    taken = {
        identity: (pk, number)
        for identity, pk, number in registered.values_list("identity", "case", "case__number")
    }
    for claim in claims:
        own = {rows.bill.identity for rows in claim.bills()}
        claim.duplicates = {
            identity: number
            for identity, (pk, number) in taken.items()
            if identity in own and pk != claim.case.pk
        }
