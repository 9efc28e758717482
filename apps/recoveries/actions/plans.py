"""Instalments: agreed, kept, broken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.cases.context import Ctx
from apps.cases.inputs import ask, money
from apps.cases.kinds import Action
from apps.core.errors import DomainError, InvalidInput, InvalidInputs
from apps.core.money import format_yuan, to_fen
from apps.recoveries import guards, letters
from apps.recoveries.actions.books import set_open
from apps.recoveries.config import config
from apps.recoveries.models import Instalment, Plan, Recovery
from apps.recoveries.roles import CLERKS, LEADS
from apps.recoveries.workflow import DUE, KIND


@dataclass(frozen=True)
class InstalmentInput:
    due_on: date = ask(_("Due on"))
    amount: Decimal = money(_("Amount"))


@dataclass(frozen=True)
class PlanInput:
    agreed_with: str = ask(_("Agreed with"), max_length=80, min_length=2)
    instalments: tuple[InstalmentInput, ...] = ask(
        _("Instalments"), widget="lines", help=_("together exactly what is open, to the fen")
    )


@dataclass(frozen=True)
class BrokenInput:
    reason: str = ask(_("Reason"), default="", widget="textarea", max_length=400)


def _agree(ctx: Ctx[PlanInput]) -> None:
    """The plan takes the place of the thirty days; a former one ends."""
    assert ctx.input is not None
    row, given = ctx.subject, ctx.input
    check_plan(row, given.instalments, timezone.localtime(ctx.now).date())
    end_plan(ctx, Plan.State.ENDED)
    plan = Plan(
        recovery=row, number=row.plans.count() + 1, agreed_with=given.agreed_with, agreed_by=ctx.actor.label[:80],
        agreed_at=ctx.now,
    )  # fmt: skip
    ctx.add(plan)
    parts = tuple(
        Instalment(plan=plan, number=number, due_on=one.due_on, amount_fen=to_fen(one.amount))
        for number, one in enumerate(given.instalments, 1)
    )
    for part in parts:
        ctx.add(part)
    row.due_on = parts[0].due_on
    set_open(ctx, "due_on")
    letters.send_request(ctx, plan=parts)
    ctx.emit("due_moved")
    ctx.data |= {
        "instalments": len(parts),
        "last_on": parts[-1].due_on.isoformat(),
        "with": given.agreed_with,
    }


def check_plan(row: Recovery, given: tuple[InstalmentInput, ...], today: date) -> None:
    """Every mistake of a plan at once: amounts, order of the days, the sum."""
    bounds, errors = config(), list[DomainError]()
    if not given:
        raise InvalidInput(_("A plan has at least one instalment."), field="instalments", code="required")
    if len(given) > bounds.most_instalments:
        errors.append(
            InvalidInput(
                _("At most %(most)d instalments are possible.") % {"most": bounds.most_instalments},
                field="instalments", code="too_many",
            )
        )  # fmt: skip
    latest, before = today + timedelta(days=bounds.most_days), today - timedelta(days=1)
    for index, one in enumerate(given):
        path = f"instalments.{index}"
        if one.amount <= 0:
            errors.append(
                InvalidInput(
                    _("An instalment is more than nothing."), field=f"{path}.amount", code="too_small"
                )
            )
        if one.due_on <= before:
            words = _("%(day)s: each instalment is due after the one before, the first not before today.")
            errors.append(InvalidInput(words % {"day": one.due_on}, field=f"{path}.due_on", code="order"))
        elif one.due_on > latest:
            words = _("%(day)s: the last instalment is due by %(latest)s.")
            errors.append(
                InvalidInput(
                    words % {"day": one.due_on, "latest": latest}, field=f"{path}.due_on", code="too_late"
                )
            )
        before = max(before, one.due_on)
    total = sum(to_fen(one.amount) for one in given)
    if total != row.open_fen:
        errors.append(
            InvalidInput(
                _("The instalments come to %(total)s, %(open)s is open.")
                % {"total": format_yuan(total), "open": format_yuan(row.open_fen)},
                field="instalments", code="sum",
            )
        )  # fmt: skip
    if errors:
        raise InvalidInputs(errors)


def fill(ctx: Ctx[Any], amount_fen: int) -> None:
    """A refund fills the instalments in order; the next open one says what is due."""
    row = ctx.subject
    plan = guards.running_plan(row)
    if plan is None:
        return
    rest = amount_fen
    for part in plan.instalments.all():
        paid = min(rest, part.amount_fen - part.paid_fen)
        if paid:
            part.paid_fen += paid
            ctx.update(part, "paid_fen")
            rest -= paid
    following = next((part for part in plan.instalments.all() if part.paid_fen < part.amount_fen), None)
    if following is None:
        end_plan(ctx, Plan.State.KEPT)
    else:
        row.due_on = following.due_on


def end_plan(ctx: Ctx[Any], state: str) -> None:
    """The running plan, if any, is over."""
    plan = guards.running_plan(ctx.subject)
    if plan is not None:
        plan.state, plan.ended_at = state, ctx.now
        plan.save(update_fields=["state", "ended_at"])


def _break(ctx: Ctx[BrokenInput]) -> None:
    """An instalment was missed: the rest is due at once, and the manager decides."""
    assert ctx.input is not None
    row = ctx.subject
    end_plan(ctx, Plan.State.BROKEN)
    row.due_on = min(row.due_on, timezone.localtime(ctx.now).date())
    set_open(ctx, "due_on")
    ctx.reason = ctx.input.reason
    letters.tell_managers(ctx)


KIND.action(
    Action(
        "agree_plan", _("Agree instalments"), CLERKS | LEADS, _agree, states=DUE, input=PlanInput,
        guards=(guards.something_open,), event="plan_agreed", order=30,
        initial=lambda ctx: {"instalments": [{}, {}]},
    )
)  # fmt: skip
KIND.action(
    Action(
        "break_plan", _("Plan broken"), CLERKS | LEADS, _break, transition="escalate", input=BrokenInput,
        guards=(guards.plan_running, guards.overdue), event="plan_broken", system=True, style="danger", order=70,
    )
)  # fmt: skip
