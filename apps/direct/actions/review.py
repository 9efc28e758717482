"""Review: answers to findings, corrected facts, and deciding anew."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.cases.context import Ctx
from apps.cases.kinds import Action
from apps.claims.actions.common import ReasonInput
from apps.claims.actions.correct import CorrectInput, correct_facts
from apps.claims.actions.inquiries import inquiry_actions
from apps.claims.actions.review import AnswerInput, answer_finding
from apps.claims.actions.supplement import DeliveredInput, refusal_delivered
from apps.core.errors import Blocked
from apps.direct.actions.intake import UNAUTHORIZED
from apps.direct.roles import COMPLIANCE, DESK, REVIEWERS, SUPERVISORS
from apps.direct.workflow import AT_INTAKE, DECIDED, KIND


def _answer(ctx: Ctx[AnswerInput]) -> None:
    """What lacks an authorization is decided with a clause where the series wants one (PR-07)."""
    assert ctx.input is not None
    if ctx.input.finding.partition("@")[0] in UNAUTHORIZED:
        words = _("Decide this with “Decide without authorization”.")
        raise Blocked(words, code="exception", field="finding", rule="PA-05")
    answer_finding(ctx)
    if ctx.case.state == "ID_PENDING":
        ctx.then("route")


def _correct(ctx: Ctx[CorrectInput]) -> None:
    correct_facts(ctx)


def _reopen(ctx: Ctx[ReasonInput]) -> None:
    """New facts: a further decision version follows; the former one stays booked until then."""
    assert ctx.input is not None
    ctx.reason = ctx.input.reason
    ctx.case.open, ctx.case.closed_at = True, None
    ctx.emit("first_received")
    ctx.emit("materials_complete")


KIND.action(
    Action(
        "answer_finding", _("Answer a finding"), REVIEWERS | COMPLIANCE, _answer,
        states=frozenset({"PA_EXCEPTION", "ID_PENDING", "UNDER_REVIEW", "DISPUTED"}), input=AnswerInput, event="finding_answered",
        order=30,
    )
)  # fmt: skip
KIND.action(
    Action(
        "correct_facts", _("Correct facts"), DESK, _correct,
        states=AT_INTAKE | {"UNDER_REVIEW", "DISPUTED"},
        input=CorrectInput, event="facts_corrected", order=400,
    )
)  # fmt: skip
KIND.action(
    Action(
        "reopen", _("Reopen"), SUPERVISORS, _reopen, transition="reopen", states=DECIDED, input=ReasonInput,
        event="reopened", system=True, order=90,
    )
)  # fmt: skip
KIND.action(
    Action(
        "refusal_delivered", _("Refusal delivered"), frozenset[str](), refusal_delivered, states=frozenset({"DENIED"}),
        input=DeliveredInput, event="refusal_sent", system=True, manual=False,
    )
)  # fmt: skip

for action in inquiry_actions():
    KIND.action(action)
