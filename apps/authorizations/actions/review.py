"""The review: the doctor's opinion, the decision within authority, reconsideration (PR-19), withdrawal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.adjudication.trace import observe
from apps.authorizations import guards
from apps.authorizations.assess import SERVICE, clock, trial, trial_in
from apps.authorizations.letters import tell_family
from apps.authorizations.promises import give_back, promise
from apps.authorizations.roles import DECIDERS, DESK, MACHINES, MEDICAL, REQUESTERS, SIGNERS
from apps.authorizations.workflow import BEFORE_DECISION, KIND
from apps.cases.context import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action, NoInput
from apps.core.errors import Blocked, InvalidInput
from apps.core.money import format_yuan, to_fen, to_yuan

VALID_DAYS = 30  # after the planned start; no handbook prints how long a letter waits for the child


@dataclass(frozen=True)
class ReasonInput:
    reason: str = ask(_("Reason"), widget="textarea", min_length=2, max_length=2000)


@dataclass(frozen=True)
class QuestionInput:
    question: str = ask(_("Question to the doctor"), widget="textarea", min_length=2, max_length=2000)


@dataclass(frozen=True)
class OpinionInput:
    opinion: str = ask(_("Medical opinion"), widget="textarea", min_length=2, max_length=2000)


@dataclass(frozen=True)
class ApproveInput:
    """`amount` in yuan is the cap of the letter; `valid_until` inclusive."""

    amount: Decimal = ask(_("Approved amount"), widget="money", minimum=Decimal("0.01"))
    valid_until: date = ask(_("Valid until"))
    conditions: str = ask(_("Conditions"), default="", widget="textarea", max_length=600)
    reason: str = ask(_("Reason"), default="", widget="textarea", max_length=2000)


def _suggest(ctx: Ctx[Any]) -> dict[str, Any]:
    """What the plan pays of the estimate on the limits of now, and thirty days after the start."""
    given = ctx.subject
    fen = given.proposed_fen if ctx.case.state == "SECOND_REVIEW" else trial_in(ctx).suggested_fen
    until = min(
        given.planned_on + timedelta(days=given.planned_days + VALID_DAYS), ctx.case.policy.covered_until
    )
    return {
        "amount": to_yuan(fen or 0),
        "valid_until": given.valid_until or until,
        "conditions": given.conditions,
    }


# --- The doctor -------------------------------------------------------------------------------------


def _ask_doctor(ctx: Ctx[QuestionInput]) -> None:
    assert ctx.input is not None
    ctx.reason = ctx.input.question


def _give_opinion(ctx: Ctx[OpinionInput]) -> None:
    assert ctx.input is not None
    given = ctx.subject
    given.opinion, given.opinion_by = ctx.input.opinion, ctx.actor.label
    ctx.update(given, "opinion", "opinion_by")
    ctx.reason = ctx.input.opinion


# --- The decision -----------------------------------------------------------------------------------


def _check(ctx: Ctx[ApproveInput], amount: int) -> None:
    assert ctx.input is not None
    given, valid_until = ctx.subject, ctx.input.valid_until
    if valid_until < given.planned_on:
        raise InvalidInput(_("It must be valid on the planned start."), code="order", field="valid_until")
    if valid_until > ctx.case.policy.covered_until:
        words = _("The policy covers until %(day)s.") % {"day": ctx.case.policy.covered_until}
        raise InvalidInput(words, code="after_cover", field="valid_until", rule="PA-02")
    if amount > given.estimate_fen:
        words = _("The plan was estimated at %(amount)s.") % {"amount": format_yuan(given.estimate_fen)}
        raise InvalidInput(words, code="above_estimate", field="amount")


def _keep_terms(ctx: Ctx[ApproveInput]) -> int:
    assert ctx.input is not None
    given, amount = ctx.subject, to_fen(ctx.input.amount)
    _check(ctx, amount)
    given.valid_from, given.valid_until = _first_day(ctx), ctx.input.valid_until
    given.conditions = ctx.input.conditions
    ctx.reason = ctx.input.reason
    return amount


def _first_day(ctx: Ctx[Any]) -> date:
    """The first day of an admission on the letter: that of the emergency, else of the request, as a bed may be
    free before the planned day. Where the plan is not covered or not billed directly yet by then (PA-02,
    PA-21: a waiting period, a cover or a contract that begins later), the planned day."""
    given, found = ctx.subject, trial_in(ctx)
    day = timezone.localtime(given.emergency_at or ctx.case.opened_at).date()
    if day >= given.planned_on:
        return given.planned_on
    then = trial(replace(found.plan, planned_on=day), ctx.now)
    return day if then.billing.direct and not then.outside else given.planned_on


def _approve(ctx: Ctx[ApproveInput]) -> None:
    """Within one's own authority; the amount is reserved with the same act."""
    amount = _keep_terms(ctx)
    if ctx.actor.authority_fen < amount:
        raise Blocked(
            _("%(amount)s is above your authority of %(limit)s.")
            % {"amount": format_yuan(amount), "limit": format_yuan(ctx.actor.authority_fen)},
            code="authority", field="amount",
        )  # fmt: skip
    _grant(ctx, amount)


def _propose(ctx: Ctx[ApproveInput]) -> None:
    given = ctx.subject
    given.proposed_fen = _keep_terms(ctx)
    ctx.update(given, "proposed_fen", "valid_from", "valid_until", "conditions")
    ctx.data["amount_fen"] = given.proposed_fen


def _sign(ctx: Ctx[NoInput]) -> None:
    _grant(ctx, ctx.subject.proposed_fen or 0)


