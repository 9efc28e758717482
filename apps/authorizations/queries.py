"""Reads of authorizations that others may use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import OuterRef, QuerySet, Subquery

from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.authorizations.models import Authorization
from apps.authorizations.workflow import LAPSING, LETTER_OUT
from apps.cards.models import Card
from apps.cards.queries import grey_rule
from apps.cases.models import CaseEvent, CaseFile

NEARLY_USED = 80  # percent of the letter


@dataclass(frozen=True)
class InHospital:
    """A child in hospital today: day of the stay (the first is 1) and percent of the letter used."""

    case: CaseFile
    given: Authorization
    day: int
    percent: int
    beyond_plan: bool
    card: Card | None = None  # greyed meanwhile: the letter is honored, somebody should know (BIL-03)

    @property
    def used(self) -> str:
        """How much of the letter is used, as a color."""
        return "bad" if self.percent > 100 else "warn" if self.percent >= NEARLY_USED else "good"

    @property
    def rule(self) -> str:
        """By which rule the card stopped: the one it was greyed by, or the series' own."""
        return (self.card.greyed_rule if self.card else "") or grey_rule(self.case.handbook.handbook)

    @property
    def level(self) -> str:
        """Whether somebody should look: nearly used, longer than planned, or the card was greyed."""
        watched = self.beyond_plan or self.card is not None
        return "warn" if watched and self.used == "good" else self.used


def in_hospital(actor: Actor, today: date, *, series: str = "") -> list[InHospital]:
    """Children admitted on a letter and not discharged, the most used letter first. One query."""
    rows = Authorization.objects.filter(
        admitted_on__isnull=False, discharged_on__isnull=True, case__open=True
    )
    if series:
        rows = rows.filter(case__series=series)
    related = ("case__member", "case__hospital", "case__handbook", "case__policy__card", "campus")
    rows = visible_to(rows, actor).select_related(*related).defer("case__handbook__text")
    return sorted((_row(row, today) for row in rows), key=lambda row: (-row.percent, row.given.admitted_on))


def _row(given: Authorization, today: date) -> InHospital:
    assert given.admitted_on is not None
    day = (today - given.admitted_on).days + 1
    cap = given.approved_fen or 0
    percent = given.spent_fen * 100 // cap if cap else 0
    card: Card | None = getattr(given.case.policy, "card", None)
    greyed = card if card is not None and card.greyed_at else None
    return InHospital(given.case, given, day, percent, day > given.planned_days, greyed)


def waiting_for_card(policy_id: int) -> list[str]:
    """Numbers of approvals whose letter waits for the card of this policy to serve again."""
    waiting = CaseFile.objects.filter(kind="authorization", policy=policy_id, state="APPROVED")
    return list(waiting.order_by("pk").values_list("number", flat=True))


def letters_out(policy_id: int) -> list[str]:
    """Numbers of authorizations of this policy whose letter is out and no child came with yet."""
    out = CaseFile.objects.filter(kind="authorization", policy=policy_id, state__in=LETTER_OUT)
    return list(out.order_by("pk").values_list("number", flat=True))


def out_of_step() -> list[tuple[str, str]]:
    """(number, action) of authorizations that a change of their card did not reach, because a process died between
    the two: a letter that waits, is not said to be suspended, or not said to serve again. One query."""
    told = CaseEvent.objects.filter(case=OuterRef("pk"), name__in=("letter_suspended", "letter_resumed"))
    open_ = CaseFile.objects.filter(kind="authorization", open=True, state__in=LAPSING)
    rows = open_.annotate(told=Subquery(told.order_by("-seq").values("name")[:1])).order_by("pk")
    found = []
    for number, state, greyed_at, last in rows.values_list(
        "number", "state", "policy__card__greyed_at", "told"
    ):
        if state not in LETTER_OUT:
            action = "" if greyed_at else "issue_letter"
        elif greyed_at:
            action = "" if last == "letter_suspended" else "suspend_letter"
        else:
            action = "resume_letter" if last == "letter_suspended" else ""
        if action:
            found.append((number, action))
    return found


def unused_letters(today: date) -> list[str]:
    """Numbers of cases approved whose days are over, never used. One query by index."""
    over = Authorization.objects.filter(valid_until__lt=today, case__state__in=LAPSING)
    return list(over.order_by("case").values_list("case__number", flat=True))


def visible_authorizations(actor: Actor) -> QuerySet[CaseFile]:
    cases = CaseFile.objects.filter(kind="authorization")
    return visible_to(cases, actor)
