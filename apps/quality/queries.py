"""Reads of quality: straight-through at a glance, results of inspections, what a replay found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum, TextField
from django.db.models.functions import Abs, Cast
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.cases.models import CaseFile
from apps.claims.models import Decision
from apps.core.days import end_of_day, start_of_day
from apps.quality.models import Inspection, InspectionError, QualityRule, Replay, ReplayChange, StraightLook

# --- Straight-through ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Straight:
    """One series today: its rule, decisions of the last days, and what waits."""

    rule: QualityRule
    decided: int
    paid_fen: int
    by_people: int
    waiting: int

    @property
    def share(self) -> int:
        """Percent of the decisions made without a person."""
        whole = self.decided + self.by_people
        return round(100 * self.decided / whole) if whole else 0


def straight_overview(rules: Sequence[QualityRule], *, days: int = 30) -> list[Straight]:
    since = timezone.now() - timedelta(days=days)
    by_series = (
        Decision.objects.filter(decided_at__gte=since)
        .values("claim__case__series")
        .annotate(
            straight=Count("pk", filter=Q(proposed_by=None)),
            paid=Sum("insurer_fen", filter=Q(proposed_by=None), default=0),
            people=Count("pk", filter=Q(proposed_by__isnull=False)),
        )
    )
    made = {row["claim__case__series"]: row for row in by_series}
    open_ = CaseFile.objects.filter(kind="claim", state="COMPLETE", open=True).values("series")
    complete = {row["series"]: row["n"] for row in open_.annotate(n=Count("pk"))}
    found = []
    for rule in rules:
        row = made.get(rule.series, {"straight": 0, "paid": 0, "people": 0})
        found.append(
            Straight(rule, row["straight"], row["paid"], row["people"], complete.get(rule.series, 0))
        )
    return found


def left_to_people(*, days: int = 30, limit: int = 12) -> list[tuple[str, int]]:
    """Why claims were not clean, most frequent first; words of one rule count together."""
    since = timezone.now() - timedelta(days=days)
    reasons = StraightLook.objects.filter(at__gte=since).values("reason").annotate(n=Count("pk"))
    return [(row["reason"], row["n"]) for row in reasons.order_by("-n", "reason")[:limit]]


# --- Inspections -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Result:
    """Inspections of one decider (None = without a person), or of everybody."""

    who: Any
    drawn: int
    inspected: int
    passed: int
    reworked: int
    off_fen: int  # sum of |right − decided| over inspected decisions

    @property
    def rate(self) -> int | None:
        """Percent without error of what was inspected."""
        return round(100 * self.passed / self.inspected) if self.inspected else None


def results(actor: Actor, since: date, until: date) -> list[Result]:
    """By decider, of decisions drawn within the days (inclusive); most drawn first. Two queries."""
    rows: Any = (
        _drawn(actor, since, until)
        .values("decider", "decider__name", "decider__username")
        .annotate(
            drawn=Count("pk"),
            inspected=Count("pk", filter=~Q(case__state="DRAWN")),
            passed=Count("pk", filter=Q(case__state="PASSED")),
            reworked=Count("pk", filter=Q(case__state__in=["REWORK", "REWORKED"])),
            off=Sum(Abs(F("right_fen") - F("decision__insurer_fen")), default=0),
        )
        .order_by("-drawn", "decider")
    )
    return [
        Result(_name(row), row["drawn"], row["inspected"], row["passed"], row["reworked"], row["off"])
        for row in rows
    ]


def _name(row: dict[str, Any]) -> str:
    if row["decider"] is None:
        return ""
    return row["decider__name"] or row["decider__username"]


def frequent_errors(actor: Actor, since: date, until: date) -> list[dict[str, Any]]:
    """Errors found, most frequent first, with their severity. What an objection overturned counts not."""
    counted: Any = _errors(actor, since, until).values(
        "code__code", "code__name", "code__name_en", "code__severity"
    )
    return list(counted.annotate(n=Count("pk")).order_by("-n", "code__code"))


def each_error(actor: Actor, since: date, until: date) -> QuerySet[InspectionError]:
    """The same errors one by one, with who decided and who inspected."""
    return (
        _errors(actor, since, until)
        .select_related(
            "code",
            "inspection__case",
            "inspection__claim_case",
            "inspection__decider",
            "inspection__inspected_by",
        )
        .order_by("inspection__decider", "code__code", "pk")
    )


def _errors(actor: Actor, since: date, until: date) -> QuerySet[InspectionError]:
    found = InspectionError.objects.filter(inspection__in=_drawn(actor, since, until).values("pk"))
    return found.exclude(inspection__case__state="PASSED")


def _drawn(actor: Actor, since: date, until: date) -> QuerySet[Inspection]:
    seen = visible_to(
        CaseFile.objects.filter(
            kind="inspection", opened_at__gte=start_of_day(since), opened_at__lt=end_of_day(until)
        ),
        actor,
    )
    return Inspection.objects.filter(case__in=seen)


def inspections_of(claim_case_id: int) -> list[Inspection]:
    found = Inspection.objects.filter(claim_case=claim_case_id).select_related(
        "case", "decision", "inspected_by"
    )
    return list(found.prefetch_related("errors__code").order_by("pk"))


# --- Replays ---------------------------------------------------------------------------------------

SORTS: dict[str, tuple[Any, ...]] = {
    "size": (Abs("difference_fen").desc(), "pk"),
    "less": ("difference_fen", "pk"),
    "more": ("-difference_fen", "pk"),
    "case": ("case__number", "version"),
}


def changes_of(replay: Replay, *, text: str = "", sort: str = "size") -> QuerySet[ReplayChange]:
    """What a replay found; `text` is a case number or a rule id."""
    found = replay.changes.select_related("case__member").order_by(*SORTS.get(sort, SORTS["size"]))
    if text:
        rule = text.strip().upper()
        in_rules = Q(appeared_text__contains=f'"{rule}"') | Q(vanished_text__contains=f'"{rule}"')
        found = found.annotate(
            appeared_text=Cast("appeared", TextField()), vanished_text=Cast("vanished", TextField())
        ).filter(Q(case__number__icontains=rule) | in_rules)
    return found


@dataclass(frozen=True)
class Slice:
    """Difference of one benefit: lines changed, fen more and fen less."""

    name: str
    lines: int
    more_fen: int
    less_fen: int


def by_benefit(replay: Replay) -> list[Slice]:
    """Changed lines by benefit, largest change first. One pass over the changes."""
    lines: dict[str, list[int]] = {}
    for change in replay.changes.values_list("lines", flat=True).iterator(chunk_size=500):
        for line in change:
            delta = line["after"]["insurer"] - line["before"]["insurer"]
            lines.setdefault(line["benefit"], []).append(delta)
    slices = [
        Slice(name, len(deltas), sum(d for d in deltas if d > 0), sum(d for d in deltas if d < 0))
        for name, deltas in lines.items()
    ]
    return sorted(slices, key=lambda one: one.less_fen - one.more_fen)
