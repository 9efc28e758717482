"""From a decision to the end: the hospital is paid with its statement, the letter ends, the case closes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.cases.context import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action, NoInput
from apps.core.errors import InvalidInput
from apps.core.money import format_yuan
from apps.direct.letters_end import end_letter
from apps.direct.models import HospitalPayment
from apps.direct.roles import FINANCE, SUPERVISORS
from apps.direct.workflow import AT_INTAKE, DECIDED, KIND

BILLED = DECIDED | {"UNDER_REVIEW", "DISPUTED", "SECOND_REVIEW"}
AHEAD = AT_INTAKE | {"UNDER_REVIEW", "DISPUTED", "SECOND_REVIEW"}


@dataclass(frozen=True)
class PaidFor:
    """What a payment brought for one claim, where it is not what the claim is owed now: it was ordered before
    the claim was decided, or decided again."""

    case: str = ask(_("Case"), max_length=30)
    amount_fen: int = ask(_("Amount (fen)"), minimum=1)


@dataclass(frozen=True)
class SettleInput:
    """`statement` and `reference` are the settlement's own numbers; the amount follows from the claim unless
    `amounts` says otherwise."""

    statement: str = ask(_("Statement"), max_length=30, min_length=1)
    reference: str = ask(_("Payment"), max_length=60, min_length=1)
    paid_at: datetime = ask(_("Paid at"))
    amounts: tuple[PaidFor, ...] = ask(_("Amounts"), default=(), widget="lines")


def _settle(ctx: Ctx[SettleInput]) -> None:
    """The hospital was paid: what is decided and still owed; before a decision what it billed (terms "paid on
    receipt, reviewed afterwards"). The book of money owed is the settlement's."""
    given, direct, claim = ctx.input, ctx.subject, ctx.case.claim
    assert given is not None
    if given.paid_at > ctx.now:
        raise InvalidInput(_("The date lies in the future."), code="future", field="paid_at")
    ahead = ctx.case.state != "ADJUDICATED"
    amount = _amounts(ctx).get(ctx.case.number) or (
        (claim.claimed_fen if ahead else claim.decided_fen) - direct.paid_fen
    )
    if amount <= 0:
        words = _("The hospital was paid %(amount)s for this claim already.")
        raise InvalidInput(words % {"amount": format_yuan(direct.paid_fen)}, code="paid", field="reference")
    ctx.add(
        HospitalPayment(
            direct=direct, statement=given.statement, reference=given.reference, amount_fen=amount, paid_at=given.paid_at,
            ahead=ahead,
        )
    )  # fmt: skip
    direct.paid_fen += amount
    if not ahead and claim.decided_fen is not None:
        direct.borne_fen = claim.claimed_fen - claim.decided_fen
    ctx.update(direct, "paid_fen", "borne_fen")
    ctx.data |= {
        "statement": given.statement, "reference": given.reference, "amount_fen": amount, "ahead": ahead,
        "paid_at": given.paid_at.isoformat(),
    }  # fmt: skip
    if _whole(ctx):
        ctx.emit("paid_to_hospital", given.paid_at)


def _amounts(ctx: Ctx[Any]) -> dict[str, int]:
    """By case number; made once for all claims of a settlement."""
    assert ctx.input is not None
    if "settled_fen" not in ctx.batch.shared:
        ctx.batch.shared["settled_fen"] = {one.case: one.amount_fen for one in ctx.input.amounts}
    found: dict[str, int] = ctx.batch.shared["settled_fen"]
    return found


def _whole(ctx: Ctx[Any]) -> bool:
    """Decided, and nothing is left to pay: what was ordered before a higher decision leaves a rest."""
    return ctx.case.state == "ADJUDICATED" and ctx.subject.paid_fen >= ctx.case.claim.decided_fen


def _settled(ctx: Ctx[Any]) -> str:
    return "pay" if _whole(ctx) else ""


def _count_paid(ctx: Ctx[NoInput]) -> None:
    """Nothing is left to pay: it was paid ahead (REC-03), or deductible and third parties took all."""
    ctx.then("close")


@dataclass(frozen=True)
class UnsettleInput:
    reference: str = ask(_("Payment"), max_length=60, min_length=1)
    reason: str = ask(_("Reason of the bank"), max_length=200, min_length=1)


def _unsettle(ctx: Ctx[UnsettleInput]) -> None:
    """The bank sent the settlement back: the claim is owed again."""
    given, direct = ctx.input, ctx.subject
    assert given is not None
    rows = _payments(ctx).get(direct.pk, [])
    amount = sum(row.amount_fen for row in rows)
    if amount <= 0:
        words = _("No payment %(number)s stands on this claim.") % {"number": given.reference}
        raise InvalidInput(words, code="unknown_payment", field="reference")
    ctx.add(
        HospitalPayment(
            direct=direct, statement=rows[0].statement, reference=given.reference, amount_fen=-amount, paid_at=ctx.now,
            ahead=rows[0].ahead,
        )
    )  # fmt: skip
    direct.paid_fen -= amount
    ctx.update(direct, "paid_fen")
    if ctx.case.state in ("PAID_TO_HOSPITAL", "CLOSED"):
        ctx.case.open, ctx.case.closed_at = True, None
    ctx.reason = given.reason
    ctx.data |= {"reference": given.reference, "amount_fen": amount}


def _payments(ctx: Ctx[Any]) -> dict[int, list[HospitalPayment]]:
    """What stands under the payment on the claims of the batch, by claim. One query for all."""
    assert ctx.input is not None
    if "payments" not in ctx.batch.shared:
        found: dict[int, list[HospitalPayment]] = {}
        cases = [other.case.pk for other in ctx.batch.contexts]
        rows = HospitalPayment.objects.filter(direct__in=cases, reference=ctx.input.reference).order_by("pk")
        for row in rows:
            found.setdefault(row.direct_id, []).append(row)
        ctx.batch.shared["payments"] = found
    payments: dict[int, list[HospitalPayment]] = ctx.batch.shared["payments"]
    return payments


def _unsettled(ctx: Ctx[Any]) -> str:
    return "return_payment" if ctx.case.state in ("PAID_TO_HOSPITAL", "CLOSED") else ""


@dataclass(frozen=True)
class SetOffInput:
    """What a statement withholds of claims that were paid too much, by claim (positive amounts)."""

    statement: str = ask(_("Statement"), max_length=30, min_length=1)
    reference: str = ask(_("Payment"), max_length=60, min_length=1)
    paid_at: datetime = ask(_("Paid at"))
    amounts: tuple[PaidFor, ...] = ask(_("Amounts"), default=(), widget="lines")


def _set_off(ctx: Ctx[SetOffInput]) -> None:
    """A bill was lowered after its payment: the hospital had that much less of the order (PR-25). When the claim
    was decided higher meanwhile, what was withheld is owed again."""
    given = ctx.input
    assert given is not None
    amount = _amounts(ctx).get(ctx.case.number, 0)
    if amount <= 0:
        words = _("Say what was withheld of %(case)s.") % {"case": ctx.case.number}
        raise InvalidInput(words, code="required", field="amounts", rule="PR-25")
    _withhold(ctx, given.statement, given.reference, amount, given.paid_at)
    if _owed_again(ctx):
        ctx.case.open, ctx.case.closed_at = True, None


def _owed_again(ctx: Ctx[Any]) -> bool:
    paid_off = ctx.case.state in ("PAID_TO_HOSPITAL", "CLOSED")
    return paid_off and ctx.subject.paid_fen < (ctx.case.claim.decided_fen or 0)


def _was_set_off(ctx: Ctx[Any]) -> str:
    return "return_payment" if _owed_again(ctx) else ""


@dataclass(frozen=True)
class UndoSetOffInput:
    reference: str = ask(_("Payment"), max_length=60, min_length=1)
    reason: str = ask(_("Reason of the bank"), max_length=200, min_length=1)


def _undo_set_off(ctx: Ctx[UndoSetOffInput]) -> None:
    """The order came back: the hospital still owes what it would have withheld."""
    given = ctx.input
    assert given is not None
    rows = _payments(ctx).get(ctx.case.pk, [])
    withheld = -sum(row.amount_fen for row in rows)
    if withheld <= 0:
        words = _("No payment %(number)s stands on this claim.") % {"number": given.reference}
        raise InvalidInput(words, code="unknown_payment", field="reference")
    ctx.reason = given.reason
    _withhold(ctx, rows[0].statement, given.reference, -withheld, ctx.now)


def _withhold(ctx: Ctx[Any], statement: str, reference: str, amount: int, paid_at: datetime) -> None:
    """Book that the hospital had `amount` less of a payment; negative: that it did not."""
    direct = ctx.subject
    ctx.add(
        HospitalPayment(
            direct=direct, statement=statement, reference=reference, amount_fen=-amount, paid_at=paid_at
        )
    )
    direct.paid_fen -= amount
    ctx.update(direct, "paid_fen")
    ctx.data |= {"statement": statement, "reference": reference, "amount_fen": amount}


def _close(ctx: Ctx[NoInput]) -> None:
    end_letter(ctx)
    ctx.case.open, ctx.case.closed_at = False, ctx.now


KIND.action(
    Action(
        "settle", _("Paid to the hospital"), FINANCE, _settle, transition=_settled, transitions=(),
        states=AHEAD | {"ADJUDICATED"}, input=SettleInput, event="settled", system=True, order=110,
    )
)  # fmt: skip
KIND.action(
    Action(
        "count_paid", _("Nothing left to pay"), frozenset(), _count_paid, transition="pay", event="paid_to_hospital",
        system=True, manual=False,
    )
)  # fmt: skip
KIND.action(
    Action(
        "unsettle", _("Settlement returned"), FINANCE, _unsettle, transition=_unsettled, transitions=(),
        states=AHEAD | {"ADJUDICATED", "PAID_TO_HOSPITAL", "CLOSED", "DENIED"}, input=UnsettleInput,
        event="settlement_returned", system=True, order=120,
    )
)  # fmt: skip
KIND.action(
    Action(
        "set_off", _("Set off against a statement"), frozenset(), _set_off, transition=_was_set_off, transitions=(),
        states=BILLED, input=SetOffInput, event="set_off", system=True, manual=False,
    )
)  # fmt: skip
KIND.action(
    Action(
        "undo_set_off", _("Set-off returned"), frozenset(), _undo_set_off, states=BILLED, input=UndoSetOffInput, event="set_off_undone", system=True, manual=False,
    )
)  # fmt: skip
KIND.action(
    Action(
        "close", pgettext_lazy("claim", "Close"), FINANCE | SUPERVISORS, _close, transition="close", event="closed",
        system=True, style="primary", order=20,
    )
)  # fmt: skip
