"""Policies, insured children and guardians. Written by the roster import only.

What is derived from personal data (pinyin, blind indexes, masks) is filled by `derive()` and nowhere
else: `save()` calls it, bulk writers call it themselves.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib.admin import display
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.dispatch import Signal
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.core.crypto import EncryptedTextField, blind_index, mask
from apps.members.names import mask_email, mask_name, reading
from apps.products.models import Plan

ID_SPACE, MOBILE_SPACE = "id_number", "mobile"  # number spaces of the blind index


class IdType(models.TextChoices):
    RESIDENT_ID = "RESIDENT_ID", _("resident identity card")
    PASSPORT = "PASSPORT", _("passport")
    HK_MACAO_PERMIT = "HK_MACAO_PERMIT", _("Hong Kong/Macao permit")
    TAIWAN_PERMIT = "TAIWAN_PERMIT", _("Taiwan permit")
    RESIDENCE_PERMIT = "RESIDENCE_PERMIT", _("residence permit")
    BIRTH_CERTIFICATE = "BIRTH_CERTIFICATE", _("birth certificate")
    HOUSEHOLD_REGISTER = "HOUSEHOLD_REGISTER", _("household register")
    OTHER = "OTHER", _("other")


def id_index(number: str) -> str:
    """Blind index of an identity number of any kind; '' for none."""
    return blind_index(number, ID_SPACE) if number else ""


def mobile_index(number: str) -> str:
    return blind_index(number, MOBILE_SPACE) if number else ""


class Person(models.Model):
    """What is derived from an identity number and a mobile number, in one place."""

    name: Any
    id_number: Any
    mobile: Any
    email: Any

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.derive()
        super().save(*args, **kwargs)

    def derive(self) -> None:
        """Fill indexes and masks from the clear values."""
        self.id_index, self.id_masked = id_index(self.id_number), mask(self.id_number)[:40]
        self.mobile_index, self.mobile_masked = mobile_index(self.mobile), mask(self.mobile)[:20]

    @property
    @display(description=pgettext_lazy("person", "name"))
    def masked_name(self) -> str:
        return mask_name(self.name)

    @property
    @display(description=_("email"))
    def masked_email(self) -> str:
        return mask_email(self.email) if self.email else ""


class Member(Person):
    """One insured child. One row per person, however many policies (natural key: id type + number)."""

    VISIBILITY = {"series": "policies__series", "tpa": "policies__tpa", "member": "number"}

    number = models.CharField(_("member number"), max_length=40, unique=True)
    name = models.CharField(pgettext_lazy("person", "name"), max_length=80, db_index=True)
    pinyin = models.CharField(max_length=200, blank=True, db_index=True, editable=False)  # "wangxiaoming"
    initials = models.CharField(max_length=20, blank=True, db_index=True, editable=False)  # "wxm"
    sex = models.CharField(_("sex"), max_length=1, choices=[("M", _("male")), ("F", _("female"))])
    birth_date = models.DateField(_("date of birth"))
    id_type = models.CharField(_("identity type"), max_length=20, choices=IdType.choices)
    id_number = EncryptedTextField(_("identity number"))
    id_index = models.CharField(max_length=40, db_index=True, editable=False)
    id_masked = models.CharField(_("identity number"), max_length=40, editable=False)
    mobile = EncryptedTextField(_("mobile"), blank=True)
    mobile_index = models.CharField(max_length=40, blank=True, db_index=True, editable=False)
    mobile_masked = models.CharField(_("mobile"), max_length=20, blank=True, editable=False)
    email = models.EmailField(_("email"), blank=True)
    nationality = models.CharField(_("nationality"), max_length=40, default="CN")
    social_insurance = models.BooleanField(_("has social insurance"), default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("insured child")
        verbose_name_plural = _("insured children")
        constraints = [models.UniqueConstraint(fields=["id_type", "id_index"], name="member_identity_once")]
        indexes = [models.Index(Lower("email"), name="member_email", condition=~Q(email=""))]

    def __str__(self) -> str:
        return self.masked_name

    def derive(self) -> None:
        super().derive()
        self.pinyin, self.initials = reading(self.name)


class FormerIdentity(models.Model):
    """An identity paper a child was known by before: the birth certificate before the identity card.

    Keeps a child one person when the next roster names another paper, and findable by the old one.
    """

    VISIBILITY = {
        "series": "member__policies__series",
        "tpa": "member__policies__tpa",
        "member": "member__number",
    }

    member = models.ForeignKey(
        Member, verbose_name=_("child"), on_delete=models.PROTECT, related_name="former_identities"
    )
    id_type = models.CharField(_("identity type"), max_length=20, choices=IdType.choices)
    id_number = EncryptedTextField(_("identity number"))
    id_index = models.CharField(max_length=40, db_index=True, editable=False)
    id_masked = models.CharField(_("identity number"), max_length=40, editable=False)
    replaced_at = models.DateTimeField(_("replaced at"), auto_now_add=True)

    class Meta:
        verbose_name = _("former identity")
        verbose_name_plural = _("former identities")
        constraints = [models.UniqueConstraint(fields=["id_type", "id_index"], name="former_identity_once")]

    def __str__(self) -> str:
        return self.id_masked


class Guardian(Person):
    """Parent or guardian; often policyholder and payee."""

    VISIBILITY = {
        "series": "member__policies__series",
        "tpa": "member__policies__tpa",
        "member": "member__number",
    }

    class Relation(models.TextChoices):
        MOTHER = "MOTHER", _("mother")
        FATHER = "FATHER", _("father")
        GUARDIAN = "GUARDIAN", _("guardian")

    member = models.ForeignKey(
        Member, verbose_name=_("child"), on_delete=models.PROTECT, related_name="guardians"
    )
    name = models.CharField(pgettext_lazy("person", "name"), max_length=80)
    relation = models.CharField(_("relation"), max_length=20, choices=Relation.choices)
    id_type = models.CharField(_("identity type"), max_length=20, choices=IdType.choices, blank=True)
    id_number = EncryptedTextField(_("identity number"), blank=True)
    id_index = models.CharField(max_length=40, blank=True, db_index=True, editable=False)
    id_masked = models.CharField(_("identity number"), max_length=40, blank=True, editable=False)
    mobile = EncryptedTextField(_("mobile"), blank=True)
    mobile_index = models.CharField(max_length=40, blank=True, db_index=True, editable=False)
    mobile_masked = models.CharField(_("mobile"), max_length=20, blank=True, editable=False)
    email = models.EmailField(_("email"), blank=True)
    is_policyholder = models.BooleanField(_("policyholder"), default=False)

    class Meta:
        verbose_name = _("guardian")
        verbose_name_plural = _("guardians")
        constraints = [models.UniqueConstraint(fields=["member", "relation", "name"], name="guardian_once")]
        indexes = [models.Index(Lower("email"), name="guardian_email", condition=~Q(email=""))]

    def __str__(self) -> str:
        return self.masked_name


# Sent with `policies` (saved ones, new or changed) inside the transaction that wrote them.
policies_written = Signal()


class PolicyQuerySet(models.QuerySet["Policy"]):
    def in_force_on(self, day: date) -> PolicyQuerySet:
        """Policies whose cover includes the day; the same test as `Policy.in_force_on`."""
        return self.filter(
            Q(ended_on__isnull=True) | Q(ended_on__gte=day), effective_on__lte=day, expires_on__gte=day
        ).exclude(status=Policy.Status.PENDING)


class Policy(models.Model):
    """One insurance period of one child; the insurance year of every limit (REC-02).

    `status` is what the insurer said last and speaks of the day of the roster. Whether the policy
    covers a *service date* is told by its dates (C9): a policy terminated in May still covered April.
    Only PENDING (applied for, not issued) covers nothing whatever its dates.
    """

    VISIBILITY = {"series": "series", "tpa": "tpa", "member": "member__number"}

    class Status(models.TextChoices):
        IN_FORCE = "IN_FORCE", _("in force")
        PENDING = "PENDING", _("not yet in force")
        LAPSED = "LAPSED", _("lapsed")
        TERMINATED = "TERMINATED", _("terminated")

    class Channel(models.TextChoices):
        ONLINE = "ONLINE", _("online")
        PAPER = "PAPER", _("on paper")

    number = models.CharField(_("policy number"), max_length=40)
    certificate = models.CharField(_("certificate number"), max_length=40, blank=True, db_index=True)
    member = models.ForeignKey(
        Member, verbose_name=_("child"), on_delete=models.PROTECT, related_name="policies"
    )
    policyholder = models.ForeignKey(
        Guardian,
        verbose_name=_("policyholder"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="policies",
    )
    plan = models.ForeignKey(Plan, verbose_name=_("plan"), on_delete=models.PROTECT, related_name="policies")
    scheme = models.CharField(_("scheme"), max_length=40, blank=True)  # beside the plan (GEN-02)
    series = models.CharField(_("series"), max_length=10, db_index=True)
    tpa = models.CharField(_("TPA"), max_length=40, blank=True, db_index=True)
    status = models.CharField(_("status"), max_length=12, choices=Status.choices)
    concluded_on = models.DateField(_("concluded on"), null=True, blank=True)
    effective_on = models.DateField(_("effective on"))
    expires_on = models.DateField(_("expires on"))  # inclusive
    ended_on = models.DateField(_("ended early on"), null=True, blank=True)  # last day of cover
    continuous_since = models.DateField(_("continuously insured since"))
    renewed = models.BooleanField(_("renewed"), default=False)
    enrolled_with_social = models.BooleanField(_("enrolled with social insurance"), default=False)
    enroll_channel = models.CharField(
        _("enrollment channel"), max_length=10, choices=Channel.choices, default=Channel.ONLINE
    )
    riders = models.JSONField(_("riders"), default=list, blank=True)
    exclusions = models.JSONField(_("excluded diagnoses"), default=list, blank=True)
    special_agreement = models.TextField(_("special agreement"), blank=True)
    edition = models.CharField(_("edition"), max_length=40, blank=True)  # 即时版 (GEN-02)

    objects = PolicyQuerySet.as_manager()

    class Meta:
        verbose_name = _("policy")
        verbose_name_plural = _("policies")
        constraints = [
            models.UniqueConstraint(fields=["number", "member"], name="policy_member_once"),
            models.CheckConstraint(
                condition=models.Q(expires_on__gte=models.F("effective_on")), name="policy_period"
            ),
        ]
        indexes = [
            models.Index(fields=["member", "effective_on"], name="policy_member_period"),
            models.Index(fields=["-effective_on", "-id"], name="policy_recent"),
        ]

    def __str__(self) -> str:
        return self.number

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Bulk writers tell `policies_written` themselves."""
        super().save(*args, **kwargs)
        policies_written.send(Policy, policies=[self])

    @property
    def covered_until(self) -> date:
        """The last day of cover, inclusive; the day before `effective_on` when it never began."""
        return min(self.expires_on, self.ended_on) if self.ended_on else self.expires_on

    def in_force_on(self, day: date) -> bool:
        return self.status != self.Status.PENDING and self.effective_on <= day <= self.covered_until

    def status_on(self, day: date) -> Policy.Status:
        """The status for a service date, e.g. for the facts of a claim."""
        if self.in_force_on(day):
            return self.Status.IN_FORCE
        if self.status == self.Status.PENDING or day < self.effective_on:
            return self.Status.PENDING
        if self.ended_on and self.status == self.Status.TERMINATED:
            return self.Status.TERMINATED
        return self.Status.LAPSED


