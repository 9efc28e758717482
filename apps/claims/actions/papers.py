"""Papers and the check list; a claim whose papers never come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.cases.context import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action, NoInput
from apps.claims import guards, letters
from apps.claims.actions.originals import WAITING, received
from apps.claims.assess import assessment_in
from apps.claims.originals import mailing, outstanding, waiting
from apps.claims.roles import DESK, SUPERVISORS, UPLOADERS
from apps.claims.workflow import BEFORE_DECISION, KIND
from apps.core.money import format_yuan
from apps.documents.actions import paper_actions
from apps.messaging.outbox import notify_member

CHECKABLE = frozenset({"ONLINE_SUBMITTED", "ORIGINALS_RECEIVED", "MATERIALS_CHECK"})


# --- Papers: attach and tick come from `documents` ------------------------------------------------


def _papers_changed(ctx: Ctx[Any]) -> None:
    """New papers start the statutory clock, wake a claim that waited for them, and open one again that was
    closed because they never came: that is what its last letter promised."""
    ctx.loaded.pop("assessment", None)
    if ctx.action != "attach_paper":
        return
    arrived = min(paper.received_at for paper in ctx.loaded["papers"])
    received(ctx, arrived)
    if ctx.case.state == "CLOSED_NO_PAPERS":
        ctx.then("reopen_for_papers")
    if ctx.case.state == WAITING:
        # Before the notice reached the member no clock stood still (LAW-02).
        at = max(arrived, ctx.case.claim.notice_reached_at or arrived)
        ctx.then("papers_arrived", arrived_at=at, evidence=_what_came(ctx))


TAKING = BEFORE_DECISION | {"PAYMENT_FAILED", "CLOSED_NO_PAPERS"}  # states in which papers are taken in
for action in paper_actions(uploaders=UPLOADERS, checkers=DESK, changed=_papers_changed, states=TAKING):
    KIND.action(action)


def _what_came(ctx: Ctx[Any]) -> str:
    """What ends the pause (LAW-02): the papers by title, and who brought them."""
    titles = {document.key: document.title.zh for document in ctx.handbook.documents}
    kinds = dict.fromkeys(paper.kind for paper in ctx.loaded["papers"])
    return f"{'、'.join(titles.get(kind, kind) for kind in kinds)}（{ctx.actor.label}）"[:200]


# --- Check list -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class CheckInput:
    ask_for_missing: bool = ask(
        _("Ask for what is missing"),
        default=True,
        help=_("Sends the one supplement notice with everything that is missing."),
    )
    text: str = ask(_("Text for the member"), default="", widget="textarea", max_length=2000)


def _check_materials(ctx: Ctx[CheckInput]) -> None:
    """Compute the check list: complete, or one notice with everything that is missing."""
    assert ctx.input is not None
    found = assessment_in(ctx)
    ctx.data["lacking"] = [entry.ref for entry in found.lacking]
    if not found.lacking:
        ctx.then("complete")
    elif ctx.input.ask_for_missing and not ctx.case.claim.notices:
        ctx.then("request_supplement", text=ctx.input.text)


def _complete(ctx: Ctx[NoInput]) -> None:
    """The contract clock starts; originals by mail are complete with it (RMB-22, RMB-40)."""
    if ctx.case.claim.route == "MAIL":
        ctx.emit("originals_complete")


KIND.action(
    Action(
        "check_materials", _("Check papers"), DESK, _check_materials, transition="check_papers", states=CHECKABLE,
        input=CheckInput, guards=(guards.papers_seen,), event="materials_checked", style="primary", order=10,
    )
)  # fmt: skip
KIND.action(
    Action(
        "complete", _("Complete"), frozenset(), _complete, transition="complete", event="materials_complete", system=True,
        manual=False,
    )
)  # fmt: skip


# --- Papers that never come -----------------------------------------------------------------------


def _close_no_papers(ctx: Ctx[NoInput]) -> None:
    ctx.case.open, ctx.case.closed_at = False, ctx.now
    ctx.emit("withdrawn")  # nothing is owed any more: every promise ends
    ctx.emit("closed")
    key = f"{ctx.case.number}:no_papers:{ctx.case.version}"
    context = letters.message_context(ctx.case, claimed=format_yuan(ctx.case.claim.claimed_fen))
    notify_member(ctx, template="papers_closed", context=context, key=key)


def _remind_papers(ctx: Ctx[NoInput]) -> None:
    """What is still missing, again, and until when: a reminder asks for nothing new (LAW-01)."""
    claim, found = ctx.case.claim, assessment_in(ctx)
    awaited, how = waiting(ctx.case), mailing(found) if claim.route == "MAIL" else None
    asked = outstanding(found)
    claim.reminders += 1
    ctx.update(claim, "reminders")
    context = letters.message_context(
        ctx.case,
        missing=[entry.title.zh for entry in asked],
        mailing=how.as_json() if how else None,
        closes_on=awaited.closes_on if awaited else None,
    )
    key = f"{ctx.case.number}:papers:{claim.notices}:{claim.reminders}"
    notify_member(ctx, template="papers_reminder", context=context, key=key)
    ctx.data |= {"reminder": claim.reminders, "missing": [entry.ref for entry in asked]}


KIND.action(
    Action(
        "remind_papers", _("Remind of papers"), DESK, _remind_papers, states=frozenset({WAITING, "AWAITING_ORIGINALS"}),
        guards=(guards.something_missing, guards.something_to_send), event="papers_reminded", system=True, order=70,
    )
)  # fmt: skip
KIND.action(
    Action(
        "close_no_papers", _("Close: papers never came"), SUPERVISORS | {"intake", "first_review"}, _close_no_papers,
        transition="give_up_papers", guards=(guards.long_enough_without_papers,), event="closed_no_papers", system=True,
        style="danger", order=80,
    )
)  # fmt: skip
