"""One run of an Excel import: what was given, what it would change or did change, and what was wrong."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


def import_path(job: ImportJob, name: str) -> str:
    """Unguessable, and without the name the user gave."""
    return f"imports/{uuid.uuid4().hex}.xlsx"


class ImportJob(models.Model):
    """Written by `core.imports.jobs` only. A trial keeps its file until it is applied.

    The file itself holds children's identities in clear, so it is removed once the job has ended;
    `sha256` still proves which file it was (LAW-09).
    """

    class State(models.TextChoices):
        QUEUED = "QUEUED", _("queued")
        CHECKING = "CHECKING", _("running")
        DRY_RUN_DONE = "DRY_RUN_DONE", _("trial done")
        APPLIED = "APPLIED", _("applied")
        FAILED = "FAILED", _("failed")

    kind = models.CharField(_("kind"), max_length=20)
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.QUEUED)
    dry_run = models.BooleanField(_("trial"), default=True)
    file = models.FileField(_("file"), upload_to=import_path, blank=True)
    file_name = models.CharField(_("file name"), max_length=200)
    sha256 = models.CharField("SHA-256", max_length=64)
    total_rows = models.PositiveIntegerField(_("rows"), default=0)
    done_rows = models.PositiveIntegerField(_("rows done"), default=0)
    created = models.PositiveIntegerField(_("new"), default=0)
    changed = models.PositiveIntegerField(_("changed"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    changes = models.JSONField(_("changes"), default=dict, blank=True)  # entities, samples, notices, errors
    error_count = models.PositiveIntegerField(_("errors"), default=0)
    error_file = models.FileField(_("error list"), upload_to=import_path, blank=True)
    message = models.TextField(_("message"), blank=True)
    run_token = models.CharField(max_length=32, blank=True, editable=False)  # which worker holds it
    user_id = models.BigIntegerField(null=True, blank=True, editable=False)
    who = models.CharField(_("who"), max_length=80)
    created_at = models.DateTimeField(_("at"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.file_name}"

    @property
    def running(self) -> bool:
        return self.state in {self.State.QUEUED, self.State.CHECKING}
