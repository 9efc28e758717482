"""From a decision to the money in the account (RMB-12, RMB-33; LAW-03)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.cases.context import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action, Blocker, NoInput
from apps.claims import guards, letters
from apps.claims.assignment import assigned_part
from apps.claims.models import Decision
from apps.claims.reporting import branch_rule
from apps.claims.roles import CLERKS, FINANCE, MACHINES, REVIEWERS
from apps.claims.workflow import BEFORE_DECISION, FINAL, KIND, STATES
from apps.core.money import format_yuan
from apps.messaging.outbox import notify_member
from apps.payments import actions as payments
from apps.payments.payees import PayeeInput, build_payee
from apps.payments.queries import living_orders, payable_fen, unordered_fen

KEPT = ("name", "relation", "bank", "branch", "nationality", "occupation", "address", "corporate")


def pay_out(ctx: Ctx[Any]) -> None:
    """One order for what is owed and not ordered yet; a second one for the same decision cannot exist."""
    version = ctx.loaded.get("decision_version")
    amount = ctx.loaded["payable_fen"] if version else unordered_fen(ctx.case)
    order_parts(ctx, amount, version or _version(ctx), first=bool(version))


def order_parts(ctx: Ctx[Any], amount_fen: int, version: int, *, first: bool = False) -> None:
    """First what a provider advanced (ADV-14), the rest to the family's account."""
    claim, part = ctx.case.claim, assigned_part(ctx.case, amount_fen)
    if part:
        payments.order(
            ctx,
            payee=claim.assigned_to,
            amount_fen=part,
            decision_version=version,
            first=first,
            assigned=True,
        )
    if amount_fen > part:
        payments.order(
            ctx, payee=claim.payee, amount_fen=amount_fen - part, decision_version=version, first=first
        )


def _order_payment(ctx: Ctx[NoInput]) -> None:
    pay_out(ctx)


def _await_payment(ctx: Ctx[NoInput]) -> None:
    """The decision owes no more than an order under way carries already (LAW-05): the bank's answer ends it."""


def _version(ctx: Ctx[Any]) -> int:
    """The latest decision that no living order pays: the last one, or the one whose money came back."""
    paid = {order.decision_version for order in living_orders(ctx.case, paid=True)}
    versions = (
        Decision.objects.filter(claim=ctx.case.pk).order_by("-version").values_list("version", flat=True)
    )
    return next((version for version in versions if version not in paid), next(iter(versions), 0))


def _something_owed(ctx: Ctx[Any]) -> Blocker | None:
    if ctx.loaded.get("payable_fen") or unordered_fen(ctx.case) > 0:
        return None
    return Blocker("nothing_owed", _("Nothing is left to pay."))


KIND.action(
    Action(
        "order_payment", _("Order payment"), FINANCE | REVIEWERS, _order_payment, transition="order_payment",
        states=frozenset({"APPROVED", "PARTIAL"}), guards=(guards.payee_known, _something_owed), event="payment_ordered",
        system=True, style="primary", order=10,
    )
)  # fmt: skip


KIND.action(
    Action(
        "await_payment", _("Wait for the payment under way"), frozenset(), _await_payment, transition="order_payment",
        states=frozenset({"APPROVED", "PARTIAL"}), event="payment_awaited", system=True, manual=False,
    )
)  # fmt: skip


# --- The bank's answer ----------------------------------------------------------------------------


@dataclass(frozen=True)
class PaidInput:
    order: str = ask(_("Payment order"), max_length=30)
    bank_reference: str = ask(_("Bank reference"), default="", max_length=60)


@dataclass(frozen=True)
class ReturnedInput:
    order: str = ask(_("Payment order"), max_length=30)
    reason: str = ask(_("Reason of the bank"), max_length=200, min_length=1)


def _payment_done(ctx: Ctx[PaidInput]) -> None:
    assert ctx.input is not None
    row = payments.mark_paid(ctx, ctx.input.order, bank_reference=ctx.input.bank_reference)
    ctx.data |= {"order": row.number, "amount_fen": row.amount_fen, "bank_reference": row.bank_reference}
    context = letters.message_context(
        ctx.case, amount=format_yuan(row.amount_fen), account_tail=row.payee.account_masked[-4:],
        provider=row.payee.provider,
    )  # fmt: skip
    notify_member(ctx, template="payment_done", context=context, key=f"{row.number}:paid")
    if ctx.action == "payment_done":
        ctx.then("close")


def _last_payment(ctx: Ctx[Any]) -> Blocker | None:
    """While an order of the undisputed part waits for the bank as well, an answer ends nothing (LAW-05)."""
    if len(living_orders(ctx.case)) <= 1:
        return None
    return Blocker(
        "part", _("Another order of this claim waits for the bank: book this one as a part."), "LAW-05"
    )


