"""The mailroom's rows. E-mail: mailboxes of the handbooks, the messages that reached them, their files.

A message is no case: most have no child yet, and a case file has one from its first day. It has a small
state of its own, changed by compare-and-set on `version` (`actions.emails`), and a worklist.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.accounts.models import User
from apps.cases.models import CaseFile
from apps.core.crypto import EncryptedTextField
from apps.core.models import Immutable
from apps.documents.models import Paper, StoredFile
from apps.members.models import Member
from apps.messaging.models import Message


class Mailbox(models.Model):
    """An address that a handbook prints (RMB-26, RMB-38, PA-04), and how far it was read.

    Made from the handbooks (`inbox.mailboxes`); whose server it is, is a setting.
    """

    VISIBILITY = {"series": "series", "tpa": "tpa"}

    address = models.EmailField(_("address"), unique=True)
    series = models.CharField(_("series"), max_length=10)  # the newest that prints it
    tpa = models.CharField(_("TPA"), max_length=40, blank=True)
    key = models.CharField(_("contact"), max_length=40)  # claims_mailbox | authorization_mailbox
    rule = models.CharField(_("rule id"), max_length=12)
    uid_validity = models.PositiveBigIntegerField(default=0)
    last_uid = models.PositiveBigIntegerField(default=0)
    polled_at = models.DateTimeField(_("read at"), null=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    error = models.CharField(_("error"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("mailbox")
        verbose_name_plural = _("mailboxes")

    def __str__(self) -> str:
        return self.address


class Email(models.Model):
    """One message that reached a mailbox; `raw` is all of it (or, when too large, its beginning)."""

    VISIBILITY = {"series": "series", "tpa": "tpa"}

    class State(models.TextChoices):
        NEW = "NEW", pgettext_lazy("e-mail", "unmatched")
        MATCHED = "MATCHED", pgettext_lazy("e-mail", "matched")  # by the house
        FILED = "FILED", pgettext_lazy("e-mail", "filed")  # by a person
        DISMISSED = "DISMISSED", pgettext_lazy("e-mail", "dismissed")
        REFUSED = "REFUSED", pgettext_lazy("e-mail", "refused")

    class Automatic(models.TextChoices):
        REPLY = "REPLY", _("automatic reply")
        BOUNCE = "BOUNCE", _("could not be delivered")
        LIST = "LIST", _("mailing list")

    mailbox = models.ForeignKey(
        Mailbox, verbose_name=_("mailbox"), on_delete=models.PROTECT, related_name="emails"
    )
    series = models.CharField(_("series"), max_length=10)
    tpa = models.CharField(_("TPA"), max_length=40, blank=True)
    identity = models.CharField(max_length=64)
    message_id = models.CharField("Message-ID", max_length=260, blank=True, db_index=True)
    references = models.JSONField(default=list)
    raw = models.ForeignKey(StoredFile, on_delete=models.PROTECT, related_name="emails")
    whole = models.BooleanField(_("kept whole"), default=True)
    size = models.PositiveBigIntegerField(_("size"))
    received_at = models.DateTimeField(_("received at"))  # by the mail server, not by the header
    sent_at = models.DateTimeField(_("sent at"), null=True)
    sender = EncryptedTextField(_("sender"), blank=True)
    sender_name = EncryptedTextField(_("name of the sender"), blank=True)
    sender_masked = models.CharField(_("sender"), max_length=120, blank=True)
    sender_index = models.CharField(max_length=40, blank=True, db_index=True)
    reply_to = EncryptedTextField(blank=True)
    recipients = models.PositiveIntegerField(_("recipients"), default=0)
    subject = models.CharField(
        pgettext_lazy("e-mail", "subject"), max_length=200, blank=True
    )  # for lists: long numbers masked
    subject_whole = EncryptedTextField(blank=True)
    text = EncryptedTextField(_("text"), blank=True)
    cut = models.BooleanField(default=False)  # the text was longer than what is shown
    automatic = models.CharField(_("automatic"), max_length=8, blank=True, choices=Automatic.choices)
    defects = models.JSONField(default=list)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.NEW)
    reason = models.CharField(_("reason"), max_length=30, blank=True)  # code: see `reasons`
    note = models.CharField(_("note"), max_length=500, blank=True)
    settled = models.BooleanField(default=False)  # the house has tried to file it
    case = models.ForeignKey(
        CaseFile, verbose_name=_("case"), null=True, on_delete=models.PROTECT, related_name="emails"
    )
    suggested = models.ForeignKey(
        CaseFile, verbose_name=_("perhaps"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    why = models.CharField(_("found by"), max_length=30, blank=True)  # code of `matching`
    member = models.ForeignKey(
        Member, verbose_name=_("child"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    opened_at = models.DateTimeField(_("read at"), null=True)
    opened_by = models.CharField(_("read by"), max_length=80, blank=True)
    handled_at = models.DateTimeField(_("handled at"), null=True)
    handled_by = models.CharField(_("handled by"), max_length=80, blank=True)
    handler = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    version = models.PositiveIntegerField(default=1)
    stored_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("e-mail")
        verbose_name_plural = _("e-mail inbox")
        constraints = [models.UniqueConstraint(fields=["mailbox", "identity"], name="email_once")]
        indexes = [
            models.Index(fields=["-received_at"], name="email_recent"),
            models.Index(fields=["state", "-received_at"], name="email_state"),
            models.Index(fields=["id"], condition=models.Q(settled=False), name="email_unsettled"),
        ]

    def __str__(self) -> str:
        return self.subject or f"#{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.state in (self.State.NEW, self.State.REFUSED)


class EmailFile(models.Model):
    """A file in a message: kept like a paper, or named with the reason why it was refused."""

    VISIBILITY = {"series": "email__series", "tpa": "email__tpa"}

    email = models.ForeignKey(Email, on_delete=models.PROTECT, related_name="files")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(_("file name"), max_length=200)
    claimed_type = models.CharField(max_length=100, blank=True)
    size = models.PositiveBigIntegerField(_("size"))
    inside = models.CharField(max_length=120, blank=True)  # subject of the enclosed message
    file = models.ForeignKey(StoredFile, null=True, on_delete=models.PROTECT, related_name="email_files")
    reason = models.CharField(_("reason"), max_length=30, blank=True)  # code: why there is no file
    decoration = models.BooleanField(default=False)  # a logo in a signature: shown, never a paper
    kind = models.CharField(_("kind of paper"), max_length=40)  # guessed from the name
    paper = models.ForeignKey(Paper, null=True, on_delete=models.SET_NULL, related_name="email_files")

    class Meta:
        verbose_name = _("file of an e-mail")
        verbose_name_plural = _("files of e-mails")
        constraints = [models.UniqueConstraint(fields=["email", "position"], name="email_file_once")]

    def __str__(self) -> str:
        return self.name


class EmailEvent(Immutable):
    """What was done with a message, by whom; append-only."""

    VISIBILITY = {"series": "email__series", "tpa": "email__tpa"}

    email = models.ForeignKey(Email, on_delete=models.PROTECT, related_name="events")
    name = models.CharField(_("event"), max_length=40)
    at = models.DateTimeField(_("at"))
    actor_label = models.CharField(_("who"), max_length=80)
    user = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    note = models.CharField(_("note"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("event of an e-mail")
        verbose_name_plural = _("events of e-mails")
        indexes = [models.Index(fields=["email", "id"], name="email_events")]

    def __str__(self) -> str:
        return f"{self.email_id} {self.name}"


class EmailAnswer(models.Model):
    """A message of the outbox that answers an e-mail; it joins the sender's thread."""

    email = models.ForeignKey(Email, on_delete=models.PROTECT, related_name="answers")
    message = models.OneToOneField(Message, on_delete=models.PROTECT, related_name="answered_email")
    by = models.CharField(_("who"), max_length=80)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")

    def __str__(self) -> str:
        return f"{self.email_id} → {self.message_id}"
