"""A recovery: what was paid and is not covered, what came back, what is still open. Integer fen."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.accounts.models import User
from apps.cases.models import CaseFile
from apps.payments.models import Payee

OWN = {
    "series": "recovery__case__series",
    "tpa": "recovery__case__tpa",
    "hospital": "recovery__case__hospital__code",
    "member": "recovery__case__member__number",
}


class Reason(models.TextChoices):
    """Why paid money is asked back (REC-02, REC-05; OVERPAID: a later decision of a claim pays less)."""

    NOT_COVERED = "NOT_COVERED", pgettext_lazy("reason of a recovery", "not covered")
    ANNUAL_LIMIT = "ANNUAL_LIMIT", pgettext_lazy("reason of a recovery", "annual maximum reached")
    EXCLUDED = "EXCLUDED", pgettext_lazy("reason of a recovery", "excluded")
    OVERPAID = "OVERPAID", pgettext_lazy("reason of a recovery", "overpaid")


class Recovery(models.Model):
    """amount = kept + written off + open, nothing negative (CHECK); kept = refunded − given back.

    `origin` is the claim or direct claim whose money is asked back. `due_on` is the last day in time
    (inclusive): 30 calendar days after the contact, the next instalment of a plan, or today when a plan broke.
    """

    VISIBILITY = {
        "series": "case__series",
        "tpa": "case__tpa",
        "hospital": "case__hospital__code",
        "member": "case__member__number",
    }

    case = models.OneToOneField(CaseFile, primary_key=True, on_delete=models.PROTECT, related_name="recovery")
    origin = models.ForeignKey(
        CaseFile, verbose_name=_("paid on"), on_delete=models.PROTECT, related_name="recoveries"
    )
    reason = models.CharField(_("reason"), max_length=12, choices=Reason.choices)
    rule = models.CharField(_("rule id"), max_length=12)
    payment = models.CharField(_("payment"), max_length=80)  # the order or the bank's reference
    amount_fen = models.BigIntegerField(_("amount (fen)"))
    refunded_fen = models.BigIntegerField(_("refunded (fen)"), default=0)
    given_back_fen = models.BigIntegerField(_("given back (fen)"), default=0)
    written_off_fen = models.BigIntegerField(_("written off (fen)"), default=0)
    contact_by = models.DateField(_("to be contacted until"))
    contacted_at = models.DateTimeField(_("contacted at"), null=True)
    due_on = models.DateField(_("due on"), null=True)
    postings = models.PositiveSmallIntegerField(default=0)  # counts references in the ledger
    payee = models.ForeignKey(
        Payee, verbose_name=_("payee"), null=True, on_delete=models.PROTECT, related_name="recoveries"
    )
    proposed_reason = models.TextField(_("why it should be written off"), blank=True)
    proposed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(_("proposed at"), null=True)

    class Meta:
        verbose_name = _("recovery")
        verbose_name_plural = _("recoveries")
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_fen__gte=0, written_off_fen__gte=0, given_back_fen__gte=0)
                & Q(refunded_fen__gte=F("given_back_fen")),
                name="recovery_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(amount_fen__gte=F("refunded_fen") - F("given_back_fen") + F("written_off_fen")),
                name="recovery_not_exceeded",
            ),
        ]
        indexes = [models.Index(fields=["due_on"], name="recovery_due")]

    def __str__(self) -> str:
        return self.case.number

    @property
    def kept_fen(self) -> int:
        """What the family paid back and we keep."""
        return self.refunded_fen - self.given_back_fen

    @property
    def open_fen(self) -> int:
        return self.amount_fen - self.kept_fen - self.written_off_fen


class RecoveryLine(models.Model):
    """One item of the amount with its reason; a changed amount adds a line, also a negative one."""

    VISIBILITY = OWN

    recovery = models.ForeignKey(Recovery, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField(_("position"))
    reason = models.CharField(_("reason"), max_length=12, choices=Reason.choices)
    name = models.CharField(_("item"), max_length=200)
    text = models.TextField(_("why"), blank=True)
    rule = models.CharField(_("rule id"), max_length=12, blank=True)
    amount_fen = models.BigIntegerField(_("amount (fen)"))

    class Meta:
        verbose_name = _("recovery item")
        verbose_name_plural = _("recovery items")
        constraints = [
            models.UniqueConstraint(fields=["recovery", "position"], name="recovery_line_once"),
        ]

    def __str__(self) -> str:
        return self.name


class Refund(models.Model):
    """Money that arrived from the family. A bank reference counts once in the whole house while it stands."""

    VISIBILITY = OWN

    recovery = models.ForeignKey(
        Recovery, verbose_name=_("recovery"), on_delete=models.PROTECT, related_name="refunds"
    )
    amount_fen = models.BigIntegerField(_("amount (fen)"))
    received_on = models.DateField(_("received on"))
    bank_reference = models.CharField(_("bank reference"), max_length=60)
    payer = models.CharField(_("payer"), max_length=80, blank=True)
    recorded_by = models.ForeignKey(
        User, verbose_name=_("recorded by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField(_("recorded at"))
    undone_at = models.DateTimeField(_("undone at"), null=True)
    undone_why = models.CharField(_("why undone"), max_length=400, blank=True)

    class Meta:
        verbose_name = _("refund of a family")
        verbose_name_plural = _("refunds of families")
        constraints = [
            models.UniqueConstraint(
                fields=["bank_reference"], condition=Q(undone_at__isnull=True), name="refund_reference_once"
            ),
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="refund_positive"),
        ]

    def __str__(self) -> str:
        return self.bank_reference


class Plan(models.Model):
    """An agreement to pay in parts; at most one that is kept."""

    VISIBILITY = OWN

    class State(models.TextChoices):
        RUNNING = "RUNNING", pgettext_lazy("plan of instalments", "running")
        KEPT = "KEPT", pgettext_lazy("plan of instalments", "kept")
        BROKEN = "BROKEN", pgettext_lazy("plan of instalments", "broken")
        ENDED = "ENDED", pgettext_lazy("plan of instalments", "ended")

    recovery = models.ForeignKey(Recovery, on_delete=models.CASCADE, related_name="plans")
    number = models.PositiveSmallIntegerField(_("number"))
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.RUNNING)
    agreed_with = models.CharField(_("agreed with"), max_length=80)
    agreed_by = models.CharField(_("agreed by"), max_length=80)
    agreed_at = models.DateTimeField(_("agreed at"))
    ended_at = models.DateTimeField(_("ended at"), null=True)

    class Meta:
        verbose_name = _("plan of instalments")
        verbose_name_plural = _("plans of instalments")
        constraints = [
            models.UniqueConstraint(fields=["recovery", "number"], name="plan_number_once"),
            models.UniqueConstraint(
                fields=["recovery"], condition=Q(state="RUNNING"), name="plan_one_running"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.recovery_id}/{self.number}"


class Instalment(models.Model):
    """One part of a plan; refunds fill them in order."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="instalments")
    number = models.PositiveSmallIntegerField(_("number"))
    due_on = models.DateField(_("due on"))  # inclusive
    amount_fen = models.BigIntegerField(_("amount (fen)"))
    paid_fen = models.BigIntegerField(_("paid (fen)"), default=0)

    class Meta:
        verbose_name = _("instalment")
        verbose_name_plural = _("instalments")
        ordering = ["plan", "number"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="instalment_once"),
            models.CheckConstraint(
                condition=Q(amount_fen__gt=0, paid_fen__gte=0, paid_fen__lte=F("amount_fen")),
                name="instalment_amounts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id}.{self.number}"
