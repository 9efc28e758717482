"""What recoveries listen to: decisions and payments of claims and direct claims.

They are followed once everything the action wrote is in the database, in its transaction.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from apps.cases.engine import Batch, Ctx
from apps.cases.models import CaseFile
from apps.cases.subscribers import subscribe
from apps.claims.models import Decision
from apps.recoveries.actions.opening import follow
from apps.recoveries.demand import CLAIM, DIRECT

# A first decision of an unpaid claim asks nothing back; whatever pays or decides again may.
EVENTS = (
    "decided", "refused", "undisputed_decided", "paid", "part_paid", "payment_returned", "part_returned",
    "paid_to_hospital",
)  # fmt: skip
WAITING = "recoveries_to_follow"


def connect() -> None:
    for event in EVENTS:
        subscribe(event, note)


def note(ctx: Ctx[Any]) -> None:
    """Costs nothing for the first decision of a claim and for a payment of what was decided."""
    if ctx.kind.code == CLAIM and not _may_owe(ctx):
        return
    if ctx.kind.code in (CLAIM, DIRECT):
        ctx.batch.shared.setdefault(WAITING, {})[ctx.case.pk] = ctx.case
        ctx.batch.after_flush(_follow_all)


def _may_owe(ctx: Ctx[Any]) -> bool:
    """Only a claim with a second decision was ever paid too much."""
    version = ctx.loaded.get("decision_version")
    if version is not None:
        return int(version) > 1
    again = ctx.batch.shared.get("decided_again")
    if again is None:
        cases = [other.case.pk for other in ctx.batch.contexts]
        found = Decision.objects.filter(claim__in=cases, version__gt=1).values_list("claim", flat=True)
        again = ctx.batch.shared["decided_again"] = set(found)
    return ctx.case.pk in again


def _follow_all(batch: Batch) -> None:
    cases: dict[int, CaseFile] = batch.shared.pop(WAITING, {})
    for case in cases.values():
        follow(case, batch.now or timezone.now())
