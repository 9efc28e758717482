"""How many of what: a history of N claims that came to their end, and open ones in every working state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone

from apps.claims.demo import SERIES
from apps.claims.seeding.copies import CHUNK, Copies
from apps.claims.seeding.originals import HISTORIES, WORKING, Originals

YEAR = timedelta(days=365)
LEAST_WEEKS = 26
Progress = Callable[[str, int, int], None]  # of what, how many are made, of how many


@dataclass
class Seeded:
    """How many cases were made, the originals among them."""

    closed: int = 0
    open: int = 0


def fill(copies: list[Copies], each: Callable[[Copies], int], goal: int, tell: Callable[[int], None]) -> int:
    """Copy in turns, so that all come out evenly, until there are `goal` cases or, the last copy being
    whole, a few more. `each` tells what one copy counts for."""
    done = sum(each(one) for one in copies)
    tell(done)
    while done < goal:
        rounds = (goal - done) // sum(each(one) for one in copies)
        for one in copies:
            if done < goal:
                count = min(max(rounds, 1), CHUNK)
                one.make(count)
                done += count * each(one)
                tell(done)
    return done


def seed(
    claims: int,
    open_claims: int,
    *,
    years: int = 3,
    now: datetime | None = None,
    tell: Progress | None = None,
) -> Seeded:
    """Add at least that many claims to what is there. Bounded memory: one transaction for CHUNK children.

    The history reaches back `years`, but not before a series began.
    """
    now, tell = now or timezone.now(), tell or (lambda what, done, goal: None)
    originals = Originals(now)
    histories: list[Copies] = []
    for index in range(len(HISTORIES)):
        for series in SERIES:
            if sum(one.cases for one in histories) < claims:
                weeks = weeks_back(series, years, now.date())
                histories.append(Copies(originals.history(series, index), weeks=weeks))
                tell("originals", len(histories), len(HISTORIES) * len(SERIES))
    closed = fill(
        histories, lambda one: one.cases, claims, lambda done: tell("claims of the past", done, claims)
    )
    working: list[Copies] = []
    for stage, day in WORKING:
        for series in SERIES:
            if len(working) < open_claims:
                working.append(Copies(originals.working(series, stage, day)))
                tell("open originals", len(working), len(WORKING) * len(SERIES))
    opened = fill(working, lambda one: 1, open_claims, lambda done: tell("open claims", done, open_claims))
    return Seeded(closed + opened, opened)  # each child with an open claim has one that was paid


def weeks_back(series: str, years: int, today: date) -> int:
    """How far copies are moved back beyond the originals' own year: until the series began, yet always
    by so much that days differ."""
    since = min(years * YEAR, today - date(int(series), 1, 1)) - YEAR
    return max(since.days // 7, LEAST_WEEKS)
