"""What is peculiar to a claim that a hospital bills directly. Visits, bills, lines and decisions are those of
`claims`; state lives on the case file."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.authorizations.models import Authorization
from apps.cases.models import CaseFile
from apps.claims.models import BillLine
from apps.core.models import Immutable
from apps.hospitals.models import Campus, DepartmentGroup

OWN = {
    "series": "direct__case__series",
    "tpa": "direct__case__tpa",
    "hospital": "direct__case__hospital__code",
    "member": "direct__case__member__number",
}


class Flag(models.TextChoices):
    """What a reviewer should know; none of it decides anything by itself."""

    CARD_GREYED = "CARD_GREYED", _("card greyed during the stay; the letter is honored")
    IDENTITY_DIFFERS = "IDENTITY_DIFFERS", _("identity paper of another type than enrolled, or without photo")
    OVER_LETTER = "OVER_LETTER", _("costs beyond the guarantee letter")
    LETTER_OVER = "LETTER_OVER", _("the guarantee letter had ended when the bill came")
    LATE_NOTICE = "LATE_NOTICE", _("emergency notified late, or without a letter")
    REIMBURSED = "REIMBURSED", _("the family claimed for the same visit")


class DirectClaim(models.Model):
    """One to one with its case file. Amounts in fen.

    `drawn_fen` came out of the letter's reservation, `paid_fen` is what the hospital was paid (also ahead of
    the decision), `borne_fen` what the family bore by the decision it was paid for, `reported_fen` what a stay cost so far. `waived`: an emergency notified in time (PA-06),
    None where there was none.
    """

    VISIBILITY = {
        "series": "case__series",
        "tpa": "case__tpa",
        "hospital": "case__hospital__code",
        "member": "case__member__number",
    }

    class Source(models.TextChoices):
        API = "API", _("interface")
        EXCEL = "EXCEL", _("Excel batch")
        DESK = "DESK", _("desk")
        APPOINTMENT = "APPOINTMENT", _("appointment")

    case = models.OneToOneField(CaseFile, primary_key=True, on_delete=models.PROTECT, related_name="direct")
    source = models.CharField(_("source"), max_length=12, choices=Source.choices)
    authorization = models.ForeignKey(
        Authorization,
        verbose_name=_("guarantee letter"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="direct_claims",
    )
    appointment = models.CharField(_("appointment"), max_length=30, blank=True, db_index=True)
    expected_on = models.DateField(_("visit made on"), null=True, blank=True)  # bills still to come
    emergency_at = models.DateTimeField(_("emergency visit"), null=True, blank=True)
    waived = models.BooleanField(_("notified in time"), null=True, blank=True)
    card_number = models.CharField(_("card shown"), max_length=40, blank=True)
    id_type = models.CharField(_("identity paper shown"), max_length=20, blank=True)
    id_photo = models.BooleanField(_("with photo"), default=False)
    contact_name = models.CharField(_("contact at the hospital"), max_length=80, blank=True)
    contact_email = models.EmailField(_("email of the hospital"), blank=True)
    campus = models.ForeignKey(
        Campus, verbose_name=_("campus"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    department = models.CharField(_("department"), max_length=80, blank=True)
    department_group = models.CharField(
        _("department group"), max_length=20, choices=DepartmentGroup.choices, default=DepartmentGroup.GENERAL
    )
    diagnosis = models.CharField(_("diagnosis (ICD-10)"), max_length=20, blank=True)
    diagnosis_name = models.CharField(_("diagnosis"), max_length=120, blank=True)
    admitted_on = models.DateField(_("admitted on"), null=True, blank=True)
    discharged_on = models.DateField(_("discharged on"), null=True, blank=True)
    reported_fen = models.BigIntegerField(_("reported so far (fen)"), default=0)
    drawn_fen = models.BigIntegerField(_("out of the letter (fen)"), default=0)
    paid_fen = models.BigIntegerField(_("paid to the hospital (fen)"), default=0)
    collected_fen = models.BigIntegerField(_("collected on the spot (fen)"), default=0)
    borne_fen = models.BigIntegerField(_("share of the family when paid (fen)"), default=0)
    flags = models.JSONField(_("to be minded"), default=list)

    class Meta:
        verbose_name = _("direct-billing claim")
        verbose_name_plural = _("direct-billing claims")
        constraints = [
            models.CheckConstraint(
                condition=Q(reported_fen__gte=0, drawn_fen__gte=0, paid_fen__gte=0, collected_fen__gte=0),
                name="direct_amounts",
            ),
            models.CheckConstraint(
                condition=Q(discharged_on__isnull=True) | Q(discharged_on__gte=models.F("admitted_on")),
                name="direct_stay",
            ),
            models.UniqueConstraint(
                fields=["appointment"], condition=~Q(appointment=""), name="one_direct_claim_an_appointment"
            ),
        ]
        indexes = [
            models.Index(
                fields=["admitted_on"],
                condition=Q(admitted_on__isnull=False, discharged_on__isnull=True),
                name="direct_in_hospital",
            ),
        ]

    def __str__(self) -> str:
        return self.case.number

    def flag(self, what: str) -> bool:
        """Set a flag; whether it is new."""
        if what in self.flags:
            return False
        self.flags = [*self.flags, str(what)]
        return True

    @property
    def flag_words(self) -> list[str]:
        words = dict(Flag.choices)
        return [str(words.get(flag, flag)) for flag in self.flags]


class Collected(models.Model):
    """What the hospital took from the family on the spot for one line (BIL-22)."""

    VISIBILITY = OWN

    direct = models.ForeignKey(DirectClaim, on_delete=models.CASCADE, related_name="collected")
    line = models.OneToOneField(BillLine, on_delete=models.CASCADE, related_name="collected")
    amount_fen = models.BigIntegerField(_("collected (fen)"))

    class Meta:
        verbose_name = _("collected on the spot")
        verbose_name_plural = _("collected on the spot")
        constraints = [models.CheckConstraint(condition=Q(amount_fen__gte=0), name="collected_positive")]

    def __str__(self) -> str:
        return f"{self.line_id}: {self.amount_fen}"


class HospitalPayment(Immutable):
    """Money that went to the hospital for this claim; negative when it came back. Append-only."""

    VISIBILITY = OWN

    direct = models.ForeignKey(DirectClaim, on_delete=models.PROTECT, related_name="payments")
    statement = models.CharField(_("statement"), max_length=30)
    reference = models.CharField(_("payment"), max_length=60)
    amount_fen = models.BigIntegerField(_("amount (fen)"))
    paid_at = models.DateTimeField(_("paid at"))
    ahead = models.BooleanField(_("before the decision"), default=False)

    class Meta:
        verbose_name = _("payment to the hospital")
        verbose_name_plural = _("payments to hospitals")
        constraints = [
            models.UniqueConstraint(
                fields=["direct", "reference"], condition=Q(amount_fen__gt=0), name="hospital_paid_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.reference}: {self.amount_fen}"
