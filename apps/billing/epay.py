"""Electronic payment from outside the case: starting, the gateway's notices, refunds, the daily comparison.

Only `receive` books money, and only for a notice whose signature holds. Notices may come twice, late and
in any order: each is kept once, and what it says is booked once.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.actors import SYSTEM, Actor
from apps.accounts.visibility import visible_to
from apps.adjudication.trace import observe
from apps.billing.gateway import DECLINED, Line, Notice, gateway
from apps.billing.models import GatewayNotice, OnlinePayment, OnlineRefund
from apps.billing.roles import FINANCE
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.core.errors import NotAllowed, NotFound
from apps.core.money import format_yuan

log = logging.getLogger(__name__)
LEASE = timedelta(minutes=5)
GIVE_UP_AFTER = 8
State, Outcome = OnlinePayment.State, GatewayNotice.Outcome


def start(actor: Actor, number: str, *, account: str, now: datetime | None = None) -> OnlinePayment:
    """Start paying a bill, or take up what was started; with the gateway's page. Raises the house's errors;
    GatewayDown leaves a payment without a page, which the next try takes up."""
    case = perform(number, "start_online", actor, now=now, account=account)
    payment = OnlinePayment.objects.select_related("bill__hospital", "bill__case").get(
        bill=case.pk, state=State.PENDING
    )
    if not payment.page:
        opened = gateway().open(
            number=payment.number, amount_fen=payment.amount_fen, expires_at=payment.expires_at,
            title=f"{payment.bill.hospital} {payment.bill.visited_on:%Y-%m-%d}",
        )  # fmt: skip
        payment.reference, payment.page = opened.reference, opened.page
        payment.save(update_fields=["reference", "page"])
    return payment


# --- What the gateway says ---------------------------------------------------------------------------


def receive(headers: Mapping[str, str], body: bytes, now: datetime | None = None) -> str:
    """Take one notice; returns its outcome. Raises NotAllowed for a wrong signature or time, InvalidInput
    for what is no notice. Anything else is answered, so that the gateway need not repeat it."""
    now, desk = now or timezone.now(), gateway()
    return book(desk.name, desk.read(headers, body, now), now)


def book(name: str, notice: Notice, now: datetime) -> str:
    """One transaction: the notice is kept (once an event), and what it says is done."""
    try:
        with transaction.atomic():
            return _book(name, notice, now)
    except IntegrityError:
        if GatewayNotice.objects.filter(gateway=name, event=notice.event).exists():
            return Outcome.SAID_BEFORE
        raise


def _book(name: str, notice: Notice, now: datetime) -> str:
    payment = OnlinePayment.objects.filter(number=notice.number, gateway=name).first()
    outcome = Outcome.UNKNOWN
    if payment is not None:
        # The case first, as in every action; then the payment as it is now.
        CaseFile.objects.select_for_update(of=("self",)).get(pk=payment.bill_id)
        payment = (
            OnlinePayment.objects.select_for_update(of=("self",))
            .select_related("bill__case")
            .get(pk=payment.pk)
        )
        outcome = _apply(payment, notice, now)
    GatewayNotice.objects.create(
        gateway=name, event=notice.event, kind=notice.kind, payment=payment, number=notice.number,
        amount_fen=notice.amount_fen, said_at=notice.at, at=now, outcome=outcome,
    )  # fmt: skip
    return outcome


def _apply(payment: OnlinePayment, notice: Notice, now: datetime) -> GatewayNotice.Outcome:
    if GatewayNotice.objects.filter(gateway=payment.gateway, event=notice.event).exists():
        raise IntegrityError(notice.event)  # said before, seen under the lock
    if observe("EPY-02", notice.amount_fen != payment.amount_fen or not _same_reference(payment, notice)):
        payment.flag = _("The gateway says %(said)s, %(ours)s were asked.") % {
            "said": format_yuan(notice.amount_fen), "ours": format_yuan(payment.amount_fen),
        }  # fmt: skip
        payment.save(update_fields=["flag"])
        return Outcome.WRONG_AMOUNT
    if payment.state == State.PAID:
        return Outcome.SAID_BEFORE
    if notice.kind == DECLINED:  # a later success still counts: families try again on the same page
        if payment.state == State.PENDING:
            payment.state = State.DECLINED
            payment.save(update_fields=["state"])
        return Outcome.NOTED
    was_live = payment.bill.live
    paid_at = min(notice.at, now)  # a gateway whose clock is ahead pays no bill tomorrow
    perform(payment.bill.case.number, "receive_online", SYSTEM, now=now, payment=payment.number, at=paid_at)
    back = OnlineRefund.objects.filter(payment=payment.pk).exists()
    return Outcome.LATE if back or not was_live else Outcome.BOOKED


def _same_reference(payment: OnlinePayment, notice: Notice) -> bool:
    return not payment.reference or payment.reference == notice.reference


def expire(now: datetime | None = None) -> int:
    """Payments nobody finished in time; a success that comes later is booked all the same."""
    over = OnlinePayment.objects.filter(state=State.PENDING, expires_at__lte=now or timezone.now())
    return over.update(state=State.EXPIRED)


# --- Giving back ------------------------------------------------------------------------------------


def send_refunds(now: datetime | None = None) -> int:
    """Carry out the refunds that are due; returns how many went through. Any number of workers."""
    now = now or timezone.now()
    due = OnlineRefund.objects.filter(state=OnlineRefund.State.ASKED, next_attempt_at__lte=now)
    return sum(
        _send_refund(pk, now)
        for pk in list(due.order_by("next_attempt_at").values_list("pk", flat=True)[:200])
    )


def _send_refund(pk: int, now: datetime) -> bool:
    claimed = OnlineRefund.objects.filter(
        pk=pk, state=OnlineRefund.State.ASKED, next_attempt_at__lte=now
    ).update(next_attempt_at=now + LEASE, attempts=F("attempts") + 1)
    if not claimed:
        return False
    refund = OnlineRefund.objects.select_related("payment__bill__case").get(pk=pk)
    try:
        reference = gateway().refund(
            reference=refund.payment.reference, amount_fen=refund.amount_fen, key=refund.key
        )
        number = refund.payment.bill.case.number
        perform(number, "online_refunded", SYSTEM, now=now, refund=pk, reference=reference)
    except Exception as error:
        log.warning("refund not done", extra={"refund": pk}, exc_info=True)
        _put_off(refund, now, error)
        return False
    return True


def _put_off(refund: OnlineRefund, now: datetime, error: Exception) -> None:
    """1, 2, 4 … minutes; then a person looks at it, and may ask for it again."""
    words = str(getattr(error, "message", error))[:500]
    given_up = refund.attempts >= GIVE_UP_AFTER
    later = None if given_up else now + timedelta(minutes=2 ** (refund.attempts - 1))
    OnlineRefund.objects.filter(pk=refund.pk, state=OnlineRefund.State.ASKED).update(
        state=OnlineRefund.State.FAILED if given_up else OnlineRefund.State.ASKED,
        next_attempt_at=later,
        error=words,
    )
    if given_up:
        flag = _("The refund of %(amount)s failed.") % {"amount": format_yuan(refund.amount_fen)}
        OnlinePayment.objects.filter(pk=refund.payment_id).update(flag=flag)


# --- The day's comparison ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    """`what`: MISSING_HERE (paid there, a notice was lost), MISSING_THERE, AMOUNT, REFUND, NONE."""

    what: str
    theirs: Line | None
    ours: OnlinePayment | None

    @property
    def can_be_fetched(self) -> bool:
        return self.what == "MISSING_HERE" and self.ours is not None


def compare(day: date) -> list[Difference]:
    """The gateway's file of a day beside our books, differences first. Raises GatewayDown, Blocked."""
    start_of_day = timezone.make_aware(datetime.combine(day, datetime.min.time()))
    theirs = {line.number: line for line in gateway().day(day)}
    related = ("bill__case__member", "bill__hospital")
    known = OnlinePayment.objects.filter(number__in=theirs).select_related(*related)
    paid = OnlinePayment.objects.filter(
        state=State.PAID, paid_at__gte=start_of_day, paid_at__lt=start_of_day + timedelta(days=1)
    ).select_related(*related)
    ours = {row.number: row for row in (*known, *paid)}
    rows = [_difference(theirs.get(number), ours.get(number)) for number in sorted({*theirs, *ours})]
    return sorted(rows, key=lambda row: row.what == "NONE")


