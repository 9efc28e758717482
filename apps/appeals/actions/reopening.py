"""Opening the claim of an overturned decision, so that its desk decides it again."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from apps.accounts.actors import SYSTEM
from apps.appeals.models import Appeal
from apps.appeals.target import REFUSED, REOPENABLE
from apps.cases.context import Batch
from apps.cases.engine import perform
from apps.core.errors import DomainError
from apps.documents.models import Paper

log = logging.getLogger(__name__)


def waiting_on(claims: Iterable[int]) -> list[Appeal]:
    """Overturned appeals whose claim was not decided again yet; one query."""
    rows = Appeal.objects.filter(origin__in=list(claims), ended_at=None, settled_at=None)
    return list(rows.filter(case__state="OVERTURNED").select_related("case", "origin").order_by("pk"))


def reopen_claims(batch: Batch) -> None:
    """After an appeal was overturned; a claim that is still being paid waits."""
    for row in waiting_on(ctx.subject.origin_id for ctx in batch.contexts):
        if row.reopened_at is None and reopenable(row):
            _reopen(row, batch.now)


def reopen_closed(batch: Batch) -> None:
    """After claims were closed that an overturned appeal may wait for. What refuses does not undo the closing,
    which books payments of many: the reviewer opens such a claim by hand."""
    for row in waiting_on(ctx.case.pk for ctx in batch.contexts):
        if row.reopened_at is not None or not reopenable(row):
            continue
        try:
            with transaction.atomic():
                _reopen(row, batch.now)
        except DomainError:
            log.exception("claim of an overturned appeal stays closed", extra={"case": row.origin.number})


def reopenable(row: Appeal) -> bool:
    return row.origin.state in REOPENABLE[row.origin.kind]


def _reopen(row: Appeal, now: datetime) -> None:
    """By the system in the reviewer's name; a refusal at intake goes back to where it is confirmed or not."""
    action = "readmit" if row.origin.state == REFUSED else "reopen"
    with translation.override("zh-hans"):
        words = _("Appeal %(number)s: %(why)s") % {"number": row.case.number, "why": row.why}
    perform(row.origin.number, action, SYSTEM, now=now, reason=words[:2000])
    _hand_over_papers(row, now)
    perform(row.case.number, "claim_reopened", SYSTEM, now=now)


def _hand_over_papers(row: Appeal, now: datetime) -> None:
    """What the family added to its appeal counts for the claim."""
    there: set[Any] = set(Paper.objects.filter(case=row.origin_id).values_list("kind", "subject", "file"))
    fresh: dict[tuple[str, str, str], list[Any]] = {}
    for paper in Paper.objects.filter(case=row.pk, file__isnull=False).select_related("file").order_by("pk"):
        if (paper.kind, paper.subject, paper.file_id) not in there:
            there.add((paper.kind, paper.subject, paper.file_id))
            fresh.setdefault((paper.kind, paper.subject, paper.form), []).append(paper.file)
    for (kind, subject, form), files in fresh.items():
        data: dict[str, Any] = {
            "kind": kind, "subject": subject, "form": form, "files": tuple(files), "note": row.case.number,
        }  # fmt: skip
        perform(row.origin.number, "attach_paper", SYSTEM, now=now, **data)
