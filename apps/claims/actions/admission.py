"""What people decide at intake: confirm or overrule a refusal, decide a hold (PR-06, PR-20, LAW-07)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.adjudication.handbook import Level
from apps.cases.context import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action
from apps.claims import guards, letters
from apps.claims.actions.common import ReasonInput, answer_row
from apps.claims.actions.intake import register
from apps.claims.assess import Assessment, assessment_in
from apps.claims.facts import facts_of
from apps.claims.roles import SENIORS, SUPERVISORS
from apps.claims.workflow import KIND
from apps.core.errors import NotAllowed
from apps.documents.letters import queue_letter
from apps.documents.register import release_bills
from apps.messaging.outbox import notify_member


@dataclass(frozen=True)
class RefusalInput:
    text: str = ask(_("Text for the member"), default="", widget="textarea", max_length=2000)


@dataclass(frozen=True)
class HoldInput:
    accept: bool = ask(
        _("Take the claim in"),
        widget="select",
        choices=[(True, _("take in")), (False, pgettext_lazy("intake", "refuse"))],
    )
    reason: str = ask(_("Reason"), widget="textarea", min_length=2, max_length=2000)
    text: str = ask(_("Text for the member"), default="", widget="textarea", max_length=2000)


def _confirm_refusal(ctx: Ctx[RefusalInput]) -> None:
    assert ctx.input is not None
    _refuse(ctx, ctx.input.text)


def _refuse(ctx: Ctx[Any], text: str, reason: str = "") -> None:
    """The refusal letter with reasons goes out (LAW-04); the bills are free for another claim."""
    found = assessment_in(ctx)
    grounds = [
        finding for finding in found.intake if finding.level is not Level.WARN and not finding.overridden
    ]
    reasons = tuple(letters.reason_of(finding, ctx.handbook) for finding in grounds)
    context = letters.refusal(found.rows, reasons, at_intake=True, on=letters.local_day(ctx.now), text=text)
    letter = queue_letter(ctx, context)
    key = f"{ctx.case.number}:refusal:{ctx.case.version}"
    notify_member(ctx, template="refusal", context=letters.message_context(ctx.case), key=key, letter=letter)
    release_bills(ctx.case)
    ctx.case.open, ctx.case.closed_at = False, ctx.now
    ctx.reason = reason or "; ".join(finding.message_zh for finding in grounds)
    ctx.data["rules"] = sorted({finding.rule for finding in grounds})
    ctx.emit("refused")


def _overrule_refusal(ctx: Ctx[ReasonInput]) -> None:
    assert ctx.input is not None
    ctx.reason = ctx.input.reason
    _answer_all(ctx, ctx.input.reason, accept=True)
    ctx.then("route")


def _readmit(ctx: Ctx[ReasonInput]) -> None:
    """The refusal did not stand up to an appeal (PR-06): its bills are claimed again (LAW-11), and a person
    takes the claim in, after a correction where the facts were wrong."""
    assert ctx.input is not None
    ctx.reason = ctx.input.reason
    register(ctx, assessment_in(ctx).rows)
    ctx.case.open, ctx.case.closed_at = True, None
    ctx.emit("first_received")


def _decide_hold(ctx: Ctx[HoldInput]) -> None:
    assert ctx.input is not None
    ctx.reason = ctx.input.reason
    ctx.emit("hold_decided")
    if ctx.input.accept:
        _answer_all(ctx, ctx.input.reason, accept=True)
        ctx.then("route")
    else:
        _refuse(ctx, ctx.input.text, ctx.input.reason)


def _answer_all(ctx: Ctx[Any], reason: str, *, accept: bool) -> None:
    """A person's answer to everything that stopped the claim at intake."""
    found = assessment_in(ctx)
    stopping = [
        f
        for f in found.intake
        if f.level in (Level.BLOCK, Level.REFER, Level.SOFT_BLOCK) and not f.overridden
    ]
    if ctx.actor.user_id is None:
        raise NotAllowed(_("A person must decide this."), code="person")
    for finding in stopping:
        override = answer_row(ctx, finding.ref, finding.rule, accept=accept, reason=reason)
        found.rows.overrides.append(override)
    facts = replace(facts_of(found.rows, ctx.now), balances=found.facts.balances)
    ctx.loaded |= {"assessment": Assessment(found.rows, facts), "facts": facts}


def _hold_refused(ctx: Ctx[HoldInput]) -> str:
    assert ctx.input is not None
    return "" if ctx.input.accept else "reject_intake"


def _refusal_grounds(ctx: Ctx[Any]) -> dict[str, Any]:
    grounds = [finding.message_zh for finding in assessment_in(ctx).intake if finding.level is not Level.WARN]
    return {"text": "\n".join(grounds)}


KIND.action(
    Action(
        "confirm_refusal", _("Confirm refusal"), frozenset({"intake"}) | SENIORS | {"first_review", "second_review"},
        _confirm_refusal, transition="reject_intake", states=frozenset({"REFUSAL_PENDING"}), input=RefusalInput, guards=(guards.refusal_confirmed_only,),
        initial=_refusal_grounds, style="danger", order=10,
    )
)  # fmt: skip
KIND.action(
    Action(
        "overrule_refusal", _("Take in after all"), SUPERVISORS, _overrule_refusal, states=frozenset({"REFUSAL_PENDING"}),
        input=ReasonInput, guards=(guards.refusal_has_discretion,), order=20,
    )
)  # fmt: skip
KIND.action(
    Action(
        "readmit", _("Take up again after an appeal"), frozenset(), _readmit, transition="readmit", input=ReasonInput,
        event="readmitted", system=True, manual=False,
    )
)  # fmt: skip
KIND.action(
    Action(
        "decide_hold", _("Decide the hold"), SENIORS, _decide_hold, transition=_hold_refused,
        transitions=("reject_intake",), states=frozenset({"EMERGENCY_HOLD"}), input=HoldInput, style="primary", order=10,
    )
)  # fmt: skip
