"""The outbox: messages are rows written with the event that caused them, delivered later."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.cases.models import CaseFile
from apps.core.crypto import EncryptedTextField


class Message(models.Model):
    """One e-mail or SMS. Delivered at least once; `idempotency_key` makes it once for us."""

    VISIBILITY = {
        "series": "case__series",
        "tpa": "case__tpa",
        "hospital": "case__hospital__code",
        "member": "case__member__number",
    }

    class Channel(models.TextChoices):
        EMAIL = "EMAIL", _("email")
        SMS = "SMS", _("SMS")

    class State(models.TextChoices):
        QUEUED = "QUEUED", _("queued")
        SENDING = "SENDING", _("sending")
        DELIVERED = "DELIVERED", _("delivered")
        FAILED = "FAILED", _("failed")
        CANCELLED = "CANCELLED", _("canceled")

    case = models.ForeignKey(CaseFile, null=True, on_delete=models.PROTECT, related_name="messages")
    idempotency_key = models.CharField(max_length=120, unique=True)
    channel = models.CharField(_("channel"), max_length=6, choices=Channel.choices)
    template = models.CharField(_("template"), max_length=60)
    recipient = EncryptedTextField(_("recipient"))
    recipient_masked = models.CharField(_("recipient"), max_length=80)
    language = models.CharField(max_length=10, default="zh-hans")
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    body = models.TextField(_("text"))
    letter_token = models.CharField(max_length=40, blank=True)  # letters stand above; attached by a hook
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(_("created at"))
    delivered_at = models.DateTimeField(_("delivered at"), null=True)
    error = models.TextField(_("error"), blank=True)
    reported = models.BooleanField(default=False)  # the handlers of `on_delivered` have run

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        indexes = [
            models.Index(  # those to be sent; SQLite would not find a list of states in a condition again
                fields=["next_attempt_at"],
                condition=models.Q(next_attempt_at__isnull=False),
                name="message_due",
            ),
            models.Index(
                fields=["delivered_at"],
                condition=models.Q(state="DELIVERED", reported=False),
                name="message_to_report",
            ),
            models.Index(
                fields=["letter_token"], condition=~models.Q(letter_token=""), name="message_of_letter"
            ),
            models.Index(fields=["-created_at", "-id"], name="message_recent"),
            models.Index(fields=["state", "-created_at", "-id"], name="message_state_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.template} → {self.recipient_masked}"


class CallTask(models.Model):
    """A phone call a person makes, with script and outcome."""

    VISIBILITY = {
        "series": "case__series",
        "tpa": "case__tpa",
        "hospital": "case__hospital__code",
        "member": "case__member__number",
    }

    class Outcome(models.TextChoices):
        OPEN = "OPEN", _("to call")
        ANSWERED = "ANSWERED", pgettext_lazy("call", "answered")
        UNANSWERED = "UNANSWERED", _("not answered")
        UNREACHABLE = "UNREACHABLE", _("unreachable")
        WRONG_NUMBER = "WRONG_NUMBER", _("wrong number")
        CANCELED = "CANCELED", pgettext_lazy("call", "no longer needed")

    case = models.ForeignKey(CaseFile, on_delete=models.PROTECT, related_name="call_tasks")
    idempotency_key = models.CharField(max_length=120, unique=True)
    purpose = models.CharField(_("purpose"), max_length=60)
    script = models.TextField(_("script"))
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=1)
    due_at = models.DateTimeField(_("due"), null=True)
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome.choices, default=Outcome.OPEN)
    note = models.TextField(_("note"), blank=True)
    operator_label = models.CharField(_("operator"), max_length=80, blank=True)
    called_at = models.DateTimeField(_("called at"), null=True)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("call task")
        verbose_name_plural = _("call tasks")
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(outcome="OPEN"), name="call_open_due"),
            models.Index(fields=["case", "-created_at"], name="call_of_case"),
            models.Index(fields=["-created_at"], name="call_recent"),
            models.Index(fields=["outcome", "-created_at"], name="call_outcome_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} ({self.attempt})"
