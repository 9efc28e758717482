"""Reads: whose endpoints, their log, their health by day."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import TypeVar

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.models import ApiClient
from apps.accounts.visibility import visible_to
from apps.webhooks.models import OPEN, Attempt, Delivery, Endpoint

LEADS = frozenset({"manager", "supervisor", "tpa_manager", "claims_manager", "insurer_user"})
READERS = LEADS | {"auditor", "compliance"}
DAYS = 30
Row = TypeVar("Row", Endpoint, Delivery)


def endpoints_of(actor: Actor) -> QuerySet[Endpoint]:
    """A machine's own; for people with a role that looks after them those of the clients in their scope.

    An endpoint belongs to no series.
    """
    if actor.client_id is not None:
        return Endpoint.objects.filter(client=actor.client_id)
    own = {field.name: getattr(actor, field.name) for field in fields(Actor)}
    return visible_to(_for_readers(Endpoint.objects.all(), actor), Actor(**own | {"series": frozenset()}))


def deliveries_of(actor: Actor) -> QuerySet[Delivery]:
    """The same for what was sent; of the series that a person may see."""
    if actor.client_id is not None:
        return Delivery.objects.filter(endpoint__client=actor.client_id)
    return visible_to(_for_readers(Delivery.objects.all(), actor), actor)


def _for_readers(rows: QuerySet[Row], actor: Actor) -> QuerySet[Row]:
    return rows if actor.is_system or actor.roles & READERS else rows.none()


def clients_of(actor: Actor) -> QuerySet[ApiClient]:
    """API clients for whom a lead may make an endpoint."""
    restricted = {name: getattr(actor, name) for name in ("tpa", "hospital", "provider", "member")}
    scope = {name: value for name, value in restricted.items() if value}
    return ApiClient.objects.filter(active=True, **scope)


@dataclass(frozen=True, slots=True)
class Day:
    """Attempts of one day: how many were taken, how many were not."""

    day: date
    delivered: int
    failed: int


@dataclass(frozen=True, slots=True)
class Health:
    days: list[Day]
    waiting: int
    dead: int
    slowest_ms: int

    @property
    def highest(self) -> int:
        return max((day.delivered + day.failed for day in self.days), default=0)


def health_of(endpoint: Endpoint) -> Health:
    """The last thirty days, today last. Three queries."""
    today = timezone.localdate()
    first = today - timedelta(days=DAYS - 1)
    since = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS - 1)
    good = Q(status__gte=200, status__lt=300)
    attempts = Attempt.objects.filter(delivery__endpoint=endpoint, at__gte=since)
    counted = (
        attempts.annotate(day=TruncDate("at"))
        .values("day")
        .annotate(good=Count("pk", filter=good), every=Count("pk"))
    )
    found = {row["day"]: row for row in counted}
    days = [
        Day(day, row["good"], row["every"] - row["good"])
        for day, row in (
            (first + timedelta(days=n), found.get(first + timedelta(days=n), {"good": 0, "every": 0}))
            for n in range(DAYS)
        )
    ]
    open_now = Delivery.objects.filter(endpoint=endpoint, state__in=OPEN).count()
    dead = Delivery.objects.filter(endpoint=endpoint, state=Delivery.State.DEAD).exclude(event="ping").count()
    slowest = attempts.order_by("-took_ms").values_list("took_ms", flat=True).first() or 0
    return Health(days=days, waiting=open_now, dead=dead, slowest_ms=slowest)
