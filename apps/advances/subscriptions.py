"""What advances listen to: the decision of the claim that a stay was filed as, and its end.

They are followed once everything the claim's action wrote is in the database, in its transaction.
"""

from __future__ import annotations

from typing import Any

from apps.accounts.actors import SYSTEM
from apps.advances.models import Advance
from apps.cases.context import Batch, Ctx
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.cases.subscribers import subscribe
from apps.messaging.purposes import add_purposes

ENDED = ("decided", "refused", "withdrawn", "closed_no_papers")
EVENTS = (*ENDED, "closed")
WAITING = "advances_to_follow"


def connect() -> None:
    from apps.advances.words import PURPOSES

    add_purposes(PURPOSES)
    for event in EVENTS:
        subscribe(event, note)


def note(ctx: Ctx[Any]) -> None:
    """Costs nothing for a claim whose money nobody advanced."""
    if ctx.kind.code != "claim" or ctx.subject.assigned_to_id is None:
        return
    cases: dict[int, bool] = ctx.batch.shared.setdefault(WAITING, {})
    cases[ctx.case.pk] = cases.get(ctx.case.pk, False) or any(event in ctx.emitted for event in ENDED)
    ctx.batch.after_flush(_follow_all)


def _follow_all(batch: Batch) -> None:
    for pk, decided in batch.shared.pop(WAITING, {}).items():
        rows = Advance.objects.filter(claim=pk).select_related("case").order_by("pk")
        for number in list(rows.values_list("case__number", flat=True)):
            follow(number, decided, batch)


def follow(number: str, decided: bool, batch: Batch) -> None:
    """Decided: what it makes of the advance. Closed: the provider has its money, and the advance ends, too."""
    if decided:
        state = _state(number)
        perform(number, "adjudicate" if state == "SETTLED" else "adjudicate_again", SYSTEM, now=batch.now)
    row = Advance.objects.select_related("case", "claim").get(case__number=number)
    over = row.claim is not None and not row.claim.open and not row.open_fen
    if over and row.case.state in ("ADJUDICATED", "REFUNDED"):
        perform(number, "close", SYSTEM, now=batch.now)


def _state(number: str) -> str:
    return CaseFile.objects.values_list("state", flat=True).get(number=number)
