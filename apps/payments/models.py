"""Payees, payment orders and payment files."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.accounts.models import User
from apps.cases.models import CaseFile
from apps.core.crypto import EncryptedTextField
from apps.documents.models import StoredFile
from apps.hospitals.models import Hospital
from apps.members.models import Member


class Payee(models.Model):
    """Who receives the money: for a child, a guardian; a hospital; or a provider that advanced it (ADV-14). A
    corrected account is a new row."""

    member = models.ForeignKey(Member, null=True, blank=True, on_delete=models.PROTECT, related_name="payees")
    hospital = models.ForeignKey(
        Hospital, null=True, blank=True, on_delete=models.PROTECT, related_name="payees"
    )
    provider = models.CharField(_("provider"), max_length=80, blank=True)
    name = models.CharField(_("account name"), max_length=80)
    relation = models.CharField(_("relation to the insured"), max_length=20)
    id_type = models.CharField(_("identity type"), max_length=20, blank=True)
    id_number = EncryptedTextField(_("identity number"), blank=True)
    id_index = models.CharField(max_length=40, blank=True, db_index=True)
    id_masked = models.CharField(max_length=40, blank=True)
    id_valid_until = models.DateField(_("identity valid until"), null=True, blank=True)
    nationality = models.CharField(_("nationality"), max_length=40, blank=True)
    occupation = models.CharField(_("occupation"), max_length=60, blank=True)
    address = models.CharField(_("address"), max_length=200, blank=True)
    bank = models.CharField(_("bank"), max_length=80)
    branch = models.CharField(_("branch"), max_length=120, blank=True)
    clearing_number = models.CharField(_("clearing number"), max_length=12, blank=True)
    account = EncryptedTextField(_("account number"))
    account_index = models.CharField(max_length=40, db_index=True)
    account_masked = models.CharField(_("account number"), max_length=40)
    corporate = models.BooleanField(_("corporate account"), default=False)
    screening = models.CharField(_("list screening result"), max_length=20, default="CLEAR")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("payee")
        verbose_name_plural = _("payees")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(member__isnull=False, hospital__isnull=True, provider="")
                | models.Q(member__isnull=True, hospital__isnull=False, provider="")
                | models.Q(member__isnull=True, hospital__isnull=True) & ~models.Q(provider=""),
                name="payee_of_a_child_a_hospital_or_a_provider",
            )
        ]

    def __str__(self) -> str:
        return self.name


class PaymentFile(models.Model):
    """A batch of orders handed to the bank, made by one person and released by another."""

    class State(models.TextChoices):
        DRAFT = "DRAFT", _("to be released")
        RELEASED = "RELEASED", _("released")
        CANCELLED = "CANCELLED", _("canceled")

    number = models.CharField(_("number"), max_length=30, unique=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.DRAFT)
    made_by = models.ForeignKey(
        User, verbose_name=_("made by"), on_delete=models.PROTECT, related_name="files_made"
    )
    released_by = models.ForeignKey(
        User,
        verbose_name=_("released by"),
        null=True,
        on_delete=models.PROTECT,
        related_name="files_released",
    )
    made_at = models.DateTimeField(_("made at"))
    released_at = models.DateTimeField(pgettext_lazy("payment file", "released at"), null=True)
    orders = models.PositiveIntegerField(_("orders"))
    total_fen = models.BigIntegerField(_("total (fen)"))
    excel = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")
    csv = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("payment file")
        verbose_name_plural = _("payment files")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(released_by__isnull=True) | ~models.Q(released_by=models.F("made_by")),
                name="payment_file_four_eyes",
            )
        ]
        indexes = [
            models.Index(fields=["-made_at", "-id"], name="payment_file_recent"),
            models.Index(fields=["state", "-made_at", "-id"], name="payment_file_state"),
        ]

    def __str__(self) -> str:
        return self.number


class PaymentOrder(models.Model):
    """One amount to one payee for one decision version. Unique, so nothing is paid twice.

    A claim whose money was advanced pays two: `assigned` marks the provider's part beside the family's (ADV-14).

    An order that pays many claims at once (a statement of a hospital) is of no case: `reference` is then
    the number of what it pays, and `payments.subjects` knows who books the bank's answer.
    """

    VISIBILITY = {
        "series": "series",
        "tpa": "tpa",
        "hospital": "payee__hospital__code",
        "member": "case__member__number",
    }

    class State(models.TextChoices):
        ORDERED = "ORDERED", _("payment pending")
        IN_FILE = "IN_FILE", _("in a payment file")
        PAID = "PAID", pgettext_lazy("state of a payment", "paid")
        RETURNED = "RETURNED", _("returned by the bank")
        STOPPED = "STOPPED", pgettext_lazy("state of a payment", "stopped")

    number = models.CharField(_("order number"), max_length=30, unique=True)
    case = models.ForeignKey(CaseFile, null=True, on_delete=models.PROTECT, related_name="payment_orders")
    reference = models.CharField(_("pays"), max_length=30, blank=True)
    series = models.CharField(_("series"), max_length=10, blank=True)
    tpa = models.CharField(_("TPA"), max_length=40, blank=True)
    decision_version = models.PositiveSmallIntegerField(default=1)
    attempt = models.PositiveSmallIntegerField(default=1)
    assigned = models.BooleanField(_("to whom the claim is assigned"), default=False)
    payee = models.ForeignKey(Payee, verbose_name=_("payee"), on_delete=models.PROTECT, related_name="orders")
    amount_fen = models.BigIntegerField(_("amount (fen)"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.ORDERED)
    file = models.ForeignKey(PaymentFile, null=True, on_delete=models.PROTECT, related_name="items")
    ordered_at = models.DateTimeField(_("ordered at"))
    paid_at = models.DateTimeField(_("paid at"), null=True)
    bank_reference = models.CharField(_("bank reference"), max_length=60, blank=True)
    return_reason = models.CharField(_("return reason"), max_length=200, blank=True)
    returned_at = models.DateTimeField(_("returned at"), null=True)

    class Meta:
        verbose_name = _("payment order")
        verbose_name_plural = _("payment orders")
        constraints = [
            models.UniqueConstraint(
                fields=["case", "decision_version", "assigned"],
                condition=~models.Q(state__in=["RETURNED", "STOPPED"]),
                name="one_live_payment_a_decision",
            ),
            models.UniqueConstraint(
                fields=["case", "decision_version", "attempt", "assigned"], name="payment_attempt_once"
            ),
            models.UniqueConstraint(
                fields=["reference"],
                condition=~models.Q(reference="") & ~models.Q(state__in=["RETURNED", "STOPPED"]),
                name="one_live_payment_a_reference",
            ),
            models.UniqueConstraint(
                fields=["reference", "attempt"],
                condition=~models.Q(reference=""),
                name="payment_of_reference_once",
            ),
            models.CheckConstraint(condition=models.Q(amount_fen__gt=0), name="payment_positive"),
            models.CheckConstraint(
                condition=models.Q(case__isnull=False, reference="")
                | models.Q(case__isnull=True) & ~models.Q(reference=""),
                name="payment_of_a_case_or_a_reference",
            ),
        ]
        indexes = [
            models.Index(
                fields=["returned_at"], condition=models.Q(state="RETURNED"), name="payment_returned_at"
            ),
            models.Index(fields=["-ordered_at", "-id"], name="payment_recent"),
            models.Index(fields=["state", "-ordered_at", "-id"], name="payment_state_recent"),
            models.Index(fields=["series", "-ordered_at", "-id"], name="payment_series_recent"),
            models.Index(fields=["amount_fen", "id"], name="payment_by_amount"),
            models.Index(fields=["bank_reference"], name="payment_by_bank_reference"),
            models.Index(fields=["reference"], name="payment_by_reference"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def about(self) -> str:
        """The number of what it pays: a case, or a statement."""
        return self.case.number if self.case is not None else self.reference
