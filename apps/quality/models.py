"""Decisions without a person, and whether decisions are good: rules, draws, inspections, replays."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.cases.models import CaseFile
from apps.claims.models import Decision
from apps.core.models import Immutable

# --- Straight-through decisions -----------------------------------------------------------------


class QualityRule(Immutable):
    """How far decisions of a series go without a person, and how many are inspected; the newest holds.

    Append-only: who changed it, when and why stays readable.
    """

    VISIBILITY = {"series": "series"}

    series = models.CharField(_("series"), max_length=10)
    straight = models.BooleanField(_("clean claims are decided without a person"), default=False)
    ceiling_fen = models.BigIntegerField(_("up to (fen)"), default=0)  # what the insurer pays, inclusive
    straight_percent = models.PositiveSmallIntegerField(_("of these inspected, %"), default=10)
    manual_percent = models.PositiveSmallIntegerField(_("of people's decisions inspected, %"), default=3)
    set_by = models.ForeignKey(User, verbose_name=_("set by"), on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField(_("set at"))
    reason = models.TextField(_("reason"))

    class Meta:
        verbose_name = _("quality rule")
        verbose_name_plural = _("quality rules")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ceiling_fen__gte=0, straight_percent__lte=100, manual_percent__lte=100),
                name="quality_rule_bounds",
            ),
            models.CheckConstraint(
                condition=models.Q(straight=False) | models.Q(straight_percent__gte=1),
                name="quality_rule_straight_is_inspected",
            ),
        ]
        indexes = [models.Index(fields=["series", "-id"], name="quality_rule_newest")]

    def __str__(self) -> str:
        return f"{self.series} #{self.pk}"


class StraightLook(models.Model):
    """Why a claim was left to people; it is looked at again only when it has changed."""

    case = models.OneToOneField(CaseFile, primary_key=True, on_delete=models.CASCADE, related_name="+")
    version = models.PositiveIntegerField()  # the claim's version when looked at
    rule = models.ForeignKey(QualityRule, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(_("why a person decides"), max_length=200)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("claim left to people")
        verbose_name_plural = _("claims left to people")
        indexes = [models.Index(fields=["-at"], name="straight_look_recent")]

    def __str__(self) -> str:
        return f"{self.case_id} {self.reason}"


# --- Quality inspection ---------------------------------------------------------------------------


class Severity(models.TextChoices):
    CRITICAL = "CRITICAL", _("critical")
    MAJOR = "MAJOR", _("major")
    MINOR = "MINOR", _("minor")


class ErrorCode(models.Model):
    """A kind of error that inspections count. The catalogue is filled once; managers may add to it."""

    code = models.CharField(_("code"), max_length=12, unique=True)
    name = models.CharField(_("name"), max_length=80)
    name_en = models.CharField(_("name (English)"), max_length=80)
    severity = models.CharField(_("severity"), max_length=10, choices=Severity.choices)
    active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("error code")
        verbose_name_plural = _("error codes")
        ordering = ["code"]

    def __str__(self) -> str:
        from django.utils.translation import get_language

        name = self.name_en if (get_language() or "").startswith("en") else self.name
        return f"{self.code} {name}"


class Draw(Immutable):
    """One random sample of decisions. The seed makes it repeatable: the same population gives the
    same sample, so that nobody can say it was picked."""

    class Stratum(models.TextChoices):
        STRAIGHT = "STRAIGHT", _("decided without a person")
        MANUAL = "MANUAL", _("decided by people")

    series = models.CharField(_("series"), max_length=10)
    stratum = models.CharField(_("of"), max_length=8, choices=Stratum.choices)
    since = models.DateTimeField(_("decided from"))
    until = models.DateTimeField(_("before"))
    percent = models.PositiveSmallIntegerField(_("percent"))
    population = models.PositiveIntegerField(_("decisions"))
    drawn = models.PositiveIntegerField(_("drawn"))
    seed = models.CharField(max_length=32)
    drawn_by = models.ForeignKey(
        User, verbose_name=_("drawn by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    drawn_at = models.DateTimeField(_("drawn at"))

    class Meta:
        verbose_name = _("sample")
        verbose_name_plural = _("samples")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(drawn__lte=models.F("population")), name="draw_of_population"
            ),
            models.UniqueConstraint(
                fields=["series", "stratum", "until"],
                condition=models.Q(drawn_by=None),
                name="draw_once_a_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.series} {self.get_stratum_display()} {self.drawn}/{self.population}"


class Inspection(models.Model):
    """The inspected decision; a decision is inspected once. The claim's own case stands beside ours."""

    case = models.OneToOneField(
        CaseFile, primary_key=True, on_delete=models.PROTECT, related_name="inspection"
    )
    claim_case = models.ForeignKey(
        CaseFile, verbose_name=_("claim"), on_delete=models.PROTECT, related_name="inspections"
    )
    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="inspection")
    draw = models.ForeignKey(Draw, null=True, on_delete=models.PROTECT, related_name="inspections")
    decider = models.ForeignKey(
        User, verbose_name=_("decided by"), null=True, on_delete=models.PROTECT, related_name="+"
    )  # null = without a person
    right_fen = models.BigIntegerField(_("right amount (fen)"), null=True)  # what should have been paid
    inspected_by = models.ForeignKey(
        User, verbose_name=_("inspected by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    inspected_at = models.DateTimeField(_("inspected at"), null=True, db_index=True)

    class Meta:
        verbose_name = _("inspection")
        verbose_name_plural = _("inspections")

    def __str__(self) -> str:
        return f"{self.case_id}"


class InspectionError(Immutable):
    """One error found, with its place in the claim."""

    inspection = models.ForeignKey(Inspection, on_delete=models.PROTECT, related_name="errors")
    code = models.ForeignKey(ErrorCode, on_delete=models.PROTECT, related_name="+")
    place = models.CharField(_("place"), max_length=20, blank=True)  # "", "1", "1.2" or "1.2.3"
    note = models.TextField(_("note"), blank=True)

    class Meta:
        verbose_name = _("error found")
        verbose_name_plural = _("errors found")
        constraints = [
            models.UniqueConstraint(fields=["inspection", "code", "place"], name="inspection_error_once")
        ]

    def __str__(self) -> str:
        return f"{self.code_id} {self.place}"


# --- Replays ----------------------------------------------------------------------------------------


class Replay(models.Model):
    """One question to stored decisions: are they still the same, or what would another text change?"""

    class State(models.TextChoices):
        QUEUED = "QUEUED", _("queued")
        RUNNING = "RUNNING", _("running")
        DONE = "DONE", _("done")
        FAILED = "FAILED", _("failed")
        CANCELED = "CANCELED", _("canceled")

    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.QUEUED)
    series = models.CharField(_("series"), max_length=10, blank=True)  # "" = all
    since = models.DateField(_("decided from"), null=True, blank=True)
    until = models.DateField(_("decided until"), null=True, blank=True)  # inclusive
    handbook_text = models.TextField(blank=True)
    handbook_name = models.CharField(_("handbook"), max_length=120, blank=True)
    plan_text = models.TextField(blank=True)
    plan_name = models.CharField(_("plan"), max_length=120, blank=True)
    total = models.PositiveIntegerField(_("decisions"), default=0)
    done = models.PositiveIntegerField(_("done"), default=0)
    compared = models.PositiveIntegerField(_("compared"), default=0)
    differing = models.PositiveIntegerField(_("different"), default=0)
    problems = models.PositiveIntegerField(_("not decidable"), default=0)
    before_fen = models.BigIntegerField(_("as booked (fen)"), default=0)
    after_fen = models.BigIntegerField(_("would be (fen)"), default=0)
    message = models.TextField(_("message"), blank=True)
    run_token = models.CharField(max_length=32, blank=True, editable=False)  # which worker holds it
    asked_by = models.ForeignKey(User, verbose_name=_("asked by"), on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(_("asked at"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("replay")
        verbose_name_plural = _("replays")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"R{self.pk}"

    @property
    def running(self) -> bool:
        return self.state in {self.State.QUEUED, self.State.RUNNING}

    @property
    def change_fen(self) -> int:
        return self.after_fen - self.before_fen

    @property
    def what_if(self) -> bool:
        return bool(self.handbook_text or self.plan_text)


class ReplayChange(models.Model):
    """A claim that comes out otherwise, with the lines that do."""

    replay = models.ForeignKey(Replay, on_delete=models.CASCADE, related_name="changes")
    case = models.ForeignKey(CaseFile, on_delete=models.PROTECT, related_name="+")
    version = models.PositiveSmallIntegerField(_("decision"))
    before_fen = models.BigIntegerField(_("as booked (fen)"))
    after_fen = models.BigIntegerField(_("would be (fen)"))
    difference_fen = models.BigIntegerField(_("difference (fen)"))
    outcome = models.CharField(_("outcome"), max_length=12, blank=True)
    lines: Any = models.JSONField(default=list)  # LineChange as data, fen
    appeared: Any = models.JSONField(default=list)  # rule ids
    vanished: Any = models.JSONField(default=list)
    problem = models.TextField(_("problem"), blank=True)

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        indexes = [models.Index(fields=["replay", "difference_fen"], name="replay_change_size")]

    def __str__(self) -> str:
        return f"{self.replay_id} {self.case_id}"
