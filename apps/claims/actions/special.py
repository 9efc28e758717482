"""Decisions outside the rules: ex gratia, compromise (PR-23) and rescission (LAW-12)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal as Yuan
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.adjudication.decision import Decision
from apps.cases.context import Ctx
from apps.cases.inputs import ask, money
from apps.cases.kinds import Action
from apps.claims import booking, guards
from apps.claims.actions.decide import FINAL_WAYS, conclude, way
from apps.claims.assess import assessment_in, refused
from apps.claims.models import Outcome
from apps.claims.roles import COMPLIANCE, SENIORS
from apps.claims.workflow import KIND
from apps.core.errors import InvalidInput
from apps.core.money import format_yuan, to_fen


@dataclass(frozen=True)
class AmountInput:
    amount: Yuan = money(_("Amount paid in all"), rule="PR-23")
    reason: str = ask(_("Reason"), widget="textarea", min_length=10, max_length=4000, rule="PR-23")
    member_text: str = ask(_("Text for the member"), default="", widget="textarea", max_length=4000)


@dataclass(frozen=True)
class RescindInput:
    reason: str = ask(_("Reason"), widget="textarea", min_length=10, max_length=4000, rule="LAW-12")
    member_text: str = ask(_("Text for the member"), default="", widget="textarea", max_length=4000)


def verdict_of(outcome: str, decision: Decision, insurer_fen: int) -> booking.Verdict:
    """What an outcome does with lines and limits.

    Ex gratia pays more than the rules give: limits bear what the rules give, the rest stands outside
    their arithmetic. A compromise pays an agreed sum instead: no limit is used. A rescission pays
    nothing. All of them are in the book of money owed.
    """
    if outcome == Outcome.RESCISSION:
        return booking.Verdict(outcome, refused(decision), 0, "")
    return booking.Verdict(outcome, decision, insurer_fen, "", uses_limits=outcome != Outcome.COMPROMISE)


def _pay_specially(ctx: Ctx[AmountInput]) -> None:
    given = ctx.input
    assert given is not None
    decision = booking.fresh_decision(ctx)
    outcome = Outcome.EX_GRATIA if ctx.action == "decide_ex_gratia" else Outcome.COMPROMISE
    amount, computed = to_fen(given.amount), to_fen(decision.insurer)
    guards.fires(ctx, "decide.outcomes", True, "PR-23")
    _check_amount(ctx, outcome, amount, computed)
    base = verdict_of(outcome, decision, amount)
    conclude(
        ctx,
        booking.Verdict(
            outcome, base.decision, amount, given.reason, given.member_text, proposed_by=ctx.actor.user_id,
            uses_limits=base.uses_limits,
        ),
    )  # fmt: skip


def _check_amount(ctx: Ctx[Any], outcome: str, amount: int, computed: int) -> None:
    claimed = ctx.case.claim.claimed_fen
    if not 0 < amount <= claimed:
        raise InvalidInput(
            _("More than 0 and at most the %(claimed)s claimed can be paid.") % {"claimed": format_yuan(claimed)},
            code="amount", field="amount", rule="PR-23",
        )  # fmt: skip
    if outcome == Outcome.EX_GRATIA and amount <= computed:
        raise InvalidInput(
            _("The rules give %(computed)s already; an ex gratia payment is more than that.")
            % {"computed": format_yuan(computed)},
            code="amount", field="amount", rule="PR-23",
        )  # fmt: skip


def _suggested(ctx: Ctx[Any]) -> dict[str, Any]:
    return {"amount": assessment_in(ctx).decision.insurer, "member_text": ""}


for name, words in (("decide_ex_gratia", _("Pay ex gratia")), ("compromise", _("Compromise"))):
    KIND.action(
        Action(
            name, words, SENIORS, _pay_specially, transition=way, transitions=("approve_part", "propose"),
            states=frozenset({"UNDER_REVIEW"}), input=AmountInput, guards=(guards.identity_settled, guards.inquiries_answered),
            prepare=booking.prepare, initial=_suggested, order=150,
        )
    )  # fmt: skip


def _rescind(ctx: Ctx[RescindInput]) -> None:
    """The insurer rescinds the contract for non-disclosure; the claim is declined on that ground."""
    given = ctx.input
    assert given is not None
    base = verdict_of(Outcome.RESCISSION, booking.fresh_decision(ctx), 0)
    verdict = booking.Verdict(
        Outcome.RESCISSION, base.decision, 0, given.reason, given.member_text, proposed_by=ctx.actor.user_id
    )
    conclude(ctx, verdict)


KIND.action(
    Action(
        "rescind", _("Rescind the contract"), SENIORS | COMPLIANCE, _rescind, transition=way, transitions=FINAL_WAYS,
        states=frozenset({"UNDER_REVIEW"}), input=RescindInput, guards=(guards.rescission_in_time, guards.inquiries_answered),
        prepare=booking.prepare, style="danger", order=210,
    )
)  # fmt: skip
