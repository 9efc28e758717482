"""Opening a recovery, and keeping its amount true when decisions change (REC-03, REC-04, REC-05)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import SYSTEM, Actor
from apps.accounts.models import Team
from apps.accounts.roles import role_needed
from apps.accounts.visibility import visible_to
from apps.adjudication.trace import observe
from apps.cases.context import Ctx
from apps.cases.engine import open_case, perform
from apps.cases.inputs import ask
from apps.cases.kinds import Action
from apps.cases.models import CaseFile
from apps.core.errors import NotFound
from apps.core.money import format_yuan
from apps.products.queries import working_calendar
from apps.recoveries import letters
from apps.recoveries.actions.books import book, set_open
from apps.recoveries.actions.plans import end_plan
from apps.recoveries.demand import (
    DIRECT,
    WORDS,
    Demand,
    Item,
    demand_of,
    items_of,
    main_reason,
    refuse_unpaid,
    rule_of,
    unpaid_rule,
)
from apps.recoveries.models import Plan, Reason, Recovery, RecoveryLine
from apps.recoveries.queries import standing_of
from apps.recoveries.roles import CLERKS
from apps.recoveries.workflow import KIND, LIVE, STATES, RecoveryFlow


def open_recovery(actor: Actor, number: str, *, now: datetime | None = None) -> CaseFile:
    """Ask back what was paid and is not covered on a claim or direct claim, by hand.

    What decisions change opens its recovery by itself (`follow`); this is for what stood there before.
    Raises NotAllowed, NotFound, Blocked REC-04 (REC-05 in a series without it) when nothing was paid.
    """
    if not actor.roles & CLERKS:
        raise role_needed(actor, CLERKS)
    with transaction.atomic():
        found = visible_to(CaseFile.objects.filter(number=number.strip()), actor).values("pk")
        origin = CaseFile.objects.select_for_update(of=("self",)).filter(pk__in=found).first()
        if origin is None:
            raise NotFound(_("No such case: %(numbers)s") % {"numbers": number}, field="case")
        standing = standing_of(origin)
        demand = demand_of(origin, standing)
        refuse_unpaid(origin, demand, standing)
        return _raise(origin, standing, demand, actor, now or timezone.now())


def follow(origin: CaseFile, now: datetime, after: str) -> None:
    """Make the recoveries of an origin say what its decisions and payments say; called under its lock.

    Only what was paid is asked (REC-04). Too little asked: a running recovery grows, or one is opened. Too much: the newest give in first,
    open money before what was written off, and refunds that are no longer owed go back.
    """
    standing = standing_of(origin)
    demand = demand_of(origin, standing, after)
    asked = sum(row.open_fen + row.written_off_fen for row in standing)
    if not observe(unpaid_rule(origin.handbook.handbook), demand.owed_fen <= asked):
        _raise(origin, standing, demand, SYSTEM, now)
        return
    less, back = asked - demand.owed_fen, demand.back_fen
    for row in standing:
        cut = min(less, row.open_fen + row.written_off_fen)
        kept = min(back, row.kept_fen)
        if cut or kept:
            perform(row.case, "lower", SYSTEM, now=now, less=cut, back=kept)
        less, back = less - cut, back - kept


def _raise(
    origin: CaseFile, standing: list[Recovery], demand: Demand, actor: Actor, now: datetime
) -> CaseFile:
    more = demand.owed_fen - sum(row.open_fen + row.written_off_fen for row in standing)
    live = next((row for row in standing if row.case.state in LIVE), None)
    if live is not None:
        return perform(live.case, "raise", SYSTEM, now=now, more=more)
    case = RecoveryFlow(
        kind=KIND.code, series=origin.series, tpa=origin.tpa, handbook=origin.handbook, member=origin.member,
        policy=origin.policy,
    )  # fmt: skip
    return open_case(
        KIND.code, actor, case=case, state="OPENED", fill=lambda ctx: _fill(ctx, origin, more, demand.payment),
        event="recovery_opened", now=now,
    )  # fmt: skip


def _fill(ctx: Ctx[Any], origin: CaseFile, amount_fen: int, payment: str) -> None:
    case = ctx.case
    items = items_of(origin, amount_fen)
    row = Recovery(
        case=case, origin=origin, reason=main_reason(items), rule=rule_of(ctx.handbook), payment=payment,
        amount_fen=amount_fen, contact_by=contact_by(timezone.localtime(ctx.now).date()),
    )  # fmt: skip
    ctx.add(row)
    _add_lines(ctx, row, items, 0)
    case.team = Team.objects.filter(tpa=case.tpa).order_by("code").first()
    case.amount_fen = amount_fen
    ctx.data |= {"origin": origin.number, "amount_fen": amount_fen, "reason": row.reason, "payment": payment}
    ctx.loaded["recovery"] = row
    book(ctx, row, owed=amount_fen)


def contact_by(day: date) -> date:
    """Machine (j): the same day, at the latest the next working day."""
    return working_calendar().next_workday(day)


def _add_lines(ctx: Ctx[Any], row: Recovery, items: list[Item], last: int) -> None:
    lines = [
        RecoveryLine(
            recovery=row, position=position, reason=item.reason, name=item.name[:200], text=item.text,
            rule=item.rule, amount_fen=item.amount_fen,
        )
        for position, item in enumerate(items, last + 1)
    ]  # fmt: skip
    ctx.loaded["new_lines"] = lines
    for line in lines:
        ctx.add(line)


# --- Decisions that change it ---------------------------------------------------------------------


@dataclass(frozen=True)
class RaiseInput:
    more: int = ask(_("More (fen)"), minimum=1)


@dataclass(frozen=True)
class LowerInput:
    """Fen: `less` of what is open or written off, `back` of what was refunded."""

    less: int = ask(_("Less (fen)"), minimum=0)
    back: int = ask(_("To give back (fen)"), default=0, minimum=0)


def _raise_amount(ctx: Ctx[RaiseInput]) -> None:
    """A further decision pays still less: the family hears of the new amount if it heard of the old one."""
    assert ctx.input is not None
    row, more = ctx.subject, ctx.input.more
    row.amount_fen += more
    _add_lines(ctx, row, items_of(row.origin, more), row.lines.count())
    book(ctx, row, owed=more)
    end_plan(ctx, Plan.State.ENDED)
    if row.contacted_at:
        row.due_on = letters.last_day(ctx)
        letters.send_request(ctx)
        ctx.emit("due_moved")
        ctx.emit("member_contacted")
    set_open(ctx, "amount_fen", "due_on")
    ctx.data |= {"more_fen": more, "amount_fen": row.amount_fen}


def _lower_amount(ctx: Ctx[LowerInput]) -> None:
    """A later decision pays again: what is no longer owed falls away, what was refunded for it goes back."""
    assert ctx.input is not None
    row, less, back = ctx.subject, ctx.input.less, ctx.input.back
    from_open = min(less, row.open_fen)
    from_written = min(less - from_open, row.written_off_fen)
    row.amount_fen -= from_open + from_written + back
    row.written_off_fen -= from_written
    row.given_back_fen += back
    _add_lines(ctx, row, [_less(row, from_open + from_written + back)], row.lines.count())
    # What a claim gives back it owes and orders itself; of a direct claim it passes through this account.
    owed = from_open + from_written + (back if row.origin.kind == DIRECT else 0)
    book(ctx, row, owed=-owed, written_off=-from_written)
    end_plan(ctx, Plan.State.ENDED)
    set_open(ctx, "amount_fen", "written_off_fen", "given_back_fen", "proposed_at", "proposed_by")
    ctx.data |= {"less_fen": from_open + from_written, "back_fen": back, "amount_fen": row.amount_fen}
    ctx.loaded["way"] = _way(row, ctx.case.state)
    if row.contacted_at or back:
        _tell_change(ctx, back)
    _end(ctx)
    if back and row.origin.kind == DIRECT:  # a claim gives back by an order of its own
        ctx.case.open, ctx.case.closed_at = True, None


def _less(row: Recovery, fen: int) -> Item:
    return Item(row.reason, "重新核定后减少", -fen, WORDS[Reason(row.reason)].zh)


def _way(row: Recovery, state: str) -> str:
    if row.amount_fen == 0:
        return "cancel"
    if row.open_fen == 0 and state in LIVE:
        return "refund"
    return ""


def _tell_change(ctx: Ctx[Any], back: int) -> None:
    row = ctx.subject
    letters.tell(
        ctx, "recovery_canceled", str(ctx.case.version), back=format_yuan(back) if back else "",
        **({} if row.amount_fen else {"amount": ""}), **({} if row.open_fen else {"open": ""}),
    )  # fmt: skip


def _end(ctx: Ctx[Any]) -> None:
    """Clocks stop and the case closes when nothing is open any more."""
    row = ctx.subject
    if row.open_fen:
        return
    ctx.case.open, ctx.case.closed_at = False, ctx.now
    ctx.emit("cancelled" if row.amount_fen == 0 else "refund_received")
    if row.amount_fen == 0:
        ctx.emit("canceled")


KIND.action(
    Action(
        "raise", _("Raise the amount"), frozenset(), _raise_amount, states=LIVE, input=RaiseInput,
        event="recovery_raised", system=True, manual=False,
    )
)  # fmt: skip
KIND.action(
    Action(
        "lower", _("Lower the amount"), frozenset(), _lower_amount, transition=lambda ctx: ctx.loaded["way"],
        transitions=("cancel", "refund"), states=frozenset(STATES) - {"CANCELLED"}, input=LowerInput,
        event="recovery_lowered", system=True, manual=False,
    )
)  # fmt: skip
