"""People, roles and machines that act on cases."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from apps.accounts.codes import validate_codes
from apps.accounts.parties import refuse_strangers
from apps.core.models import Immutable


class Team(models.Model):
    """A group with one work queue. `tpa` names the administrator it belongs to ("" = insurer)."""

    code = models.CharField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)
    tpa = models.CharField(_("TPA"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")

    def __str__(self) -> str:
        return self.name


class Role(models.Model):
    """A set of actions (each action names its roles by code) and an authority limit in fen.

    The codes stand in `accounts.roles`; names and limits are the house's own and may be edited.
    """

    code = models.CharField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=80)
    name_en = models.CharField(_("English name"), max_length=80, blank=True)
    authority_fen = models.BigIntegerField(
        _("authority (fen)"), default=0, help_text=_("Highest insurer amount this role may decide alone.")
    )
    # A higher limit waits here until a second administrator confirms it.
    asked_fen = models.BigIntegerField(_("higher limit asked for (fen)"), null=True, editable=False)
    asked_by = models.ForeignKey(
        "accounts.User", verbose_name=_("asked by"), null=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )  # fmt: skip

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        constraints = [
            models.CheckConstraint(condition=models.Q(authority_fen__gte=0), name="role_authority_positive")
        ]

    def __str__(self) -> str:
        chinese = (get_language() or "zh-hans").startswith("zh")
        return self.name if chinese or not self.name_en else self.name_en


class Scope(models.Model):
    """What an actor may see. Empty = no restriction on that dimension.

    Codes instead of foreign keys, since hospitals and members stand below accounts in the house.
    """

    series = models.JSONField(_("series"), default=list, blank=True, validators=[validate_codes])
    tpa = models.CharField(_("TPA"), max_length=40, blank=True)
    hospital = models.CharField(_("hospital code"), max_length=40, blank=True)
    provider = models.CharField(_("provider code"), max_length=40, blank=True)
    member = models.CharField(_("member number"), max_length=40, blank=True)

    class Meta:
        abstract = True

    def refuse_strangers(self) -> None:
        """`ValidationError` when a code stands for nothing: it would show nothing, and say nothing of it."""
        refuse_strangers({name: getattr(self, name) for name in ("series", "tpa", "hospital", "member")})


class User(AbstractUser, Scope):
    """Staff of the insurer or of a TPA."""

    name = models.CharField(pgettext_lazy("person", "name"), max_length=80, blank=True)
    team = models.ForeignKey(Team, verbose_name=_("team"), null=True, blank=True, on_delete=models.PROTECT)
    roles = models.ManyToManyField(Role, verbose_name=_("roles"), blank=True, related_name="users")

    class Meta(AbstractUser.Meta):
        verbose_name = _("user")  # type: ignore[assignment]
        verbose_name_plural = _("users")  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.name or self.username

    def get_full_name(self) -> str:
        """What the foot of the sidebar shows."""
        return str(self)

    def clean(self) -> None:
        super().clean()
        self.refuse_strangers()


class ApiClient(Scope):
    """A machine: hospital, TPA, provider or member front end. The key itself is never stored."""

    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(
        _("kind"),
        max_length=20,
        choices=[
            ("HOSPITAL", _("hospital")),
            ("TPA", _("TPA")),
            ("PROVIDER", _("service provider")),
            ("MEMBER_APP", _("member front end")),
        ],
    )
    prefix = models.CharField(_("key prefix"), max_length=12, unique=True, editable=False)
    key_digest = models.CharField(max_length=64, editable=False)
    scopes = models.JSONField(
        _("scopes"), default=list, validators=[validate_codes], help_text=_("e.g. claims:write, claims:read")
    )
    active = models.BooleanField(_("active"), default=True)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    PARTIES = {"HOSPITAL": "hospital", "TPA": "tpa", "PROVIDER": "provider"}

    # What frameworks ask of a `request.user`: a client is somebody, and never staff.
    is_authenticated = True
    is_anonymous = False
    is_staff = False
    is_superuser = False

    class Meta:
        verbose_name = _("API client")
        verbose_name_plural = _("API clients")

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        return self.active

    def clean(self) -> None:
        """A machine that acts for one party must name it, as it is registered: empty would mean all of them."""
        field = self.PARTIES.get(self.kind)
        if field and not getattr(self, field):
            raise ValidationError({field: ValidationError(_("Say whose machine this is."), code="required")})
        self.refuse_strangers()


class AccessLog(Immutable):
    """Somebody read sensitive data: a masked value revealed, a medical paper opened (LAW-09).

    Neither user nor client: the system itself or a command on the server.
    """

    at = models.DateTimeField(_("at"), auto_now_add=True, db_index=True)
    user = models.ForeignKey(User, verbose_name=_("user"), null=True, on_delete=models.PROTECT)
    client = models.ForeignKey(ApiClient, verbose_name=_("API client"), null=True, on_delete=models.PROTECT)
    # "member:M000123"
    subject = models.CharField(pgettext_lazy("access log", "subject"), max_length=80, db_index=True)
    what = models.CharField(_("what"), max_length=80)  # "id_number", "paper:INVOICE"
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    request_id = models.CharField(_("request id"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("access to sensitive data")
        verbose_name_plural = _("accesses to sensitive data")

    def __str__(self) -> str:
        return f"{self.subject} {self.what}"
