"""“Pay” beside the visit (EPY-02), where the series and the bill allow it (EPY-01)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.adjudication.handbook import Handbook
from apps.adjudication.trace import observe
from apps.billing.gateway import gateway
from apps.billing.inputs import StartInput
from apps.billing.models import OnlinePayment, SelfPayBill
from apps.billing.roles import FAMILY
from apps.billing.terms import online_terms
from apps.billing.workflow import KIND, UNPAID
from apps.cards.queries import cards_of_account
from apps.cases.context import Ctx
from apps.cases.kinds import Action, Blocker
from apps.core.errors import NotFound
from apps.core.numbers import next_number

LIVES = timedelta(minutes=15)


def not_payable_online(bill: SelfPayBill, handbook: Handbook) -> Blocker | None:
    """Why this bill cannot be paid electronically, with the rule; None when it can.

    Only the share after the fully paid visits, only at the hospitals and visits the series names: public,
    outpatient and emergency (EPY-01). Needs the bill's hospital.
    """
    terms = online_terms(handbook)
    if observe(terms.rule, not terms.offered):
        chinese = (get_language() or "zh").startswith("zh")
        instead = (terms.redirect.zh if chinese else terms.redirect.en) if terms.redirect else ""
        words = _("Series %(series)s offers no electronic payment. %(instead)s")
        return Blocker("not_offered", words % {"series": handbook.series, "instead": instead}, terms.rule)
    rule = _rule_of(handbook, "electronic_payment.ownerships", terms.rule)
    if observe(rule, bill.hospital.ownership not in terms.ownerships):
        words = _("Only bills of public hospitals are paid electronically; please pay at the hospital.")
        return Blocker("ownership", words, rule)
    rule = _rule_of(handbook, "electronic_payment.visit_types", terms.rule)
    if observe(rule, bill.visit_type not in terms.visit_types):
        words = _("Only outpatient and emergency bills are paid electronically; please pay at the hospital.")
        return Blocker("visit_type", words, rule)
    if observe(terms.rule, not bill.full_visits_used):
        words = _(
            "Only the share after the fully paid visits is paid electronically; please pay at the hospital."
        )
        return Blocker("full_visits", words, terms.rule)
    return None


def _rule_of(handbook: Handbook, key: str, otherwise: str) -> str:
    parameter = handbook.parameters.get(key)
    return parameter.rule if parameter else otherwise


def _payable(ctx: Ctx[Any]) -> Blocker | None:
    return not_payable_online(ctx.subject, ctx.handbook)


def _start(ctx: Ctx[StartInput]) -> None:
    """A payment over what is open now. One that is pending over the same amount is taken up again; over
    another amount it is ended, and what the gateway may still say of it is booked or given back."""
    assert ctx.input is not None
    cards = cards_of_account(ctx.actor, ctx.input.account)
    if not cards.filter(member=ctx.case.member_id).exists():
        raise NotFound(_("There is nothing at this address, or it is not yours to see."))
    pending = OnlinePayment.objects.filter(bill=ctx.subject.pk, state=OnlinePayment.State.PENDING).first()
    if pending and pending.expires_at > ctx.now and pending.amount_fen == ctx.subject.open_fen:
        ctx.data["payment"] = pending.number
        return
    if pending:
        OnlinePayment.objects.filter(pk=pending.pk).update(state=OnlinePayment.State.EXPIRED)
    payment = OnlinePayment(
        number=next_number(f"E{timezone.localtime(ctx.now):%y}"), bill=ctx.subject, amount_fen=ctx.subject.open_fen,
        gateway=gateway().name, client_id=ctx.actor.client_id, account=ctx.input.account, started_at=ctx.now,
        expires_at=ctx.now + LIVES,
    )  # fmt: skip
    ctx.add(payment)
    ctx.data |= {"payment": payment.number, "amount_fen": payment.amount_fen}


KIND.action(
    Action("start_online", _("Pay electronically"), frozenset({FAMILY}), _start, states=UNPAID, input=StartInput,
           guards=(_payable,), event="online_started", manual=False)
)  # fmt: skip
