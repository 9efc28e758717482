"""The amount changes: a claim is decided again, somebody corrects it, or the bill is canceled."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.billing.inputs import CancelInput, ClaimInput, CorrectInput
from apps.billing.models import BillRevision
from apps.billing.money import Breakdown, charge, end_if_settled, give_back
from apps.billing.roles import CORRECTORS
from apps.billing.workflow import FINAL, KIND, UNPAID
from apps.cases.context import Ctx
from apps.cases.kinds import Action
from apps.core.errors import Blocked, InvalidInput
from apps.core.money import to_fen, to_yuan

Cause = BillRevision.Cause


def read_breakdown(given: tuple[str, ...]) -> list[tuple[str, int]]:
    """["NOT_COVERED:30000"] as pairs."""
    return [(reason, int(fen)) for reason, _colon, fen in (part.rpartition(":") for part in given)]


def as_breakdown(parts: Breakdown) -> list[str]:
    return [f"{reason}:{fen}" for reason, fen in parts]


def _revise(ctx: Ctx[Any], total: int, cause: str, reason: str, **more: Any) -> None:
    """Lower, higher or nothing. What was paid beyond it is credit, and goes back the way it came."""
    bill = ctx.subject
    parts = {"breakdown": [tuple(part) for part in bill.breakdown], "collected": bill.collected_fen} | more
    charge(ctx, bill, total, cause=cause, reason=reason, **parts)
    if bill.credit_fen:
        give_back(ctx, reason or str(Cause(cause).label))
    ctx.reason = reason
    ctx.loaded["ends"] = end_if_settled(ctx)


def _change(ctx: Ctx[ClaimInput]) -> None:
    given = ctx.input
    assert given is not None
    ctx.subject.full_visits_used = given.full_visits_used
    ctx.update(ctx.subject, "full_visits_used")
    _revise(
        ctx, given.total_fen, given.cause, given.reason, breakdown=read_breakdown(given.breakdown),
        collected=given.collected_fen,
    )  # fmt: skip


def _correct(ctx: Ctx[CorrectInput]) -> None:
    assert ctx.input is not None
    total = to_fen(ctx.input.amount)
    if total == ctx.subject.total_fen:
        raise InvalidInput(_("This is the amount already."), code="same", field="amount")
    if ctx.case.state in FINAL and total > ctx.subject.total_fen:
        words = _("A paid bill can only be lowered; a further share is a further bill.")
        raise InvalidInput(words, code="paid", field="amount")
    _revise(ctx, total, Cause.CORRECTED if total else Cause.CANCELED, ctx.input.reason)


def _cancel(ctx: Ctx[CancelInput]) -> None:
    assert ctx.input is not None
    if not ctx.subject.total_fen:
        raise Blocked(_("Nothing is owed."), code="nothing_owed")
    _revise(ctx, 0, Cause.CANCELED, ctx.input.reason)


def _ends(ctx: Ctx[Any]) -> str:
    transition: str = ctx.loaded.get("ends", "")
    return transition


CHANGEABLE = UNPAID | {"PAID"}
for action in (
    Action("correct", _("Correct the amount"), CORRECTORS, _correct, states=CHANGEABLE, transition=_ends,
           input=CorrectInput, initial=lambda ctx: {"amount": to_yuan(ctx.subject.total_fen)}, event="corrected",
           order=70),
    Action("cancel", _("Cancel the bill"), CORRECTORS, _cancel, states=UNPAID, transition=_ends, input=CancelInput,
           event="cancel_recorded", style="danger", order=90),
    Action("change", _("Follow the claim"), frozenset(), _change, states=CHANGEABLE, transition=_ends,
           input=ClaimInput, event="changed", system=True, manual=False),
):  # fmt: skip
    KIND.action(action)