class BrandLock(models.Model):
    """The clinic brand of the first visit made: vaccine, dental or eye care of the period stays there.

    VAC-04, VAC-22: set by a completed visit, never by a booking. `visit` is the number of its case;
    after a transfer `brand` is the new one, and what is left of the benefit is left there (VAC-05).
    """

    VISIBILITY = {"series": "policy__series", "tpa": "policy__tpa", "member": "policy__member__number"}

    policy = models.ForeignKey(
        Policy, verbose_name=_("policy"), on_delete=models.PROTECT, related_name="brand_locks"
    )
    benefit = models.CharField(_("benefit"), max_length=30)
    brand = models.CharField(_("clinic brand"), max_length=120)
    visited_on = models.DateField(_("first visit"))
    visit = models.CharField(_("case"), max_length=30)

    class Meta:
        verbose_name = _("brand lock")
        verbose_name_plural = _("brand locks")
        constraints = [models.UniqueConstraint(fields=["policy", "benefit"], name="one_brand_a_benefit")]

    def __str__(self) -> str:
        return f"{self.policy_id} {self.benefit}: {self.brand}"


class BrandTransfer(models.Model):
    """A child is to go on at another brand: asked for, then granted or refused by somebody else."""

    VISIBILITY = {
        "series": "lock__policy__series",
        "tpa": "lock__policy__tpa",
        "member": "lock__policy__member__number",
    }

    class State(models.TextChoices):
        ASKED = "ASKED", _("asked")
        GRANTED = "GRANTED", pgettext_lazy("brand transfer", "granted")
        REFUSED = "REFUSED", pgettext_lazy("brand transfer", "refused")

    lock = models.ForeignKey(
        BrandLock, verbose_name=_("brand lock"), on_delete=models.PROTECT, related_name="transfers"
    )
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.ASKED)
    from_brand = models.CharField(_("from brand"), max_length=120)
    to_brand = models.CharField(_("to brand"), max_length=120)
    rule = models.CharField(_("rule"), max_length=20)
    reason = models.CharField(_("reason"), max_length=400)
    asked_by = models.CharField(_("asked by"), max_length=80)
    asked_key = models.CharField(max_length=40)  # `Actor.key`: who asks does not decide
    asked_at = models.DateTimeField(_("asked at"))
    answer = models.CharField(_("answer"), max_length=400, blank=True)
    decided_by = models.CharField(_("decided by"), max_length=80, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)

    class Meta:
        verbose_name = _("brand transfer")
        verbose_name_plural = _("brand transfers")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["lock"], condition=Q(state="ASKED"), name="brand_transfer_one_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.from_brand} → {self.to_brand}"
