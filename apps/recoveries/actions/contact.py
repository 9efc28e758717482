"""The first contact, and every one after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.cases.context import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action, NoInput
from apps.messaging.calls import call_action
from apps.recoveries import guards, letters
from apps.recoveries.actions.books import set_open
from apps.recoveries.models import Instalment
from apps.recoveries.roles import CLERKS, LEADS
from apps.recoveries.workflow import CONTACTED, KIND


@dataclass(frozen=True)
class ContactInput:
    text: str = ask(
        _("Text for the family"),
        default="",
        widget="textarea",
        max_length=1000,
        help=_("printed in the letter"),
    )


def _notify(ctx: Ctx[ContactInput]) -> None:
    """Letter, message and a call to make; the thirty days begin (DL-41)."""
    assert ctx.input is not None
    contacted(ctx)
    letters.send_request(ctx, text=ctx.input.text)
    letters.first_call(ctx)
    set_open(ctx, "contacted_at", "due_on")


def contacted(ctx: Ctx[Any]) -> None:
    """The day from which the promise counts."""
    row = ctx.subject
    row.contacted_at, row.due_on = ctx.now, letters.last_day(ctx)
    ctx.data["due_on"] = row.due_on.isoformat()
    ctx.emit("member_contacted")


def _remind(ctx: Ctx[ContactInput]) -> None:
    """The letter as it stands today, with what came meanwhile; no day moves."""
    assert ctx.input is not None
    letters.send_request(ctx, plan=rest_of_plan(ctx), template="recovery_reminder", text=ctx.input.text)
    ctx.reason = ctx.input.text


def _contact_late(ctx: Ctx[NoInput]) -> None:
    """Nobody told the family in time: urgent from now on, and the lead is reminded once."""
    ctx.case.priority = 1
    ctx.data["contact_by"] = ctx.subject.contact_by.isoformat()
    letters.tell_staff(
        ctx, "recovery_lead", "recovery_contact_late", contact_by=ctx.subject.contact_by.isoformat()
    )


def rest_of_plan(ctx: Ctx[Any]) -> tuple[Instalment, ...]:
    plan = guards.running_plan(ctx.subject)
    rows = plan.instalments.all() if plan else ()
    return tuple(one for one in rows if one.paid_fen < one.amount_fen)


KIND.action(
    Action(
        "notify", _("Contact the family"), CLERKS, _notify, transition="notify", input=ContactInput,
        event="notified", style="primary", order=10,
    )
)  # fmt: skip
KIND.action(
    Action(
        "remind", _("Remind"), CLERKS | LEADS, _remind, states=CONTACTED, input=ContactInput,
        guards=(guards.something_open,), event="reminded", order=40,
    )
)  # fmt: skip
KIND.action(call_action(roles=CLERKS | LEADS))
KIND.action(
    Action(
        "remind_of_contact", _("First contact is late"), frozenset(), _contact_late, states=frozenset({"OPENED"}),
        guards=(guards.contact_late,), event="contact_late", system=True, manual=False,
    )
)  # fmt: skip