def _grant(ctx: Ctx[Any], amount: int) -> None:
    """Reserve, then the letter where the hospital bills directly, advice where it does not (PA-21).

    On a greyed card the letter waits (BIL-03, BIL-21); the approval and what it reserves stand.
    """
    given = ctx.subject
    given.approved_fen = amount
    ctx.update(given, "approved_fen", "valid_from", "valid_until", "conditions")
    ctx.case.amount_fen = amount
    ctx.data |= {"amount_fen": amount, "valid_until": given.valid_until.isoformat()}
    ctx.emit("authorization_decided")
    found = trial_in(ctx).billing
    if not found.direct:
        ctx.then("go_without_letter")
        return
    promise(ctx, amount)
    stopped = guards.card_serves(ctx)
    if stopped is None:
        ctx.then("issue_letter")
        return
    ctx.data["card_greyed"] = stopped.rule
    tell_family(ctx, "waiting")


def _go_without_letter(ctx: Ctx[NoInput]) -> None:
    """PA-21: no letter goes to a hospital outside the network. Nothing stays reserved: the family's
    claim afterwards must find its own limit free."""
    found = trial_in(ctx).billing
    ctx.case.open, ctx.case.closed_at = False, ctx.now
    ctx.data |= {"rule": found.rule, "why": str(found.why)}
    advance = ctx.handbook.service("advance")
    tell_family(ctx, "no_letter", advance=bool(advance and advance.offered))


def _not_required(ctx: Ctx[NoInput]) -> None:
    ctx.case.open, ctx.case.closed_at = False, ctx.now
    ctx.emit("authorization_decided")
    tell_family(ctx, "not_required")


def _reject(ctx: Ctx[ReasonInput]) -> None:
    assert ctx.input is not None
    ctx.reason = ctx.input.reason
    ctx.case.open, ctx.case.closed_at = False, ctx.now
    ctx.emit("authorization_decided")
    spec = clock(ctx.handbook, "authorization.reconsideration")
    tell_family(ctx, "rejected", reason=ctx.input.reason, again=bool(spec) and not ctx.subject.reconsidered)


def _reconsider(ctx: Ctx[ReasonInput]) -> None:
    """PR-19: asked once, answered in one working day by somebody else."""
    assert ctx.input is not None
    given = ctx.subject
    given.reconsidered = True
    ctx.update(given, "reconsidered")
    ctx.case.open, ctx.case.closed_at, ctx.case.assignee_id = True, None, None
    ctx.case.priority = 1
    ctx.reason = ctx.input.reason
    ctx.emit("reconsideration_asked")


def _withdraw(ctx: Ctx[ReasonInput]) -> None:
    assert ctx.input is not None
    if ctx.case.state == "APPROVED":
        give_back(ctx)
    ctx.reason = ctx.input.reason
    ctx.case.open, ctx.case.closed_at = False, ctx.now


def _send_back(ctx: Ctx[ReasonInput]) -> None:
    assert ctx.input is not None
    ctx.reason = ctx.input.reason


def _series_knows_it(ctx: Ctx[Any]) -> Any:
    service = ctx.handbook.service(SERVICE)
    closed = service is None or not service.offered
    rule = service.rule if service else "GEN-08"
    if not observe(rule, closed):
        return None
    words = _("Series %(series)s knows no prior authorization.") % {"series": ctx.handbook.series}
    return guards.Blocker("closed", words, rule)


for action in (
    Action("ask_doctor", _("Ask the doctor"), DECIDERS, _ask_doctor, transition="ask_doctor", input=QuestionInput,
           order=40),
    Action("give_opinion", _("Give the opinion"), MEDICAL, _give_opinion, transition="hear_doctor", input=OpinionInput,
           style="primary", order=10),
    Action("approve", _("Approve"), DECIDERS, _approve, transition="approve",
           states=frozenset({"UNDER_REVIEW", "RECONSIDERATION"}), input=ApproveInput, initial=_suggest,
           guards=(_series_knows_it, guards.in_cover, guards.somebody_else), event="authorization_decided",
           style="primary", order=10),
    Action("propose", _("Propose to a second signature"), DECIDERS, _propose, transition="propose", input=ApproveInput,
           initial=_suggest, guards=(guards.in_cover, guards.somebody_else), event="authorization_proposed", order=20),
    Action("sign", _("Sign"), SIGNERS, _sign, transition="approve", states=frozenset({"SECOND_REVIEW"}),
           four_eyes=("propose", "reject"), guards=(guards.within_authority, guards.in_cover),
           event="authorization_decided", style="primary", order=10),
    Action("send_back", _("Send back"), SIGNERS, _send_back, transition="send_back", input=ReasonInput, order=30),
    Action("reject", _("Reject"), DECIDERS, _reject, transition="reject", input=ReasonInput,
           guards=(guards.somebody_else,), event="authorization_rejected", style="danger", order=60),
    Action("find_not_required", _("Not required"), DECIDERS, _not_required, transition="find_not_required",
           guards=(guards.nothing_listed,), event="not_required", order=50),
    Action("reconsider", _("Reconsider"), REQUESTERS, _reconsider, transition="reconsider", states=frozenset({"REJECTED"}),
           input=ReasonInput, guards=(guards.once,), event="reconsideration_asked", order=10),
    Action("withdraw", _("Withdraw"), DESK | MACHINES, _withdraw, transition="withdraw",
           states=BEFORE_DECISION | {"APPROVED"},
           input=ReasonInput, event="withdrawn", style="danger", order=90),
    Action("go_without_letter", _("Approved without letter"), frozenset(), _go_without_letter,
           transition="go_without_letter", states=frozenset({"APPROVED"}), system=True, manual=False),
):  # fmt: skip
    KIND.action(action)
