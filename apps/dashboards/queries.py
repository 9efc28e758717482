"""Numbers for managers: what is late, what will be, where it stuck, who can take more, the trend.

Each is one aggregate over open cases or running clocks (partial indexes), so history costs nothing;
the trend reads the week that runs, and the finished ones that it shows once a day.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import TruncDate

from apps.accounts.actors import Actor
from apps.accounts.models import Team, User
from apps.accounts.visibility import visible_to
from apps.cases.kinds import KINDS
from apps.cases.models import CaseEvent, CaseFile, Clock
from apps.cases.pages import WAITING_STATES
from apps.cases.queries import end_of_week
from apps.cases.timeleft import clock_titles
from apps.core.days import end_of_day, start_of_day

WEEKS = 12
PACE_DAYS = 28
DAY = 24 * 60 * 60


@dataclass(frozen=True)
class Cross:
    """Clocks by team: rows are clocks, columns are teams; `totals` by column."""

    teams: list[tuple[int | None, str]]
    rows: list[tuple[str, str, list[tuple[int | None, int]], int]]  # key, title, (team, number)…, sum
    totals: list[int]

    @property
    def total(self) -> int:
        return sum(self.totals)


@dataclass(frozen=True)
class Stage:
    kind: str
    kind_label: Any
    state: str
    label: Any
    running: int
    paused: int

    @property
    def total(self) -> int:
        return self.running + self.paused


@dataclass
class Load:
    user: User
    open: int = 0
    late: int = 0
    week: int = 0
    pace: float = 0.0  # cases a week that they moved in the last four weeks

    @property
    def weeks(self) -> float | None:
        """How long their cases take at their pace."""
        return self.open / self.pace if self.pace else None


@dataclass
class Week:
    start: date
    opened: int = 0
    closed: int = 0
    opened_before: int = 0  # same week last year
    closed_before: int = 0
    stages: dict[str, int] = field(default_factory=dict)


def open_cases(actor: Actor) -> QuerySet[CaseFile]:
    return visible_to(CaseFile.objects.filter(open=True), actor)


def _running(actor: Actor) -> QuerySet[Clock]:
    clocks = Clock.objects.filter(state=Clock.State.RUNNING, case__open=True)
    return (
        clocks.filter(case__in=open_cases(actor).values("pk"))
        if actor.restricted or not actor.may_see_cases
        else clocks
    )


def overdue(actor: Actor, now: datetime) -> Cross:
    return _cross(_running(actor).filter(due_at__lte=now))


def due_soon(actor: Actor, now: datetime) -> Cross:
    return _cross(_running(actor).filter(due_at__gt=now, due_at__lte=end_of_week(now)))


def _cross(clocks: QuerySet[Clock]) -> Cross:
    """A case without a team counts for its assignee's."""
    counted: dict[str, dict[int | None, int]] = defaultdict(lambda: defaultdict(int))
    cells = clocks.values_list("key", "case__team", "case__assignee__team").annotate(number=Count("pk"))
    for key, team, assignees_team, number in cells:
        counted[key][team or assignees_team] += number
    used = {team for row in counted.values() for team in row}
    names = {team.pk: team.name for team in Team.objects.filter(pk__in=[team for team in used if team])}
    teams = sorted(
        ((team, names.get(team, "—") if team else "—") for team in used),
        key=lambda pair: (not pair[0], pair[1]),
    )
    titles = clock_titles()
    rows = [
        (key, titles.get(key, key), [(team, row.get(team, 0)) for team, _name in teams], sum(row.values()))
        for key, row in counted.items()
    ]
    rows.sort(key=lambda row: -row[3])
    return Cross(teams, rows, [sum(counted[key].get(team, 0) for key in counted) for team, _name in teams])


def stages(actor: Actor) -> list[Stage]:
    """Open cases by state in the order of the day; those that wait for somebody else apart."""
    running = Clock.objects.filter(case=OuterRef("pk"), state=Clock.State.RUNNING)
    waiting = Clock.objects.filter(case=OuterRef("pk"), state=Clock.State.PAUSED)
    cases = open_cases(actor).annotate(stands=Exists(waiting) & ~Exists(running))
    counted: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for kind, state, stands, number in (
        cases.values_list("kind", "state", "stands").annotate(number=Count("pk")).order_by()
    ):
        waits = bool(stands) or state in WAITING_STATES.get(kind, ())
        counted[kind, state][int(waits)] += number
    return [
        Stage(kind.code, kind.label, state, label, *counted[kind.code, state])
        for kind in KINDS.values()
        for state, label in kind.states.items()
        if sum(counted.get((kind.code, state), (0, 0)))
    ]


