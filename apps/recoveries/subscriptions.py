"""What recoveries listen to: decisions and payments of claims and direct claims.

They are followed once everything the action wrote is in the database, in its transaction.
"""

from __future__ import annotations

from typing import Any

from apps.cases.context import Batch, Ctx
from apps.cases.models import CaseFile
from apps.cases.subscribers import subscribe
from apps.claims.models import Decision
from apps.recoveries.actions.opening import follow
from apps.recoveries.demand import CLAIM, DECIDED, DIRECT, RETURNED

# A first decision of an unpaid claim asks nothing back; whatever pays or decides again may.
AFTER = {
    "decided": DECIDED, "refused": DECIDED, "undisputed_decided": DECIDED, "payment_returned": RETURNED,
    "part_returned": RETURNED, "settlement_returned": RETURNED,
}  # fmt: skip
EVENTS = (*AFTER, "paid", "part_paid", "paid_to_hospital")
WAITING = "recoveries_to_follow"


def connect() -> None:
    for event in EVENTS:
        subscribe(event, note)


def note(ctx: Ctx[Any]) -> None:
    """Costs nothing for the first decision of a claim and for a payment of what was decided."""
    asks = {CLAIM: _may_owe, DIRECT: _may_be_owed}.get(ctx.kind.code)
    if asks is None or not asks(ctx):
        return
    after = next((AFTER[event] for event in AFTER if event in ctx.emitted), "")
    ctx.batch.shared.setdefault(WAITING, {})[ctx.case.pk] = (ctx.case, after)
    ctx.batch.after_flush(_follow_all)


def _may_be_owed(ctx: Ctx[Any]) -> bool:
    """A direct claim whose hospital got more than the decision gives, or one that was paid and changed."""
    paid, decided = ctx.subject.paid_fen, ctx.case.claim.decided_fen or 0
    again = int(ctx.loaded.get("decision_version", 1)) > 1 or "settlement_returned" in ctx.emitted
    return paid > decided or again


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
    cases: dict[int, tuple[CaseFile, str]] = batch.shared.pop(WAITING, {})
    for case, after in cases.values():
        follow(case, batch.now, after)
