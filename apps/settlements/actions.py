"""Statements from the check to the bank's answer: the only writers.

Each locks the statement, then (where money moves) the order and the claims by id, and writes one event.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Min, Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.actors import SYSTEM, Actor
from apps.accounts.visibility import visible_to
from apps.adjudication.trace import observe
from apps.cases.engine import perform_many
from apps.cases.models import CaseFile
from apps.core.errors import Blocked, Conflict, InvalidInput, NotAllowed, NotFound
from apps.direct.queries import PAID_STATES
from apps.payments.actions import Share, order_together, pay_together, return_together, stop_together
from apps.payments.models import Payee, PaymentOrder
from apps.payments.subjects import BankResult
from apps.settlements import letters
from apps.settlements.access import CHECKERS, MAKERS, need
from apps.settlements.claims import DECIDED, REVIEWED, ready
from apps.settlements.history import note
from apps.settlements.models import HospitalAccount, Statement, StatementLine

State = Statement.State
SHORTEST_REASON = 4


# --- Before the payment ----------------------------------------------------------------------------


def check(actor: Actor, number: str, *, version: int | None = None, now: datetime | None = None) -> Statement:
    """A second person has checked the statement: one payment order for all of it, the letter, the message.

    Refused when a claim is not as it was when it was taken (decided again, reopened): it must be taken out.
    """
    need(actor, CHECKERS)
    now = now or timezone.now()
    with transaction.atomic():
        statement = _locked(actor, number, version, State.DRAFT)
        if observe("PR-25", statement.made_by_id == actor.user_id):
            raise NotAllowed(
                _("Four eyes: you made this statement; somebody else must check it."),
                code="four_eyes",
                rule="PR-25",
            )
        changed = changed_lines(statement)
        if changed:
            raise Conflict(
                _(
                    "Changed since the statement was made: %(numbers)s. Take them out, they come with the next run."
                )
                % {"numbers": ", ".join(line.case.number for line in changed[:20])},
                code="changed",
                data={"cases": [line.case.number for line in changed]},
            )
        order = _order(statement, account_of(statement), now)
        statement.checked_by_id, statement.checked_at = actor.person_id, now
        _move(statement, State.ORDERED, "checked_by", "checked_at", "order")
        note(statement, "checked", actor, now, order=order.number, amount_fen=order.amount_fen)
        letters.issue(statement, now)
    return statement


def _order(statement: Statement, payee: Payee, now: datetime) -> PaymentOrder:
    statement.order = order_together(
        reference=statement.number, payee=payee, amount_fen=statement.total_fen, series=statement.series,
        tpa=statement.tpa, now=now,
    )  # fmt: skip
    return statement.order


def account_of(statement: Statement) -> Payee:
    """The confirmed account of the hospital; Blocked without one."""
    account = HospitalAccount.objects.filter(
        hospital=statement.hospital_id, state=HospitalAccount.State.IN_FORCE
    ).select_related("payee")
    found = account.first()
    if found is None:
        raise Blocked(
            _("%(hospital)s has no confirmed account; enter it, and let somebody else confirm it.")
            % {"hospital": statement.hospital},
            code="no_account",
        )
    return found.payee


def changed_lines(statement: Statement) -> list[StatementLine]:
    """Living lines whose claim is no longer as it was when the line was written."""
    lines = list(_living(statement).select_related("case__claim", "case__direct", "case__member"))
    now = {row.case.pk: row for row in ready(line.case for line in lines)}
    return [
        line for line in lines if not _as_taken(line, now[line.case_id].version, now[line.case_id].amount_fen)
    ]


def _as_taken(line: StatementLine, version: int, amount_fen: int) -> bool:
    if line.amount_fen < 0:
        states: tuple[str, ...] = PAID_STATES
    else:
        states = (DECIDED,) if line.decision_version else (REVIEWED,)
    return line.case.state in states and line.decision_version == version and line.amount_fen == amount_fen


def drop(
    actor: Actor, number: str, cases: Sequence[str], *, reason: str, version: int | None = None,
    now: datetime | None = None,
) -> Statement:  # fmt: skip
    """Take claims out of a draft; they are free for a later one."""
    need(actor, MAKERS | CHECKERS)
    reason, now = _reason(reason), now or timezone.now()
    with transaction.atomic():
        statement = _locked(actor, number, version, State.DRAFT)
        lines = _living(statement)
        out = lines.filter(case__number__in=list(cases))
        missing = sorted(set(cases) - set(out.values_list("case__number", flat=True)))
        if missing or not cases:
            raise InvalidInput(
                _("Not in this statement: %(numbers)s") % {"numbers": ", ".join(missing) or "–"}, field="cases",
                code="not_there",
            )  # fmt: skip
        if lines.count() == len(set(cases)):
            raise Blocked(_("Nothing would be left: cancel the statement instead."), code="empty")
        out.update(living=False, dropped=reason)
        sums = _living(statement).aggregate(
            billed=Sum("billed_fen"), total=Sum("amount_fen"), due=Min("due_on", filter=Q(amount_fen__gt=0))
        )
        if sums["total"] <= 0:
            raise Blocked(
                _("Nothing would be left to pay: take out what is set off as well."), code="nothing_left"
            )
        statement.claims = lines.count()
        statement.billed_fen, statement.total_fen, statement.due_on = (
            sums["billed"],
            sums["total"],
            sums["due"],
        )
        _move(statement, State.DRAFT, "claims", "billed_fen", "total_fen", "due_on")
        note(statement, "dropped", actor, now, reason=reason, cases=sorted(cases))
    return statement


def cancel(
    actor: Actor, number: str, *, reason: str, version: int | None = None, now: datetime | None = None
) -> Statement:
    """Give up a draft; its claims are free again."""
    need(actor, MAKERS | CHECKERS)
    reason, now = _reason(reason), now or timezone.now()
    with transaction.atomic():
        statement = _locked(actor, number, version, State.DRAFT)
        _living(statement).update(living=False)
        _move(statement, State.CANCELLED)
        note(statement, "canceled", actor, now, reason=reason)
    return statement


def stop(
    actor: Actor, number: str, *, reason: str, version: int | None = None, now: datetime | None = None
) -> Statement:
    """Stop the payment (止付) while no file carries it, or give up one that came back; its claims are free again."""
    need(actor, CHECKERS)
    reason, now = _reason(reason), now or timezone.now()
    with transaction.atomic():
        statement = _locked(actor, number, version, State.ORDERED, State.RETURNED)
        assert statement.order is not None
        if statement.state == State.ORDERED:
            stop_together(statement.order.number, reason=reason)
        _living(statement).update(living=False)
        _move(statement, State.STOPPED)
        note(statement, "stopped", actor, now, reason=reason, order=statement.order.number)
    return statement


def order_again(
    actor: Actor, number: str, *, reason: str = "", version: int | None = None, now: datetime | None = None
) -> Statement:
    """After a bank return: the same money to the hospital's account in force.

    To the account that was refused only with a reason (why it works now).
    """
    need(actor, MAKERS | CHECKERS)
    now = now or timezone.now()
    with transaction.atomic():
        statement = _locked(actor, number, version, State.RETURNED)
        assert statement.order is not None
        payee = account_of(statement)
        if payee.pk == statement.order.payee_id:
            if not reason.strip():
                raise Blocked(
                    _("The bank returned this account. Enter another one, or say why it works now."),
                    code="same_account",
                )
            reason = _reason(reason)
        order = _order(statement, payee, now)
        _move(statement, State.ORDERED, "order")
        note(
            statement,
            "ordered_again",
            actor,
            now,
            reason=reason,
            order=order.number,
            account=payee.account_masked,
        )
        letters.issue(statement, now)
    return statement


# --- The bank's answer -----------------------------------------------------------------------------


def book(actor: Actor, order: PaymentOrder, result: BankResult, now: datetime) -> list[CaseFile]:
    """Book what the bank says of an order: every claim of the statement in one transaction.

    A constant number of statements, whatever the number of claims. Called by `payments.actions.book_results`.
    """
    with transaction.atomic():
        statement = _locked(SYSTEM, order.reference, None)
        lines = list(_living(statement).select_related("case").order_by("case_id"))
        shares = [Share(line.case, line.amount_fen) for line in lines]
        if result.paid:
            _book_paid(actor, statement, order, lines, shares, result.reference, now)
        else:
            _book_returned(actor, statement, order, lines, shares, result.reason, now)
    return [line.case for line in lines]


def _book_paid(
    actor: Actor, statement: Statement, order: PaymentOrder, lines: Sequence[StatementLine], shares: Sequence[Share],
    bank_reference: str, now: datetime,
) -> None:  # fmt: skip
    pay_together(order.number, shares, bank_reference=bank_reference, now=now)
    statement.paid_at = now
    _move(statement, State.PAID, "paid_at")
    _living(statement).update(settled=True)
    note(statement, "paid", actor, now, order=order.number, bank_reference=bank_reference)
    for action, own in _by_way(lines, "settle", "set_off"):
        amounts = [{"case": line.case.number, "amount_fen": abs(line.amount_fen)} for line in own]
        given = {"statement": statement.number, "reference": order.number, "paid_at": now, "amounts": amounts}
        perform_many([line.case.number for line in own], action, SYSTEM, now=now, data=given)


def _by_way(
    lines: Sequence[StatementLine], paying: str, withholding: str
) -> Iterator[tuple[str, list[StatementLine]]]:
    """Lines that pay and lines that set off, each with the action of their claims; those there are."""
    for action, sign in ((paying, 1), (withholding, -1)):
        own = [line for line in lines if line.amount_fen * sign > 0]
        if own:
            yield action, own


def _book_returned(
    actor: Actor, statement: Statement, order: PaymentOrder, lines: Sequence[StatementLine], shares: Sequence[Share],
    reason: str, now: datetime,
) -> None:  # fmt: skip
    if not reason.strip():
        raise InvalidInput(_("The bank's reason is missing."), field="reason", code="required")
    _order_row, was_paid = return_together(order.number, shares, reason=reason[:200], now=now)
    statement.paid_at = None
    _move(statement, State.RETURNED, "paid_at")
    _living(statement).update(settled=False)
    note(statement, "returned", actor, now, reason=reason, order=order.number, was_paid=was_paid)
    if was_paid:
        given = {"reference": order.number, "reason": reason[:200]}
        for action, own in _by_way(lines, "unsettle", "undo_set_off"):
            perform_many([line.case.number for line in own], action, SYSTEM, now=now, data=given)


# --- Shared ----------------------------------------------------------------------------------------


def _locked(actor: Actor, number: str, version: int | None, *states: str) -> Statement:
    """The statement, locked; NotFound when the actor may not see it, Conflict when it went on meanwhile."""
    visible = visible_to(Statement.objects.filter(number=number), actor).values("pk")
    row = Statement.objects.select_for_update().filter(pk__in=visible).first()
    if row is None:
        raise NotFound(_("No such statement: %(number)s") % {"number": number[:40]}, field="statement")
    if version is not None and version != row.version:
        raise Conflict(
            _("%(number)s was changed by somebody else meanwhile. Reload it and look again.")
            % {"number": row},
            code="stale",
            data={"version": row.version, "seen": version},
        )
    if states and row.state not in states:
        raise Conflict(
            _("Statement %(number)s is “%(state)s”.") % {"number": row, "state": row.get_state_display()},
            code="state",
        )
    return row


def _living(statement: Statement) -> Any:
    return StatementLine.objects.filter(statement=statement, living=True)


def _move(statement: Statement, state: str, *fields: str) -> None:
    statement.state = state
    statement.version += 1
    statement.save(update_fields=["state", "version", *fields])


def _reason(text: str) -> str:
    words = " ".join(text.split())
    if len(words) < SHORTEST_REASON:
        raise InvalidInput(_("A reason is required."), field="reason", code="required")
    return words[:200]
