"""A payment that was recorded by mistake: taken back by somebody else, with reason. Nothing is deleted; the
bill is owed again as if it had never been paid, with its reminders and its grey card (BIL-03, BIL-21)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.billing.actions.notices import forget_trying, send, start_period
from apps.billing.greying import grey_cards
from apps.billing.inputs import ReverseInput, standing
from apps.billing.models import BillPayment, SelfPayBill
from apps.billing.money import asked_back, take
from apps.billing.roles import CALLERS, FINANCE
from apps.billing.terms import terms_of
from apps.billing.workflow import FINAL, KIND, REOPEN, UNPAID
from apps.cases.context import Ctx
from apps.cases.kinds import Action, Blocker
from apps.core.errors import Blocked, InvalidInput, NotAllowed


def _something_to_reverse(ctx: Ctx[Any]) -> Blocker | None:
    if standing(ctx):
        return None
    return Blocker(
        "no_payment", _("There is no recorded payment; electronic ones go back through the gateway.")
    )


def _reverse(ctx: Ctx[ReverseInput]) -> None:
    """The opposite entry on the same receipt, which may then be recorded rightly."""
    given, bill = ctx.input, ctx.subject
    assert given is not None
    if str(given.payment) not in dict(standing(ctx)):
        raise InvalidInput(_("No such payment on this bill."), field="payment", code="unknown_payment")
    payment = BillPayment.objects.get(pk=given.payment)
    if payment.user_id == ctx.actor.user_id and payment.actor_label == ctx.actor.label:
        words = _("Four eyes: you recorded this payment; somebody else reverses it.")
        raise NotAllowed(words, code="four_eyes")
    if payment.amount_fen > bill.paid_fen or asked_back(bill):
        words = _("Of this payment something was given back, or is on its way back.")
        raise Blocked(words, code="given_back", field="payment")
    take(
        ctx, payment.amount_fen, way=payment.way, reference=payment.reference, paid_on=payment.paid_on,
        kind=BillPayment.Kind.REVERSAL, note=given.reason, reverses=payment,
    )  # fmt: skip
    ctx.reason = given.reason
    if not bill.live and bill.open_fen:
        _reopen(ctx, bill)


def _reopen(ctx: Ctx[Any], bill: SelfPayBill) -> None:
    """Where it stood: the reminders that counted count, and a new period follows the last of them."""
    further = SelfPayBill.objects.filter(claim=bill.claim_id, claim__isnull=False, live=True).select_related(
        "case"
    )
    if other := further.first():
        words = _("The claim has the further bill %(number)s; cancel it first.") % {
            "number": other.case.number
        }
        raise Blocked(words, code="further_bill", field="payment")
    bill.live, bill.settled_at = True, None
    ctx.update(bill, "live", "settled_at")
    ctx.case.open, ctx.case.closed_at = True, None
    forget_trying(ctx)
    if bill.exhausted_at:
        ctx.loaded["reopens"] = "reopen_exhausted"
        ctx.data |= {"greyed": grey_cards(ctx), "rule": terms_of(ctx.handbook).grey_rule}
        return
    ctx.loaded["reopens"] = REOPEN[bill.reminders]
    if bill.reminders:
        start_period(ctx, ctx.now)
    else:
        send(ctx, bill)


KIND.action(
    Action("reverse_payment", _("Reverse a payment"), CALLERS | FINANCE, _reverse, states=UNPAID | FINAL,
           transition=lambda ctx: ctx.loaded.get("reopens", ""), input=ReverseInput, guards=(_something_to_reverse,),
           event="payment_reversed", style="danger", order=65)
)  # fmt: skip
