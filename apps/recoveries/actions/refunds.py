"""Money that comes back: part by part or at once, each bank reference once (REC-03)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.cases.context import Ctx
from apps.cases.inputs import ask, money
from apps.cases.kinds import Action
from apps.core.errors import Blocked, Conflict, InvalidInput, NotAllowed
from apps.core.money import format_yuan, to_fen
from apps.recoveries import letters
from apps.recoveries.actions.books import book, set_open
from apps.recoveries.actions.contact import contacted
from apps.recoveries.actions.plans import fill
from apps.recoveries.models import Instalment, Plan, Recovery, Refund
from apps.recoveries.queries import visible_recoveries
from apps.recoveries.roles import CASHIERS
from apps.recoveries.workflow import KIND, OWED


@dataclass(frozen=True)
class RefundInput:
    amount: Decimal = money(_("Amount"))
    received_on: date = ask(_("Received on"))
    bank_reference: str = ask(_("Bank reference"), min_length=3, max_length=60)
    payer: str = ask(_("Payer"), default="", max_length=80)


def _record(ctx: Ctx[RefundInput]) -> None:
    """Part or all; late money lowers what was written off. More than is owed is refused, not kept."""
    given, row = ctx.input, ctx.subject
    assert given is not None
    amount = _checked(ctx, given, row)
    written = max(amount - row.open_fen, 0)
    row.refunded_fen += amount
    row.written_off_fen -= written
    ctx.add(
        Refund(
            recovery=row, amount_fen=amount, received_on=given.received_on, bank_reference=given.bank_reference,
            payer=given.payer, recorded_by_id=ctx.actor.user_id, recorded_at=ctx.now,
        )
    )  # fmt: skip
    book(ctx, row, refunded=amount, written_off=-written, payment=given.bank_reference)
    if row.contacted_at is None:  # the family was faster than our letter
        contacted(ctx)
    fill(ctx, amount)
    set_open(ctx, "refunded_fen", "written_off_fen", "due_on", "contacted_at")
    ctx.data |= {"amount_fen": amount, "bank_reference": given.bank_reference, "open_fen": row.open_fen}
    done = row.open_fen == 0 and row.written_off_fen == 0
    ctx.loaded["way"] = _way(ctx.case.state, done)
    if done:
        ctx.case.open, ctx.case.closed_at = False, ctx.now
        ctx.emit("refund_received")
        ctx.emit("refunded")
    letters.tell(
        ctx, "recovery_receipt", str(row.postings), received=format_yuan(amount),
        reference=given.bank_reference, done=row.open_fen == 0,
    )  # fmt: skip


def _checked(ctx: Ctx[RefundInput], given: RefundInput, row: Recovery) -> int:
    amount, owed = to_fen(given.amount), row.open_fen + row.written_off_fen
    if amount <= 0:
        raise InvalidInput(_("A refund is more than nothing."), field="amount", code="too_small")
    if amount > owed:
        raise InvalidInput(
            _("%(amount)s is more than the %(open)s that are owed; what is too much stays with the sender.")
            % {"amount": format_yuan(amount), "open": format_yuan(owed)},
            field="amount", code="too_large", rule=row.rule,
        )  # fmt: skip
    if given.received_on > timezone.localtime(ctx.now).date():
        raise InvalidInput(_("The date lies in the future."), field="received_on", code="future")
    former = (
        Refund.objects.filter(bank_reference=given.bank_reference, undone_at__isnull=True)
        .values_list("recovery__case__number", flat=True)
        .first()
    )
    if former:
        raise Conflict(
            _("The bank reference %(reference)s is recorded already, on %(case)s.")
            % {"reference": given.bank_reference, "case": former if _may_name(ctx, former) else "…"},
            code="recorded_twice", field="bank_reference",
        )  # fmt: skip
    return amount


def _may_name(ctx: Ctx[Any], number: str) -> bool:
    return visible_recoveries(ctx.actor).filter(number=number).exists()


def _way(state: str, done: bool) -> str:
    if done:
        return "refund"
    return "" if state in ("ESCALATED", "WRITTEN_OFF") else "refund_part"


# --- Undoing -----------------------------------------------------------------------------------------


def standing(ctx: Ctx[Any]) -> list[tuple[str, Any]]:
    """The refunds of the case that stand."""
    rows = Refund.objects.filter(recovery=ctx.case.pk, undone_at__isnull=True).order_by("pk")
    return [
        (str(row.pk), f"{row.received_on} {format_yuan(row.amount_fen)} {row.bank_reference}") for row in rows
    ]


@dataclass(frozen=True)
class UndoInput:
    refund: int = ask(_("Refund"), choices=standing, widget="select")
    reason: str = ask(_("Reason"), widget="textarea", min_length=2, max_length=400)


def _undo(ctx: Ctx[UndoInput]) -> None:
    """Recorded by mistake or called back by the bank: the money is owed again; somebody else than who
    recorded it says so."""
    given, row = ctx.input, ctx.subject
    assert given is not None
    refund = Refund.objects.filter(recovery=row, pk=given.refund, undone_at__isnull=True).first()
    if refund is None:
        raise InvalidInput(_("No such refund on this case."), field="refund", code="unknown_refund")
    if refund.recorded_by_id is not None and refund.recorded_by_id == ctx.actor.user_id:
        raise NotAllowed(_("Four eyes: you recorded this refund; somebody else undoes it."), code="four_eyes")
    if refund.amount_fen > row.kept_fen:
        raise Blocked(_("This refund was given back meanwhile."), code="given_back", field="refund")
    refund.undone_at, refund.undone_why = ctx.now, given.reason
    ctx.update(refund, "undone_at", "undone_why")
    row.refunded_fen -= refund.amount_fen
    book(ctx, row, refunded=-refund.amount_fen, payment=refund.bank_reference)
    _empty(ctx, row, refund.amount_fen)
    set_open(ctx, "refunded_fen", "due_on")
    if not ctx.case.open:
        ctx.case.open, ctx.case.closed_at = True, None
        ctx.emit("member_contacted")
        row.due_on = letters.last_day(ctx)
    ctx.reason = given.reason
    ctx.data |= {
        "amount_fen": refund.amount_fen,
        "bank_reference": refund.bank_reference,
        "open_fen": row.open_fen,
    }
    ctx.loaded["way"] = "" if ctx.case.state == "ESCALATED" else _back(row, ctx.case.state)


def _back(row: Recovery, state: str) -> str:
    if row.kept_fen == 0:
        return "undo_all"
    return "undo_to_part" if state == "REFUNDED" else ""


def _empty(ctx: Ctx[Any], row: Recovery, amount_fen: int) -> None:
    """The instalments that the refund had filled are open again, the last first."""
    plan = row.plans.filter(state=Plan.State.RUNNING).first()
    if plan is None:
        return
    rest, parts = amount_fen, list(Instalment.objects.filter(plan=plan).order_by("-number"))
    for part in parts:
        taken = min(rest, part.paid_fen)
        if taken:
            part.paid_fen -= taken
            ctx.update(part, "paid_fen")
            rest -= taken
    row.due_on = next(part.due_on for part in reversed(parts) if part.paid_fen < part.amount_fen)


KIND.action(
    Action(
        "record_refund", _("Record a refund"), CASHIERS, _record, transition=lambda ctx: ctx.loaded["way"],
        transitions=("refund_part", "refund"), states=OWED, input=RefundInput, event="refund_recorded",
        style="primary", order=20,
        initial=lambda ctx: {"received_on": timezone.localtime(ctx.now).date()},
    )
)  # fmt: skip
KIND.action(
    Action(
        "undo_refund", _("Undo a refund"), CASHIERS, _undo, transition=lambda ctx: ctx.loaded["way"],
        transitions=("undo_all", "undo_to_part"), states=frozenset({"PARTIALLY_REFUNDED", "ESCALATED", "REFUNDED"}),
        input=UndoInput, event="refund_undone", style="danger", order=700,
    )
)  # fmt: skip
