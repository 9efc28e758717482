"""Electronic cards: one a policy, shown at the hospital's desk, linked with the accounts of the family.

Only greying is stored as a state; whether a card serves on a day follows from its policy's dates.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import models
from django.db.models import Q
from django.dispatch import Signal
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import ApiClient, User
from apps.core.models import Immutable
from apps.members.models import Member, Policy

# Sent with `card` after the commit: what waited for it may go on.
card_restored = Signal()
# Likewise when direct billing with it is stopped: what is booked with it waits.
card_greyed = Signal()
# Sent with `policies` (their primary keys) in the transaction that issues their cards.
cards_issued = Signal()


class CardState(models.TextChoices):
    """What a card is on a day (CRD-01)."""

    PENDING = "PENDING", _("not yet valid")
    ACTIVE = "ACTIVE", _("card valid")
    GREYED = "GREYED", _("greyed")
    EXPIRED = "EXPIRED", _("card ended")


class Card(models.Model):
    """The e-card of one insurance period (CRD-01, CRD-20). The number cannot be guessed: it is what
    the desk types when no code can be scanned."""

    VISIBILITY = {"series": "policy__series", "tpa": "policy__tpa", "member": "member__number"}

    number = models.CharField(_("card number"), max_length=40, unique=True)
    policy = models.OneToOneField(
        Policy, verbose_name=_("policy"), on_delete=models.PROTECT, related_name="card"
    )
    member = models.ForeignKey(
        Member, verbose_name=_("child"), on_delete=models.PROTECT, related_name="cards"
    )
    issued_at = models.DateTimeField(_("issued at"))
    greyed_at = models.DateTimeField(_("greyed at"), null=True, blank=True)
    greyed_for = models.CharField(_("greyed because"), max_length=200, blank=True)
    greyed_rule = models.CharField(_("rule"), max_length=20, blank=True)
    version = models.PositiveIntegerField(default=0)  # compare-and-set of greying

    class Meta:
        verbose_name = _("electronic card")
        verbose_name_plural = _("electronic cards")
        indexes = [
            models.Index(fields=["-issued_at", "-id"], name="card_recent"),
            models.Index(fields=["greyed_at"], name="card_greyed", condition=Q(greyed_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def spaced(self) -> str:
        """'8012 3456 7890 1234', as it is read aloud."""
        return " ".join(self.number[start : start + 4] for start in range(0, len(self.number), 4))

    def state_on(self, day: date) -> CardState:
        """Needs the policy. The end of cover outlasts greying, greying outlasts the start."""
        if day > self.policy.covered_until:
            return CardState.EXPIRED
        if self.greyed_at is not None:
            return CardState.GREYED
        return CardState.ACTIVE if self.policy.in_force_on(day) else CardState.PENDING


class CardEvent(Immutable):
    """What happened to a card after it was issued; append-only."""

    VISIBILITY = {
        "series": "card__policy__series",
        "tpa": "card__policy__tpa",
        "member": "card__member__number",
    }

    class Kind(models.TextChoices):
        BOUND = "BOUND", _("bound")
        UNBOUND = "UNBOUND", _("unbound")
        GREYED = "GREYED", _("greyed")
        RESTORED = "RESTORED", _("restored")

    card = models.ForeignKey(Card, verbose_name=_("card"), on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField(_("at"))
    kind = models.CharField(_("event"), max_length=10, choices=Kind.choices)
    actor_label = models.CharField(_("by"), max_length=80)
    user = models.ForeignKey(User, null=True, on_delete=models.PROTECT)
    client = models.ForeignKey(ApiClient, null=True, on_delete=models.PROTECT)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    rule = models.CharField(_("rule"), max_length=20, blank=True)

    class Meta:
        verbose_name = _("event of a card")
        verbose_name_plural = _("events of cards")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.card_id} {self.kind}"


class Relation(models.TextChoices):
    MOTHER = "MOTHER", _("mother")
    FATHER = "FATHER", _("father")
    GUARDIAN = "GUARDIAN", _("guardian")
    GRANDPARENT = "GRANDPARENT", _("grandparent")
    SELF = "SELF", _("the insured")
    OTHER = "OTHER", _("other")


class CardLink(models.Model):
    """An account of a member front end holds a card: many to many (CRD-04, CRD-25, CRD-27)."""

    VISIBILITY = {
        "series": "card__policy__series",
        "tpa": "card__policy__tpa",
        "member": "card__member__number",
    }

    client = models.ForeignKey(ApiClient, verbose_name=_("front end"), on_delete=models.PROTECT)
    account = models.CharField(_("account"), max_length=64)
    card = models.ForeignKey(Card, verbose_name=_("card"), on_delete=models.PROTECT, related_name="links")
    relation = models.CharField(_("relation"), max_length=12, choices=Relation.choices)
    bound_at = models.DateTimeField(_("bound at"))
    unbound_at = models.DateTimeField(_("unbound at"), null=True, blank=True)

    class Meta:
        verbose_name = _("linked account")
        verbose_name_plural = _("linked accounts")
        constraints = [
            models.UniqueConstraint(
                fields=["client", "account", "card"], condition=Q(unbound_at=None), name="card_linked_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.get_relation_display()}"


class CardCode(models.Model):
    """A one-time code sent to the mobile number of the enrollment (CRD-24). Only its keyed digest is kept."""

    client = models.ForeignKey(ApiClient, on_delete=models.PROTECT)
    account = models.CharField(max_length=64)
    mobile_index = models.CharField(max_length=40)
    series = models.CharField(max_length=10)
    digest = models.CharField(
        max_length=40, blank=True
    )  # '' where no such child is enrolled: nothing was sent
    created_at = models.DateTimeField(db_index=True)
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("one-time code")
        verbose_name_plural = _("one-time codes")
        indexes = [
            models.Index(fields=["mobile_index", "-created_at"], name="card_code_of_mobile"),
            models.Index(fields=["client", "account", "-created_at"], name="card_code_of_account"),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.created_at:%Y-%m-%d %H:%M}"


class BindingFailure(Immutable):
    """A family could not bind its card: what the hotline needs when they call (CRD-07, CRD-26)."""

    VISIBILITY = {"series": "series"}

    at = models.DateTimeField(_("at"), db_index=True)
    client = models.ForeignKey(ApiClient, verbose_name=_("front end"), on_delete=models.PROTECT)
    account = models.CharField(_("account"), max_length=64)
    series = models.CharField(_("series"), max_length=10)
    code = models.CharField(_("what failed"), max_length=40)
    rule = models.CharField(_("rule"), max_length=20, blank=True)
    words = models.CharField(_("told"), max_length=400)
    tried: Any = models.CharField(_("tried with"), max_length=80, blank=True)  # masked

    class Meta:
        verbose_name = _("failed binding")
        verbose_name_plural = _("failed bindings")
        indexes = [models.Index(fields=["client", "account", "-at"], name="card_failure_of_account")]

    def __str__(self) -> str:
        return f"{self.account} {self.code}"
