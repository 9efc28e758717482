"""Reads of settlements: what waits, statements, differences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.cases.models import CaseFile
from apps.core.errors import NotAllowed
from apps.hospitals.models import Hospital
from apps.settlements.access import MACHINES, READERS, need
from apps.settlements.claims import Ready, ready, unpaid
from apps.settlements.models import SENT_STATES, Difference, PaymentTerms, Statement, StatementLine

LOOKED_AT = 5000  # claims that wait, read for the page of what is due


def statements_visible_to(actor: Actor) -> QuerySet[Statement]:
    """Statements the actor may see. A hospital reads its own ones from the check on."""
    need(actor, READERS | MACHINES)
    if not actor.roles & READERS and not (actor.hospital or actor.tpa):
        raise NotAllowed(_("A machine reads statements of its hospital or administrator only."), code="role")
    rows = visible_to(
        Statement.objects.select_related("hospital", "terms", "order__payee", "made_by", "checked_by"), actor
    )
    return rows.filter(state__in=SENT_STATES) if actor.hospital else rows


def differences_visible_to(actor: Actor) -> QuerySet[Difference]:
    need(actor, READERS)
    rows = Difference.objects.filter(hospital_list__superseded=False).select_related(
        "hospital_list__statement__hospital", "case", "resolved_by"
    )
    return visible_to(rows, actor)


def terms_visible_to(actor: Actor) -> QuerySet[PaymentTerms]:
    need(actor, READERS)
    rows = PaymentTerms.objects.select_related("hospital", "proposed_by", "confirmed_by")
    return visible_to(rows, actor)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a hospital of a series can be paid for now, in no statement yet."""

    hospital: Hospital
    series: str
    tpa: str
    claims: int
    amount_fen: int
    due_on: date | None  # of the claim that is due first; None: no terms
    terms: PaymentTerms | None
    set_off_fen: int = 0  # what the hospital owes back

    @property
    def days_left(self) -> int | None:
        return (self.due_on - timezone.localdate()).days if self.due_on else None


def waiting(actor: Actor) -> list[Waiting]:
    """By hospital and series, what is due first on top. Seven queries."""
    need(actor, READERS)
    cases = unpaid(actor).order_by("opened_at", "pk")
    groups: dict[tuple[int, str, str], list[Ready]] = {}
    for row in ready(cases[:LOOKED_AT]):
        if row.amount_fen and row.case.hospital is not None:
            groups.setdefault((row.case.hospital.pk, row.case.series, row.case.tpa), []).append(row)
    found = []
    for (_pk, series, tpa), rows in groups.items():
        paying = [row for row in rows if row.amount_fen > 0]
        dues = [row.due_on for row in paying if row.due_on]
        hospital = rows[0].case.hospital
        assert hospital is not None
        terms = next((row.terms for row in rows if row.terms), None)
        found.append(
            Waiting(
                hospital,
                series,
                tpa,
                len(paying),
                sum(row.amount_fen for row in paying),
                min(dues, default=None),
                terms,
                -sum(row.amount_fen for row in rows if row.amount_fen < 0),
            )
        )
    return sorted(found, key=lambda one: (one.due_on or date.min, one.hospital.name, one.series))


def lines_of(statement: Statement, *, living: bool = True) -> QuerySet[StatementLine]:
    rows = StatementLine.objects.filter(statement=statement).select_related("case").order_by("position")
    return rows.filter(living=True) if living else rows


def settlements_of(case: CaseFile) -> QuerySet[StatementLine]:
    """The statements a claim stood in, latest first."""
    return (
        StatementLine.objects.filter(case=case)
        .select_related("statement", "statement__order")
        .order_by("-pk")
    )


def open_differences(statement: Statement) -> int:
    return Difference.objects.filter(
        hospital_list__statement=statement, hospital_list__superseded=False, outcome=Difference.Outcome.OPEN
    ).count()
