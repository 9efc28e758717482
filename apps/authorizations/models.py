"""A prior authorization: what is planned, what was promised, and how much of it is used."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.cases.models import CaseFile
from apps.hospitals.models import Campus, DepartmentGroup

OWN = {
    "series": "authorization__case__series",
    "tpa": "authorization__case__tpa",
    "hospital": "authorization__case__hospital__code",
    "member": "authorization__case__member__number",
}


class Authorization(models.Model):
    """Amounts in fen. `estimate_fen` is the plan, `approved_fen` the cap of the letter (None = undecided),
    `incurred_fen` what the hospital last reported, `drawn_fen` what its bills have used.

    `latest_on` is the last day of asking in time (PA-03, PA-22), None for emergencies; `waived` says
    whether an emergency was notified in time (PA-06), None where the series prints no such term.
    """

    VISIBILITY = {
        "series": "case__series",
        "tpa": "case__tpa",
        "hospital": "case__hospital__code",
        "member": "case__member__number",
    }

    class Submitter(models.TextChoices):
        HOSPITAL = "HOSPITAL", _("hospital")
        TPA = "TPA", _("administrator")
        MEMBER = "MEMBER", _("member")
        STAFF = "STAFF", _("staff")

    case = models.OneToOneField(
        CaseFile, primary_key=True, on_delete=models.PROTECT, related_name="authorization"
    )
    channel = models.CharField(_("channel"), max_length=20)
    submitter = models.CharField(_("submitted by"), max_length=10, choices=Submitter.choices)
    requester = models.CharField(_("requested by"), max_length=80, blank=True)
    consent = models.BooleanField(_("consent of the family"), default=False)
    campus = models.ForeignKey(
        Campus, verbose_name=_("campus"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    department = models.CharField(_("department"), max_length=80)
    department_group = models.CharField(
        _("department group"), max_length=20, choices=DepartmentGroup.choices, default=DepartmentGroup.GENERAL
    )
    contact_name = models.CharField(_("contact at the hospital"), max_length=80, blank=True)
    contact_email = models.EmailField(_("email of the hospital"), blank=True)
    visit_type = models.CharField(_("visit type"), max_length=20)
    benefit = models.CharField(_("benefit"), max_length=30)
    cause = models.CharField(_("cause"), max_length=10, default="ILLNESS")
    surgery = models.BooleanField(_("surgery"), default=False)
    diagnosis = models.CharField(_("diagnosis (ICD-10)"), max_length=20)
    diagnosis_name = models.CharField(_("diagnosis"), max_length=120)
    treatment = models.TextField(_("planned treatment"))
    planned_on = models.DateField(_("planned start"))
    planned_days = models.PositiveSmallIntegerField(_("planned days"), default=1)
    course_fen = models.BigIntegerField(_("same course so far (fen)"), default=0)
    estimate_fen = models.BigIntegerField(_("estimate (fen)"), default=0)
    latest_on = models.DateField(_("to be asked until"), null=True)
    late = models.BooleanField(_("late"), default=False)
    emergency_at = models.DateTimeField(_("emergency visit"), null=True)
    notify_by = models.DateTimeField(_("to be notified until"), null=True)
    waived = models.BooleanField(_("notified in time"), null=True)
    triggers = models.JSONField(_("why it is needed"), default=list)
    opinion = models.TextField(_("medical opinion"), blank=True)
    opinion_by = models.CharField(_("opinion of"), max_length=80, blank=True)
    proposed_fen = models.BigIntegerField(_("proposed (fen)"), null=True)
    approved_fen = models.BigIntegerField(_("approved (fen)"), null=True)
    reservations = models.PositiveSmallIntegerField(default=0)  # counts references in the ledger
    valid_from = models.DateField(_("valid from"), null=True)
    valid_until = models.DateField(_("valid until"), null=True)
    conditions = models.TextField(_("conditions"), blank=True)
    sends = models.PositiveSmallIntegerField(_("times sent"), default=0)
    received_at = models.DateTimeField(_("reached the hospital"), null=True)
    admitted_on = models.DateField(_("admitted on"), null=True)
    discharged_on = models.DateField(_("discharged on"), null=True)
    incurred_fen = models.BigIntegerField(_("reported so far (fen)"), default=0)
    drawn_fen = models.BigIntegerField(_("billed (fen)"), default=0)
    reconsidered = models.BooleanField(_("reconsidered"), default=False)

    class Meta:
        verbose_name = _("prior authorization")
        verbose_name_plural = _("prior authorizations")
        constraints = [
            models.CheckConstraint(
                condition=Q(estimate_fen__gte=0, incurred_fen__gte=0, drawn_fen__gte=0),
                name="authorization_amounts",
            ),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("valid_from")),
                name="authorization_validity",
            ),
            models.CheckConstraint(
                condition=Q(discharged_on__isnull=True) | Q(discharged_on__gte=F("admitted_on")),
                name="authorization_stay",
            ),
        ]
        indexes = [
            models.Index(fields=["valid_until"], name="authorization_valid_until"),
            models.Index(
                fields=["admitted_on"],
                condition=Q(admitted_on__isnull=False, discharged_on__isnull=True),
                name="authorization_in_hospital",
            ),
        ]

    def __str__(self) -> str:
        return self.case.number

    @property
    def spent_fen(self) -> int:
        """The larger of what the hospital reported and what it billed."""
        return max(self.incurred_fen, self.drawn_fen)

    @property
    def emergency(self) -> bool:
        return self.emergency_at is not None


class PlannedLine(models.Model):
    """One item of the plan with its estimate; `supplement` = 0 for the first request."""

    VISIBILITY = OWN

    authorization = models.ForeignKey(Authorization, on_delete=models.CASCADE, related_name="lines")
    supplement = models.PositiveSmallIntegerField(default=0)
    position = models.PositiveSmallIntegerField()
    name = models.CharField(_("item"), max_length=120)
    kind = models.CharField(_("kind"), max_length=20)
    code = models.CharField(_("code"), max_length=40, blank=True)
    quantity = models.DecimalField(_("quantity"), max_digits=12, decimal_places=3, default=1)
    unit_price_fen = models.BigIntegerField(_("unit price (fen)"), default=0)
    amount_fen = models.BigIntegerField(_("amount (fen)"))
    procedure_categories = models.JSONField(_("listed procedures"), default=list)

    class Meta:
        verbose_name = _("planned item")
        verbose_name_plural = _("planned items")
        constraints = [
            models.UniqueConstraint(
                fields=["authorization", "supplement", "position"], name="planned_line_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Supplement(models.Model):
    """More money or days during a stay (DBI-03): asked, then granted or refused by somebody else."""

    VISIBILITY = OWN

    class State(models.TextChoices):
        ASKED = "ASKED", _("asked")
        GRANTED = "GRANTED", _("granted")
        REFUSED = "REFUSED", _("refused")

    authorization = models.ForeignKey(Authorization, on_delete=models.CASCADE, related_name="supplements")
    number = models.PositiveSmallIntegerField(_("number"))
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.ASKED)
    asked_fen = models.BigIntegerField(_("asked (fen)"), default=0)
    asked_until = models.DateField(_("until"), null=True)
    reason = models.TextField(_("reason"))
    asked_by = models.CharField(_("asked by"), max_length=80)
    asked_at = models.DateTimeField(_("asked at"))
    triggers = models.JSONField(_("why it is needed"), default=list)
    proposed_fen = models.BigIntegerField(_("proposed (fen)"), null=True)
    proposed_until = models.DateField(_("proposed until"), null=True)
    proposed_by = models.CharField(_("proposed by"), max_length=80, blank=True)
    granted_fen = models.BigIntegerField(_("granted (fen)"), null=True)
    answer = models.TextField(_("answer"), blank=True)
    decided_by = models.CharField(_("decided by"), max_length=80, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True)

    class Meta:
        verbose_name = _("supplement")
        verbose_name_plural = _("supplements")
        constraints = [
            models.UniqueConstraint(fields=["authorization", "number"], name="supplement_once"),
            models.UniqueConstraint(
                fields=["authorization"], condition=Q(state="ASKED"), name="supplement_one_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.authorization_id}/{self.number}"
