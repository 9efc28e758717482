"""Papers on a case, the register of bills, and letters."""

from __future__ import annotations

import secrets

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.cases.models import CaseFile


def _token() -> str:
    return secrets.token_urlsafe(24)


class StoredFile(models.Model):
    """A file as it came, named by its SHA-256; the same bytes are kept once."""

    sha256 = models.CharField("SHA-256", max_length=64, unique=True)
    name = models.CharField(_("file name"), max_length=200)
    content_type = models.CharField(_("type"), max_length=80)
    size = models.PositiveBigIntegerField(_("size"))
    pages = models.PositiveIntegerField(_("pages"), default=1)
    path = models.CharField(max_length=200)
    stored_at = models.DateTimeField(_("stored at"), auto_now_add=True)

    class Meta:
        verbose_name = _("stored file")
        verbose_name_plural = _("stored files")

    def __str__(self) -> str:
        return self.name


class Paper(models.Model):
    """One paper on a case. `kind` is a document key of the handbook ("INVOICE").

    The ticks are set by a person looking at the picture; None = not looked at yet.
    """

    VISIBILITY = {
        "series": "case__series",
        "tpa": "case__tpa",
        "hospital": "case__hospital__code",
        "provider": "case__provider",
        "member": "case__member__number",
    }

    class Form(models.TextChoices):
        ORIGINAL = "ORIGINAL", _("original")
        COPY = "COPY", _("copy")
        IMAGE = "IMAGE", _("scan or photo")
        E_SIGNED = "E_SIGNED", _("signed electronically")
        SOURCE_FILE = "SOURCE_FILE", _("source file of an electronic bill")
        DATA = "DATA", _("entered data")

    case = models.ForeignKey(CaseFile, on_delete=models.PROTECT, related_name="papers")
    kind = models.CharField(_("kind"), max_length=40)
    form = models.CharField(_("form"), max_length=12, choices=Form.choices, default=Form.IMAGE)
    file = models.ForeignKey(
        StoredFile, verbose_name=_("file"), null=True, on_delete=models.PROTECT, related_name="papers"
    )
    pages = models.PositiveSmallIntegerField(_("pages"), default=1)
    subject = models.CharField(_("about"), max_length=60, blank=True)  # INSURED | PAYEE | bill:<id>
    legible = models.BooleanField(_("legible"), null=True)
    color = models.BooleanField(_("in color"), null=True)
    annotated = models.BooleanField(_("annotation seen"), null=True)
    signed = models.BooleanField(_("signed"), null=True)
    has_photo = models.BooleanField(_("with photo"), null=True)
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
    verification = models.CharField(_("verification result"), max_length=200, blank=True)  # PR-01
    usable = models.BooleanField(_("usable"), default=True)
    note = models.CharField(_("note"), max_length=200, blank=True)
    received_at = models.DateTimeField(_("received at"))
    checked_by_label = models.CharField(_("checked by"), max_length=80, blank=True)
    checked_at = models.DateTimeField(_("checked at"), null=True)
    retain_until = models.DateField(_("keep until"), null=True)  # LAW-08

    class Meta:
        verbose_name = _("paper")
        verbose_name_plural = _("papers")
        indexes = [
            models.Index(fields=["case", "kind"], name="paper_case_kind"),
            models.Index(fields=["-received_at", "id"], name="paper_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.pk})"


class BillRegister(models.Model):
    """Every bill ever claimed, once (LAW-11, PR-01). Unique on its identity in the database.

    `identity` is canonical: "FISCAL:0102030405:1234567890" — an e-bill and its paper exchange
    share it. A withdrawn or refused claim releases its bills (`released_at`).
    """

    VISIBILITY = {
        "series": "case__series",
        "tpa": "case__tpa",
        "hospital": "case__hospital__code",
        "member": "case__member__number",
    }

    identity = models.CharField(_("bill identity"), max_length=80)
    number = models.CharField(_("bill number"), max_length=20, db_index=True)  # the last part, for searching
    case = models.ForeignKey(CaseFile, on_delete=models.PROTECT, related_name="registered_bills")
    amount_fen = models.BigIntegerField(_("amount (fen)"))
    issued_on = models.DateField(_("issued on"))
    registered_at = models.DateTimeField(_("registered at"), auto_now_add=True)
    released_at = models.DateTimeField(_("released at"), null=True)

    class Meta:
        verbose_name = _("registered bill")
        verbose_name_plural = _("bill register")
        constraints = [
            models.UniqueConstraint(
                fields=["identity"], condition=models.Q(released_at__isnull=True), name="bill_registered_once"
            )
        ]
        indexes = [models.Index(fields=["-registered_at", "-id"], name="bill_register_recent")]

    def __str__(self) -> str:
        return self.identity


class Letter(models.Model):
    """A numbered letter. Its `context` is all the template needs; the PDF is rendered after commit."""

    VISIBILITY = {
        "series": "case__series",
        "tpa": "case__tpa",
        "hospital": "case__hospital__code",
        "member": "case__member__number",
    }

    class Kind(models.TextChoices):
        ACCEPTANCE = "ACCEPTANCE", _("acceptance notice")
        SUPPLEMENT = "SUPPLEMENT", _("supplement notice")
        EOB = "EOB", _("explanation of benefits")
        REFUSAL = "REFUSAL", _("refusal letter")
        GUARANTEE = "GUARANTEE", _("guarantee letter")
        RECOVERY = "RECOVERY", _("request for refund")
        FORMS = "FORMS", _("blank forms")
        APPEAL_ACK = "APPEAL_ACK", _("acknowledgement of an appeal")
        APPEAL_REPLY = "APPEAL_REPLY", _("answer to an appeal")
        ENTRUSTMENT = "ENTRUSTMENT", _("entrustment letter")
        ADVANCE_END = "ADVANCE_END", _("notice that an advance ended")
        DIFFERENCE = "DIFFERENCE", _("request for the difference of an advance")

    class State(models.TextChoices):
        QUEUED = "QUEUED", _("being rendered")
        RENDERED = "RENDERED", _("rendered")
        SENT = "SENT", _("sent")
        SUPERSEDED = "SUPERSEDED", _("superseded")
        VOID = "VOID", _("void")
        FAILED = "FAILED", _("could not be rendered")

    case = models.ForeignKey(CaseFile, on_delete=models.PROTECT, related_name="letters")
    number = models.CharField(_("letter number"), max_length=30)
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    language = models.CharField(max_length=10, default="zh-hans")
    context = models.JSONField()
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.QUEUED)
    token = models.CharField(max_length=40, unique=True, default=_token, editable=False)
    valid_until = models.DateField(_("valid until"), null=True)  # inclusive; None: for good
    sha256 = models.CharField("SHA-256", max_length=64, blank=True)
    file = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="letters")
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(null=True)  # lease of a renderer, then back-off
    error = models.TextField(_("error"), blank=True)
    created_at = models.DateTimeField(_("created at"))
    rendered_at = models.DateTimeField(_("rendered at"), null=True)
    sent_at = models.DateTimeField(_("sent at"), null=True)

    class Meta:
        verbose_name = _("letter")
        verbose_name_plural = _("letters")
        constraints = [models.UniqueConstraint(fields=["number", "version"], name="letter_version_once")]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=models.Q(state="QUEUED"), name="letter_queue"),
            models.Index(fields=["case", "kind"], name="letter_case_kind"),
            models.Index(fields=["-created_at"], name="letter_recent"),
            models.Index(fields=["state", "-created_at"], name="letter_state_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.number} v{self.version}"
