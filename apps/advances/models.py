"""An inpatient advance: what was asked, what was found, what the provider paid, and what came back."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.cases.models import CaseFile
from apps.hospitals.models import Campus, DepartmentGroup
from apps.payments.models import Payee

OWN = {
    "series": "advance__case__series",
    "tpa": "advance__case__tpa",
    "hospital": "advance__case__hospital__code",
    "member": "advance__case__member__number",
}


class Provider(models.Model):
    """A provider the insurer designated to advance (ADV-03). Its account counts once somebody else than who
    entered it has confirmed it; a new one stands beside the old one until then."""

    name = models.CharField(_("provider"), max_length=80, unique=True)
    phone = models.CharField(_("phone"), max_length=30, blank=True)
    series = models.CharField(_("series"), max_length=10)
    payee = models.ForeignKey(
        Payee, verbose_name=_("account"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    proposed = models.ForeignKey(
        Payee, verbose_name=_("account to be confirmed"), null=True, blank=True, on_delete=models.PROTECT,
        related_name="+",
    )  # fmt: skip
    proposed_by = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    proposed_at = models.DateTimeField(_("entered at"), null=True, blank=True)
    confirmed_by = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("advance provider")
        verbose_name_plural = _("advance providers")
        constraints = [
            models.UniqueConstraint(fields=["series"], name="one_advance_provider_a_series"),
        ]

    def __str__(self) -> str:
        return self.name


class Advance(models.Model):
    """Amounts in fen. `estimate_fen` is the planned treatment, `expected_fen` what social insurance and other
    funds are expected to pay of it, `approved_fen` what the provider is to advance, `advanced_fen` what it did.

    `stay` names the first advance of the same stay where this is a further one (PR-18). Of the findings of the
    review None means that nobody has looked yet.
    """

    VISIBILITY = {
        "series": "case__series",
        "tpa": "case__tpa",
        "hospital": "case__hospital__code",
        "member": "case__member__number",
    }

    class Redirect(models.TextChoices):
        AUTHORIZATION = "AUTHORIZATION", _("prior authorization and direct billing")
        REIMBURSEMENT = "REIMBURSEMENT", _("pay first, claim afterwards")
        NONE = "NONE", _("neither direct billing nor a claim afterwards")

    class Network(models.TextChoices):
        UNKNOWN = "UNKNOWN", pgettext_lazy("provider's network", "not judged yet")
        INSIDE = "INSIDE", pgettext_lazy("provider's network", "inside")
        OUTSIDE = "OUTSIDE", pgettext_lazy("provider's network", "outside")

    case = models.OneToOneField(CaseFile, primary_key=True, on_delete=models.PROTECT, related_name="advance")
    stay = models.ForeignKey(
        "self",
        verbose_name=_("first advance of the stay"),
        null=True,
        on_delete=models.PROTECT,
        related_name="further",
    )
    channel = models.CharField(_("channel"), max_length=20)
    caller = models.CharField(_("applied by"), max_length=80)
    need = models.BooleanField(_("short of money, declared"), default=False)
    consent = models.BooleanField(_("full papers agreed to"), default=False)
    campus = models.ForeignKey(
        Campus, verbose_name=_("campus"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    department = models.CharField(_("department"), max_length=80)
    department_group = models.CharField(
        _("department group"), max_length=20, choices=DepartmentGroup.choices, default=DepartmentGroup.GENERAL
    )
    visit_type = models.CharField(_("visit type"), max_length=20)
    cost = models.CharField(_("cost"), max_length=12)
    cause = models.CharField(_("cause"), max_length=10)
    diagnosis = models.CharField(_("diagnosis (ICD-10)"), max_length=20, blank=True)
    diagnosis_name = models.CharField(_("diagnosis"), max_length=120)
    admitted_on = models.DateField(_("admission"))
    admitted = models.BooleanField(_("admitted"), default=False)
    admission_number = models.CharField(_("admission number"), max_length=60, blank=True)
    planned_days = models.PositiveSmallIntegerField(_("expected days"), default=1)
    estimate_fen = models.BigIntegerField(_("estimate (fen)"), default=0)
    expected_fen = models.BigIntegerField(_("paid by others, expected (fen)"), default=0)
    exception = models.TextField(_("why direct billing cannot be used"), blank=True)  # PR-18
    exception_by = models.CharField(_("allowed by"), max_length=80, blank=True)
    network = models.CharField(
        _("provider's network"), max_length=8, choices=Network.choices, default=Network.UNKNOWN
    )
    network_note = models.CharField(_("who said so"), max_length=200, blank=True)
    redirect = models.CharField(_("redirected to"), max_length=14, choices=Redirect.choices, blank=True)
    complete_at = models.DateTimeField(_("papers complete at"), null=True)
    third_party_funds = models.BooleanField(_("third-party funds"), null=True)
    litigation = models.BooleanField(_("litigation"), null=True)
    no_real_time = models.BooleanField(_("out-of-area insurance does not settle at once"), null=True)
    ratio_unknown = models.BooleanField(_("share of reimbursement unknown"), null=True)
    no_hand_over = models.BooleanField(_("papers cannot be handed over at discharge"), null=True)
    suspicion = models.CharField(_("ground for refusal"), max_length=16, blank=True)
    checks_note = models.TextField(_("findings of the review"), blank=True)
    checked_by = models.CharField(_("checked by"), max_length=80, blank=True)
    checked_at = models.DateTimeField(_("checked at"), null=True)
    investigated_for = models.TextField(_("reason of the investigation"), blank=True)
    proposed_fen = models.BigIntegerField(_("proposed (fen)"), null=True)
    approved_fen = models.BigIntegerField(_("approved (fen)"), null=True)
    ended_for = models.CharField(_("ended because"), max_length=16, blank=True)
    ended_text = models.TextField(_("reason"), blank=True)
    provider = models.ForeignKey(
        Provider, verbose_name=_("provider"), null=True, on_delete=models.PROTECT, related_name="advances"
    )
    signed_at = models.DateTimeField(_("signed at"), null=True)
    advanced_fen = models.BigIntegerField(_("advanced (fen)"), null=True)
    advanced_on = models.DateField(_("advanced on"), null=True)
    bank_reference = models.CharField(_("bank reference"), max_length=60, blank=True)
    discharged_on = models.DateField(_("discharge"), null=True)
    noticed_at = models.DateTimeField(_("discharge announced at"), null=True)
    notice_late = models.BooleanField(_("announced too late"), null=True)
    claim = models.ForeignKey(
        CaseFile, verbose_name=_("claim"), null=True, on_delete=models.PROTECT, related_name="advances"
    )
    adjudicated_fen = models.BigIntegerField(_("paid of it by the claim (fen)"), null=True)
    refund_fen = models.BigIntegerField(_("difference (fen)"), default=0)
    refunded_fen = models.BigIntegerField(_("refunded (fen)"), default=0)
    refund_due_on = models.DateField(_("to be refunded until"), null=True)
    reservations = models.PositiveSmallIntegerField(default=0)  # counts references in the ledger

    class Meta:
        verbose_name = _("inpatient advance")
        verbose_name_plural = _("inpatient advances")
        constraints = [
            models.CheckConstraint(
                condition=Q(estimate_fen__gte=0, expected_fen__gte=0, refund_fen__gte=0, refunded_fen__gte=0),
                name="advance_amounts",
            ),
            models.CheckConstraint(
                condition=Q(advanced_fen__isnull=True)
                | Q(advanced_fen__gt=0, advanced_fen__lte=F("approved_fen")),
                name="advance_within_approval",
            ),
            models.CheckConstraint(
                condition=Q(refunded_fen__lte=F("refund_fen")), name="advance_refund_not_exceeded"
            ),
            models.CheckConstraint(
                condition=Q(discharged_on__isnull=True) | Q(discharged_on__gte=F("admitted_on")),
                name="advance_stay",
            ),
        ]
        indexes = [
            models.Index(
                fields=["admitted_on"],
                condition=Q(admitted=True, advanced_on__isnull=False, claim__isnull=True),
                name="advance_in_hospital",
            ),
        ]

    def __str__(self) -> str:
        return self.case.number

    @property
    def open_fen(self) -> int:
        """What the family still has to refund to the provider (ADV-14)."""
        return self.refund_fen - self.refunded_fen


class AdvanceLine(models.Model):
    """One item of the expected cost of the stay."""

    VISIBILITY = OWN

    advance = models.ForeignKey(Advance, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(_("item"), max_length=120)
    kind = models.CharField(_("kind"), max_length=20)
    amount_fen = models.BigIntegerField(_("amount (fen)"))

    class Meta:
        verbose_name = _("expected cost")
        verbose_name_plural = _("expected costs")
        constraints = [models.UniqueConstraint(fields=["advance", "position"], name="advance_line_once")]

    def __str__(self) -> str:
        return self.name


class DifferenceRefund(models.Model):
    """Money a family gave back to the provider (ADV-14), as the provider reported it; each reference once."""

    VISIBILITY = OWN

    advance = models.ForeignKey(Advance, on_delete=models.PROTECT, related_name="refunds")
    amount_fen = models.BigIntegerField(_("amount (fen)"))
    received_on = models.DateField(_("received on"))
    bank_reference = models.CharField(_("bank reference"), max_length=60)
    recorded_by = models.CharField(_("recorded by"), max_length=80)
    recorded_at = models.DateTimeField(_("recorded at"))

    class Meta:
        verbose_name = _("refund of a difference")
        verbose_name_plural = _("refunds of differences")
        constraints = [
            models.UniqueConstraint(fields=["bank_reference"], name="difference_refund_once"),
            models.CheckConstraint(condition=Q(amount_fen__gt=0), name="difference_refund_positive"),
        ]

    def __str__(self) -> str:
        return self.bank_reference