def _difference(line: Line | None, row: OnlinePayment | None) -> Difference:
    if line is None:
        return Difference("MISSING_THERE", None, row)
    if row is None or row.state != State.PAID:
        return Difference("MISSING_HERE", line, row)
    if line.amount_fen != row.amount_fen:
        return Difference("AMOUNT", line, row)
    return Difference("REFUND" if line.refunded_fen != row.refunded_fen else "NONE", line, row)


def fetch(actor: Actor, number: str, day: date, now: datetime | None = None) -> str:
    """Book a payment that stands in the gateway's file of the day and whose notice never came."""
    if not actor.roles & FINANCE:
        raise NotAllowed(_("Only finance books from the gateway's file."), code="role")
    desk = gateway()
    line = next((line for line in desk.day(day) if line.number == number), None)
    if line is None or not visible_to(OnlinePayment.objects.all(), actor).filter(number=number).exists():
        raise NotFound(_("This payment does not stand in the gateway's file of the day."))
    event = f"file-{line.reference}"[:80]
    notice = Notice(event, "PAID", line.number, line.reference, line.amount_fen, line.at)
    return book(desk.name, notice, now or timezone.now())


def clear_flag(actor: Actor, number: str) -> None:
    """A person has looked at a flagged payment. A refund that failed is asked for again."""
    if not actor.roles & FINANCE:
        raise NotAllowed(_("Only finance clears what the gateway flagged."), code="role")
    with transaction.atomic():
        seen = visible_to(OnlinePayment.objects.all(), actor).filter(number=number).values("pk")
        payment = OnlinePayment.objects.select_for_update().filter(pk__in=seen).first()
        if payment is None:
            raise NotFound(_("There is no such payment."))
        payment.flag = ""
        payment.save(update_fields=["flag"])
        payment.refunds.filter(state=OnlineRefund.State.FAILED).update(
            state=OnlineRefund.State.ASKED, next_attempt_at=timezone.now(), attempts=0
        )
