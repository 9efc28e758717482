"""Reads of home tests and services."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from django.db.models import QuerySet

from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.care.catalog import PHONE
from apps.care.models import HomeTest, ServiceRequest
from apps.cases.models import CaseFile
from apps.core.look_ups import with_number

NUMBERS = ["case__number", "case__member__number", "case__policy__number"]
R = TypeVar("R", HomeTest, ServiceRequest)


def cases_of(actor: Actor, kind: str) -> QuerySet[CaseFile]:
    return visible_to(CaseFile.objects.filter(kind=kind), actor)


def rows_of(model: type[R], actor: Actor) -> QuerySet[R]:
    rows = visible_to(model._default_manager.all(), actor)
    return rows.select_related("case__member", "case__assignee", "case__policy")


def searched(rows: QuerySet[R], text: str) -> QuerySet[R]:
    """By the number of the case, the policy or the child."""
    model: Any = rows.model
    return rows.filter(pk__in=with_number(model, NUMBERS, text))


def overdue_consults(now: datetime) -> list[str]:
    """Phone consults whose answer is overdue and that do not say so yet (DL-01, DL-02). By number."""
    waiting = CaseFile.objects.filter(
        kind="service", state__in=("REQUESTED", "ASSIGNED"), open=True, service__code=PHONE, next_due__lt=now
    )
    return list(waiting.order_by("next_due").values_list("number", flat=True)[:500])
