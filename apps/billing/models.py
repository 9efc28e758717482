"""Self-pay bills: what a family owes a hospital, how it was reminded, and what it paid.

The state lives on the case file. A bill's money is `open = total − paid` while that is positive; what is
paid beyond a total that fell is credit, to be given back. Payments, reminders and revisions are never
changed or deleted.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.accounts.models import ApiClient, User
from apps.cases.models import CaseFile
from apps.core.models import Immutable
from apps.hospitals.models import Hospital
from apps.messaging.models import CallTask, Message

OF_CASE = {
    "series": "case__series",
    "tpa": "case__tpa",
    "hospital": "case__hospital__code",
    "member": "case__member__number",
}
OF_BILL = {name: f"bill__{path}" for name, path in OF_CASE.items()}


class SelfPayBill(models.Model):
    """One amount owed to one hospital (BIL-01, BIL-20); one to one with its case file. Amounts in fen.

    `reminders` counts those that count, `tried` all; `waiting` says that one is under way. `live` until the
    bill is paid or canceled. `trying_since` is the first attempt after the last that counted; who is not reached
    for long is handed over to the manager. `full_visits_used`: the share follows the fully paid visits (EPY-01).
    """

    VISIBILITY = OF_CASE

    class Source(models.TextChoices):
        DECISION = "DECISION", _("decided claim")
        CLOSURE = "CLOSURE", _("closed claim")
        HOSPITAL = "HOSPITAL", _("reported by the hospital")
        STAFF = "STAFF", _("entered by staff")

    case = models.OneToOneField(CaseFile, primary_key=True, on_delete=models.PROTECT, related_name="self_pay")
    claim = models.ForeignKey(
        CaseFile,
        verbose_name=_("direct-billing claim"),
        null=True,
        on_delete=models.PROTECT,
        related_name="self_pay_bills",
    )
    hospital = models.ForeignKey(
        Hospital, verbose_name=_("payee hospital"), on_delete=models.PROTECT, related_name="self_pay_bills"
    )
    source = models.CharField(_("source"), max_length=10, choices=Source.choices)
    reference = models.CharField(_("hospital's bill number"), max_length=60, blank=True)
    visit_type = models.CharField(_("visit type"), max_length=16)
    visited_on = models.DateField(_("visit date"))
    department = models.CharField(_("department"), max_length=80, blank=True)
    total_fen = models.BigIntegerField(_("amount (fen)"))
    paid_fen = models.BigIntegerField(_("paid (fen)"), default=0)
    breakdown = models.JSONField(_("breakdown"), default=list)  # [[reason, fen]], before what was collected
    collected_fen = models.BigIntegerField(_("collected on the spot (fen)"), default=0)  # BIL-22
    full_visits_used = models.BooleanField(_("fully paid visits used up"), default=False)
    reminders = models.PositiveSmallIntegerField(_("reminders that count"), default=0)
    tried = models.PositiveSmallIntegerField(_("reminders tried"), default=0)
    waiting = models.BooleanField(_("reminder under way"), default=False)
    trying_since = models.DateTimeField(_("not reached since"), null=True, blank=True)
    handed_over_at = models.DateTimeField(_("with the manager since"), null=True, blank=True)
    revisions = models.PositiveSmallIntegerField(_("revisions"), default=0)
    live = models.BooleanField(_("to be paid"), default=True)
    exhausted_at = models.DateTimeField(_("card greyed for it since"), null=True, blank=True)
    settled_at = models.DateTimeField(_("settled at"), null=True, blank=True)

    class Meta:
        verbose_name = _("self-pay bill")
        verbose_name_plural = _("self-pay bills")
        constraints = [
            models.CheckConstraint(condition=Q(total_fen__gte=0, paid_fen__gte=0), name="bill_not_negative"),
            models.UniqueConstraint(
                fields=["claim"], condition=Q(live=True, claim__isnull=False), name="one_live_bill_a_claim"
            ),
            models.UniqueConstraint(
                fields=["hospital", "reference"],
                condition=Q(live=True) & ~Q(reference=""),
                name="hospital_bill_once",
            ),
        ]
        indexes = [
            models.Index(fields=["exhausted_at"], condition=Q(live=True), name="bill_exhausted"),
            models.Index(
                fields=["trying_since"],
                condition=Q(live=True, handed_over_at__isnull=True),
                name="bill_unreached",
            ),
            models.Index(fields=["hospital", "visited_on"], condition=Q(live=True), name="bill_of_hospital"),
            models.Index(fields=["reference"], condition=~Q(reference=""), name="bill_reference"),
        ]

    def __str__(self) -> str:
        return self.case.number

    @property
    def open_fen(self) -> int:
        return max(self.total_fen - self.paid_fen, 0)

    @property
    def credit_fen(self) -> int:
        """Paid beyond the amount, after it was lowered."""
        return max(self.paid_fen - self.total_fen, 0)


class BillRevision(Immutable):
    """What the bill amounted to from then on, and why."""

    class Cause(models.TextChoices):
        OPENED = "OPENED", _("bill made")
        DECIDED = "DECIDED", _("claim decided again")
        CORRECTED = "CORRECTED", _("corrected")
        CANCELED = "CANCELED", pgettext_lazy("self-pay bill", "canceled")

    bill = models.ForeignKey(SelfPayBill, on_delete=models.PROTECT, related_name="history")
    number = models.PositiveSmallIntegerField()
    cause = models.CharField(_("cause"), max_length=10, choices=Cause.choices)
    total_fen = models.BigIntegerField(_("amount (fen)"))
    collected_fen = models.BigIntegerField(_("collected on the spot (fen)"), default=0)
    breakdown = models.JSONField(_("breakdown"), default=list)
    actor_label = models.CharField(_("who"), max_length=80)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("revision of a bill")
        verbose_name_plural = _("revisions of bills")
        constraints = [models.UniqueConstraint(fields=["bill", "number"], name="bill_revision_once")]

    def __str__(self) -> str:
        return f"{self.bill_id}/{self.number}"


class Channel(models.TextChoices):
    """By which way the family was reminded; the series says which of them count (BIL-02)."""

    PHONE = "PHONE", _("phone")
    EMAIL = "EMAIL", _("email")
    SMS = "SMS", _("SMS")
    WECHAT = "WECHAT", _("WeChat")


class BillReminder(models.Model):
    """One attempt to remind: number, channel, time, result, operator (BIL-02).

    `counted_as` 1, 2, 3 when it counts; taken back when an e-mail turns out to have bounced.
    """

    VISIBILITY = OF_BILL

    class Result(models.TextChoices):
        WAITING = "WAITING", _("under way")
        DELIVERED = "DELIVERED", _("delivered")
        ANSWERED = "ANSWERED", pgettext_lazy("call", "answered")
        UNANSWERED = "UNANSWERED", _("not answered")
        UNREACHABLE = "UNREACHABLE", _("unreachable")
        WRONG_NUMBER = "WRONG_NUMBER", _("wrong number")
        BOUNCED = "BOUNCED", _("bounced")
        NOTED = "NOTED", _("noted, does not count")
        CANCELED = "CANCELED", pgettext_lazy("reminder", "no longer needed")

    bill = models.ForeignKey(SelfPayBill, on_delete=models.PROTECT, related_name="attempts")
    number = models.PositiveSmallIntegerField(_("attempt"))
    counted_as = models.PositiveSmallIntegerField(_("reminder no."), null=True)
    channel = models.CharField(_("channel"), max_length=6, choices=Channel.choices)
    result = models.CharField(_("result"), max_length=12, choices=Result.choices, default=Result.WAITING)
    rule = models.CharField(_("rule"), max_length=20, blank=True)
    why_not = models.CharField(_("why it does not count"), max_length=200, blank=True)
    made_at = models.DateTimeField(_("at"))
    result_at = models.DateTimeField(_("result at"), null=True)
    operator_label = models.CharField(_("operator"), max_length=80, blank=True)
    note = models.CharField(_("note"), max_length=2000, blank=True)
    message = models.ForeignKey(Message, null=True, on_delete=models.PROTECT, related_name="+")
    call = models.ForeignKey(CallTask, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("reminder of a bill")
        verbose_name_plural = _("reminders of bills")
        ordering = ["bill", "number"]
        constraints = [
            models.UniqueConstraint(fields=["bill", "number"], name="bill_reminder_once"),
            models.UniqueConstraint(
                fields=["bill", "counted_as"],
                condition=Q(counted_as__isnull=False),
                name="bill_reminder_counted_once",
            ),
            models.UniqueConstraint(
                fields=["bill"], condition=Q(result="WAITING"), name="one_reminder_under_way"
            ),
        ]
        indexes = [
            models.Index(fields=["channel", "id"], condition=Q(result="WAITING"), name="bill_reminder_open"),
            models.Index(fields=["-made_at"], name="bill_reminder_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.bill_id} #{self.number}"


class BillPayment(Immutable):
    """Money that came in for a bill, or went back. `amount_fen` is positive for every kind.

    A REVERSAL takes back a payment that was recorded by mistake; `turn` counts the reversed payments
    of the same receipt before this one.
    """

    VISIBILITY = OF_BILL

    class Kind(models.TextChoices):
        PAYMENT = "PAYMENT", _("payment")
        REFUND = "REFUND", _("refund")
        REVERSAL = "REVERSAL", _("reversed")

    class Way(models.TextChoices):
        HOSPITAL = "HOSPITAL", _("at the hospital")
        TRANSFER = "TRANSFER", _("bank transfer to the hospital")
        ONLINE = "ONLINE", _("electronic payment")

    bill = models.ForeignKey(SelfPayBill, on_delete=models.PROTECT, related_name="payments")
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    way = models.CharField(_("way"), max_length=10, choices=Way.choices)
    amount_fen = models.BigIntegerField(_("amount (fen)"))
    reference = models.CharField(_("receipt number"), max_length=80)
    paid_on = models.DateField(pgettext_lazy("day of a payment", "paid on"))
    turn = models.PositiveSmallIntegerField(default=0)
    reverses = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="reversal")
    user = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    actor_label = models.CharField(_("who"), max_length=80)
    note = models.CharField(_("note"), max_length=500, blank=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("payment of a bill")
        verbose_name_plural = _("payments of bills")
        constraints = [
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="bill_payment_positive"),
            models.UniqueConstraint(fields=["bill", "kind", "reference", "turn"], name="bill_payment_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"

    @property
    def signed_fen(self) -> int:
        return self.amount_fen if self.kind == self.Kind.PAYMENT else -self.amount_fen


# --- Electronic payment (EPY-01, EPY-02) -----------------------------------------------------------------


class OnlinePayment(models.Model):
    """One try to pay a bill electronically. Only what the gateway tells us changes it."""

    VISIBILITY = OF_BILL

    class State(models.TextChoices):
        PENDING = "PENDING", pgettext_lazy("electronic payment", "started")
        PAID = "PAID", pgettext_lazy("electronic payment", "paid")
        DECLINED = "DECLINED", pgettext_lazy("electronic payment", "declined")
        EXPIRED = "EXPIRED", pgettext_lazy("electronic payment", "expired")

    number = models.CharField(_("number"), max_length=30, unique=True)
    bill = models.ForeignKey(SelfPayBill, on_delete=models.PROTECT, related_name="online")
    amount_fen = models.BigIntegerField(_("amount (fen)"))
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.PENDING)
    gateway = models.CharField(_("gateway"), max_length=30)
    reference = models.CharField(_("gateway's number"), max_length=80, blank=True, db_index=True)
    page = models.CharField(_("payment page"), max_length=300, blank=True)
    client = models.ForeignKey(ApiClient, verbose_name=_("front end"), null=True, on_delete=models.PROTECT)
    account = models.CharField(_("account"), max_length=64, blank=True)
    started_at = models.DateTimeField(_("started at"))
    expires_at = models.DateTimeField(_("expires at"))
    paid_at = models.DateTimeField(_("paid at"), null=True)
    refunded_fen = models.BigIntegerField(_("refunded (fen)"), default=0)
    flag = models.CharField(_("to be looked at"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("electronic payment")
        verbose_name_plural = _("electronic payments")
        constraints = [
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="online_positive"),
            models.CheckConstraint(
                condition=Q(refunded_fen__gte=0) & Q(refunded_fen__lte=F("amount_fen")), name="online_refunds"
            ),
            models.UniqueConstraint(
                fields=["bill"], condition=Q(state="PENDING"), name="one_pending_payment_a_bill"
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(state="PENDING"), name="online_expires"),
            models.Index(fields=["-started_at"], name="online_recent"),
            models.Index(fields=["paid_at"], condition=Q(state="PAID"), name="online_paid_at"),
            models.Index(fields=["id"], condition=~Q(flag=""), name="online_flagged"),
        ]

    def __str__(self) -> str:
        return self.number


class OnlineRefund(models.Model):
    """Money on its way back through the gateway: a row of the same transaction, carried out by a worker."""

    VISIBILITY = {name: f"payment__{path}" for name, path in OF_BILL.items()}

    class State(models.TextChoices):
        ASKED = "ASKED", pgettext_lazy("refund", "asked")
        DONE = "DONE", pgettext_lazy("refund", "done")
        FAILED = "FAILED", pgettext_lazy("refund", "failed")

    payment = models.ForeignKey(OnlinePayment, on_delete=models.PROTECT, related_name="refunds")
    number = models.PositiveSmallIntegerField()
    amount_fen = models.BigIntegerField(_("amount (fen)"))
    reason = models.CharField(_("reason"), max_length=200)
    state = models.CharField(_("state"), max_length=6, choices=State.choices, default=State.ASKED)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(_("asked at"))
    done_at = models.DateTimeField(_("done at"), null=True)
    reference = models.CharField(_("gateway's number"), max_length=80, blank=True)
    error = models.CharField(_("error"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("electronic refund")
        verbose_name_plural = _("electronic refunds")
        constraints = [
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="online_refund_positive"),
            models.UniqueConstraint(fields=["payment", "number"], name="online_refund_once"),
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=Q(state="ASKED"), name="online_refund_due")
        ]

    def __str__(self) -> str:
        return f"{self.payment_id}/{self.number}"

    @property
    def key(self) -> str:
        """Makes a repetition recognizable to the gateway."""
        return f"{self.payment.number}-R{self.number}"


class GatewayNotice(Immutable):
    """What a gateway told us, in the order of arrival, and what became of it. One row an event."""

    VISIBILITY = {name: f"payment__{path}" for name, path in OF_BILL.items()}

    class Outcome(models.TextChoices):
        BOOKED = "BOOKED", pgettext_lazy("notice", "booked")
        NOTED = "NOTED", pgettext_lazy("notice", "noted")
        SAID_BEFORE = "SAID_BEFORE", pgettext_lazy("notice", "said before")
        LATE = "LATE", pgettext_lazy("notice", "late, booked and given back")
        WRONG_AMOUNT = "WRONG_AMOUNT", pgettext_lazy("notice", "amount differs, refused")
        UNKNOWN = "UNKNOWN", pgettext_lazy("notice", "unknown payment")

    gateway = models.CharField(_("gateway"), max_length=30)
    event = models.CharField(_("event"), max_length=80)
    kind = models.CharField(_("kind"), max_length=12)  # PAID | DECLINED
    payment = models.ForeignKey(OnlinePayment, null=True, on_delete=models.PROTECT, related_name="notices")
    number = models.CharField(_("payment"), max_length=30)
    amount_fen = models.BigIntegerField(_("amount (fen)"))
    said_at = models.DateTimeField(_("happened at"))
    at = models.DateTimeField(_("received at"))
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome.choices)

    class Meta:
        verbose_name = _("notice of the gateway")
        verbose_name_plural = _("notices of the gateway")
        constraints = [models.UniqueConstraint(fields=["gateway", "event"], name="gateway_event_once")]
        indexes = [models.Index(fields=["-at"], name="gateway_notice_recent")]

    def __str__(self) -> str:
        return f"{self.gateway} {self.event}"


class SandboxCharge(models.Model):
    """The books of the built-in gateway, kept apart from ours as a bank's would be."""

    class State(models.TextChoices):
        OPEN = "OPEN", pgettext_lazy("sandbox", "open")
        PAID = "PAID", pgettext_lazy("sandbox", "paid")
        DECLINED = "DECLINED", pgettext_lazy("sandbox", "declined")

    reference = models.CharField(max_length=40, unique=True)
    payment = models.CharField(max_length=30)
    title = models.CharField(max_length=200)
    amount_fen = models.BigIntegerField()
    refunded_fen = models.BigIntegerField(default=0)
    refund_keys = models.JSONField(default=list)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    made_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        verbose_name = _("charge of the sandbox")
        verbose_name_plural = _("charges of the sandbox")

    def __str__(self) -> str:
        return self.reference
