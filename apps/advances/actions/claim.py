"""What the decision of the claim makes of the advance: even, or a difference that the family refunds to the
provider (ADV-14). What the provider gets of the claim is paid by the claim itself (`claims.assignment`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.accounts.actors import SYSTEM
from apps.adjudication.trace import observe
from apps.advances import guards
from apps.advances.assess import stay_of
from apps.advances.letters import issue_difference, refund_until, tell_family
from apps.advances.models import Advance, DifferenceRefund
from apps.advances.roles import PAYERS, SPECIALISTS
from apps.advances.workflow import IN_CLAIM, KIND
from apps.cases.context import Ctx
from apps.cases.engine import perform
from apps.cases.inputs import ask, money
from apps.cases.kinds import Action, NoInput
from apps.claims.models import Claim
from apps.core.errors import Conflict, InvalidInput
from apps.core.money import format_yuan, to_fen
from apps.payments.queries import assigned_fen


@dataclass(frozen=True)
class RefundInput:
    amount: Decimal = money(_("Amount"))
    received_on: date = ask(_("Received by the provider on"))
    bank_reference: str = ask(_("Bank reference"), min_length=3, max_length=60)


def _adjudicate(ctx: Ctx[NoInput]) -> None:
    """The first decision of the claim: diff = advanced − adjudicated (ADV-14); it may be any amount (ADV-15)."""
    observe("ADV-15", True)
    _reckon(ctx)
    given = ctx.subject
    if observe("ADV-14", given.refund_fen > 0):
        ctx.then("ask_refund")
        return
    tell_family(ctx, "even")
    _close_if_paid(ctx)


def _adjudicate_again(ctx: Ctx[NoInput]) -> None:
    """The claim was decided anew. What the provider was paid already stays there: too much of it is asked back
    from the family by a recovery of the claim (REC-05), not here."""
    _reckon(ctx)
    given = ctx.subject
    if ctx.case.state == "ADJUDICATED" and given.refund_fen > 0:
        ctx.then("ask_refund")
    elif ctx.case.state == "REFUND_DUE" and given.open_fen == 0:
        ctx.then("settle_difference")


def _reckon(ctx: Ctx[Any]) -> None:
    given: Advance = ctx.subject
    assert given.claim_id is not None
    claim = Claim.objects.select_related("case").get(pk=given.claim_id)
    share = share_of(given, claim)
    given.adjudicated_fen, given.refund_fen = share, (given.advanced_fen or 0) - share
    ctx.update(given, "adjudicated_fen", "refund_fen")
    ctx.data |= {
        "claim": claim.case.number, "decided_fen": claim.decided_fen or 0, "advanced_fen": given.advanced_fen,
        "adjudicated_fen": share, "difference_fen": given.refund_fen,
    }  # fmt: skip


def share_of(given: Advance, claim: Claim) -> int:
    """What of the claim's payment settles this advance (fen): advances of one stay are settled in their order."""
    stay = [row for row in stay_of(given) if row.claim_id == claim.pk]
    open_fen = {row.pk: (row.advanced_fen or 0) - row.refunded_fen for row in stay}
    left = max(min(sum(open_fen.values()), claim.decided_fen or 0), assigned_fen(claim.case))
    for row in stay:
        part = min(open_fen[row.pk], left)
        if row.pk == given.pk:
            return part
        left -= part
    return 0


def _ask_refund(ctx: Ctx[NoInput]) -> None:
    """S38: refunded to the provider; no recovery of the insurer's, and no card is greyed for it."""
    given = ctx.subject
    given.refund_due_on = refund_until(ctx)
    ctx.update(given, "refund_due_on")
    ctx.data |= {
        "amount_fen": given.refund_fen,
        "payee": "PROVIDER",
        "due_on": given.refund_due_on.isoformat(),
    }
    ctx.case.amount_fen = given.refund_fen
    ctx.emit("advance_adjudicated")
    issue_difference(ctx)


def _remind(ctx: Ctx[NoInput]) -> None:
    issue_difference(ctx, "reminder")


# --- Refunds ------------------------------------------------------------------------------------------


