"""Reads of appeals: rows, search, those of a claim, and how appeals go."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.appeals.models import Appeal, AppealedRule, Decider, Result
from apps.appeals.workflow import KIND
from apps.cases.models import CaseFile, Clock
from apps.core.days import end_of_day, start_of_day
from apps.core.look_ups import with_number

NUMBERS = ["case__number", "origin__number", "complaint__number", "case__member__number", "case__policy__number"]  # fmt: skip
LOOK_BACK = timedelta(days=400)  # how far back words are searched
OVERTURNED = (Result.WHOLLY, Result.PARTLY)


def visible_appeals(actor: Actor) -> QuerySet[CaseFile]:
    return visible_to(CaseFile.objects.filter(kind=KIND.code), actor)


def rows_visible_to(actor: Actor) -> QuerySet[Appeal]:
    rows = visible_to(Appeal.objects.all(), actor)
    related = ("case__member", "case__assignee", "case__policy", "origin", "complaint", "reviewed_by")
    return rows.select_related(*related)


def searched(rows: QuerySet[Appeal], text: str) -> QuerySet[Appeal]:
    """By a number as it stands, else by words of the family or of the answer in the last 400 days."""
    found = rows.filter(pk__in=with_number(Appeal, NUMBERS, text))
    if found.exists():
        return found
    words = Q(text__icontains=text) | Q(appellant__icontains=text) | Q(answer__icontains=text)
    return rows.filter(words, received_at__gte=timezone.now() - LOOK_BACK)


def late(now: datetime) -> Exists:
    """Answered after the promised day, or not answered and past it."""
    clocks = Clock.objects.filter(case=OuterRef("pk"))
    return Exists(clocks.filter(Q(breached=True) | Q(state=Clock.State.RUNNING, due_at__lte=now)))


def appeals_on(claim: int) -> list[Appeal]:
    """Of a claim, the newest first."""
    return list(Appeal.objects.filter(origin=claim).select_related("case").order_by("-case"))


# --- How appeals go -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tally:
    """Appeals received within some days: of everybody, or by a rule or an adjuster (`key`). Fen."""

    key: str
    words: str
    received: int
    open: int
    upheld: int
    wholly: int
    partly: int
    withdrawn: int
    change_fen: int
    late: int = 0

    @property
    def reviewed(self) -> int:
        return self.upheld + self.overturned

    @property
    def overturned(self) -> int:
        return self.wholly + self.partly

    @property
    def rate(self) -> int | None:
        """Percent overturned of what was reviewed."""
        return round(100 * self.overturned / self.reviewed) if self.reviewed else None


def within(rows: QuerySet[Appeal], since: date | None, until: date | None) -> QuerySet[Appeal]:
    """Received on these days, inclusive."""
    if since:
        rows = rows.filter(received_at__gte=start_of_day(since))
    return rows.filter(received_at__lt=end_of_day(until)) if until else rows


def _counts(path: str = "") -> dict[str, Any]:
    def number(**condition: Any) -> Count:
        return Count("pk", filter=Q(**{f"{path}{name}": value for name, value in condition.items()}))

    change = F(f"{path}new_fen") - F(f"{path}former_fen")
    return {
        "received": Count("pk"), "open": number(ended_at__isnull=True), "upheld": number(result=Result.UPHELD),
        "wholly": number(result=Result.WHOLLY), "partly": number(result=Result.PARTLY),
        "withdrawn": number(case__state="WITHDRAWN"), "change_fen": Sum(change, default=0),
    }  # fmt: skip


def total(rows: QuerySet[Appeal], now: datetime) -> Tally:
    """Two queries."""
    counted = rows.order_by().aggregate(**_counts())
    return Tally("", "", late=rows.filter(late(now)).count(), **counted)


def by_rule(rows: QuerySet[Appeal]) -> list[Tally]:
    """By each rule that the decisions under appeal applied; most appealed first. An appeal may count for several."""
    ids = rows.order_by().values("pk")
    found: Any = AppealedRule.objects.filter(appeal__in=ids).values("rule").annotate(**_counts("appeal__"))
    return _tallies((row.pop("rule"), "", row) for row in found.order_by("-received", "rule"))


def by_adjuster(rows: QuerySet[Appeal]) -> list[Tally]:
    """By who proposed or signed the decision under appeal; most appealed first."""
    ids = rows.order_by().values("pk")
    made = Decider.objects.filter(appeal__in=ids, decided=True)
    found: Any = made.values("user", "user__name", "user__username").annotate(**_counts("appeal__"))
    return _tallies(
        (str(row.pop("user")), row.pop("user__name") or row["user__username"], _without(row, "user__username"))
        for row in found.order_by("-received", "user")
    )  # fmt: skip


def _without(row: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != name}


def _tallies(rows: Iterable[tuple[str, str, dict[str, Any]]]) -> list[Tally]:
    return [Tally(key, words, **counted) for key, words, counted in rows]
