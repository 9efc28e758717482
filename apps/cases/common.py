"""Actions every kind of case has: take, assign, note, priority."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.cases.context import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action, Kind
from apps.core.errors import InvalidInput

DESK_ROLES = frozenset(
    {
        "intake", "first_review", "second_review", "final_approval", "senior_adjuster", "investigation",
        "medical_review", "quality_check", "service_specialist", "recovery", "mailroom", "finance",
        "supervisor", "manager", "adjuster_lead", "tpa_manager", "finance_lead",
    }
)  # fmt: skip
LEADS = frozenset({"supervisor", "manager", "adjuster_lead", "tpa_manager", "finance_lead", "duty_lead"})


@dataclass(frozen=True)
class AssignInput:
    assignee: int = ask(_("Assign to"), widget="user")


@dataclass(frozen=True)
class NoteInput:
    text: str = ask(_("Note"), widget="textarea", min_length=2, max_length=2000)


@dataclass(frozen=True)
class PriorityInput:
    priority: int = ask(
        _("Priority"), choices=[(1, _("urgent")), (2, _("normal")), (3, _("low"))], widget="select", default=2
    )


def _take(ctx: Ctx[Any]) -> None:
    ctx.case.assignee_id = ctx.actor.user_id
    ctx.data["assignee"] = ctx.actor.label


def _assign(ctx: Ctx[AssignInput]) -> None:
    assert ctx.input is not None
    people = ctx.batch.shared.setdefault("people", {})
    if ctx.input.assignee not in people:
        people[ctx.input.assignee] = User.objects.filter(pk=ctx.input.assignee, is_active=True).first()
    person = people[ctx.input.assignee]
    if person is None:
        raise InvalidInput(_("No such active user."), field="assignee", code="unknown_user")
    if person.tpa and person.tpa != ctx.case.tpa:
        raise InvalidInput(
            _("This person works for another administrator."), field="assignee", code="wrong_tpa"
        )
    ctx.case.assignee = person
    ctx.data["assignee"] = str(person)


def _note(ctx: Ctx[NoteInput]) -> None:
    assert ctx.input is not None
    ctx.reason = ctx.input.text


def _priority(ctx: Ctx[PriorityInput]) -> None:
    assert ctx.input is not None
    ctx.case.priority = ctx.input.priority
    ctx.data["priority"] = ctx.input.priority


def add_common_actions(kind: Kind) -> None:
    """Give a kind the actions that all share."""
    kind.action(Action("take", _("Take over"), DESK_ROLES, _take, order=800))
    kind.action(Action("assign", _("Assign"), LEADS, _assign, input=AssignInput, order=810))
    kind.action(Action("note", _("Add a note"), DESK_ROLES | LEADS, _note, input=NoteInput, order=820))
    kind.action(
        Action(
            "set_priority", _("Set priority"), LEADS | DESK_ROLES, _priority, input=PriorityInput, order=830
        )
    )
