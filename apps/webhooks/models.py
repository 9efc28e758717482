"""Endpoints of API clients, what is sent to them, and each attempt."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.accounts.models import ApiClient, User
from apps.cases.models import CaseFile
from apps.core.crypto import EncryptedTextField
from apps.core.models import Immutable

OF_CLIENT = {"tpa": "tpa", "hospital": "hospital", "provider": "provider", "member": "member"}


def _through(path: str) -> dict[str, str]:
    return {dimension: f"{path}__{column}" for dimension, column in OF_CLIENT.items()}


class Endpoint(models.Model):
    """An address of an API client that hears of events. Never deleted: its log outlives it."""

    VISIBILITY = _through("client")

    class State(models.TextChoices):
        ACTIVE = "ACTIVE", pgettext_lazy("endpoint", "active")
        SUSPENDED = "SUSPENDED", pgettext_lazy("endpoint", "suspended")
        REMOVED = "REMOVED", pgettext_lazy("endpoint", "removed")

    class Language(models.TextChoices):
        CHINESE = "zh-hans", _("Chinese")
        ENGLISH = "en", _("English")

    uid = models.UUIDField(_("endpoint"), default=uuid.uuid4, unique=True, editable=False)
    client = models.ForeignKey(
        ApiClient, verbose_name=_("API client"), on_delete=models.PROTECT, related_name="endpoints"
    )
    url = models.CharField(_("address"), max_length=500)
    events = models.JSONField(_("events"), default=list)  # names of the catalog: "claim.decided"
    language = models.CharField(
        _("language of the words"), max_length=10, choices=Language.choices, default=Language.CHINESE
    )
    contact = models.EmailField(_("contact"), blank=True)
    description = models.CharField(_("description"), max_length=200, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.ACTIVE)
    secret = EncryptedTextField(blank=True)
    previous_secret = EncryptedTextField(blank=True)
    previous_until = models.DateTimeField(_("former secret signs until"), null=True)
    created_at = models.DateTimeField(_("created at"))
    delivered_at = models.DateTimeField(_("last delivered"), null=True)
    failing_since = models.DateTimeField(_("failing since"), null=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    unreachable = models.PositiveSmallIntegerField(default=0)  # in a row: no answer at all
    resting_until = models.DateTimeField(_("resting until"), null=True)
    busy_until = models.DateTimeField(null=True)  # lease of the one worker that sends to it
    suspended_at = models.DateTimeField(_("suspended at"), null=True)
    suspended_for = models.CharField(_("suspended because"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("webhook endpoint")
        verbose_name_plural = _("webhook endpoints")
        indexes = [
            models.Index(fields=["-created_at"], name="endpoint_recent"),
            models.Index(fields=["client"], condition=~Q(state="REMOVED"), name="endpoint_of_client"),
        ]

    def __str__(self) -> str:
        """Short: the place; the whole address stands on the page."""
        return self.description or self.url.partition("://")[2].partition("/")[0]


class EndpointEvent(Immutable):
    """Who changed what about an endpoint, and what the system did to it; append-only."""

    VISIBILITY = _through("endpoint__client")

    class Kind(models.TextChoices):
        CREATED = "CREATED", pgettext_lazy("endpoint", "created")
        CHANGED = "CHANGED", pgettext_lazy("endpoint", "changed")
        ROTATED = "ROTATED", _("secret renewed")
        SUSPENDED = "SUSPENDED", pgettext_lazy("endpoint", "suspended")
        RESUMED = "RESUMED", pgettext_lazy("endpoint", "resumed")
        REMOVED = "REMOVED", pgettext_lazy("endpoint", "removed")
        PINGED = "PINGED", _("tested")
        RESENT = "RESENT", _("sent again")

    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="history")
    at = models.DateTimeField(_("at"))
    kind = models.CharField(_("event"), max_length=10, choices=Kind.choices)
    actor_label = models.CharField(_("by"), max_length=80)
    user = models.ForeignKey(User, null=True, on_delete=models.PROTECT)
    client = models.ForeignKey(ApiClient, null=True, on_delete=models.PROTECT)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    data = models.JSONField(_("details"), default=dict)

    class Meta:
        verbose_name = _("event of an endpoint")
        verbose_name_plural = _("events of endpoints")
        ordering = ["-id"]

    def __str__(self) -> str:
        return str(self.get_kind_display())


class Delivery(models.Model):
    """One event for one endpoint. Written with the event; what is sent is made from these columns."""

    VISIBILITY = {"series": "case__series", **_through("endpoint__client")}

    class State(models.TextChoices):
        QUEUED = "QUEUED", _("queued")
        SENDING = "SENDING", _("sending")
        DELIVERED = "DELIVERED", _("delivered")
        DEAD = "DEAD", _("given up")
        CANCELED = "CANCELED", _("canceled")

    endpoint = models.ForeignKey(
        Endpoint,
        verbose_name=_("endpoint"),
        on_delete=models.PROTECT,
        related_name="deliveries",
        db_index=False,
    )
    message_id = models.CharField(_("message id"), max_length=80)
    version = models.PositiveSmallIntegerField(default=1)  # of the schema
    event = models.CharField(_("event"), max_length=60)
    case = models.ForeignKey(
        CaseFile, verbose_name=_("case"), null=True, on_delete=models.PROTECT, related_name="webhooks"
    )
    seq = models.PositiveIntegerField(_("version of the case"), default=0)
    from_state = models.CharField(max_length=30, blank=True)
    to_state = models.CharField(max_length=30, blank=True)
    occurred_at = models.DateTimeField(_("occurred at"))
    created_at = models.DateTimeField(_("created at"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True)
    error = models.CharField(_("error"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "message_id"], name="webhook_told_once"),
        ]
        indexes = [
            models.Index(
                fields=["endpoint", "next_attempt_at"],
                condition=Q(state__in=["QUEUED", "SENDING"]),
                name="webhook_due",
            ),
            models.Index(
                fields=["endpoint", "case", "id"],
                condition=Q(state__in=["QUEUED", "SENDING"]),
                name="webhook_before",
            ),
            models.Index(fields=["endpoint", "state", "-id"], name="webhook_of_endpoint"),
            models.Index(fields=["-created_at"], name="webhook_recent"),
            models.Index(fields=["state", "-created_at"], name="webhook_state_recent"),
        ]

    def __str__(self) -> str:
        return self.message_id


class Attempt(models.Model):
    """One request and what came back; kept as long as its delivery."""

    VISIBILITY = {"series": "delivery__case__series", **_through("delivery__endpoint__client")}

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="log")
    at = models.DateTimeField(_("at"))
    status = models.PositiveSmallIntegerField(_("status"), null=True)
    took_ms = models.PositiveIntegerField(_("took (ms)"))
    error = models.CharField(_("error"), max_length=300, blank=True)
    answer = models.TextField(_("answer"), blank=True)  # its first bytes

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.status or self.error}"


OPEN: list[Any] = [Delivery.State.QUEUED, Delivery.State.SENDING]
