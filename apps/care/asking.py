"""What opening a case of this room begins with: who may ask, for which child, under which handbook."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.models import Team
from apps.accounts.roles import role_needed
from apps.adjudication.clocks import HOURS
from apps.adjudication.handbook import Service
from apps.adjudication.trace import observe
from apps.care.guards import offered
from apps.cases.clocks import spec_of
from apps.cases.context import Ctx
from apps.cases.kinds import Kind
from apps.cases.models import CaseFile, Clock
from apps.enquiries.actions import policy_named
from apps.members.models import Policy
from apps.products.queries import handbook_for

Data = Mapping[str, object]


@dataclass(frozen=True)
class Asked:
    """A service that the series of this policy offers, and the case that is to be opened."""

    policy: Policy
    service: Service
    case: CaseFile

    @property
    def book(self) -> Any:
        return self.case.handbook.handbook


def authorize(actor: Actor, roles: Collection[str]) -> None:
    if not actor.roles & set(roles):
        raise role_needed(actor, roles)


def asked_for(actor: Actor, kind: Kind, number: str, service: str, now: datetime) -> Asked:
    """Raises InvalidInput for an unknown child, Blocked with the rule that closes the service (GEN-04, D44, D47)."""
    policy = policy_named(actor, number)
    handbook = handbook_for(policy.series, timezone.localdate(now))
    found = offered(handbook.handbook, service)
    case = kind.workflow(
        kind=kind.code, series=policy.series, tpa=policy.tpa, member=policy.member, policy=policy, handbook=handbook
    )  # fmt: skip
    return Asked(policy, found, case)


def to_the_desk(ctx: Ctx[Any]) -> None:
    """Who recorded it has it on the list of own work; what comes from outside goes to the team."""
    ctx.case.team = Team.objects.filter(tpa=ctx.case.tpa).order_by("code").first()
    ctx.case.assignee_id = ctx.actor.user_id


def late_by(ctx: Ctx[Any], event: str) -> list[str]:
    """Ids of the clocks that this event stops after their due (DL-01, DL-02, DL-15, DL-39). One query."""
    found = []
    for clock in Clock.objects.filter(case=ctx.case.pk).exclude(state=Clock.State.STOPPED):
        spec = spec_of(ctx.handbook, clock)
        if event in spec.stop:
            late = ctx.now > clock.due_at if spec.unit == HOURS else ctx.now >= clock.due_at
            found += [clock.spec_id] if observe(clock.spec_id, late) else []
    return found


def end(ctx: Ctx[Any]) -> None:
    ctx.case.open, ctx.case.closed_at = False, ctx.now
