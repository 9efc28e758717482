"""Reads of recoveries that others may use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, F, Q, QuerySet, Sum

from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.cases.models import CaseFile
from apps.recoveries.models import Recovery
from apps.recoveries.workflow import DUE, KIND, LIVE

OPEN_FEN = F("amount_fen") - F("refunded_fen") + F("given_back_fen") - F("written_off_fen")
BANDS: tuple[tuple[int | None, int | None], ...] = (
    (None, 0), (1, 30), (31, 60), (61, 90), (91, 180), (181, None),
)  # fmt: skip
# days overdue, both inclusive; the first band is not due yet


def standing_of(origin: CaseFile) -> list[Recovery]:
    """The recoveries of a claim that are not canceled, the newest first."""
    rows = Recovery.objects.filter(origin=origin).exclude(case__state="CANCELLED")
    related = ("case__handbook", "case__policy", "case__member", "origin")
    return list(rows.select_related(*related).order_by("-case"))


def visible_recoveries(actor: Actor) -> QuerySet[CaseFile]:
    return visible_to(CaseFile.objects.filter(kind=KIND.code), actor)


def rows_visible_to(actor: Actor) -> QuerySet[Recovery]:
    rows = visible_to(Recovery.objects.all(), actor)
    return rows.select_related("case__member", "case__assignee", "origin").annotate(left_fen=OPEN_FEN)


def overdue_numbers(today: date) -> list[str]:
    """Recoveries whose last day in time is over, the oldest first."""
    rows = Recovery.objects.filter(due_on__lt=today, case__state__in=DUE).order_by("due_on", "pk")
    return list(rows.values_list("case__number", flat=True))


def uncontacted_numbers(today: date) -> list[str]:
    """Recoveries whose family should have been told by yesterday and of which no lead was reminded."""
    rows = Recovery.objects.filter(
        case__state="OPENED", case__priority__gt=1, contacted_at__isnull=True, contact_by__lt=today
    )
    return list(rows.order_by("contact_by", "pk").values_list("case__number", flat=True))


@dataclass(frozen=True, slots=True)
class Band:
    """Open recoveries by days overdue."""

    low: int | None
    high: int | None
    cases: int
    open_fen: int


def in_band(rows: QuerySet[Recovery], band: int, today: date) -> QuerySet[Recovery]:
    """Rows of one band; recoveries nobody was told of yet are not due."""
    low, high = BANDS[band]
    if low is None:
        return rows.filter(Q(due_on__isnull=True) | Q(due_on__gte=today))
    rows = rows.filter(due_on__lte=today - timedelta(days=low))
    return rows if high is None else rows.filter(due_on__gte=today - timedelta(days=high))


def ageing(rows: QuerySet[Recovery], today: date) -> list[Band]:
    """Counts and open amounts by band, of live recoveries; one query a band."""
    live = rows.filter(case__state__in=LIVE).order_by()
    found = []
    for number, (low, high) in enumerate(BANDS):
        sums = in_band(live, number, today).aggregate(cases=Count("pk"), fen=Sum(OPEN_FEN))
        found.append(Band(low, high, sums["cases"], sums["fen"] or 0))
    return found


def totals(rows: QuerySet[Recovery]) -> dict[str, int]:
    """What was asked back in all, what came, what was written off and what is open (fen)."""
    sums = rows.order_by().aggregate(
        amount=Sum("amount_fen"), kept=Sum(F("refunded_fen") - F("given_back_fen")),
        written_off=Sum("written_off_fen"), open=Sum(OPEN_FEN, filter=Q(case__state__in=LIVE)),
    )  # fmt: skip
    return {name: value or 0 for name, value in sums.items()}