def loads(actor: Actor, now: datetime) -> list[Load]:
    """Open cases of each person against what they moved in four weeks."""
    numbers = {
        "number": Count("pk"),
        "late": Count("pk", filter=Q(next_due__lte=now)),
        "week": Count("pk", filter=Q(next_due__gt=now, next_due__lte=end_of_week(now))),
    }
    found: dict[int, Load] = {}
    rows: Any = open_cases(actor).exclude(assignee=None).values("assignee").annotate(**numbers)
    users = User.objects.select_related("team").in_bulk([row["assignee"] for row in rows])
    for row in rows:
        found[row["assignee"]] = Load(users[row["assignee"]], row["number"], row["late"], row["week"])
    # By the index of names and times: sought or grouped by the people themselves, SQLite would read
    # all that they ever did.
    moved = CaseEvent.objects.filter(name__in=_moving_events(), at__gte=now - timedelta(days=PACE_DAYS))
    who = moved.order_by().annotate(who=F("user") + 0).values_list("who")
    for user, number in who.annotate(number=Count("case", distinct=True)):
        if user in found:
            found[user].pace = round(number * 7 / PACE_DAYS, 1)
    return sorted(found.values(), key=lambda load: (-load.late, -load.open))


def _moving_events() -> list[str]:
    """Events of actions that bring a case to another state; the index of events is by name and time."""
    return sorted(
        {
            act.event or act.name
            for kind in KINDS.values()
            for act in kind.actions.values()
            if act.candidates and act.manual
        }
    )


def unassigned(actor: Actor) -> int:
    return open_cases(actor).filter(assignee=None).count()


def trend(actor: Actor, today: date) -> list[Week]:
    """Twelve whole weeks, and the same weeks a year ago."""
    monday = today - timedelta(days=today.weekday())
    weeks = [Week(monday - timedelta(weeks=back)) for back in range(WEEKS - 1, -1, -1)]
    running = _by_week(actor, monday, today)
    finished = _over(actor, weeks[0].start, monday - timedelta(days=1), today)
    last_year = _over(actor, weeks[0].start - timedelta(weeks=52), today - timedelta(weeks=52), today)
    for week in weeks:
        shown = running if week.start == monday else finished
        week.opened, week.closed = shown["opened"][week.start], shown["closed"][week.start]
        before = week.start - timedelta(weeks=52)
        week.opened_before, week.closed_before = last_year["opened"][before], last_year["closed"][before]
    return weeks


def _over(actor: Actor, first: date, last: date, today: date) -> dict[str, dict[date, int]]:
    """Weeks that are over, counted once a day for all who see the same cases: a case that is reopened
    leaves the week in which it had been closed on the next day."""
    sees = (
        actor.may_see_cases,
        sorted(actor.series),
        actor.tpa,
        actor.hospital,
        actor.provider,
        actor.member,
    )
    key = hashlib.sha256(repr((first, last, today, sees)).encode()).hexdigest()
    return cache.get_or_set(f"trend:{key}", lambda: _by_week(actor, first, last), DAY) or {}


def _by_week(actor: Actor, first: date, last: date) -> dict[str, dict[date, int]]:
    start, end = start_of_day(first), end_of_day(last)
    cases = visible_to(CaseFile.objects.all(), actor)
    opened = cases.filter(opened_at__gte=start, opened_at__lt=end)
    closed = cases.filter(closed_at__gte=start, closed_at__lt=end)
    return {"opened": _weekly(_days(opened, "opened_at")), "closed": _weekly(_days(closed, "closed_at"))}


def _days(cases: QuerySet[CaseFile], column: str) -> Iterable[tuple[date, int]]:
    """Told by the index of the column alone; hence `*`."""
    return cases.annotate(day=TruncDate(column)).order_by().values_list("day").annotate(number=Count("*"))


def _weekly(days: Iterable[tuple[date, int]]) -> dict[date, int]:
    weeks: dict[date, int] = defaultdict(int)
    for day, number in days:
        weeks[day - timedelta(days=day.weekday())] += number
    return weeks
