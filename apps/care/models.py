"""Home tests, requests for services, the health archive and the health managers of children."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.cases.models import CaseFile
from apps.core.crypto import EncryptedTextField
from apps.hospitals.models import Hospital
from apps.members.models import Member

OF_A_CASE = {
    "series": "case__series",
    "tpa": "case__tpa",
    "hospital": "case__hospital__code",
    "provider": "case__provider",
    "member": "case__member__number",
}
OF_A_CHILD = {
    "series": "member__policies__series",
    "tpa": "member__policies__tpa",
    "member": "member__number",
}


class Recognition(models.TextChoices):
    """What the provider's recognition of the address said (TST-10)."""

    UNKNOWN = "", pgettext_lazy("address", "not answered yet")
    COVERED = "COVERED", pgettext_lazy("address", "covered")
    NOT_COVERED = "NOT_COVERED", pgettext_lazy("address", "not covered")


class Outcome(models.TextChoices):
    """What the family doctor advised; that nothing is prescribed is as good an end as any (TST-08)."""

    PRESCRIPTION = "PRESCRIPTION", pgettext_lazy("advice", "drugs prescribed")
    NO_PRESCRIPTION = "NO_PRESCRIPTION", pgettext_lazy("advice", "no prescription")
    SEE_A_DOCTOR = "SEE_A_DOCTOR", pgettext_lazy("advice", "no prescription, go and see a doctor")


class HomeTest(models.Model):
    """One order of a twelve-panel test.

    `month` is that of the order ("2026-01", Asia/Shanghai) and `slot` its place among the orders of the child
    in this month, from 1; None once canceled or rejected before sampling (TST-05). The use of the entitlement
    is a reservation in the ledger under the number of the case.
    """

    VISIBILITY: ClassVar = OF_A_CASE

    case = models.OneToOneField(
        CaseFile, primary_key=True, on_delete=models.PROTECT, related_name="home_test"
    )
    member = models.ForeignKey(
        Member, verbose_name=_("child"), on_delete=models.PROTECT, related_name="home_tests"
    )
    month = models.CharField(_("month"), max_length=7)
    slot = models.PositiveSmallIntegerField(null=True)
    ordered_at = models.DateTimeField(_("ordered at"))
    channel = models.CharField(_("channel"), max_length=20)
    recorded_by = models.CharField(_("recorded by"), max_length=80)
    address = EncryptedTextField(_("address"))
    city = models.CharField(_("city"), max_length=20, blank=True)
    recognized = models.CharField(
        _("address recognition"), max_length=12, choices=Recognition.choices, blank=True
    )
    visit_on = models.DateField(_("wished day of the sample"), null=True)
    flags = models.JSONField(_("remarks"), default=list)  # [{"rule", "code"}]
    ended_why = models.CharField(_("why it ended"), max_length=400, blank=True)
    sampled_at = models.DateTimeField(_("sampled at"), null=True)
    result = models.TextField(_("result"), blank=True)
    reported_at = models.DateTimeField(_("reported at"), null=True)
    shared_at = models.DateTimeField(_("shared at"), null=True)
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome.choices, blank=True)
    advice = models.TextField(_("advice"), blank=True)
    advised_by = models.CharField(_("advised by"), max_length=80, blank=True)
    advised_at = models.DateTimeField(_("advised at"), null=True)

    class Meta:
        verbose_name = _("home test")
        verbose_name_plural = _("home tests")
        constraints = [
            models.UniqueConstraint(
                fields=["member", "month", "slot"],
                condition=Q(slot__isnull=False),
                name="home_test_once_a_month",
            )
        ]
        indexes = [models.Index(fields=["-ordered_at"], name="home_test_recent")]

    def __str__(self) -> str:
        return f"{self.case_id} {self.month}"


