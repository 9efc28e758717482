"""Reads of self-pay bills."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils import timezone

from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.billing.actions.notices import TEMPLATE
from apps.billing.actions.online import not_payable_online
from apps.billing.models import BillReminder, OnlinePayment, SelfPayBill
from apps.billing.workflow import REMINDED, UNPAID
from apps.cards.queries import cards_of_account
from apps.cases.kinds import Blocker
from apps.cases.models import CaseFile
from apps.claims.models import Visit
from apps.messaging.models import CallTask, Message
from apps.products.queries import current_handbooks

FAILED_CALL = "delivery_failed"  # queued by the outbox for a message that could not be delivered
OPENING = 9  # o'clock: nobody is called or written to in the night
AGES = (0, 8, 15, 31, 61, 91)  # days since the bill was made: first day of each band
OPEN_FEN = F("self_pay__total_fen") - F("self_pay__paid_fen")


def visible_bills(actor: Actor) -> QuerySet[CaseFile]:
    return visible_to(CaseFile.objects.filter(kind="bill"), actor)


# --- What the sweep looks for -----------------------------------------------------------------------


def periods_over(now: datetime, limit: int = 500) -> list[tuple[str, bool]]:
    """(number, the last day has begun only) of bills whose period since the last notice ends today or has
    ended and for which no reminder is under way; by index, the earliest first."""
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    due = CaseFile.objects.filter(
        kind="bill", open=True, state__in=REMINDED, next_due__lte=midnight, self_pay__waiting=False
    )
    rows = due.order_by("next_due", "pk").values_list("number", "next_due")[:limit]
    return [(number, bool(next_due and next_due > now)) for number, next_due in rows]


def failed_mails(limit: int = 500) -> list[str]:
    """Numbers of bills whose reminder is an e-mail that the outbox gave up."""
    failed = BillReminder.objects.filter(
        result="WAITING", channel="EMAIL", message__state=Message.State.FAILED
    )
    return list(failed.order_by("pk").values_list("bill__case__number", flat=True)[:limit])


def unreached(now: datetime, limit: int = 500) -> list[str]:
    """Numbers of bills whose family has been tried in vain for so many days (`BILL_UNREACHED_DAYS`)."""
    before = now - timedelta(days=settings.BILL_UNREACHED_DAYS)
    bills = SelfPayBill.objects.filter(live=True, handed_over_at__isnull=True, trying_since__lte=before)
    return list(bills.order_by("trying_since", "pk").values_list("case__number", flat=True)[:limit])


# --- Work lists -------------------------------------------------------------------------------------


def calls_to_make(actor: Actor, *, series: str = "", limit: int = 200) -> list[CallTask]:
    """Reminders by phone that wait for a person, the oldest first."""
    calls = CallTask.objects.filter(
        case__kind="bill", outcome=CallTask.Outcome.OPEN, purpose__in=(TEMPLATE, FAILED_CALL)
    )
    if series:
        calls = calls.filter(case__series=series)
    related = (
        "case__member",
        "case__self_pay__hospital",
        "case__policy__policyholder",
        "case__policy__member",
    )
    calls = (
        visible_to(calls, actor).select_related(*related).prefetch_related("case__policy__member__guardians")
    )
    return list(calls.order_by("due_at", "pk")[:limit])


@dataclass(frozen=True)
class Band:
    """Open bills made so many days ago; `last` None = and more."""

    first: int
    last: int | None
    bills: int
    fen: int
    exhausted: int
    unreached: int  # with the manager, because nobody answers


def ageing(actor: Actor, today: date, *, series: str = "") -> list[Band]:
    """Open bills by age: one query."""
    bills = _open_bills(actor, series)
    midnight = timezone.make_aware(datetime.combine(today, datetime.min.time())) + timedelta(days=1)
    sums: dict[str, Any] = {}
    spans: list[tuple[int, int | None]] = [
        (first, AGES[n + 1] - 1 if n + 1 < len(AGES) else None) for n, first in enumerate(AGES)
    ]
    for n, (first, last) in enumerate(spans):
        within = Q(opened_at__lt=midnight - timedelta(days=first))
        if last is not None:
            within &= Q(opened_at__gte=midnight - timedelta(days=last + 1))
        sums[f"bills{n}"] = Count("pk", filter=within)
        sums[f"fen{n}"] = Sum(OPEN_FEN, filter=within)
        sums[f"exhausted{n}"] = Count("pk", filter=within & Q(state="EXHAUSTED"))
        sums[f"unreached{n}"] = Count("pk", filter=within & Q(self_pay__handed_over_at__isnull=False))
    found = bills.aggregate(**sums)
    return [
        Band(
            first,
            last,
            found[f"bills{n}"],
            found[f"fen{n}"] or 0,
            found[f"exhausted{n}"],
            found[f"unreached{n}"],
        )
        for n, (first, last) in enumerate(spans)
    ]


def with_manager(actor: Actor, *, series: str = "", limit: int = 50) -> QuerySet[CaseFile]:
    """Open bills of families that nobody reaches, the longest tried first."""
    bills = _open_bills(actor, series).filter(self_pay__live=True, self_pay__handed_over_at__isnull=False)
    return bills.select_related("member", "self_pay__hospital").order_by("self_pay__trying_since", "pk")[
        :limit
    ]


def by_hospital(actor: Actor, *, series: str = "", limit: int = 20) -> list[dict[str, Any]]:
    """Where most is open: hospital, bills, fen, greyed."""
    grouped = _open_bills(actor, series).values("hospital__code", "hospital__name")
    sums = grouped.annotate(
        bills=Count("pk"), fen=Sum(OPEN_FEN), exhausted=Count("pk", filter=Q(state="EXHAUSTED"))
    )
    return [dict(row) for row in sums.order_by("-fen", "hospital__code")[:limit]]


def _open_bills(actor: Actor, series: str) -> QuerySet[CaseFile]:
    bills = visible_bills(actor).filter(open=True, state__in=UNPAID)
    return bills.filter(series=series) if series else bills


def exhausted_bills(member_id: int) -> QuerySet[SelfPayBill]:
    """Bills for which the child's card is grey."""
    bills = SelfPayBill.objects.filter(case__member=member_id, live=True, exhausted_at__isnull=False)
    return bills.select_related("case", "hospital")