def _payment_returned(ctx: Ctx[ReturnedInput]) -> None:
    """The bank sent the money back: the member is asked for another account."""
    assert ctx.input is not None
    row = payments.mark_returned(ctx, ctx.input.order, reason=ctx.input.reason)
    if ctx.action == "payment_returned":
        ctx.case.open, ctx.case.closed_at = True, None
    ctx.reason = ctx.input.reason
    ctx.data |= {"order": row.number, "amount_fen": row.amount_fen}
    if row.assigned:  # the provider's account is no affair of the family's
        return
    context = letters.message_context(
        ctx.case, reason=row.return_reason, amount=format_yuan(row.amount_fen),
        account_tail=row.payee.account_masked[-4:],
    )  # fmt: skip
    notify_member(ctx, template="payment_returned", context=context, key=f"{row.number}:returned")


def _close(ctx: Ctx[NoInput]) -> None:
    ctx.case.open, ctx.case.closed_at = False, ctx.now


def _nothing_owed(ctx: Ctx[Any]) -> Blocker | None:
    """An approved claim closes without payment only when nothing is owed (零赔付结案)."""
    if ctx.case.state == "PAID" or ctx.loaded.get("payable_fen", 1) <= 0 or payable_fen(ctx.case) <= 0:
        return None
    return Blocker("owed", _("Money is still owed on this claim."))


KIND.action(
    Action(
        "payment_done", _("Paid"), FINANCE, _payment_done, transition="pay", input=PaidInput, guards=(_last_payment,),
        event="paid", system=True, order=10,
    )
)  # fmt: skip
KIND.action(
    Action(
        "payment_returned", _("Returned by the bank"), FINANCE, _payment_returned, transition="return_payment",
        states=frozenset({"PAYMENT_PENDING", "CLOSED"}), input=ReturnedInput, system=True, order=20,
    )
)  # fmt: skip
KIND.action(
    Action(
        "close", pgettext_lazy("claim", "Close"), FINANCE, _close, transition="close", guards=(_nothing_owed,), event="closed", system=True,
        order=30,
    )
)  # fmt: skip


# A part was paid first and the claim goes on, or waits for more (LAW-05): the answer is booked, nothing ends.
# `payments` turns to these when the claim does not wait for its last payment.
for name, words, handler, given in (
    ("part_paid", _("Part paid"), _payment_done, PaidInput),
    ("part_returned", _("Part returned by the bank"), _payment_returned, ReturnedInput),
):
    KIND.action(
        Action(
            name, words, FINANCE, handler, states=frozenset(STATES) - FINAL - {"PAID", "REOPENED", "REPORTED"}, input=given,
            system=True, manual=False,
        )
    )  # fmt: skip


# --- Assignment -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class AssignInput:
    """`payee` is who is paid first, up to `amount_fen` of all that the claim pays."""

    payee: int = ask(_("Payee"))
    amount_fen: int = ask(_("Amount (fen)"), minimum=0)


def _assign(ctx: Ctx[AssignInput]) -> None:
    """By its entrustment letter a family gives up to a provider what that advanced (ADV-08, ADV-14)."""
    assert ctx.input is not None
    claim = ctx.case.claim
    claim.assigned_to_id, claim.assigned_fen = ctx.input.payee, ctx.input.amount_fen
    ctx.update(claim, "assigned_to", "assigned_fen")
    ctx.data |= {"amount_fen": ctx.input.amount_fen}


KIND.action(
    Action(
        "assign_claim", _("Assign to a provider"), frozenset(), _assign, states=frozenset(STATES), input=AssignInput,
        event="claim_assigned", system=True, manual=False,
    )
)  # fmt: skip


# --- Payee ----------------------------------------------------------------------------------------


def _set_payee(ctx: Ctx[PayeeInput]) -> None:
    """A corrected account is a new row; the old one stays with the orders that used it."""
    assert ctx.input is not None
    payee = build_payee(ctx.case.member, ctx.input, path="", branch_rule=branch_rule(ctx.case.handbook))
    payee.save(force_insert=True)
    claim = ctx.case.claim
    claim.payee = payee
    ctx.update(claim, "payee")
    ctx.data["account"] = payee.account_masked


def _as_before(ctx: Ctx[Any]) -> dict[str, Any]:
    """What the bank did not refuse: all of the former payee but the account and what is kept encrypted."""
    payee = ctx.case.claim.payee
    return {name: getattr(payee, name) for name in KEPT} if payee else {}


def _new_account(ctx: Ctx[PayeeInput]) -> None:
    """A corrected account after a bank return: the same money is ordered again."""
    _set_payee(ctx)
    order_parts(ctx, unordered_fen(ctx.case), _version(ctx))
    ctx.emit("payment_ordered")


KIND.action(
    Action(
        "set_payee", _("Set payee"), CLERKS | REVIEWERS | FINANCE | MACHINES, _set_payee,
        states=BEFORE_DECISION | {"APPROVED", "PARTIAL"}, input=PayeeInput, event="payee_changed", order=300,
    )
)  # fmt: skip
KIND.action(
    Action(
        "new_account", _("New account"), CLERKS | REVIEWERS | FINANCE | MACHINES, _new_account, transition="order_payment",
        states=frozenset({"PAYMENT_FAILED"}), input=PayeeInput, initial=_as_before, style="primary", order=10,
    )
)  # fmt: skip
