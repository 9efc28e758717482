"""Reads of authorizations that others may use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet

from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.authorizations.models import Authorization
from apps.authorizations.workflow import LETTER_OUT
from apps.cases.models import CaseFile

NEARLY_USED = 80  # percent of the letter


@dataclass(frozen=True)
class InHospital:
    """A child in hospital today: day of the stay (the first is 1) and percent of the letter used."""

    case: CaseFile
    given: Authorization
    day: int
    percent: int
    beyond_plan: bool

    @property
    def level(self) -> str:
        if self.percent > 100:
            return "bad"
        return "warn" if self.percent >= NEARLY_USED or self.beyond_plan else "good"


def in_hospital(actor: Actor, today: date, *, series: str = "") -> list[InHospital]:
    """Children admitted on a letter and not discharged, the most used letter first. One query."""
    rows = Authorization.objects.filter(
        admitted_on__isnull=False, discharged_on__isnull=True, case__open=True
    )
    if series:
        rows = rows.filter(case__series=series)
    related = ("case__member", "case__hospital", "case__handbook", "case__policy", "campus")
    rows = visible_to(rows, actor).select_related(*related).defer("case__handbook__text")
    return sorted((_row(row, today) for row in rows), key=lambda row: (-row.percent, row.given.admitted_on))


def _row(given: Authorization, today: date) -> InHospital:
    assert given.admitted_on is not None
    day = (today - given.admitted_on).days + 1
    cap = given.approved_fen or 0
    percent = given.spent_fen * 100 // cap if cap else 0
    return InHospital(given.case, given, day, percent, day > given.planned_days)


def unused_letters(today: date) -> list[str]:
    """Numbers of cases whose letter is over and was never used. One query by index."""
    over = Authorization.objects.filter(valid_until__lt=today, case__state__in=LETTER_OUT)
    return list(over.order_by("case").values_list("case__number", flat=True))


def visible_authorizations(actor: Actor) -> QuerySet[CaseFile]:
    cases = CaseFile.objects.filter(kind="authorization")
    return visible_to(cases, actor)
