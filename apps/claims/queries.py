"""Reads of claims that others may use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.cases.models import CaseFile
from apps.claims.models import Bill, Category, Decision, Visit
from apps.claims.originals import close_after, remind_after
from apps.claims.rows import GONE
from apps.products.queries import current_handbooks

SIMILAR_DAYS = 1


@dataclass
class PastClaim:
    """One earlier claim of a child, as the history panel shows it (PR-24)."""

    case: CaseFile
    visits: list[Visit] = field(default_factory=list)

    @property
    def claimed_fen(self) -> int:
        claimed: int = self.case.claim.claimed_fen
        return claimed

    @property
    def decided_fen(self) -> int | None:
        decided: int | None = self.case.claim.decided_fen
        return decided

    @property
    def diagnoses(self) -> list[str]:
        codes = [entry for visit in self.visits for entry in visit.diagnoses]
        return list(dict.fromkeys(f"{entry['code']} {entry.get('name', '')}".strip() for entry in codes))


def member_history(actor: Actor, member_id: int, *, until: date, years: int = 5) -> list[PastClaim]:
    """The child's claims with visits in the last years, newest visit first; two queries."""
    since = until - timedelta(days=366 * years)
    visits = Visit.objects.filter(claim__case__member=member_id, started_on__gte=since, started_on__lte=until)
    seen = visible_to(CaseFile.objects.filter(member=member_id, claim__isnull=False), actor).values("pk")
    found: dict[int, PastClaim] = {}
    rows = (
        visits.filter(claim__in=seen).select_related("claim__case", "hospital").order_by("-started_on", "-pk")
    )
    for visit in rows:
        case = visit.claim.case
        past = found.setdefault(case.pk, PastClaim(case))
        past.visits.append(visit)
    return list(found.values())


def day_total_fen(member_id: int, day: date, *, without: int | None = None) -> int:
    """What the child's live claims claim for one service day (PR-15)."""
    visits = Visit.objects.filter(claim__case__member=member_id, started_on=day).exclude(
        claim__case__state__in=GONE
    )
    visits = visits.exclude(claim__category=Category.DIRECT)
    if without is not None:
        visits = visits.exclude(claim=without)
    return sum(visits.values_list("claimed_fen", flat=True))


@dataclass(frozen=True)
class Similar:
    """Another claim that looks like this one: `why` is "visit" or "amount"."""

    case: CaseFile
    why: str
    day: date
    hospital: str


def similar(case: CaseFile, visits: Sequence[Visit], bills: Sequence[Bill]) -> list[Similar]:
    """Claims of the same child at the same hospital within a day, or with a bill of the same amount
    and date: what the register of bills (LAW-11) cannot see. Two queries."""
    found: dict[int, Similar] = {}
    sums = {(bill.amount_fen, bill.issued_on) for bill in bills}
    if bills:
        days = {bill.issued_on for bill in bills}
        others = Bill.objects.filter(visit__claim__case__member=case.member_id, issued_on__in=days)
        for bill in others.exclude(visit__claim=case.pk).select_related(
            "visit__claim__case", "visit__hospital"
        ):
            if (bill.amount_fen, bill.issued_on) in sums:
                other = bill.visit.claim.case
                found[other.pk] = Similar(other, "amount", bill.visit.started_on, bill.visit.hospital.name)
    for visit in _near(case, visits):
        other = visit.claim.case
        found.setdefault(other.pk, Similar(other, "visit", visit.started_on, visit.hospital.name))
    return list(found.values())


def _near(case: CaseFile, visits: Sequence[Visit]) -> list[Visit]:
    """The child's other visits at one of these hospitals within a day of the visit there.

    Sought by the child alone: with the hospitals in the condition SQLite would read all their visits.
    """
    if not visits:
        return []
    near = timedelta(days=SIMILAR_DAYS)
    first, last = min(visit.started_on for visit in visits), max(visit.started_on for visit in visits)
    others = Visit.objects.filter(
        claim__case__member=case.member_id, started_on__range=(first - near, last + near)
    ).exclude(claim=case.pk)
    return [
        other
        for other in others.select_related("claim__case", "hospital").order_by("pk")
        if any(
            other.hospital_id == visit.hospital_id and abs(other.started_on - visit.started_on) <= near
            for visit in visits
        )
    ]


def latest_decision(claim_id: Any) -> Decision | None:
    """The decision in force, with its lines."""
    found = Decision.objects.filter(claim=claim_id).select_related("proposed_by", "signed_by")
    return found.prefetch_related("lines__line").order_by("-version").first()


WAITING = ("MATERIALS_PENDING", "AWAITING_ORIGINALS")


def to_be_reminded(now: datetime, limit: int = 500) -> list[str]:
    """Numbers of claims whose next reminder of papers is due; each series sets the days of its own."""
    due = Q(pk=None)
    for book in current_handbooks():
        for sent, days in enumerate(remind_after(book.handbook)):
            before = now - timedelta(days=days)
            asked = Q(claim__notice_at__lte=before) | Q(
                claim__notice_at=None, state="AWAITING_ORIGINALS", claim__reported_at__lte=before
            )
            due |= Q(series=book.series, claim__reminders=sent) & asked
    waiting = CaseFile.objects.filter(due, kind="claim", open=True, state__in=WAITING)
    return list(waiting.order_by("pk").values_list("number", flat=True)[:limit])


def waiting_in_vain(limit: int = 500) -> list[str]:
    """Numbers of claims that may have waited long enough for papers; the guard knows the exact day."""
    days = min((close_after(book.handbook) for book in current_handbooks()), default=180)
    before = timezone.now() - timedelta(days=days)
    waiting = CaseFile.objects.filter(kind="claim", open=True, opened_at__lt=before)
    pending = Q(state="MATERIALS_PENDING", claim__notice_at__lt=before) | Q(state="AWAITING_ORIGINALS")
    return list(waiting.filter(pending).order_by("pk").values_list("number", flat=True)[:limit])
