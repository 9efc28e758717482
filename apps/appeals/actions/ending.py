"""How an appeal ends: answered once, in writing, or withdrawn."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.appeals import guards, letters
from apps.appeals.actions.reopening import reopen_claims, reopenable
from apps.appeals.inputs import AnswerInput, SettledInput, WithdrawInput
from apps.appeals.models import Appeal
from apps.appeals.roles import DESK, FAMILY, REVIEWERS, TPA
from apps.appeals.workflow import KIND
from apps.cases.context import Ctx
from apps.cases.kinds import Action, Blocker, NoInput

OVERTURNED = frozenset({"OVERTURNED"})


def _reopen_claim(ctx: Ctx[NoInput]) -> None:
    """By hand, where the system could not: a bill claimed elsewhere meanwhile, for one."""
    ctx.batch.after_flush(reopen_claims)


def _closed_and_not_reopened(ctx: Ctx[Any]) -> Blocker | None:
    row: Appeal = ctx.subject
    if row.reopened_at is None and row.settled_at is None and reopenable(row):
        return None
    words = _("The claim was opened again already, or is still being paid.")
    return Blocker("not_now", words, guards.rule_of(ctx.handbook))


def _claim_reopened(ctx: Ctx[NoInput]) -> None:
    row: Appeal = ctx.subject
    row.reopened_at = ctx.now
    ctx.update(row, "reopened_at")
    ctx.data["claim"] = row.origin.number


def _settled(ctx: Ctx[SettledInput]) -> None:
    """The claim was decided again, taken in after its refusal, or ended: the answer can be written."""
    assert ctx.input is not None
    row: Appeal = ctx.subject
    row.settled_at = ctx.now
    row.new_version, row.new_fen = ctx.input.decision or None, ctx.input.insurer_fen
    ctx.update(row, "settled_at", "new_version", "new_fen")
    ctx.data |= {"claim": row.origin.number, "version": row.new_version, "insurer_fen": row.new_fen}


def _answer(ctx: Ctx[AnswerInput]) -> None:
    """The letter with the result, the reasons and every line before and after; it is sent once."""
    assert ctx.input is not None
    row: Appeal = ctx.subject
    row.answer, row.answered_at = ctx.input.text, ctx.now
    ctx.update(row, "answer", "answered_at")
    ctx.reason = ctx.input.text
    ctx.data |= {"result": row.result, "claim": row.origin.number}
    letters.send_answer(ctx, row)
    ctx.emit("appeal_answered")
    _end(ctx)


def _prefilled(ctx: Ctx[Any]) -> dict[str, Any]:
    return {"text": letters.first_words(ctx.subject)}


def _withdraw(ctx: Ctx[WithdrawInput]) -> None:
    """The family takes it back: the decision stands, every promise ends."""
    assert ctx.input is not None
    ctx.reason = ctx.input.reason
    ctx.emit("withdrawn")
    _end(ctx)


def _end(ctx: Ctx[Any]) -> None:
    ctx.subject.ended_at = ctx.now
    ctx.update(ctx.subject, "ended_at")
    ctx.case.open, ctx.case.closed_at = False, ctx.now


KIND.action(
    Action(
        "answer", pgettext_lazy("appeal", "Send the answer"), REVIEWERS, _answer, transition="close", input=AnswerInput,
        guards=(guards.disinterested, guards.claim_decided_again), initial=_prefilled, event="appeal_closed",
        style="primary", order=10,
    )
)  # fmt: skip
KIND.action(
    Action(
        "withdraw", pgettext_lazy("appeal", "Withdraw"), DESK | {FAMILY, TPA}, _withdraw, transition="withdraw",
        input=WithdrawInput, event="appeal_withdrawn", style="danger", order=90,
    )
)  # fmt: skip
KIND.action(
    Action(
        "reopen_claim", _("Reopen the claim"), REVIEWERS, _reopen_claim, states=OVERTURNED,
        guards=(guards.disinterested, _closed_and_not_reopened), order=80,
    )
)  # fmt: skip
for name, words, handler, given in (
    ("claim_reopened", _("Claim opened again"), _claim_reopened, NoInput),
    ("settled", _("Claim decided again"), _settled, SettledInput),
):
    KIND.action(
        Action(
            name, words, frozenset(), handler, states=OVERTURNED, input=given, event=f"appeal_{name}", system=True,
            manual=False,
        )
    )  # fmt: skip
