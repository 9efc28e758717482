"""Signed by the family, paid to the hospital by the provider within a working day (ADV-08)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.adjudication.trace import observe
from apps.advances import guards
from apps.advances.assess import look_in, most_fen
from apps.advances.letters import issue_entrustment, tell_family
from apps.advances.roles import PAYERS, SPECIALISTS
from apps.advances.workflow import KIND
from apps.cases.context import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action, NoInput
from apps.core.errors import Blocked, InvalidInput
from apps.core.money import format_yuan, to_fen, to_yuan

ANSWERS = [(False, _("no")), (True, _("yes"))]


@dataclass(frozen=True)
class SignedInput:
    signed_at: datetime = ask(_("Signed at"), rule="ADV-08")


@dataclass(frozen=True)
class PaidInput:
    """What the provider paid; looked at again just before: no other funds, no lawsuit (ADV-12)."""

    third_party_funds: bool = ask(
        _("Third-party funds involved"), widget="select", choices=ANSWERS, rule="ADV-12"
    )
    litigation: bool = ask(_("Lawsuit"), widget="select", choices=ANSWERS, rule="ADV-12")
    amount: Decimal = ask(_("Paid to the hospital"), widget="money", minimum=Decimal("0.01"), rule="ADV-03")
    paid_on: date = ask(_("Paid to the hospital on"))
    bank_reference: str = ask(_("Bank reference of the provider"), min_length=3, max_length=60)


def _sign(ctx: Ctx[SignedInput]) -> None:
    """The clock of the payment runs from the signature, not from the approval (ADV-08)."""
    assert ctx.input is not None
    given, at = ctx.subject, ctx.input.signed_at
    if at > ctx.now:
        raise InvalidInput(_("The date lies in the future."), code="future", field="signed_at")
    given.signed_at = at
    ctx.update(given, "signed_at")
    ctx.data["signed_at"] = at.isoformat()
    ctx.emit("documents_signed", at)


def _pay(ctx: Ctx[PaidInput]) -> None:
    """The provider's money: recorded, not ordered (ADV-03). ADV-12 is looked at again."""
    found, given = ctx.input, ctx.subject
    assert found is not None
    if observe("ADV-12", found.third_party_funds or found.litigation):
        words = _("Third-party funds or a lawsuit have come up: nothing is paid, terminate the advance.")
        raise Blocked(words, code="third_party", field="third_party_funds", rule="ADV-12")
    amount = _amount(ctx, to_fen(found.amount))
    if found.paid_on > timezone.localtime(ctx.now).date():
        raise InvalidInput(_("The date lies in the future."), code="future", field="paid_on")
    if found.paid_on < timezone.localtime(given.signed_at).date():
        raise InvalidInput(
            _("Nothing is paid before the signature."), code="order", field="paid_on", rule="ADV-08"
        )
    given.advanced_fen, given.advanced_on, given.bank_reference = amount, found.paid_on, found.bank_reference
    given.third_party_funds, given.litigation = False, False
    ctx.update(given, "advanced_fen", "advanced_on", "bank_reference", "third_party_funds", "litigation")
    ctx.case.amount_fen = amount
    ctx.data |= {
        "amount_fen": amount, "payer": "PROVIDER", "payee": "HOSPITAL", "provider": given.provider.name,
        "hospital": str(ctx.case.hospital), "bank_reference": found.bank_reference,
    }  # fmt: skip
    tell_family(ctx, "advanced")


def _amount(ctx: Ctx[Any], amount: int) -> int:
    """Never more than was approved, nor than is covered by now (ADV-03)."""
    given = ctx.subject
    most = min(given.approved_fen, most_fen(given, look_in(ctx)))
    if observe("ADV-03", amount > most):
        raise InvalidInput(
            _("At most %(most)s may be advanced by now.") % {"most": format_yuan(most)},
            code="above_cover", field="amount", rule="ADV-03", data={"most_fen": most},
        )  # fmt: skip
    return amount


def _send_again(ctx: Ctx[NoInput]) -> None:
    issue_entrustment(ctx)


ACTIONS: tuple[Action[Any], ...] = (
    Action("sign", _("Documents signed"), SPECIALISTS, _sign, transition="sign", input=SignedInput,
           initial=lambda ctx: {"signed_at": ctx.now}, guards=(guards.signed_papers,), event="documents_signed",
           style="primary", order=10),
    Action("send_entrustment", _("Send the letter again"), SPECIALISTS, _send_again, states=frozenset({"APPROVED"}),
           event="entrustment_sent", order=30),
    Action("pay_hospital", _("Paid to the hospital"), PAYERS, _pay, transition="pay", input=PaidInput,
           initial=lambda ctx: {"amount": to_yuan(ctx.subject.approved_fen or 0),
                                "paid_on": timezone.localtime(ctx.now).date()},
           four_eyes=("approve", "sign_off"), guards=(guards.signed_papers, guards.in_hospital), event="advanced",
           style="primary", order=10),
)  # fmt: skip
for action in ACTIONS:
    KIND.action(action)
