"""Reads of enquiries that others may use."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.cases.models import CaseFile
from apps.cases.pages import Entry
from apps.core.look_ups import with_number
from apps.enquiries.models import Enquiry
from apps.enquiries.workflow import KIND

NUMBERS = ["case__number", "about__number", "case__member__number", "case__policy__number"]
LOOK_BACK = timedelta(days=400)  # how far back words are searched


def visible_enquiries(actor: Actor) -> QuerySet[CaseFile]:
    return visible_to(CaseFile.objects.filter(kind=KIND.code), actor)


def rows_visible_to(actor: Actor) -> QuerySet[Enquiry]:
    rows = visible_to(Enquiry.objects.all(), actor)
    return rows.select_related("case__member", "case__assignee", "case__policy", "about")


def searched(rows: QuerySet[Enquiry], text: str) -> QuerySet[Enquiry]:
    """By a number as it stands, else by words of what was asked or answered in the last 400 days."""
    found = rows.filter(pk__in=with_number(Enquiry, NUMBERS, text))
    if found.exists():
        return found
    words = Q(text__icontains=text) | Q(asker__icontains=text) | Q(answer__icontains=text)
    return rows.filter(words, received_at__gte=timezone.now() - LOOK_BACK)


def to_take_up(rows: QuerySet[Enquiry]) -> QuerySet[Enquiry]:
    """Complaints about the result of a claim whose family wishes an appeal (APP-27)."""
    return rows.filter(appeal_wished=True)


def timeline(case: CaseFile) -> Iterable[Entry]:
    """On the page of a claim: who asked or complained about it."""
    for row in Enquiry.objects.filter(about=case.pk).select_related("case").order_by("-received_at")[:50]:
        yield Entry(
            at=row.received_at, title=f"{row.get_sort_display()} {row.case.number}", kind="event", icon="contact_support",
            who=row.asker, text=row.text, state=row.case.get_state_display(),
            link=reverse("admin:case", args=[row.case.number]), level="warn" if row.appeal_wished else "",
            details=((_("to be taken up as appeal"), row.rule),) if row.appeal_wished else (),
        )  # fmt: skip
