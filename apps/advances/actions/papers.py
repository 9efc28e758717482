"""The papers: for the review (ADV-06), signed (ADV-08), of the discharge (ADV-10); each list asked for at once."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.adjudication.checklist import Requirement
from apps.adjudication.trace import observe
from apps.advances import guards
from apps.advances.assess import DISCHARGE, PAPERS, SIGNATURE, look_in, missing
from apps.advances.letters import tell_family
from apps.advances.roles import DESK, INVESTIGATORS, UPLOADERS
from apps.advances.workflow import BEFORE_DECISION, COLLECTING, IN_CLAIM, KIND, PAID, REVIEWING
from apps.cases.context import Ctx
from apps.cases.kinds import Action, NoInput
from apps.documents.actions import paper_actions
from apps.documents.queries import checklist_rows

AFTER_PAYMENT = PAID | IN_CLAIM | {"CLOSED"}
TAKING = BEFORE_DECISION | {"APPROVED", "SIGNED"} | PAID


def list_of(state: str) -> str:
    """Which of the three lists a state waits for."""
    return SIGNATURE if state in ("APPROVED", "SIGNED") else DISCHARGE if state in AFTER_PAYMENT else PAPERS


def _papers_changed(ctx: Ctx[Any]) -> None:
    """The review begins by itself with the last paper somebody found good; it stops when one turns out useless."""
    ctx.loaded.pop("look", None)
    state = ctx.case.state
    if state not in COLLECTING | REVIEWING:
        return
    lacking = missing(look_in(ctx))
    if state in REVIEWING and lacking:
        ctx.then("lose_papers")
    elif state in COLLECTING and not lacking:
        ctx.then("complete")
    elif state == "CONTACTED":
        ctx.then("wait_for_papers")


for action in paper_actions(
    uploaders=UPLOADERS, checkers=DESK | INVESTIGATORS, changed=_papers_changed, states=TAKING
):
    KIND.action(action)


def _wanted(ctx: Ctx[Any]) -> list[Requirement]:
    """What is missing and has not come: a paper nobody has looked at yet is not asked for again."""
    found = look_in(ctx)
    lacking = missing(found, list_of(ctx.case.state))
    rows = checklist_rows(lacking, found.papers, ctx.handbook)
    return [row.requirement for row in rows if not row.unseen]


def _ask(ctx: Ctx[NoInput]) -> None:
    lacking = _wanted(ctx)
    ctx.data["lacking"] = [entry.ref for entry in lacking]
    tell_family(ctx, "papers", missing=[entry.title.zh for entry in lacking])


def _something_missing(ctx: Ctx[Any]) -> Any:
    if _wanted(ctx):
        return None
    if missing(look_in(ctx), list_of(ctx.case.state)):
        return guards.Blocker("unseen", _("Everything has come; look at the papers first."), "RMB-20")
    return guards.Blocker("nothing_missing", _("Nothing is missing."))


def _complete(ctx: Ctx[NoInput]) -> None:
    """The two working days begin now, and not before (ADV-06)."""
    given = ctx.subject
    given.complete_at = ctx.now
    ctx.update(given, "complete_at")


def _lose(ctx: Ctx[NoInput]) -> None:
    """A paper turned out useless: not complete any more, with the reason that stands on the paper (ADV-06)."""
    observe("ADV-06", True)
    given, lacking = ctx.subject, missing(look_in(ctx))
    given.complete_at, given.proposed_fen = None, None
    ctx.update(given, "complete_at", "proposed_fen")
    ctx.reason = "；".join(f"{entry.title.zh}：{entry.why.zh}" for entry in lacking)
    ctx.data["lacking"] = [entry.ref for entry in lacking]
    tell_family(ctx, "papers", missing=[entry.title.zh for entry in lacking])


def _waits(ctx: Ctx[Any]) -> str:
    return "wait_for_papers" if ctx.case.state == "CONTACTED" else ""


for action in (
    Action("ask_papers", _("Ask for missing papers"), DESK, _ask, transition=_waits,
           states=COLLECTING | {"APPROVED"} | PAID, guards=(_something_missing,), event="papers_asked", order=20),
    Action("complete", _("Papers complete"), DESK, _complete, transition="complete", guards=(guards.papers_complete,),
           event="advance_complete", system=True, style="primary", order=10),
    Action("wait_for_papers", _("Wait for papers"), frozenset(), lambda ctx: None, transition="wait_for_papers",
           event="papers_pending", system=True, manual=False),
    Action("lose_papers", _("Papers not complete any more"), frozenset(), _lose, transition="wait_for_papers",
           event="advance_incomplete", system=True, manual=False),
):  # fmt: skip
    KIND.action(action)
