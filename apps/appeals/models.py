"""An appeal: against which decision, by whom and why, what became of it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.accounts.models import User
from apps.cases.models import CaseFile

AT_INTAKE = 0  # the "version" of a refusal at intake, which is no decision (PR-06)


class Result(models.TextChoices):
    UPHELD = "UPHELD", pgettext_lazy("appeal", "upheld")
    WHOLLY = "WHOLLY", pgettext_lazy("appeal", "overturned wholly")
    PARTLY = "PARTLY", pgettext_lazy("appeal", "overturned partly")


class Appeal(models.Model):
    """Against `version` of the decisions on `origin`, which was made at `decided_at` and gave `former_fen`.

    `received_at` is when the days began: for a complaint taken up, when the wish was recorded. Overturned,
    it waits for the claim: `reopened_at`, then `settled_at` with `new_version` and `new_fen` (None where the
    claim was taken in after a refusal at intake, or ended without a new decision).
    """

    VISIBILITY = {
        "series": "case__series",
        "tpa": "case__tpa",
        "hospital": "case__hospital__code",
        "member": "case__member__number",
    }

    case = models.OneToOneField(CaseFile, primary_key=True, on_delete=models.PROTECT, related_name="appeal")
    origin = models.ForeignKey(
        CaseFile, verbose_name=_("claim"), on_delete=models.PROTECT, related_name="appeals"
    )
    version = models.PositiveSmallIntegerField(_("decision under appeal"))  # AT_INTAKE: the refusal at intake
    decided_at = models.DateTimeField(_("decided at"))
    former_fen = models.BigIntegerField(_("insurer paid (fen)"))
    rule = models.CharField(_("rule id"), max_length=12)
    channel = models.CharField(_("channel"), max_length=20)
    appellant = models.CharField(_("who appeals"), max_length=80)
    text = models.TextField(_("what is said to be wrong"))
    places = models.JSONField(_("lines"), default=list)  # "1.1.2"; none = the whole decision
    complaint = models.ForeignKey(
        CaseFile, verbose_name=_("complaint taken up"), null=True, on_delete=models.PROTECT, related_name="taken_up_as"
    )  # fmt: skip
    received_at = models.DateTimeField(_("received at"))
    recorded_by = models.CharField(_("recorded by"), max_length=80)
    asked = models.TextField(_("asked for"), blank=True)
    asked_at = models.DateTimeField(_("asked at"), null=True)
    asked_reached_at = models.DateTimeField(_("reached the family at"), null=True)
    result = models.CharField(_("result"), max_length=8, choices=Result.choices, blank=True)
    why = models.TextField(_("reason"), blank=True)
    reasons = models.JSONField(_("reasons by rule"), default=list)  # [{"rule", "text"}]
    reviewed_by = models.ForeignKey(
        User, verbose_name=_("reviewed by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    reviewed_at = models.DateTimeField(_("reviewed at"), null=True)
    reopened_at = models.DateTimeField(_("claim reopened at"), null=True)
    settled_at = models.DateTimeField(_("claim decided again at"), null=True)
    new_version = models.PositiveSmallIntegerField(_("new decision"), null=True)
    new_fen = models.BigIntegerField(_("insurer pays (fen)"), null=True)
    answer = models.TextField(_("answer"), blank=True)
    answered_at = models.DateTimeField(_("answered at"), null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)

    class Meta:
        verbose_name = _("appeal")
        verbose_name_plural = _("appeals")
        constraints = [
            models.UniqueConstraint(
                fields=["origin"], condition=Q(ended_at__isnull=True), name="one_open_appeal"
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True) | (~Q(result="") & ~Q(answer="")),
                name="answered_appeal_has_result",
            ),
        ]
        indexes = [
            models.Index(fields=["-received_at"], name="appeal_recent"),
            models.Index(
                fields=["-received_at"], condition=Q(ended_at__isnull=True), name="appeal_open_recent"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id}"

    @property
    def at_intake(self) -> bool:
        return self.version == AT_INTAKE

    @property
    def change_fen(self) -> int | None:
        """What the new decision gives beside the former one."""
        return None if self.new_fen is None else self.new_fen - self.former_fen


class AppealedRule(models.Model):
    """A rule by which the decision under appeal took something away."""

    appeal = models.ForeignKey(Appeal, on_delete=models.PROTECT, related_name="rules")
    rule = models.CharField(_("rule id"), max_length=12)

    class Meta:
        verbose_name = _("rule under appeal")
        verbose_name_plural = _("rules under appeal")
        constraints = [models.UniqueConstraint(fields=["appeal", "rule"], name="appealed_rule_once")]
        indexes = [models.Index(fields=["rule", "appeal"], name="appealed_rule")]

    def __str__(self) -> str:
        return self.rule


class Decider(models.Model):
    """Who had a part in the decision under appeal, or is complained of: they do not review it (LAW-10).

    `decided`: they proposed or signed that very decision.
    """

    appeal = models.ForeignKey(Appeal, on_delete=models.PROTECT, related_name="deciders")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    decided = models.BooleanField(_("made this decision"), default=False)

    class Meta:
        verbose_name = _("decider")
        verbose_name_plural = _("deciders")
        constraints = [models.UniqueConstraint(fields=["appeal", "user"], name="appeal_decider_once")]

    def __str__(self) -> str:
        return str(self.user)
