"""What quality listens to: a claim that was sent back is decided again."""

from __future__ import annotations

from typing import Any

from apps.accounts.actors import SYSTEM
from apps.cases.context import Ctx
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.cases.subscribers import subscribe
from apps.quality.models import Inspection


def connect() -> None:
    for event in ("decided", "refused"):
        subscribe(event, decided_again)


def decided_again(ctx: Ctx[Any]) -> None:
    """Costs nothing for first decisions: only a reopened claim, or direct claim, can have been sent back."""
    if ctx.data.get("version", 1) == 1:
        return
    sent_back = CaseFile.objects.filter(
        state="REWORK", pk__in=Inspection.objects.filter(claim_case=ctx.case.pk).values("case")
    )
    for number in sent_back.order_by("pk").values_list("number", flat=True):
        perform(number, "finish_rework", SYSTEM, now=ctx.now)
