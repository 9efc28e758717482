"""Papers: what a family adds to its appeal, and what it is asked for; the clock stands still from the day the
question reached it (PR-04)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.appeals import guards, letters
from apps.appeals.inputs import ArrivedInput, AskPapersInput, DeliveredInput
from apps.appeals.models import Appeal
from apps.appeals.roles import DESK, FAMILY, REVIEWERS, SERVICE, TPA
from apps.appeals.workflow import BEFORE_RESULT, KIND
from apps.cases.clocks import Evidence
from apps.cases.context import Ctx
from apps.cases.kinds import Action, Blocker
from apps.core.errors import InvalidInput
from apps.documents.actions import paper_actions
from apps.messaging.calls import call_action
from apps.messaging.models import CallTask

PENDING = frozenset({"INFO_PENDING"})
PAUSE = "information"


def _ask(ctx: Ctx[AskPapersInput]) -> None:
    assert ctx.input is not None
    row: Appeal = ctx.subject
    row.asked, row.asked_at, row.asked_reached_at = ctx.input.text, ctx.now, None
    ctx.update(row, "asked", "asked_at", "asked_reached_at")
    ctx.reason = ctx.input.text
    letters.ask_papers(ctx, row)


def reached(ctx: Ctx[Any], at: datetime, evidence: str, whom: str) -> None:
    """PR-04: the clock stands still from the day the question reached the family, with the proof of it."""
    row: Appeal = ctx.subject
    if ctx.case.state not in PENDING or row.asked_reached_at or row.asked_at is None:
        return
    row.asked_reached_at = max(at, row.asked_at)
    ctx.update(row, "asked_reached_at")
    ctx.pause(PAUSE, at=row.asked_reached_at, evidence=Evidence(evidence, paper=row.asked, reached=whom))
    ctx.data |= {"evidence": evidence, "reached": whom}


def _delivered(ctx: Ctx[DeliveredInput]) -> None:
    assert ctx.input is not None
    given, row = ctx.input, ctx.subject
    if not ctx.actor.is_system and not row.asked_at <= given.at <= ctx.now:
        words = _("Between the question of %(day)s and now is expected.") % {
            "day": f"{timezone.localtime(row.asked_at):%Y-%m-%d %H:%M}"
        }
        raise InvalidInput(words, code="not_after_question", field="at", rule="PR-04")
    reached(ctx, given.at, given.evidence, given.reached)


def _not_reached_yet(ctx: Ctx[Any]) -> Blocker | None:
    if ctx.subject.asked_reached_at is None:
        return None
    return Blocker("reached", _("It is recorded already when the question reached the family."), "PR-04")


def _arrived(ctx: Ctx[ArrivedInput]) -> None:
    """The papers came, or the review goes on without them."""
    assert ctx.input is not None
    ctx.reason = ctx.input.note
    since = ctx.subject.asked_reached_at
    ctx.resume(
        PAUSE, at=max(ctx.now, since) if since else ctx.now, evidence=ctx.input.note or ctx.actor.label
    )


def _papers_changed(ctx: Ctx[Any]) -> None:
    """What was asked for came: the review goes on by itself."""
    if ctx.action == "attach_paper" and ctx.case.state in PENDING:
        titles = {document.key: document.title.zh for document in ctx.handbook.documents}
        kinds = dict.fromkeys(titles.get(paper.kind, paper.kind) for paper in ctx.loaded["papers"])
        ctx.then("information_arrived", note=f"{'、'.join(kinds)}（{ctx.actor.label}）"[:200])


def _call_answered(ctx: Ctx[Any], task: CallTask) -> None:
    if task.purpose == "appeal_information":
        evidence = f"{CallTask._meta.verbose_name} #{task.pk}"
        reached(ctx, ctx.now, evidence, f"{ctx.actor.label}: {task.note}"[:120])


KIND.action(
    Action(
        "ask_information", _("Ask for papers"), REVIEWERS, _ask, transition="ask_papers", input=AskPapersInput,
        guards=(guards.disinterested,), event="information_asked", order=60,
    )
)  # fmt: skip
KIND.action(
    Action(
        "information_delivered", _("Question reached the family"), SERVICE | REVIEWERS, _delivered, states=PENDING,
        input=DeliveredInput, guards=(_not_reached_yet,), system=True, order=70,
    )
)  # fmt: skip
KIND.action(
    Action(
        "information_arrived", _("Go on with the review"), SERVICE | REVIEWERS, _arrived, transition="go_on",
        input=ArrivedInput, system=True, style="primary", order=15,
    )
)  # fmt: skip
for action in paper_actions(
    uploaders=DESK | {FAMILY, TPA}, checkers=DESK, changed=_papers_changed, states=BEFORE_RESULT
):
    KIND.action(action)
KIND.action(call_action(roles=DESK, answered=_call_answered))
