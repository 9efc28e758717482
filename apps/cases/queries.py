"""Reads of case files: the worklist, its counts, search, one case."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django_fsm import FSMMeta

from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.cases.common import LEADS
from apps.cases.kinds import KINDS, Action, Kind
from apps.cases.models import CaseFile, Clock, ExternalNumber, pressing
from apps.cases.pages import SEARCHES, WAITING_STATES
from apps.core.errors import NotFound
from apps.members.models import Member, Policy

SEARCH_LIMIT = 100
SORTS = {
    "due": (pressing().asc(nulls_last=True), "priority", "id"),
    "number": ("id",),
    "-number": ("-id",),
    "amount": ("amount_fen", "id"),
    "-amount": ("-amount_fen", "id"),
    "opened": ("opened_at", "id"),
    "-opened": ("-opened_at", "-id"),
    "state": ("kind", "state", F("next_due").asc(nulls_last=True), "id"),
}
CLOCKED = ("late", "today", "week", "friday")
DUES = ("late", "today", "week", "friday", "running", "paused", "waiting")
SCOPES = ("mine", "team", "all")


@dataclass(frozen=True)
class Filters:
    """What *My work* shows. Every field stands in the address, so a filter can be saved and linked."""

    scope: str = "mine"
    kind: str = ""
    state: str = ""
    team: str = ""
    assignee: str = ""  # user id | "none"
    due: str = ""  # DUES
    clock: str = ""  # key of a clock that is late
    series: str = ""
    sort: str = "due"

    def query(self, **changes: Any) -> str:
        """The address for these filters with some changed; empty ones are left out."""
        values = {**dataclasses.asdict(self), **changes}
        return urlencode({name: value for name, value in values.items() if value})

    @property
    def narrowed(self) -> bool:
        return any((self.kind, self.state, self.team, self.assignee, self.due, self.clock, self.series))


def filters_of(params: Mapping[str, str], actor: Actor) -> Filters:
    """Filters from an address; what is not understood is left out."""
    known = {item.name for item in dataclasses.fields(Filters)}
    given = {name: str(params[name])[:60] for name in known if params.get(name)}
    filters = Filters(**{"scope": default_scope(actor), **given})
    return dataclasses.replace(
        filters,
        scope=filters.scope if filters.scope in SCOPES else default_scope(actor),
        sort=filters.sort if filters.sort in SORTS else "due",
        due=filters.due if filters.due in DUES else "",
        team=filters.team if filters.team.isdigit() or filters.team == "none" else "",
        assignee=filters.assignee if filters.assignee.isdigit() or filters.assignee == "none" else "",
    )


def default_scope(actor: Actor) -> str:
    """Who leads or only reads looks at everything; who works looks at their own."""
    if actor.roles & LEADS or "auditor" in actor.roles:
        return "all"
    return "mine"


# --- The worklist ----------------------------------------------------------------------------


def worklist(actor: Actor, filters: Filters, now: datetime | None = None) -> QuerySet[CaseFile]:
    """Open cases that the actor sees, due first: one indexed query over all kinds."""
    now = now or timezone.now()
    cases = visible_to(CaseFile.objects.filter(open=True), actor)
    cases = _scoped(cases, actor, filters.scope)
    exact = {"kind": filters.kind, "state": filters.state, "series": filters.series}
    cases = cases.filter(**{name: value for name, value in exact.items() if value})
    if filters.assignee:
        cases = cases.filter(assignee=None if filters.assignee == "none" else int(filters.assignee))
    if filters.team:
        cases = cases.filter(_of_team(filters.team))
    if filters.clock:
        due = due_filter(filters.due if filters.due in CLOCKED else "late", now, "due_at")
        running = Clock.objects.filter(case=OuterRef("pk"), key=filters.clock, state=Clock.State.RUNNING)
        cases = cases.filter(Exists(running.filter(due)))
    elif filters.due:
        cases = cases.filter(due_filter(filters.due, now))
    return cases.order_by(*SORTS[filters.sort])


def _scoped(cases: QuerySet[CaseFile], actor: Actor, scope: str) -> QuerySet[CaseFile]:
    """Mine = given to me, or to nobody yet in my team; team = my team's."""
    if scope == "mine":
        free = Q(assignee=None) & (Q(team=None) | Q(team=actor.team_id) if actor.team_id else Q(team=None))
        return cases.filter(Q(assignee=actor.user_id) | free)
    if scope == "team" and actor.team_id:
        return cases.filter(Q(team=actor.team_id) | Q(assignee__team=actor.team_id))
    return cases


def _of_team(team: str) -> Q:
    """A case without a team counts for its assignee's; "none" = neither has one."""
    if team == "none":
        return Q(team=None, assignee__team=None)
    return Q(team=int(team)) | Q(team=None, assignee__team=int(team))


def due_filter(name: str, now: datetime, column: str = "next_due") -> Q:
    """Cases, or clocks by their own `due_at`, that are late, due today or due this week."""
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    if name == "late":
        return Q(**{f"{column}__lte": now})
    if name == "today":
        return Q(**{f"{column}__gt": now, f"{column}__lte": midnight})
    if name in ("week", "friday"):
        return Q(**{f"{column}__gt": now, f"{column}__lte": end_of_week(now)})
    if name == "waiting":
        return _waiting()
    return Q(next_due__isnull=name == "paused")