def _record(ctx: Ctx[RefundInput]) -> None:
    """Part or all, as the provider reported it; more than is open is refused."""
    found, given = ctx.input, ctx.subject
    assert found is not None
    amount = _checked(ctx, found, given)
    given.refunded_fen += amount
    ctx.update(given, "refunded_fen")
    ctx.add(
        DifferenceRefund(
            advance=given, amount_fen=amount, received_on=found.received_on, bank_reference=found.bank_reference,
            recorded_by=ctx.actor.label, recorded_at=ctx.now,
        )
    )  # fmt: skip
    ctx.data |= {"amount_fen": amount, "bank_reference": found.bank_reference, "open_fen": given.open_fen}
    tell_family(ctx, "received", received=format_yuan(amount))
    ctx.batch.after_flush(_tell_claim)
    if given.open_fen == 0:
        ctx.then("settle_difference")


def _checked(ctx: Ctx[Any], found: RefundInput, given: Advance) -> int:
    amount = to_fen(found.amount)
    if amount <= 0:
        raise InvalidInput(_("A refund is more than nothing."), field="amount", code="too_small")
    if amount > given.open_fen:
        raise InvalidInput(
            _("%(amount)s is more than the %(open)s that are owed; what is too much stays with the sender.")
            % {"amount": format_yuan(amount), "open": format_yuan(given.open_fen)},
            field="amount", code="too_large", rule="ADV-14",
        )  # fmt: skip
    if found.received_on > timezone.localtime(ctx.now).date():
        raise InvalidInput(_("The date lies in the future."), field="received_on", code="future")
    if DifferenceRefund.objects.filter(bank_reference=found.bank_reference).exists():
        words = _("The bank reference %(reference)s is recorded already.")
        raise Conflict(
            words % {"reference": found.bank_reference}, code="recorded_twice", field="bank_reference"
        )
    return amount


def _tell_claim(batch: Any) -> None:
    """What the family gave back itself the claim no longer owes to the provider."""
    for ctx in batch.contexts:
        stay = [row for row in stay_of(ctx.subject) if row.claim_id == ctx.subject.claim_id]
        left = sum((row.advanced_fen or 0) - row.refunded_fen for row in stay)
        claim = ctx.subject.claim
        perform(
            claim.number,
            "assign_claim",
            SYSTEM,
            now=batch.now,
            payee=claim.claim.assigned_to_id,
            amount_fen=left,
        )


def _settle_difference(ctx: Ctx[NoInput]) -> None:
    ctx.emit("refund_received")
    _close_if_paid(ctx)


# --- The end ------------------------------------------------------------------------------------------


def _close_if_paid(ctx: Ctx[Any]) -> None:
    if guards.claim_over(ctx) is None:
        ctx.then("close")


def _close(ctx: Ctx[NoInput]) -> None:
    ctx.case.open, ctx.case.closed_at = False, ctx.now


ACTIONS: tuple[Action[Any], ...] = (
    Action("adjudicate", _("Claim decided"), frozenset(), _adjudicate, transition="adjudicate", event="adjudicated",
           system=True, manual=False),
    Action("adjudicate_again", _("Claim decided anew"), frozenset(), _adjudicate_again,
           states=(IN_CLAIM - {"SETTLED"}) | {"CLOSED"}, event="readjudicated", system=True, manual=False),
    Action("ask_refund", _("Difference to be refunded"), frozenset(), _ask_refund, transition="ask_refund",
           event="refund_asked", system=True, manual=False),
    Action("remind_refund", _("Remind of the difference"), SPECIALISTS | PAYERS, _remind,
           states=frozenset({"REFUND_DUE"}), event="refund_reminded", order=30),
    Action("record_refund", _("Record a refund"), PAYERS | SPECIALISTS, _record, states=frozenset({"REFUND_DUE"}),
           input=RefundInput, initial=lambda ctx: {"received_on": timezone.localtime(ctx.now).date()},
           event="difference_received", style="primary", order=10),
    Action("settle_difference", _("Difference refunded"), frozenset(), _settle_difference, transition="refund",
           event="refunded", system=True, manual=False),
    Action("close", pgettext_lazy("advance", "Close"), SPECIALISTS | PAYERS, _close, transition="close",
           guards=(guards.claim_over,), event="closed", system=True, order=10),
)  # fmt: skip
for action in ACTIONS:
    KIND.action(action)
