"""Appointments for visits that are billed directly, and hospitals that take a child no more."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.cards.models import Card
from apps.cases.models import CaseFile
from apps.hospitals.models import Campus, DepartmentGroup, Hospital
from apps.members.models import IdType, Member


class Appointment(models.Model):
    """One visit at one hospital on one day. Local times; `visit_time` None until the hospital names it.

    `latest_on` is the last day of asking in time (APT-07 … APT-09), None where the series prints none.
    `reasons` and `warnings` are what was found when it was asked for: code, rule, words in both languages.
    `rounds` counts confirmations (one message each); `remind_at` is the reminder that is still to come.
    `slot` is child, hospital, day and benefit while the appointment lives: held by one at a time.
    """

    VISIBILITY = {
        "series": "case__series",
        "tpa": "case__tpa",
        "hospital": "case__hospital__code",
        "member": "case__member__number",
    }

    class Submitter(models.TextChoices):
        TPA = "TPA", _("administrator")
        MEMBER = "MEMBER", _("member")
        STAFF = "STAFF", _("staff")

    class Lead(models.TextChoices):
        ON_TIME = "ON_TIME", pgettext_lazy("lead time", "in time")
        LATE = "LATE", pgettext_lazy("lead time", "late")
        NONE = "", pgettext_lazy("lead time", "none printed")

    case = models.OneToOneField(
        CaseFile, primary_key=True, on_delete=models.PROTECT, related_name="appointment"
    )
    channel = models.CharField(_("channel"), max_length=20)
    submitter = models.CharField(_("submitted by"), max_length=10, choices=Submitter.choices)
    campus = models.ForeignKey(
        Campus, verbose_name=_("campus"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    department = models.CharField(_("department"), max_length=80)
    department_group = models.CharField(
        _("department group"), max_length=20, choices=DepartmentGroup.choices, default=DepartmentGroup.GENERAL
    )
    visit_type = models.CharField(_("visit type"), max_length=20)
    benefit = models.CharField(_("benefit"), max_length=30)
    cause = models.CharField(_("cause"), max_length=10, default="ILLNESS")
    emergency = models.BooleanField(_("emergency"), default=False)
    complaint = models.CharField(_("reason of the visit"), max_length=400)
    preference = models.CharField(_("wish, not binding"), max_length=200, blank=True)
    expert = models.CharField(_("named expert"), max_length=80, blank=True)  # only ever on a refused one
    visit_on = models.DateField(_("visit day"))
    visit_time = models.TimeField(_("time"), null=True)
    lead = models.CharField(_("lead time"), max_length=8, choices=Lead.choices, blank=True)
    lead_rule = models.CharField(_("rule"), max_length=20, blank=True)
    latest_on = models.DateField(_("to be asked until"), null=True)
    override_reason = models.CharField(_("allowed though late, because"), max_length=400, blank=True)
    override_by = models.CharField(_("allowed by"), max_length=80, blank=True)
    reasons = models.JSONField(_("refused because"), default=list)
    warnings = models.JSONField(_("to mind"), default=list)
    alternatives = models.JSONField(_("alternatives"), default=list)  # codes of hospitals, best first
    replaces = models.OneToOneField(
        CaseFile,
        verbose_name=_("instead of"),
        null=True,
        on_delete=models.PROTECT,
        related_name="replaced_by",
    )
    rounds = models.PositiveSmallIntegerField(default=0)
    slot = models.CharField(max_length=80, null=True)  # noqa: DJ001  null: holds none
    reference = models.CharField(_("number at the hospital"), max_length=60, blank=True)
    authorization = models.CharField(_("prior authorization"), max_length=30, blank=True)
    remind_at = models.DateTimeField(_("reminder"), null=True)
    card = models.ForeignKey(
        Card, verbose_name=_("card shown"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    card_shown_on = models.DateField(_("date on the card"), null=True)
    shown_id_type = models.CharField(_("identity shown"), max_length=20, choices=IdType.choices, blank=True)
    id_photo = models.BooleanField(_("with photo"), null=True)
    id_override = models.CharField(_("identity accepted because"), max_length=400, blank=True)
    checked_in_at = models.DateTimeField(_("arrived"), null=True)
    form_signed = models.BooleanField(_("claim form signed"), default=False)
    receipt_signed = models.BooleanField(_("receipt signed"), default=False)
    signed_by = models.CharField(_("signed by"), max_length=80, blank=True)
    completed_at = models.DateTimeField(_("visit done"), null=True)
    flagged = models.BooleanField(_("to be looked at by a manager"), default=False)

    class Meta:
        verbose_name = _("appointment")
        verbose_name_plural = _("appointments")
        constraints = [models.UniqueConstraint(fields=["slot"], name="appointment_asked_once")]
        indexes = [
            models.Index(fields=["-visit_on", "-case"], name="appointment_visit_day"),
            models.Index(
                fields=["remind_at"], condition=Q(remind_at__isnull=False), name="appointment_remind"
            ),
            models.Index(fields=["case"], condition=Q(flagged=True), name="appointment_flagged"),
        ]

    def __str__(self) -> str:
        return self.case.number

    def hold_slot(self) -> None:
        """The same visit cannot be asked for again while this one lives."""
        self.slot = f"{self.case.member_id}:{self.case.hospital_id}:{self.visit_on}:{self.benefit}"

    @property
    def visit_at(self) -> datetime | None:
        """The moment of the visit, aware; None while the hospital has named no time."""
        if self.visit_time is None:
            return None
        return timezone.make_aware(datetime.combine(self.visit_on, self.visit_time))

    @property
    def late(self) -> bool:
        return self.lead == self.Lead.LATE


class HospitalBan(models.Model):
    """A hospital (2024: by its own list, APT-25) or a manager (2026: APT-12) lets a child book there no more.

    Nothing is ever listed by counting: somebody said so, on a day, and somebody may lift it.
    """

    VISIBILITY = {"series": "member__policies__series", "tpa": "member__policies__tpa", "member": "member__number",
                  "hospital": "hospital__code"}  # fmt: skip

    class Source(models.TextChoices):
        HOSPITAL = "HOSPITAL", _("list of the hospital")
        MANAGER = "MANAGER", _("decision of a manager")

    member = models.ForeignKey(
        Member, verbose_name=_("child"), on_delete=models.PROTECT, related_name="hospital_bans"
    )
    hospital = models.ForeignKey(
        Hospital, verbose_name=_("hospital"), on_delete=models.PROTECT, related_name="bans"
    )
    source = models.CharField(_("source"), max_length=10, choices=Source.choices)
    rule = models.CharField(_("rule"), max_length=20)
    since = models.DateField(pgettext_lazy("ban", "since"))
    reason = models.CharField(_("reason"), max_length=400)
    recorded_by = models.CharField(_("recorded by"), max_length=80)
    recorded_at = models.DateTimeField(_("recorded at"))
    lifted_at = models.DateTimeField(_("lifted at"), null=True, blank=True)
    lifted_by = models.CharField(_("lifted by"), max_length=80, blank=True)
    lifted_because = models.CharField(_("lifted because"), max_length=400, blank=True)

    class Meta:
        verbose_name = _("hospital that refuses a child")
        verbose_name_plural = _("hospitals that refuse a child")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["member", "hospital"], condition=Q(lifted_at=None), name="one_open_ban"
            )
        ]

    def __str__(self) -> str:
        return f"{self.member} · {self.hospital}"