def end_of_week(now: datetime) -> datetime:
    """24:00 of this week's Friday; from Saturday on, of next week's."""
    local = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return local + timedelta(days=(4 - local.weekday()) % 7 + 1)


def _waiting() -> Q:
    found = Q(pk=None)
    for kind, states in WAITING_STATES.items():
        found |= Q(kind=kind, state__in=sorted(states))
    return found


def counts(actor: Actor, scope: str, now: datetime | None = None) -> dict[str, int]:
    """The numbers above the list, in one query: late, today, week, waiting, all."""
    now = now or timezone.now()
    cases = _scoped(visible_to(CaseFile.objects.filter(open=True), actor), actor, scope)
    numbers = {
        name: Count("pk", filter=due_filter(name, now)) for name in ("late", "today", "week", "waiting")
    }
    return cases.aggregate(**numbers, all=Count("pk"))


def with_row_data(cases: QuerySet[CaseFile]) -> QuerySet[CaseFile]:
    """What one row of a list shows, in a constant number of queries; handbooks once each.

    Children are fetched for the rows of the page: joined, PostgreSQL may read all of them before it
    knows which fifty are shown."""
    open_clocks = Clock.objects.exclude(state=Clock.State.STOPPED).prefetch_related("pauses")
    return cases.select_related("assignee", "team").prefetch_related(
        Prefetch("clocks", queryset=open_clocks), "handbook", "member"
    )


# --- The next step of a row ------------------------------------------------------------------


@cache
def next_step(kind_code: str, state: str) -> Action[Any] | None:
    """The first thing one does in this state: primary actions first, then by order. No query."""
    kind = KINDS.get(kind_code)
    if kind is None:
        return None
    own = [
        act
        for act in kind.actions.values()
        if act.manual and act.order < 800 and _possible_in(kind, act, state)
    ]
    own.sort(key=lambda act: (act.style != "primary", act.order))
    return own[0] if own else None


def _possible_in(kind: Kind, act: Action[Any], state: str) -> bool:
    if act.states and state not in act.states:
        return False
    if not act.candidates:
        return bool(act.states)
    metas: list[FSMMeta] = [getattr(kind.workflow, name)._django_fsm for name in act.candidates]
    return any(meta.has_transition(state) for meta in metas)


# --- One case and search ---------------------------------------------------------------------


def case_for(actor: Actor, number: str) -> CaseFile:
    """The case with this number, seen through its kind's workflow. NotFound when hidden or unknown."""
    kinds = [kind for kind in KINDS.values() if kind.prefix == number[:1]]
    if kinds:
        kind = kinds[0]
        related = (
            "handbook",
            "member",
            "policy__plan",
            "assignee",
            "team",
            "hospital",
            kind.subject,
            *kind.select_related,
        )
        found = visible_to(kind.workflow._default_manager.all(), actor).filter(number=number)
        case: CaseFile | None = found.select_related(*related).first()
        if case is not None:
            return case
    raise NotFound(_("No such case: %(numbers)s") % {"numbers": number})


def search(actor: Actor, text: str) -> list[CaseFile]:
    """Cases by any number on any paper, or by child: each look-up is exact or by an index.

    Case, external, policy, bill, letter and payment numbers; name, pinyin, identity and mobile.
    """
    text = text.strip()
    if len(text) < 2:
        return []
    cases = visible_to(CaseFile.objects.all(), actor)
    exact = cases.filter(number=text.upper()).first()
    if exact is not None:
        return [exact]
    ids = set(ExternalNumber.objects.filter(number=text).values_list("case_id", flat=True)[:SEARCH_LIMIT])
    for look_up in SEARCHES:
        ids.update(look_up(text))
    policies = Policy.objects.filter(number=text).values_list("pk", flat=True)[:SEARCH_LIMIT]
    found = Q(pk__in=list(ids)) | Q(policy__in=list(policies)) | Q(member__in=_members(actor, text))
    return list(
        with_row_data(cases.filter(found)).order_by("-open", F("next_due").asc(nulls_last=True), "-id")[
            :SEARCH_LIMIT
        ]
    )


def _members(actor: Actor, text: str) -> list[int]:
    from apps.members.queries import find_members

    members: Any = find_members(actor, text)
    return [member.pk for member in members[:SEARCH_LIMIT]]


def history(case: CaseFile, actor: Actor, years: int = 5) -> list[CaseFile]:
    """The child's other cases of the last years, newest first (PR-24)."""
    since = timezone.now() - timedelta(days=366 * years)
    others = visible_to(CaseFile.objects.filter(member=case.member_id, opened_at__gte=since), actor)
    return list(others.exclude(pk=case.pk).select_related("assignee").order_by("-opened_at")[:200])


def child_of(actor: Actor, member_id: int) -> Member | None:
    return visible_to(Member.objects.filter(pk=member_id), actor).first()