# --- The family's list of visits (EPY-02) -----------------------------------------------------------


@dataclass(frozen=True)
class VisitEntry:
    """One visit at a hospital as the front end shows it, with its bill, if there is one.

    `blocker` says why “pay” is not beside it; `pending` is a payment that was started.
    """

    visited_on: date
    hospital: str
    visit_type: str
    department: str
    child: str
    claim: str
    bill: SelfPayBill | None
    blocker: Blocker | None
    pending: OnlinePayment | None

    @property
    def payable(self) -> bool:
        return bool(self.bill and self.bill.live and self.bill.open_fen and self.blocker is None)


def visits_of_account(actor: Actor, account: str, limit: int = 100) -> list[VisitEntry]:
    """Direct-billed visits of the children whose cards the account holds, and bills that hospitals reported,
    the newest first."""
    members = list(cards_of_account(actor, account).values_list("member", flat=True).distinct())
    related = ("case__member", "case__handbook", "hospital", "claim")
    bills = SelfPayBill.objects.filter(case__in=visible_bills(actor).filter(member__in=members).values("pk"))
    shown = list(bills.select_related(*related).order_by("-visited_on", "-pk")[:limit])
    by_claim: dict[int | None, list[SelfPayBill]] = {}
    for bill in shown:
        by_claim.setdefault(bill.claim_id, []).append(bill)
    pending = _pending(shown)
    entries = [_of_bill(bill, pending) for bill in shown]
    direct = visible_to(CaseFile.objects.filter(kind="direct", member__in=members), actor)
    visits = Visit.objects.filter(claim__in=direct.values("pk")).select_related(
        "claim__case__member", "hospital"
    )
    entries += [
        _of_visit(visit)
        for visit in visits.order_by("-started_on", "-pk")[:limit]
        if visit.claim_id not in by_claim
    ]
    return sorted(entries, key=lambda entry: entry.visited_on, reverse=True)[:limit]


def _pending(bills: Sequence[SelfPayBill]) -> dict[int, OnlinePayment]:
    live = [bill.pk for bill in bills if bill.live]
    started = OnlinePayment.objects.filter(bill__in=live, state="PENDING", expires_at__gt=timezone.now())
    return {row.bill_id: row for row in started}


def _of_bill(bill: SelfPayBill, pending: dict[int, OnlinePayment]) -> VisitEntry:
    handbooks: Any = bill.case.handbook
    return VisitEntry(
        visited_on=bill.visited_on, hospital=str(bill.hospital), visit_type=bill.visit_type,
        department=bill.department, child=bill.case.member.masked_name, claim=bill.claim.number if bill.claim else "",
        bill=bill, blocker=not_payable_online(bill, handbooks.handbook), pending=pending.get(bill.pk),
    )  # fmt: skip


def _of_visit(visit: Visit) -> VisitEntry:
    case = visit.claim.case
    return VisitEntry(
        visited_on=visit.started_on, hospital=str(visit.hospital), visit_type=visit.visit_type,
        department=visit.department, child=case.member.masked_name, claim=case.number, bill=None, blocker=None,
        pending=None,
    )  # fmt: skip


def payment_of_account(actor: Actor, account: str, number: str) -> OnlinePayment | None:
    """An electronic payment started by this account of this front end."""
    if actor.client_id is None or not account:
        return None
    found = OnlinePayment.objects.filter(number=number, client=actor.client_id, account=account)
    return found.select_related("bill__case", "bill__hospital").first()


# --- Search -----------------------------------------------------------------------------------------


def cases_by_number(text: str) -> Iterable[int]:
    """Bills by the hospital's number, or by an electronic payment's."""
    bills = (
        SelfPayBill.objects.filter(reference=text).exclude(reference="").values_list("pk", flat=True)[:100]
    )
    online = OnlinePayment.objects.filter(Q(number=text) | Q(reference=text)).values_list("bill", flat=True)[
        :100
    ]
    return {*bills, *online}


def series_with_online() -> list[str]:
    """Series that offer electronic payment."""
    return [
        book.series
        for book in current_handbooks()
        if (service := book.handbook.service("electronic_payment")) and service.offered
    ]
