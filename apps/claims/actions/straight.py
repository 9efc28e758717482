"""Deciding clean claims without a person: papers complete, nothing asked, under an amount.

How far that goes is for managers to set (`quality.models.StraightRule`); what is clean is set here.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.adjudication.handbook import Level
from apps.adjudication.trace import observe
from apps.cases.context import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action, NoInput
from apps.claims import booking
from apps.claims.actions.decide import FINAL_WAYS, reason_text, way
from apps.claims.assess import Assessment
from apps.claims.assignment import can_be_ordered
from apps.claims.models import Outcome
from apps.claims.workflow import KIND
from apps.core.errors import Blocked
from apps.core.money import format_yuan, to_fen

HARMLESS = frozenset({Level.REDUCE, Level.RECORD})
PAYING = (Outcome.APPROVE, Outcome.PARTIAL)


@dataclass(frozen=True)
class StraightInput:
    ceiling: Decimal = ask(_("Up to"), widget="money", minimum=0)


def why_not(found: Assessment, ceiling_fen: int) -> Any:
    """Why a person must decide this claim, in words; None = it is clean.

    Clean means: papers complete, no answer of a person in it, nothing found but the arithmetic of
    the plan, something to pay and not more than `ceiling_fen` (inclusive), to a screened account,
    and never decided before.
    """
    claim, decision = found.rows.claim, found.decision
    if claim.decided_fen is not None:
        return _("It was decided before.")
    if observe("ADV-15", claim.assigned_to_id is not None):
        return _("It follows an inpatient advance: a person decides it on its own.")
    if found.lacking:
        return _("Papers are missing.")
    if found.facts.overrides:
        return _("A person answered a finding.")
    worst = next((finding for finding in found.findings if finding.level not in HARMLESS), None)
    if worst is not None:
        return _("%(rule)s must be looked at.") % {"rule": worst.rule}
    if decision.outcome not in PAYING or not decision.insurer:
        return _("Nothing is payable.")
    if to_fen(decision.insurer) > ceiling_fen:
        return _("%(amount)s is more than %(ceiling)s.") % {
            "amount": format_yuan(to_fen(decision.insurer)),
            "ceiling": format_yuan(ceiling_fen),
        }
    if not can_be_ordered(found.rows.case, to_fen(decision.insurer)):
        return _("The payee's account is not known or not screened.")
    return None


def _start_straight(ctx: Ctx[StraightInput]) -> None:
    """Looked at again on the locked limits: what is no longer clean is left to people."""
    assert ctx.input is not None
    booking.fresh_decision(ctx)
    ceiling = to_fen(ctx.input.ceiling)
    reason = why_not(ctx.loaded["assessment"], ceiling)
    if reason is not None:
        raise Blocked(reason, code="not_clean")
    ctx.data |= {"straight": True, "ceiling_fen": ceiling}
    ctx.then("decide_straight")


def _decide_straight(ctx: Ctx[NoInput]) -> None:
    decision = ctx.loaded["assessment"].decision
    reason = reason_text(decision)
    booking.book(ctx, booking.Verdict(decision.outcome, decision, to_fen(decision.insurer), reason))
    ctx.data["straight"] = True


KIND.action(
    Action(
        "straight_through", _("Straight-through review"), frozenset(), _start_straight, transition="start_review",
        states=frozenset({"COMPLETE"}), input=StraightInput, prepare=booking.prepare, event="start_review",
        system=True, manual=False,
    )
)  # fmt: skip
KIND.action(
    Action(
        "decide_straight", _("Decided without a person"), frozenset(), _decide_straight, transition=way,
        transitions=FINAL_WAYS, states=frozenset({"UNDER_REVIEW"}), event="decide", system=True, manual=False,
    )
)  # fmt: skip
