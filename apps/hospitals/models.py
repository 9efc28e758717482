"""Hospitals, campuses, department groups and the direct-billing network on a date."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import ApiClient, User
from apps.core.imports.pinyin import syllables
from apps.core.models import Immutable


class Ownership(models.TextChoices):
    PUBLIC = "PUBLIC", _("public")
    PRIVATE = "PRIVATE", _("private")


class DepartmentGroup(models.TextChoices):
    GENERAL = "GENERAL", _("general department")
    SPECIAL = "SPECIAL", _("special-needs department")
    INTERNATIONAL = "INTERNATIONAL", _("international department")


class Scope(models.TextChoices):
    """What a hospital bills directly (NET-06); the benefits of the networks have the same codes."""

    OUTPATIENT = "OUTPATIENT", _("outpatient")
    EMERGENCY = "EMERGENCY", _("emergency")
    INPATIENT = "INPATIENT", _("inpatient")
    VACCINE = "VACCINE", _("vaccine")
    EYE = "EYE", _("eye")
    DENTAL = "DENTAL", _("dental")


class Hospital(models.Model):
    """One institution. `code` is ours; `grade` 1–3, empty = ungraded (NET-06)."""

    VISIBILITY = {"hospital": "code"}

    code = models.CharField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=120, db_index=True)
    name_en = models.CharField(_("English name"), max_length=160, blank=True)
    pinyin = models.CharField(
        max_length=240, blank=True, db_index=True, editable=False
    )  # "beijingertongyiyuan"
    initials = models.CharField(max_length=60, blank=True, db_index=True, editable=False)  # "bjetyy"
    city = models.CharField(_("city"), max_length=40, db_index=True)
    province = models.CharField(_("province"), max_length=40, blank=True)
    ownership = models.CharField(_("ownership"), max_length=10, choices=Ownership.choices)
    hospital_type = models.CharField(_("type"), max_length=40, blank=True)  # 综合 专科 诊所 社区 …
    grade = models.PositiveSmallIntegerField(_("grade"), null=True, blank=True)
    brand = models.CharField(_("clinic brand"), max_length=80, blank=True, db_index=True)
    internet_licensed = models.BooleanField(_("internet-hospital license"), default=False)
    popular = models.BooleanField(_("popular"), default=False)
    profile = models.TextField(_("profile"), blank=True)
    service_hours = models.CharField(_("service hours"), max_length=200, blank=True)
    visit_tips = models.TextField(_("visit tips"), blank=True)
    special_departments = models.CharField(_("special departments"), max_length=300, blank=True)
    active = models.BooleanField(_("active"), default=True)
    sample = models.BooleanField(_("sample data"), default=False)

    class Meta:
        verbose_name = _("hospital")
        verbose_name_plural = _("hospitals")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(grade__isnull=True) | models.Q(grade__range=(1, 3)),
                name="hospital_grade_1_to_3",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.derive()
        super().save(*args, **kwargs)

    @property
    def own_brand(self) -> str:
        """Its clinic brand; a house without one is a brand of its own (VAC-04)."""
        return self.brand or self.name

    def derive(self) -> None:
        """Fill the readings; `save()` does it, bulk writers do it themselves."""
        read = syllables(self.name)
        self.pinyin, self.initials = "".join(read)[:240], "".join(part[0] for part in read)[:60]


class Campus(models.Model):
    VISIBILITY = {"hospital": "hospital__code"}

    hospital = models.ForeignKey(
        Hospital, verbose_name=_("hospital"), on_delete=models.PROTECT, related_name="campuses"
    )
    code = models.CharField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=120)
    address = models.CharField(_("address"), max_length=240, blank=True)
    phone = models.CharField(_("phone"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("campus")
        verbose_name_plural = _("campuses")
        constraints = [models.UniqueConstraint(fields=["hospital", "code"], name="campus_code_once")]

    def __str__(self) -> str:
        return f"{self.hospital} {self.name}"


class NetworkEntryQuerySet(models.QuerySet["NetworkEntry"]):
    def valid_on(self, day: Any) -> NetworkEntryQuerySet:
        """Entries of the list in force on the day (NET-04)."""
        return self.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=day), starts_on__lte=day)


class NetworkEntry(models.Model):
    """Campus + department group + benefit + network group of a series, valid between dates (PR-09).

    `ends_on` inclusive, empty = open. `direct_billing` lists the scopes served without payment.
    """

    VISIBILITY = {"series": "series", "hospital": "campus__hospital__code"}

    campus = models.ForeignKey(
        Campus, verbose_name=_("campus"), on_delete=models.PROTECT, related_name="network"
    )
    department_group = models.CharField(_("department group"), max_length=20, choices=DepartmentGroup.choices)
    series = models.CharField(_("series"), max_length=10)
    network_group = models.CharField(_("network group"), max_length=40)
    benefit = models.CharField(_("benefit"), max_length=30)
    direct_billing = models.JSONField(_("direct-billing scope"), default=list, blank=True)
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until"), null=True, blank=True)

    objects = NetworkEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("network entry")
        verbose_name_plural = _("network entries")
        constraints = [
            models.UniqueConstraint(
                fields=["campus", "department_group", "series", "network_group", "benefit", "starts_on"],
                name="network_entry_once",
            ),
            models.CheckConstraint(
                condition=models.Q(ends_on__isnull=True) | models.Q(ends_on__gte=models.F("starts_on")),
                name="network_entry_dates",
            ),
        ]
        indexes = [models.Index(fields=["series", "network_group", "benefit"], name="network_entry_list")]

    def __str__(self) -> str:
        return f"{self.series} {self.network_group} {self.benefit}"


class NetworkLookup(Immutable):
    """Somebody looked into the network list: when, who, for whom, for what, with which answer.

    NET-04, DL-46. `member` is the number of the child it was for; children stand above hospitals.
    """

    VISIBILITY = {"series": "series", "member": "member"}

    at = models.DateTimeField(_("at"), auto_now_add=True, db_index=True)
    user = models.ForeignKey(User, verbose_name=_("user"), null=True, on_delete=models.PROTECT)
    client = models.ForeignKey(ApiClient, verbose_name=_("API client"), null=True, on_delete=models.PROTECT)
    member = models.CharField(_("member number"), max_length=40, blank=True)
    channel = models.CharField(_("channel"), max_length=20, blank=True)  # of the series (APT-03)
    series = models.CharField(_("series"), max_length=10, blank=True)
    criteria = models.JSONField(_("criteria"), default=dict)
    result = models.JSONField(_("result"), default=dict)

    class Meta:
        verbose_name = _("network lookup")
        verbose_name_plural = _("network lookups")
        ordering = ["-id"]
        indexes = [models.Index(fields=["member", "-id"], name="network_lookup_of_child")]

    def names(self, hospital: str) -> bool:
        """Whether the answer spoke of this hospital, as listed or as out."""
        return hospital in self.result.get("hospitals", ()) or hospital in self.result.get("out", {})


class BrandClosure(models.Model):
    """A clinic brand that closed altogether, and the brands the insurer names instead (VAC-05).

    A branch that closes is no row here: the brand goes on.
    """

    brand = models.CharField(_("clinic brand"), max_length=80, unique=True)
    closed_on = models.DateField(_("closed on"))
    designated = models.JSONField(_("designated brands"), default=list)
    evidence = models.CharField(_("evidence"), max_length=200)
    recorded_by = models.CharField(_("recorded by"), max_length=80)
    recorded_at = models.DateTimeField(_("recorded at"))

    class Meta:
        verbose_name = _("closed brand")
        verbose_name_plural = _("closed brands")
        ordering = ["-closed_on", "brand"]

    def __str__(self) -> str:
        return self.brand
