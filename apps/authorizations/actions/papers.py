"""The papers of a request: the series' list and the child's photo identity, asked for at once."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.adjudication.checklist import Requirement
from apps.authorizations import guards
from apps.authorizations.assess import missing, trial_in
from apps.authorizations.letters import tell_requester
from apps.authorizations.roles import DESK, MACHINES
from apps.authorizations.workflow import BEFORE_DECISION, COLLECTING, KIND
from apps.cases.context import Ctx
from apps.cases.kinds import Action, NoInput
from apps.documents.actions import paper_actions
from apps.documents.queries import checklist_rows


def _papers_changed(ctx: Ctx[Any]) -> None:
    """The review begins by itself with the last paper somebody found good."""
    ctx.loaded.pop("trial", None)
    if ctx.case.state in COLLECTING and not missing(trial_in(ctx)):
        ctx.then("complete")


for action in paper_actions(
    uploaders=DESK | MACHINES, checkers=DESK, changed=_papers_changed, states=BEFORE_DECISION
):
    KIND.action(action)


def _wanted(ctx: Ctx[Any]) -> list[Requirement]:
    """What is missing and has not come: a paper nobody has looked at yet is not asked for again."""
    found = trial_in(ctx)
    rows = checklist_rows(missing(found), found.papers, ctx.handbook)
    return [row.requirement for row in rows if not row.unseen]


def _ask(ctx: Ctx[NoInput]) -> None:
    """One list of everything that is missing, to whoever asked."""
    lacking = _wanted(ctx)
    ctx.data["lacking"] = [entry.ref for entry in lacking]
    tell_requester(ctx, [entry.title for entry in lacking])


def _something_missing(ctx: Ctx[Any]) -> Any:
    if _wanted(ctx):
        return None
    if missing(trial_in(ctx)):
        return guards.Blocker("unseen", _("Everything has come; look at the papers first."), "RMB-20")
    return guards.Blocker("nothing_missing", _("Nothing is missing."))


KIND.action(
    Action(
        "ask_papers", _("Ask for missing papers"), DESK, _ask, transition="wait_for_papers",
        guards=(_something_missing,), event="papers_asked", order=20,
    )
)  # fmt: skip
KIND.action(
    Action(
        "complete", _("Papers complete"), DESK, lambda ctx: None, transition="complete",
        guards=(guards.waiting_for_papers,), event="authorization_complete", system=True, style="primary", order=10,
    )
)  # fmt: skip
