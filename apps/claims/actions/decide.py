"""Deciding: within one's authority at once, above it with a second signature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.adjudication.decision import Decision
from apps.cases.context import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action
from apps.claims import booking, guards, letters
from apps.claims.actions.common import ReasonInput
from apps.claims.assess import assessment_in
from apps.claims.models import Outcome, Proposal
from apps.claims.roles import DECIDERS, SENIORS, SIGNERS
from apps.claims.workflow import KIND
from apps.core.errors import Blocked, Conflict, InvalidInput
from apps.core.money import format_yuan, to_fen

COMPUTED = [
    (Outcome.APPROVE.value, Outcome.APPROVE.label),
    (Outcome.PARTIAL.value, Outcome.PARTIAL.label),
    (Outcome.DENY.value, Outcome.DENY.label),
]
FINAL_WAYS = ("approve", "approve_part", "deny")
PROPOSERS = ("decide", "decide_ex_gratia", "compromise", "rescind")


@dataclass(frozen=True)
class DecideInput:
    outcome: str = ask(
        _("Outcome"), default="", choices=COMPUTED, widget="select",
        help=_("As the rules make it; to decide otherwise, answer findings or correct the facts."),
    )  # fmt: skip
    reason: str = ask(_("Reason"), default="", widget="textarea", max_length=4000)
    member_text: str = ask(_("Text for the member"), default="", widget="textarea", max_length=4000)


def decide(ctx: Ctx[DecideInput]) -> None:
    """The rules compute, a person decides: outcome and reasons are theirs to confirm."""
    given = ctx.input
    assert given is not None
    decision = booking.fresh_decision(ctx)
    outcome = outcome_of(decision)
    if given.outcome and given.outcome != outcome:
        raise InvalidInput(
            _("The rules make this “%(outcome)s”. Answer findings or correct the facts to change it.")
            % {"outcome": Outcome(outcome).label},
            code="outcome",
            field="outcome",
            data={"outcome": outcome},
        )
    reason = given.reason or reason_text(decision)
    verdict = booking.Verdict(
        outcome, decision, to_fen(decision.insurer), reason, given.member_text, proposed_by=ctx.actor.user_id
    )
    conclude(ctx, verdict)


def outcome_of(decision: Decision) -> str:
    """APPROVE, PARTIAL or DENY; anything else means that something is still open."""
    if decision.outcome not in (Outcome.APPROVE, Outcome.PARTIAL, Outcome.DENY):
        raise Blocked(_("Findings are open; answer them first."), code="open_findings")
    return decision.outcome


def reason_text(decision: Decision) -> str:
    """The reasons as the findings give them, one a line."""
    return "\n".join(f.message_zh for f in decision.findings if f.level in letters.REASONS)


def conclude(ctx: Ctx[Any], verdict: booking.Verdict) -> None:
    """Final within the actor's authority, else a proposal that somebody else signs."""
    if verdict.insurer_fen <= ctx.actor.authority_fen:
        booking.book(ctx, verdict)
        return
    claim = ctx.case.claim
    ctx.add(
        Proposal(
            claim=claim, outcome=verdict.outcome, insurer_fen=verdict.insurer_fen, reason=verdict.reason,
            member_text=verdict.member_text, proposed_by_id=ctx.actor.person_id, proposed_at=ctx.now,
        )
    )  # fmt: skip
    ctx.loaded["way"] = "propose"
    ctx.reason = verdict.reason
    ctx.data |= {
        "outcome": verdict.outcome,
        "insurer_fen": verdict.insurer_fen,
        "above_authority": ctx.actor.authority_fen,
    }
    ctx.emit("decision_proposed")


def way(ctx: Ctx[Any]) -> str:
    chosen: str = ctx.loaded["way"]
    return chosen


def prefilled(ctx: Ctx[Any]) -> dict[str, Any]:
    decision = assessment_in(ctx).decision
    known = decision.outcome if decision.outcome in dict(COMPUTED) else ""
    return {"outcome": known, "reason": reason_text(decision), "member_text": ""}


KIND.action(
    Action(
        "decide", _("Decide"), DECIDERS, decide, transition=way, transitions=(*FINAL_WAYS, "propose"),
        states=frozenset({"UNDER_REVIEW"}), input=DecideInput, guards=(guards.nothing_open, guards.inquiries_answered), prepare=booking.prepare,
        initial=prefilled, style="primary", order=10,
    )
)  # fmt: skip


# --- Second signature -----------------------------------------------------------------------------


@dataclass(frozen=True)
class SignInput:
    note: str = ask(_("Note"), default="", widget="textarea", max_length=2000)


def sign(ctx: Ctx[SignInput]) -> None:
    """The same decision, made again on what is left of the limits now. If it came out differently,
    the signature would stand under another amount than the signer saw: back to the reviewer."""
    proposal: Proposal = ctx.case.claim.proposal
    decision = booking.fresh_decision(ctx)
    if proposal.outcome in dict(COMPUTED):
        changed = outcome_of(decision) != proposal.outcome or to_fen(decision.insurer) != proposal.insurer_fen
        if changed:
            raise Conflict(
                _(
                    "Since the proposal the amount changed from %(before)s to %(after)s. Return it to the reviewer."
                )
                % {
                    "before": format_yuan(proposal.insurer_fen),
                    "after": format_yuan(to_fen(decision.insurer)),
                },
                code="changed",
            )
    verdict = special_verdict(ctx, proposal.outcome, decision, proposal.insurer_fen)
    verdict = booking.Verdict(
        proposal.outcome, verdict.decision, proposal.insurer_fen, proposal.reason, proposal.member_text,
        proposed_by=proposal.proposed_by_id, signed_by=ctx.actor.user_id, uses_limits=verdict.uses_limits,
    )  # fmt: skip
    proposal.delete()
    booking.book(ctx, verdict)
    if ctx.input is not None and ctx.input.note:
        ctx.data["note"] = ctx.input.note


def special_verdict(ctx: Ctx[Any], outcome: str, decision: Decision, insurer_fen: int) -> booking.Verdict:
    """How each outcome treats lines and limits (PR-23): see `actions.special`."""
    from apps.claims.actions.special import verdict_of

    return verdict_of(outcome, decision, insurer_fen)


def return_to_reviewer(ctx: Ctx[ReasonInput]) -> None:
    assert ctx.input is not None
    ctx.reason = ctx.input.reason
    ctx.case.claim.proposal.delete()


KIND.action(
    Action(
        "sign", _("Sign"), SIGNERS, sign, transition=way, transitions=FINAL_WAYS, states=frozenset({"SECOND_REVIEW"}),
        input=SignInput, guards=(guards.within_authority,), four_eyes=PROPOSERS, prepare=booking.prepare,
        style="primary", order=10,
    )
)  # fmt: skip
KIND.action(
    Action(
        "return_to_reviewer", _("Return to reviewer"), SIGNERS | SENIORS, return_to_reviewer, transition="send_back",
        input=ReasonInput, event="returned_to_reviewer", order=20,
    )
)  # fmt: skip
