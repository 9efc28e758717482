"""The money of a bill: what is owed, paid and given back, in the bill's row and in the ledger's book.

The account of a bill ("receivable:B26-000012:MEMBER") stands at minus what is open, or at plus the credit.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.billing.actions.notices import withdraw_all
from apps.billing.greying import release_cards
from apps.billing.models import BillPayment, BillRevision, OnlinePayment, OnlineRefund, SelfPayBill
from apps.cases.context import Ctx
from apps.cases.models import CaseFile
from apps.core.errors import InvalidInput
from apps.core.money import format_yuan
from apps.ledger.actions import money_account, post_money
from apps.ledger.models import MoneyAccount, MoneyEntry

Breakdown = Sequence[tuple[str, int]]
Kind, Way = BillPayment.Kind, BillPayment.Way


def account_of(case: CaseFile) -> MoneyAccount:
    """What the member owes for a bill: a balance below zero."""
    return money_account(
        f"receivable:{case.number}:MEMBER",
        party="MEMBER",
        reference=case.number,
        series=case.series,
        tpa=case.tpa,
    )


# --- What is owed -----------------------------------------------------------------------------------


def charge(
    ctx: Ctx[Any],
    bill: SelfPayBill,
    total: int,
    *,
    cause: str,
    breakdown: Breakdown,
    collected: int,
    reason: str = "",
) -> None:
    """Set the amount, with its history; the ledger gets the difference."""
    change = total - (bill.total_fen if bill.revisions else 0)
    bill.total_fen, bill.collected_fen, bill.breakdown = total, collected, [list(part) for part in breakdown]
    bill.revisions += 1
    ctx.case.amount_fen = total
    ctx.update(bill, "total_fen", "collected_fen", "breakdown", "revisions")
    ctx.add(
        BillRevision(
            bill=bill, number=bill.revisions, cause=cause, total_fen=total, collected_fen=collected,
            breakdown=bill.breakdown, actor_label=ctx.actor.label, reason=reason[:500], at=ctx.now,
        )
    )  # fmt: skip
    if change:
        reference = f"{ctx.case.number}/{bill.revisions}"
        post_money(account_of(ctx.case), MoneyEntry.Kind.DUE, -change, reference=reference)
    ctx.data |= {"amount_fen": total, "change_fen": change, "open_fen": bill.open_fen}


# --- What came in and went back ---------------------------------------------------------------------


def take(
    ctx: Ctx[Any],
    amount: int,
    *,
    way: str,
    reference: str,
    paid_on: date,
    kind: str = Kind.PAYMENT,
    note: str = "",
    reverses: BillPayment | None = None,
) -> None:
    """Book fen that came in (or, as REFUND, went back, or, as REVERSAL, never came). One receipt is booked
    once a bill, and again after it was reversed."""
    bill = ctx.subject
    before = BillPayment.objects.filter(bill=bill.pk, kind=kind, reference=reference)
    turn = before.count()
    if kind != Kind.REVERSAL and before.filter(reversal__isnull=True).exists():
        words = _("Receipt %(number)s is booked on this bill already.") % {"number": reference}
        raise InvalidInput(words, code="booked_before", field="reference")
    ctx.add(
        BillPayment(
            bill=bill, kind=kind, way=way, amount_fen=amount, reference=reference, paid_on=paid_on, note=note,
            turn=turn, reverses=reverses, user_id=ctx.actor.user_id, actor_label=ctx.actor.label, at=ctx.now,
        )
    )  # fmt: skip
    sign = 1 if kind == Kind.PAYMENT else -1
    bill.paid_fen += sign * amount
    ctx.update(bill, "paid_fen")
    posted = MoneyEntry.Kind.PAID if kind == Kind.PAYMENT else MoneyEntry.Kind.RETURNED
    entry = f"{kind}:{reference}"[:76] + (f"#{turn}" if turn else "")
    post_money(account_of(ctx.case), posted, sign * amount, reference=entry)
    ctx.data |= {"amount_fen": amount, "reference": reference, "way": way, "open_fen": bill.open_fen}


def check_day(ctx: Ctx[Any], day: date) -> None:
    """Money moves between the visit and today."""
    first, today = ctx.subject.visited_on, timezone.localtime(ctx.now).date()
    if not first <= day <= today:
        words = _("Between %(first)s and %(last)s is expected.") % {"first": first, "last": today}
        raise InvalidInput(words, code="range", field="paid_on")


def check_not_more(amount: int, most: int, words: Any, rule: str) -> None:
    if amount > most:
        raise InvalidInput(words % {"amount": format_yuan(most)}, code="too_much", field="amount", rule=rule)


# --- What follows -----------------------------------------------------------------------------------


def end_if_settled(ctx: Ctx[Any]) -> str:
    """The transition when nothing is open any more, "" otherwise. Scheduled reminders are canceled, pending
    electronic payments ended, and the card restored when no exhausted bill is left (CRD states, EPY-02)."""
    bill = ctx.subject
    if not bill.live or bill.open_fen:
        return ""
    withdraw_all(ctx)
    bill.live, bill.settled_at = False, ctx.now
    ctx.update(bill, "live", "settled_at")
    OnlinePayment.objects.filter(bill=bill.pk, state=OnlinePayment.State.PENDING).update(
        state=OnlinePayment.State.EXPIRED
    )
    if bill.exhausted_at:  # written at once: who waits for the cards must see it
        SelfPayBill.objects.filter(pk=bill.pk).update(live=False)
        ctx.data["restored"] = release_cards(ctx)
    ctx.case.open, ctx.case.closed_at = False, ctx.now
    if bill.total_fen:
        ctx.emit("paid")
        ctx.emit("bill_paid")
        return "pay"
    ctx.emit("canceled")
    ctx.emit("cancelled")
    return "cancel"


def give_back(ctx: Ctx[Any], reason: str) -> int:
    """Ask the gateway to give credit back, as far as it was paid electronically; returns fen asked now.

    What was paid to the hospital, the hospital gives back (`record_refund`).
    """
    bill, asked = ctx.subject, 0
    left = bill.credit_fen - asked_back(bill)
    paid = OnlinePayment.objects.select_for_update().filter(bill=bill.pk, state=OnlinePayment.State.PAID)
    for payment in paid.order_by("-pk"):
        under_way = list(payment.refunds.all())
        free = payment.amount_fen - sum(
            row.amount_fen for row in under_way if row.state != OnlineRefund.State.FAILED
        )
        part = min(left - asked, free)
        if part > 0:
            ctx.add(
                OnlineRefund(
                    payment=payment, number=len(under_way) + 1, amount_fen=part, reason=reason[:200],
                    asked_at=ctx.now, next_attempt_at=ctx.now,
                )
            )  # fmt: skip
            asked += part
    if asked:
        ctx.data["asked_back_fen"] = asked
    return asked


def asked_back(bill: SelfPayBill) -> int:
    """Fen of refunds that the gateway has not confirmed."""
    under_way = OnlineRefund.objects.filter(payment__bill=bill.pk, state=OnlineRefund.State.ASKED)
    return sum(under_way.values_list("amount_fen", flat=True))