class ServiceRequest(models.Model):
    """One request for a service of the catalog (`care.catalog`).

    `site` is "hospital|department" as the handbook writes it, `recommended` what a triage found. `flags` are
    remarks that refuse nothing ({"rule", "code"}).
    """

    VISIBILITY: ClassVar = OF_A_CASE

    case = models.OneToOneField(CaseFile, primary_key=True, on_delete=models.PROTECT, related_name="service")
    code = models.CharField(_("service"), max_length=20)
    rule = models.CharField(_("rule id"), max_length=12)
    channel = models.CharField(_("channel"), max_length=20)
    entry = models.CharField(_("way in"), max_length=20, blank=True)  # FD-08, FD-09
    asker = models.CharField(_("who asked"), max_length=80)
    text = models.TextField(_("text"))
    site = models.CharField(_("site"), max_length=120, blank=True)
    visit_type = models.CharField(_("visit type"), max_length=12, blank=True)
    visit_on = models.DateField(_("wished day"), null=True)
    vaccine = models.CharField(_("vaccine"), max_length=80, blank=True)
    topic = models.CharField(_("topic"), max_length=20, blank=True)
    way = models.CharField(_("way"), max_length=12, blank=True)
    flags = models.JSONField(_("remarks"), default=list)
    received_at = models.DateTimeField(_("received at"))
    recorded_by = models.CharField(_("recorded by"), max_length=80)
    specialist = models.CharField(_("specialist"), max_length=80, blank=True)
    responder = models.CharField(_("who answered"), max_length=80, blank=True)
    expert = models.BooleanField(_("pediatric expert of a tier-3A hospital"), null=True)  # VAS-10
    reached = models.BooleanField(_("family reached"), null=True)
    answer = models.TextField(pgettext_lazy("service", "answer"), blank=True)
    answered_at = models.DateTimeField(_("answered at"), null=True)
    recommended = models.ForeignKey(
        Hospital,
        verbose_name=_("recommended hospital"),
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    appointment = models.ForeignKey(
        CaseFile, verbose_name=_("appointment"), null=True, on_delete=models.PROTECT, related_name="services"
    )
    ended_why = models.CharField(_("why it ended"), max_length=400, blank=True)

    class Meta:
        verbose_name = _("service")
        verbose_name_plural = _("services")
        indexes = [models.Index(fields=["-received_at"], name="service_recent")]

    def __str__(self) -> str:
        return f"{self.case_id} {self.code}"


class HealthManager(models.Model):
    """The health manager of a child (FD-02): one at a time; who it was before stands in the requests."""

    VISIBILITY: ClassVar = OF_A_CHILD

    member = models.OneToOneField(
        Member, primary_key=True, on_delete=models.PROTECT, related_name="health_manager"
    )
    name = models.CharField(_("name"), max_length=80)
    assigned_by = models.CharField(_("assigned by"), max_length=80)
    assigned_at = models.DateTimeField(_("assigned at"))

    class Meta:
        verbose_name = _("health manager")
        verbose_name_plural = _("health managers")

    def __str__(self) -> str:
        return self.name


class RecordKind(models.TextChoices):
    """What the archive holds (FD-03)."""

    BASIC = "BASIC", pgettext_lazy("health archive", "basic health")
    CHECK_UP = "CHECK_UP", pgettext_lazy("health archive", "check-up")
    VISIT = "VISIT", pgettext_lazy("health archive", "visit")
    VACCINATION = "VACCINATION", pgettext_lazy("health archive", "vaccination")


class HealthRecord(models.Model):
    """One entry of a child's health archive (FD-03). Of a vaccination `due_on` is the planned day, of which the
    family is reminded (FD-07), and `done_on` when it was given; every other entry has `done_on` only."""

    VISIBILITY: ClassVar = OF_A_CHILD

    member = models.ForeignKey(
        Member, verbose_name=_("child"), on_delete=models.PROTECT, related_name="health_records"
    )
    kind = models.CharField(_("kind"), max_length=12, choices=RecordKind.choices)
    title = models.CharField(pgettext_lazy("health archive", "what"), max_length=120)
    text = models.TextField(_("text"), blank=True)
    due_on = models.DateField(_("planned for"), null=True)
    done_on = models.DateField(_("day"), null=True)
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True)
    recorded_by = models.CharField(_("recorded by"), max_length=80)
    recorded_at = models.DateTimeField(_("recorded at"))

    class Meta:
        verbose_name = _("entry of the health archive")
        verbose_name_plural = _("health archive")
        constraints = [
            models.CheckConstraint(
                condition=Q(done_on__isnull=False) | Q(kind="VACCINATION", due_on__isnull=False),
                name="health_record_has_a_day",
            ),
            models.UniqueConstraint(
                fields=["member", "title", "due_on"],
                condition=Q(due_on__isnull=False, withdrawn_at__isnull=True),
                name="vaccination_planned_once",
            ),
        ]
        indexes = [
            models.Index(fields=["member", "-recorded_at"], name="health_record_of_child"),
            models.Index(
                fields=["due_on"],
                condition=Q(done_on__isnull=True, withdrawn_at__isnull=True),
                name="vaccination_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.title}"
