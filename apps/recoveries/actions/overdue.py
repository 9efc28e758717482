"""Overdue: escalated to the manager, who gives time again or lets it be written off (machine j)."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from apps.cases.context import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action, NoInput
from apps.recoveries import guards, letters
from apps.recoveries.actions.books import book, set_open
from apps.recoveries.actions.contact import contacted
from apps.recoveries.roles import APPROVERS, CLERKS, LEADS
from apps.recoveries.workflow import KIND

ESCALATED = frozenset({"ESCALATED"})


@dataclass(frozen=True)
class DecisionInput:
    reason: str = ask(_("Reason"), widget="textarea", min_length=4, max_length=2000)


def _escalate(ctx: Ctx[NoInput]) -> None:
    """DL-41. The card stays as it is: nothing is printed of greying for a recovery (REC-03)."""
    letters.tell_managers(ctx)
    ctx.case.priority = 1


def _give_time(ctx: Ctx[DecisionInput]) -> None:
    """Back to the family, with thirty days from now."""
    assert ctx.input is not None
    ctx.emit("due_moved")
    contacted(ctx)
    _forget_proposal(ctx)
    set_open(ctx, "contacted_at", "due_on", "proposed_by", "proposed_at", "proposed_reason")
    letters.send_request(ctx)
    letters.first_call(ctx)
    ctx.case.priority = 2
    ctx.reason = ctx.input.reason


def _propose(ctx: Ctx[DecisionInput]) -> None:
    assert ctx.input is not None
    row = ctx.subject
    row.proposed_by_id, row.proposed_at = ctx.actor.person_id, ctx.now
    row.proposed_reason = ctx.input.reason
    set_open(ctx, "proposed_by", "proposed_at", "proposed_reason")
    ctx.reason = ctx.input.reason
    ctx.data["open_fen"] = row.open_fen


def _write_off(ctx: Ctx[DecisionInput]) -> None:
    """The rest is not pursued any more. The debt stands beside its contra account in the ledger."""
    assert ctx.input is not None
    row = ctx.subject
    amount = row.open_fen
    row.written_off_fen += amount
    book(ctx, row, written_off=amount)
    _forget_proposal(ctx)
    set_open(ctx, "written_off_fen", "proposed_by", "proposed_at")
    ctx.reason = ctx.input.reason
    ctx.data["amount_fen"] = amount
    ctx.case.open, ctx.case.closed_at = False, ctx.now
    ctx.emit("closed")


def _decline(ctx: Ctx[DecisionInput]) -> None:
    assert ctx.input is not None
    _forget_proposal(ctx)
    set_open(ctx, "proposed_by", "proposed_at")
    ctx.reason = ctx.input.reason


def _forget_proposal(ctx: Ctx[DecisionInput]) -> None:
    ctx.subject.proposed_by_id = ctx.subject.proposed_at = None


KIND.action(
    Action(
        "escalate", _("Escalate"), CLERKS, _escalate, transition="escalate", guards=(guards.overdue,),
        event="escalated", system=True, order=60,
    )
)  # fmt: skip
KIND.action(
    Action(
        "give_time", _("Give time again"), LEADS, _give_time, transition="give_time", input=DecisionInput,
        event="notified_again", order=15,
    )
)  # fmt: skip
KIND.action(
    Action(
        "propose_write_off", _("Propose to write off"), CLERKS | LEADS, _propose, states=ESCALATED,
        input=DecisionInput, guards=(guards.not_proposed, guards.something_open), event="write_off_proposed",
        style="danger", order=80,
    )
)  # fmt: skip
KIND.action(
    Action(
        "write_off", _("Write off"), APPROVERS, _write_off, transition="write_off", input=DecisionInput,
        guards=(guards.proposed, guards.not_the_proposer, guards.within_authority), event="written_off",
        style="danger", order=90,
    )
)  # fmt: skip
KIND.action(
    Action(
        "decline_write_off", _("Decline the write-off"), APPROVERS | LEADS, _decline, states=ESCALATED,
        input=DecisionInput, guards=(guards.proposed, guards.not_the_proposer), event="write_off_declined", order=95,
    )
)  # fmt: skip
