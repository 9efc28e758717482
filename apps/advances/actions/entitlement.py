"""Is there an advance at all, and what else if not; the first call (ADV-01, ADV-05, ADV-18, ADV-20, ADV-21)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.adjudication.trace import observe
from apps.advances import guards
from apps.advances.actions.request import cost_rows
from apps.advances.inputs import CostInput, ReasonInput
from apps.advances.letters import queue_first_call, tell_family
from apps.advances.models import Advance
from apps.advances.promises import give_back
from apps.advances.roles import DESK, PAYERS, SPECIALISTS, SUPERVISORS, TPA
from apps.advances.workflow import BEFORE_ADVANCED, BEFORE_DECISION, KIND
from apps.cases.context import Ctx
from apps.cases.inputs import ask, money
from apps.cases.kinds import Action, NoInput
from apps.core.errors import InvalidInput
from apps.core.money import to_fen, to_yuan
from apps.messaging.calls import call_action
from apps.messaging.models import CallTask

FIRST_CALL = "advance_first_call"


@dataclass(frozen=True)
class NetworkInput:
    inside: bool = ask(
        _("Provider's answer"), widget="select", choices=[(True, _("inside its network")), (False, _("outside"))],
        rule="ADV-20",
    )  # fmt: skip
    note: str = ask(_("Who said so, and when"), max_length=200, min_length=2)


@dataclass(frozen=True)
class CostsInput:
    lines: tuple[CostInput, ...] = ask(_("Expected cost"), widget="lines")
    expected: Decimal = money(_("Paid by others, expected"), default=Decimal("0.00"))
    planned_days: int = ask(_("Expected days"), default=7, minimum=1, maximum=365)


@dataclass(frozen=True)
class AdmissionInput:
    admitted_on: date = ask(_("Admitted on"), rule="ADV-02")
    admission_number: str = ask(_("Admission number"), default="", max_length=60)


# --- Verification -----------------------------------------------------------------------------------


def _verify(ctx: Ctx[NoInput]) -> None:
    """Passed: within a working day a specialist calls (ADV-05)."""
    queue_first_call(ctx)


def _find_ineligible(ctx: Ctx[NoInput]) -> None:
    """The family hears at once why, and what it can do instead (ADV-17, ADV-20, ADV-21)."""
    found = guards.objections_in(ctx)
    first, given = found[0], ctx.subject
    observe("ADV-17", first.redirect == Advance.Redirect.REIMBURSEMENT)
    given.redirect, given.ended_for, given.ended_text = first.redirect, first.code[:16], str(first.words)
    ctx.update(given, "redirect", "ended_for", "ended_text")
    ctx.reason = str(first.words)
    ctx.data |= {"rules": [one.rule for one in found], "redirect": first.redirect}
    _end(ctx)
    tell_family(ctx, "ineligible", reasons=[str(one.words) for one in found], redirect=first.redirect)


def _allow(ctx: Ctx[ReasonInput]) -> None:
    """PR-18: "direct billing first" is a priority, not a ban; a person says why it cannot be used."""
    assert ctx.input is not None
    observe("PR-18", True)
    given = ctx.subject
    given.exception, given.exception_by = ctx.input.reason, ctx.actor.label
    ctx.update(given, "exception", "exception_by")
    ctx.reason = ctx.input.reason


def _record_network(ctx: Ctx[NetworkInput]) -> None:
    assert ctx.input is not None
    given, network = ctx.subject, Advance.Network
    given.network = network.INSIDE if ctx.input.inside else network.OUTSIDE
    given.network_note = f"{ctx.input.note} · {ctx.actor.label}"[:200]
    ctx.update(given, "network", "network_note")
    ctx.data["network"] = given.network


# --- What is known of the stay ------------------------------------------------------------------------


def _record_costs(ctx: Ctx[CostsInput]) -> None:
    """What the call or the hospital says the stay will cost; the amount that may be advanced follows."""
    assert ctx.input is not None
    given, asked = ctx.subject, ctx.input
    if not asked.lines:
        raise InvalidInput(_("At least one expected cost is needed."), code="required", field="lines")
    total = sum(to_fen(line.amount) for line in asked.lines)
    if to_fen(asked.expected) > total:
        raise InvalidInput(
            _("Others cannot pay more than the expected cost."), code="too_large", field="expected"
        )
    given.lines.all().delete()
    for line in cost_rows(given, asked.lines):
        ctx.add(line)
    given.estimate_fen, given.expected_fen, given.planned_days = (
        total,
        to_fen(asked.expected),
        asked.planned_days,
    )
    given.proposed_fen = None  # it stood on other figures
    ctx.update(given, "estimate_fen", "expected_fen", "planned_days", "proposed_fen")
    ctx.case.amount_fen = total
    ctx.loaded.pop("look", None)
    ctx.data["estimate_fen"] = total


def _known_costs(ctx: Ctx[Any]) -> dict[str, Any]:
    given = ctx.subject
    lines = [
        {"name": line.name, "kind": line.kind, "amount": to_yuan(line.amount_fen)}
        for line in given.lines.order_by("position")
    ]
    return {"lines": lines, "expected": to_yuan(given.expected_fen), "planned_days": given.planned_days}


def _admit(ctx: Ctx[AdmissionInput]) -> None:
    assert ctx.input is not None
    given, day = ctx.subject, ctx.input.admitted_on
    if day > timezone.localtime(ctx.now).date():
        raise InvalidInput(_("The date lies in the future."), code="future", field="admitted_on")
    given.admitted, given.admitted_on = True, day
    given.admission_number = ctx.input.admission_number or given.admission_number
    ctx.update(given, "admitted", "admitted_on", "admission_number")
    ctx.loaded.pop("look", None)
    ctx.data["admitted_on"] = day.isoformat()


# --- The call, and the end by the family ---------------------------------------------------------------


def _answered(ctx: Ctx[Any], task: CallTask) -> None:
    if task.purpose == FIRST_CALL and ctx.case.state == "VERIFIED":
        ctx.then("contact")


def _withdraw(ctx: Ctx[ReasonInput]) -> None:
    assert ctx.input is not None
    ctx.reason = ctx.input.reason
    give_back(ctx)
    _end(ctx)


def _end(ctx: Ctx[Any]) -> None:
    ctx.case.open, ctx.case.closed_at = False, ctx.now
    ctx.emit("closed")


for action in (
    Action("verify", _("Entitlement verified"), SPECIALISTS, _verify, transition="verify", guards=(guards.entitled,),
           event="entitlement_verified", style="primary", order=10),
    Action("find_ineligible", _("Not eligible"), SPECIALISTS, _find_ineligible, transition="find_ineligible",
           guards=(guards.not_entitled,), event="ineligible", style="danger", order=20),
    Action("allow_exception", _("Allow beside direct billing"), SUPERVISORS, _allow, states=frozenset({"APPLIED"}),
           input=ReasonInput, guards=(guards.direct_objected,), event="exception_allowed", order=30),
    Action("record_network", _("Provider's network"), DESK | PAYERS, _record_network, states=BEFORE_DECISION,
           input=NetworkInput, event="network_judged", order=40),
    Action("record_costs", _("Needs and costs"), DESK, _record_costs, states=BEFORE_DECISION, input=CostsInput,
           initial=_known_costs, event="costs_recorded", order=45),
    Action("record_admission", _("Admitted"), DESK, _admit, states=BEFORE_ADVANCED, input=AdmissionInput,
           initial=lambda ctx: {"admitted_on": timezone.localtime(ctx.now).date()}, guards=(guards.not_admitted,),
           event="admitted", order=46),
    Action("contact", _("Family called"), frozenset(), lambda ctx: None, transition="contact", event="first_called",
           system=True, manual=False),
    Action("withdraw", _("Withdraw"), SPECIALISTS | {TPA}, _withdraw, transition="withdraw", input=ReasonInput,
           event="withdrawn", style="danger", order=90),
):  # fmt: skip
    KIND.action(action)
KIND.action(call_action(roles=DESK, answered=_answered))
