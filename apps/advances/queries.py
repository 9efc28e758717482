"""Reads of advances that others may use."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.advances.models import Advance
from apps.advances.workflow import BEFORE_ADVANCED, IN_CLAIM, KIND, PAID
from apps.cases.models import CaseFile
from apps.core.look_ups import with_number

NUMBERS = [
    "case__number",
    "case__member__number",
    "case__policy__number",
    "claim__number",
    "admission_number",
]
GROUPS = {
    "live": BEFORE_ADVANCED | PAID | IN_CLAIM,
    "before": BEFORE_ADVANCED,
    "stay": PAID,
    "claim": IN_CLAIM,
}


def visible_advances(actor: Actor) -> QuerySet[CaseFile]:
    return visible_to(CaseFile.objects.filter(kind=KIND.code), actor)


def rows_visible_to(actor: Actor) -> QuerySet[Advance]:
    rows = visible_to(Advance.objects.all(), actor)
    return rows.select_related("case__member", "case__hospital", "case__assignee", "claim", "provider")


def searched(rows: QuerySet[Advance], text: str) -> QuerySet[Advance]:
    """By a number as it stands: of the case, child, policy, claim or admission; else by the diagnosis."""
    found = rows.filter(pk__in=with_number(Advance, NUMBERS, text))
    return found if found.exists() else rows.filter(diagnosis_name__contains=text)


def in_hospital(actor: Actor, series: str = "") -> list[Advance]:
    """Children whose stay the provider advanced and who are not settled yet, the next discharge first. One query."""
    rows = rows_visible_to(actor).filter(case__state__in=PAID)
    if series:
        rows = rows.filter(case__series=series)
    today = timezone.localdate()
    found = list(rows.order_by("admitted_on", "pk"))
    for row in found:
        row.day = (today - row.admitted_on).days + 1  # type: ignore[attr-defined]
        row.leaves_today = row.discharged_on is not None and row.discharged_on <= today  # type: ignore[attr-defined]
    return sorted(found, key=lambda row: (row.discharged_on is None, row.discharged_on or row.admitted_on))
