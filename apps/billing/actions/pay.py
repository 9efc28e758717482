"""Paying: in part or whole, at the hospital or electronically (EPY-02); giving credit back."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.billing.inputs import OnlineInput, OnlineRefundInput, PaymentInput, RefundInput
from apps.billing.models import BillPayment, OnlinePayment, OnlineRefund
from apps.billing.money import asked_back, check_day, check_not_more, end_if_settled, give_back, take
from apps.billing.roles import CALLERS, FINANCE, RECEIVERS
from apps.billing.terms import terms_of
from apps.billing.workflow import FINAL, KIND, UNPAID
from apps.cases.context import Ctx
from apps.cases.kinds import Action, Blocker
from apps.core.errors import Blocked
from apps.core.money import to_fen, to_yuan

Kind, Way = BillPayment.Kind, BillPayment.Way


def _ends(ctx: Ctx[Any]) -> str:
    transition: str = ctx.loaded.get("ends", "")
    return transition


def _record_payment(ctx: Ctx[PaymentInput]) -> None:
    """The count of reminders stays as it is; more than is open is refused: the hospital has no right to it."""
    given = ctx.input
    assert given is not None
    amount = to_fen(given.amount)
    check_day(ctx, given.paid_on)
    check_not_more(
        amount, ctx.subject.open_fen, _("Only %(amount)s are open."), terms_of(ctx.handbook).bill_rule
    )
    take(ctx, amount, way=given.way, reference=given.reference, paid_on=given.paid_on, note=given.note)
    ctx.reason = given.note
    ctx.loaded["ends"] = end_if_settled(ctx)


def _rest(ctx: Ctx[Any]) -> dict[str, Any]:
    return {"amount": to_yuan(ctx.subject.open_fen), "paid_on": timezone.localtime(ctx.now).date()}


def _has_credit(ctx: Ctx[Any]) -> Blocker | None:
    return None if _credit(ctx) else Blocker("no_credit", _("Nothing is to be given back."))


def _credit(ctx: Ctx[Any]) -> int:
    return ctx.subject.credit_fen - asked_back(ctx.subject) if ctx.subject.credit_fen else 0


def _record_refund(ctx: Ctx[RefundInput]) -> None:
    given = ctx.input
    assert given is not None
    amount = to_fen(given.amount)
    check_day(ctx, given.paid_on)
    check_not_more(amount, _credit(ctx), _("Only %(amount)s are to be given back."), "")
    take(
        ctx, amount, way=Way.HOSPITAL, reference=given.reference, paid_on=given.paid_on, kind=Kind.REFUND,
        note=given.note,
    )  # fmt: skip
    ctx.reason = given.note


# --- Electronic -------------------------------------------------------------------------------------


def _receive_online(ctx: Ctx[OnlineInput]) -> None:
    """What the gateway says was paid. It is booked whatever became of the bill meanwhile; what is more
    than open goes back at once. Called by `epay.receive`, which holds the case."""
    assert ctx.input is not None
    payment = OnlinePayment.objects.select_for_update().get(number=ctx.input.payment, bill=ctx.subject.pk)
    if payment.state == OnlinePayment.State.PAID:
        raise Blocked(_("This payment is booked already."), code="booked_before", rule="EPY-02")
    payment.state, payment.paid_at = OnlinePayment.State.PAID, ctx.input.at
    payment.save(update_fields=["state", "paid_at"])
    day = timezone.localtime(ctx.input.at).date()
    take(ctx, payment.amount_fen, way=Way.ONLINE, reference=payment.number, paid_on=day)
    if ctx.subject.credit_fen:
        give_back(ctx, str(_("came when nothing or less was open")))
    ctx.loaded["ends"] = end_if_settled(ctx)


def _online_refunded(ctx: Ctx[OnlineRefundInput]) -> None:
    assert ctx.input is not None
    refunds = OnlineRefund.objects.select_for_update().select_related("payment")
    refund = refunds.get(pk=ctx.input.refund, payment__bill=ctx.subject.pk)
    if refund.state != OnlineRefund.State.ASKED:
        raise Blocked(_("This refund is booked already."), code="booked_before", rule="EPY-02")
    refund.state, refund.done_at, refund.reference = OnlineRefund.State.DONE, ctx.now, ctx.input.reference
    refund.next_attempt_at, refund.error = None, ""
    refund.save(update_fields=["state", "done_at", "reference", "next_attempt_at", "error"])
    refund.payment.refunded_fen += refund.amount_fen
    refund.payment.save(update_fields=["refunded_fen"])
    day = timezone.localtime(ctx.now).date()
    take(ctx, refund.amount_fen, way=Way.ONLINE, reference=refund.key, paid_on=day, kind=Kind.REFUND)


ANY = UNPAID | FINAL
for action in (
    Action("record_payment", _("Record a payment"), RECEIVERS, _record_payment, states=UNPAID, transition=_ends,
           input=PaymentInput, initial=_rest, event="payment_recorded", style="primary", order=50),
    Action("record_refund", _("Record a refund"), CALLERS | FINANCE, _record_refund, states=ANY, input=RefundInput,
           guards=(_has_credit,), event="credit_given_back", order=60),
    Action("receive_online", _("Electronic payment received"), frozenset(), _receive_online, states=ANY,
           transition=_ends, input=OnlineInput, event="paid_online", system=True, manual=False),
    Action("online_refunded", _("Electronic refund done"), frozenset(), _online_refunded, states=ANY,
           input=OnlineRefundInput, event="refunded_online", system=True, manual=False),
):  # fmt: skip
    KIND.action(action)
