"""Refunds that are no longer owed to us go back to the family, by the one way money leaves the house.

For a claim the later decision itself orders what it pays again. For a direct claim, whose money went to
the hospital, the recovery orders it: account, order, payment file, the bank's answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from apps.cases.context import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action, NoInput
from apps.claims.reporting import branch_rule
from apps.payments import actions as payments
from apps.payments.payees import PayeeInput, build_payee
from apps.payments.queries import unordered_fen
from apps.recoveries import guards
from apps.recoveries.actions.books import Booked
from apps.recoveries.roles import CLERKS, PAYERS
from apps.recoveries.workflow import KIND, STATES

ANY = frozenset(STATES)


@dataclass(frozen=True)
class PaidInput:
    order: str = ask(_("Payment order"), max_length=30)
    bank_reference: str = ask(_("Bank reference"), default="", max_length=60)


@dataclass(frozen=True)
class ReturnedInput:
    order: str = ask(_("Payment order"), max_length=30)
    reason: str = ask(_("Reason of the bank"), max_length=200, min_length=1)


def _set_payee(ctx: Ctx[PayeeInput]) -> None:
    """A corrected account is a new row; the old one stays with the orders that used it."""
    assert ctx.input is not None
    payee = build_payee(ctx.case.member, ctx.input, path="", branch_rule=branch_rule(ctx.case.handbook))
    payee.save(force_insert=True)
    ctx.subject.payee = payee
    ctx.update(ctx.subject, "payee")
    ctx.data["account"] = payee.account_masked


def _give_back(ctx: Ctx[NoInput]) -> None:
    row = ctx.subject
    row.postings += 1
    ctx.update(row, "postings")
    payments.order(ctx, payee=row.payee, amount_fen=unordered_fen(ctx.case), decision_version=row.postings)


def _paid(ctx: Ctx[PaidInput]) -> None:
    assert ctx.input is not None
    order = payments.mark_paid(ctx, ctx.input.order, bank_reference=ctx.input.bank_reference)
    ctx.data |= {
        "order": order.number,
        "amount_fen": order.amount_fen,
        "bank_reference": order.bank_reference,
    }
    ctx.loaded["booked"] = Booked(refunded_fen=-order.amount_fen, payment=order.number)
    if ctx.subject.open_fen == 0 and unordered_fen(ctx.case) <= 0:
        ctx.case.open, ctx.case.closed_at = False, ctx.now


def _returned(ctx: Ctx[ReturnedInput]) -> None:
    """The account was wrong: somebody enters another and orders again."""
    assert ctx.input is not None
    order = payments.mark_returned(ctx, ctx.input.order, reason=ctx.input.reason)
    ctx.loaded["booked"] = Booked(refunded_fen=ctx.loaded.get("returned_fen", 0), payment=order.number)
    ctx.case.open, ctx.case.closed_at = True, None
    ctx.reason = ctx.input.reason
    ctx.data |= {"order": order.number, "amount_fen": order.amount_fen}


KIND.action(
    Action(
        "set_payee", _("Set payee"), CLERKS | PAYERS, _set_payee, states=ANY, input=PayeeInput,
        guards=(guards.to_give_back,), event="payee_changed", order=300,
    )
)  # fmt: skip
KIND.action(
    Action(
        "give_back", _("Give back"), PAYERS, _give_back, states=ANY, guards=(guards.to_give_back, guards.payee_known),
        event="give_back_ordered", style="primary", order=310,
    )
)  # fmt: skip
KIND.action(
    Action(
        "payment_done", _("Paid"), PAYERS, _paid, states=ANY, input=PaidInput, event="given_back", system=True,
        manual=False,
    )
)  # fmt: skip
KIND.action(
    Action(
        "payment_returned", _("Returned by the bank"), PAYERS, _returned, states=ANY, input=ReturnedInput,
        event="give_back_returned", system=True, manual=False,
    )
)  # fmt: skip
