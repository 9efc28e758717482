"""Two books: limits used and reserved, and money owed. Integer fen (or counts); append-only."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.core.models import Immutable
from apps.members.models import Policy


class LimitAccount(models.Model):
    """One ceiling of one policy period; carries the balance under CHECK constraints.

    `key` is the accumulator key of the decision core (`adjudication.accumulators`).
    """

    VISIBILITY = {"series": "policy__series", "tpa": "policy__tpa", "member": "policy__member__number"}

    policy = models.ForeignKey(
        Policy, verbose_name=_("policy"), on_delete=models.PROTECT, related_name="limits"
    )
    key = models.CharField(_("limit"), max_length=80)
    unit = models.CharField(_("unit"), max_length=6, choices=[("FEN", _("fen")), ("COUNT", _("times"))])
    ceiling = models.BigIntegerField(_("ceiling"))
    used = models.BigIntegerField(_("used"), default=0)
    reserved = models.BigIntegerField(_("reserved"), default=0)

    class Meta:
        verbose_name = _("limit")
        verbose_name_plural = _("limits")
        constraints = [
            models.UniqueConstraint(fields=["policy", "key"], name="limit_once"),
            models.CheckConstraint(condition=Q(used__gte=0) & Q(reserved__gte=0), name="limit_not_negative"),
            models.CheckConstraint(
                condition=Q(ceiling__gte=F("used") + F("reserved")), name="limit_not_exceeded"
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def left(self) -> int:
        return self.ceiling - self.used - self.reserved


class LimitEntry(Immutable):
    """One movement of a limit. Corrections are reversals; `reference` is "case number/version"."""

    class Kind(models.TextChoices):
        USE = "USE", _("used")
        RESERVE = "RESERVE", _("reserved")
        RELEASE = "RELEASE", pgettext_lazy("limit", "released")
        REVERSAL = "REVERSAL", _("reversed")

    account = models.ForeignKey(LimitAccount, on_delete=models.PROTECT, related_name="entries")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    used = models.BigIntegerField(_("used"))  # signed change
    reserved = models.BigIntegerField(_("reserved"), default=0)  # signed change
    reference = models.CharField(_("reference"), max_length=60, db_index=True)
    service_date = models.DateField(_("service date"), null=True)
    reverses = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="reversed_by")
    at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        verbose_name = _("limit entry")
        verbose_name_plural = _("limit entries")
        constraints = [
            models.UniqueConstraint(fields=["account", "reference", "kind"], name="limit_entry_once"),
        ]


class MoneyAccount(models.Model):
    """What is owed to or by one party for one case ("payable:C26-000412:MEMBER").

    `balance` > 0: we owe the party; < 0: the party owes us. `settled` is what was paid and not returned.
    """

    key = models.CharField(_("account"), max_length=100, unique=True)
    party = models.CharField(_("party"), max_length=20)  # MEMBER | HOSPITAL | PROVIDER
    reference = models.CharField(_("case"), max_length=40, db_index=True)
    series = models.CharField(_("series"), max_length=10)
    tpa = models.CharField(_("TPA"), max_length=40, blank=True)
    balance = models.BigIntegerField(_("balance (fen)"), default=0)
    settled = models.BigIntegerField(_("settled (fen)"), default=0)

    class Meta:
        verbose_name = _("money account")
        verbose_name_plural = _("money accounts")

    def __str__(self) -> str:
        return self.key


class MoneyEntry(Immutable):
    """One posting: DUE raises what we owe, PAID lowers it, RETURNED and REVERSAL undo.

    REFUND is what the party paid back, WRITE_OFF what we do not pursue (on a contra account of its own).
    """

    class Kind(models.TextChoices):
        DUE = "DUE", _("due")
        PAID = "PAID", pgettext_lazy("state of a payment", "paid")
        RETURNED = "RETURNED", _("returned by bank")
        REVERSAL = "REVERSAL", _("reversed")
        REFUND = "REFUND", _("paid back")
        WRITE_OFF = "WRITE_OFF", _("written off")

    account = models.ForeignKey(MoneyAccount, on_delete=models.PROTECT, related_name="entries")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    amount = models.BigIntegerField(_("amount (fen)"))  # signed effect on balance
    reference = models.CharField(_("reference"), max_length=80)
    at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        verbose_name = _("money entry")
        verbose_name_plural = _("money entries")
        constraints = [
            models.UniqueConstraint(fields=["account", "reference", "kind"], name="money_entry_once")
        ]
