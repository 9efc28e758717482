"""An enquiry: who asked what about which child, the answer, and forms that were sent."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.accounts.models import User
from apps.cases.models import CaseFile


class Sort(models.TextChoices):
    """What it is: APP-06 and APP-22, LAW-10 and APP-27, APP-05."""

    QUESTION = "QUESTION", pgettext_lazy("enquiry", "question")
    COMPLAINT = "COMPLAINT", pgettext_lazy("enquiry", "complaint")
    SUGGESTION = "SUGGESTION", pgettext_lazy("enquiry", "suggestion")
    FORMS = "FORMS", pgettext_lazy("enquiry", "forms asked for")


class Category(models.TextChoices):
    """How long the answer to a complaint may take (LAW-10): 15, 30, 60 calendar days."""

    SIMPLE = "SIMPLE", pgettext_lazy("complaint", "simple")
    COMPLEX = "COMPLEX", pgettext_lazy("complaint", "complex")
    EXTENDED = "EXTENDED", pgettext_lazy("complaint", "extended with approval")


class Enquiry(models.Model):
    """`about` is the case it concerns; `rule` the rule of the series it was recorded under.

    `answer` is the last one; former ones stand in the events of the case. `sent_to` (masked) and `forms`
    tell what was e-mailed last; letter and message of each dispatch hang on the case.
    """

    VISIBILITY = {
        "series": "case__series",
        "tpa": "case__tpa",
        "hospital": "case__hospital__code",
        "member": "case__member__number",
    }

    case = models.OneToOneField(CaseFile, primary_key=True, on_delete=models.PROTECT, related_name="enquiry")
    sort = models.CharField(_("kind"), max_length=10, choices=Sort.choices)
    rule = models.CharField(_("rule id"), max_length=12)
    channel = models.CharField(_("channel"), max_length=20)
    asker = models.CharField(_("who asked"), max_length=80)
    text = models.TextField(_("text"))
    about = models.ForeignKey(
        CaseFile, verbose_name=_("about"), null=True, on_delete=models.PROTECT, related_name="enquiries"
    )
    received_at = models.DateTimeField(_("received at"))
    recorded_by = models.CharField(_("recorded by"), max_length=80)
    category = models.CharField(
        _("category"), max_length=8, choices=Category.choices, default=Category.SIMPLE
    )
    complained_of = models.ForeignKey(
        User, verbose_name=_("complained of"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    appeal_wished = models.BooleanField(_("to be taken up as appeal"), default=False)
    answer = models.TextField(_("answer"), blank=True)
    answered_by = models.CharField(_("answered by"), max_length=80, blank=True)
    answered_at = models.DateTimeField(_("answered at"), null=True)
    forms = models.JSONField(_("forms"), default=list)
    sent_to = models.CharField(_("sent to"), max_length=80, blank=True)
    sent_why = models.CharField(_("why to this address"), max_length=400, blank=True)

    class Meta:
        verbose_name = _("enquiry")
        verbose_name_plural = _("enquiries")
        constraints = [
            models.CheckConstraint(
                condition=Q(appeal_wished=False) | Q(sort="COMPLAINT", about__isnull=False),
                name="appeal_of_a_complaint_about_a_case",
            )
        ]
        indexes = [
            models.Index(fields=["-received_at"], name="enquiry_recent"),
            models.Index(
                fields=["-received_at"], condition=Q(appeal_wished=True), name="enquiry_wished_appeal"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_sort_display()} {self.asker}"
