"""Published handbooks, plans, and the calendar of working days.

A series is no table: it is what the published handbooks say it is.
"""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.adjudication.handbook import Handbook
from apps.adjudication.parse import parse_handbook
from apps.adjudication.parse_plan import PlanText, parse_plan
from apps.adjudication.plan import Plan as AdjudicationPlan
from apps.core.models import Immutable

PARSED: dict[str, Handbook] = {}  # by SHA-256, so a text is parsed once in a process
KEPT = 64


class HandbookManager(models.Manager["HandbookVersion"]):
    """Leaves the text (a good 100 KB) in the database; a process reads it once, to parse it."""

    def get_queryset(self) -> models.QuerySet[HandbookVersion]:
        return super().get_queryset().defer("text")


class HandbookVersion(Immutable):
    """One published text of a series. Written once; the database refuses changes.

    `number` runs within a series. `effective_on` = first day of service it speaks for; empty =
    from the beginning. `tpa` is copied from the text, so that visibility needs no parsing.
    """

    VISIBILITY = {"series": "series", "tpa": "tpa"}

    series = models.CharField(_("series"), max_length=10)
    number = models.PositiveIntegerField(_("version"))
    sha256 = models.CharField("SHA-256", max_length=64)
    text = models.TextField(_("text"))
    tpa = models.CharField(_("TPA"), max_length=40, blank=True)
    effective_on = models.DateField(_("for service from"), null=True, blank=True)
    published = models.BooleanField(_("published"), default=True)
    loaded_at = models.DateTimeField(_("loaded at"), auto_now_add=True)
    loaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("loaded by"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )

    objects = HandbookManager()

    class Meta:
        verbose_name = _("handbook")
        verbose_name_plural = _("handbooks")
        base_manager_name = "objects"
        ordering = ["-series", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["series", "sha256"], name="handbook_text_once"),
            models.UniqueConstraint(fields=["series", "number"], name="handbook_number_once"),
        ]

    def __str__(self) -> str:
        return f"{self.series} v{self.number}"

    @property
    def handbook(self) -> Handbook:
        """The parsed handbook. One query for the text, once in a process."""
        if self.sha256 not in PARSED:
            if len(PARSED) >= KEPT:
                PARSED.clear()
            PARSED[self.sha256] = parse_handbook(self.text)
        return PARSED[self.sha256]


@lru_cache(maxsize=512)
def _parsed_plan(sha256: str, text: str) -> PlanText:
    return parse_plan(text)


class PlanManager(models.Manager["Plan"]):
    """The newest definition of each plan: what a new policy gets."""

    def get_queryset(self) -> models.QuerySet[Plan]:
        newest = Plan.every.order_by().values("series", "code").annotate(newest=models.Max("id"))
        return super().get_queryset().filter(id__in=newest.values("newest"))


class Plan(Immutable):
    """One definition of a plan. A changed plan is a new row; policies keep the one they have.

    `objects` gives the newest definition of each plan, `every` also those that were followed.
    """

    code = models.CharField(_("code"), max_length=40)
    series = models.CharField(_("series"), max_length=10, db_index=True)
    version = models.CharField(_("version"), max_length=40)
    scheme = models.CharField(_("scheme"), max_length=40, blank=True)
    name = models.CharField(_("name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80)
    text = models.TextField(_("definition"))
    sha256 = models.CharField("SHA-256", max_length=64)
    sample = models.BooleanField(_("sample data"), default=False)
    loaded_at = models.DateTimeField(_("loaded at"), auto_now_add=True)

    objects = PlanManager()
    every: models.Manager[Plan] = models.Manager()

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        base_manager_name = "every"
        ordering = ["-series", "code", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["series", "code", "sha256"], name="plan_definition_once"),
        ]

    def __str__(self) -> str:
        return f"{self.series} {self.label}"

    @property
    def label(self) -> str:
        """Its name in the reader's language."""
        return self.name_en if (get_language() or "").startswith("en") else self.name

    @property
    def terms(self) -> AdjudicationPlan:
        """The plan as the decision core takes it; parsed once in a process."""
        return _parsed_plan(self.sha256, self.text).plan


class CalendarDay(models.Model):
    """A day that differs from its weekday: off on a weekday, or worked on a weekend (C2)."""

    class Kind(models.TextChoices):
        WORK = "WORK", _("working day (make-up)")
        OFF = "OFF", _("day off")

    class Source(models.TextChoices):
        SEED = "SEED", _("published table")
        MANUAL = "MANUAL", _("entered by hand")

    date = models.DateField(_("date"), unique=True)
    kind = models.CharField(_("kind"), max_length=4, choices=Kind.choices)
    note = models.CharField(_("note"), max_length=80, blank=True)
    source = models.CharField(_("source"), max_length=10, choices=Source.choices, default=Source.MANUAL)
    changed_at = models.DateTimeField(_("changed at"), auto_now=True)

    class Meta:
        verbose_name = _("calendar day")
        verbose_name_plural = _("calendar days")
        ordering = ["date"]

    def __str__(self) -> str:
        return f"{self.date:%Y-%m-%d} {self.get_kind_display()}"


class CalendarYear(models.Model):
    """A year whose table is here. Provisional = the State Council has not published it (C2, S56)."""

    year = models.PositiveSmallIntegerField(_("year"), unique=True)
    provisional = models.BooleanField(_("provisional"), default=True)
    loaded_at = models.DateTimeField(_("loaded at"), auto_now=True)

    class Meta:
        verbose_name = _("calendar year")
        verbose_name_plural = _("calendar years")
        ordering = ["-year"]

    def __str__(self) -> str:
        return str(self.year)


class CalendarState(models.Model):
    """One row: a token that is new after every change of the calendar, so that processes notice."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    token = models.CharField(max_length=32)

    def __str__(self) -> str:
        return self.token
