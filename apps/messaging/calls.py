"""Phone calls: what a person does with a call task, as an action of any kind of case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.cases.context import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action
from apps.core.errors import InvalidInput
from apps.messaging.models import CallTask
from apps.messaging.outbox import queue_call
from apps.messaging.purposes import purpose_words

ATTEMPTS = 3
OUTCOMES: list[tuple[str, Any]] = [
    (outcome.value, outcome.label)
    for outcome in CallTask.Outcome
    if outcome not in (CallTask.Outcome.OPEN, CallTask.Outcome.CANCELED)
]
Answered = Callable[[Ctx[Any], CallTask], None]


def open_calls(ctx: Ctx[Any]) -> list[tuple[str, Any]]:
    """The calls still to be made on the case."""
    tasks = CallTask.objects.filter(case=ctx.case.pk, outcome=CallTask.Outcome.OPEN).order_by("pk")
    return [(str(task.pk), f"{purpose_words(task.purpose)} ({task.attempt})") for task in tasks]


@dataclass(frozen=True)
class RecordCall:
    task: int = ask(_("Call"), choices=open_calls, widget="select")
    outcome: str = ask(_("Outcome"), choices=OUTCOMES, widget="select")
    note: str = ask(_("What was said"), widget="textarea", default="", max_length=2000)


def call_action(*, roles: frozenset[str], answered: Answered | None = None) -> Action[Any]:
    """`record_call`, to be registered on a kind; `answered(ctx, task)` runs when somebody was reached."""

    def handler(ctx: Ctx[RecordCall]) -> None:
        assert ctx.input is not None
        task = record_call(ctx, ctx.input)
        if answered and task.outcome == CallTask.Outcome.ANSWERED:
            answered(ctx, task)

    return Action("record_call", _("Record a call"), roles, handler, input=RecordCall, order=600)


def record_call(ctx: Ctx[Any], given: RecordCall) -> CallTask:
    """Close a call task. Nobody there: the next attempt is queued, up to three."""
    task = CallTask.objects.filter(case=ctx.case.pk, pk=given.task, outcome=CallTask.Outcome.OPEN).first()
    if task is None:
        raise InvalidInput(
            _("There is no such call to make on this case."), code="unknown_call", field="task"
        )
    task.outcome, task.note = given.outcome, given.note
    task.operator_label, task.called_at = ctx.actor.label, ctx.now
    ctx.update(task, "outcome", "note", "operator_label", "called_at")
    ctx.data.update({"call": task.purpose, "outcome": given.outcome, "attempt": task.attempt})
    ctx.reason = given.note
    if given.outcome == CallTask.Outcome.UNANSWERED and task.attempt < ATTEMPTS:
        queue_call(
            ctx,
            case=ctx.case,
            purpose=task.purpose,
            script=task.script,
            key=f"{task.idempotency_key.partition('#')[0]}#{task.attempt + 1}",
            attempt=task.attempt + 1,
        )
    return task
