"""Payments the bank sent back, as a list to work through. The return itself is an event of the claim."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import BooleanField, Case, Exists, F, OuterRef, Q, QuerySet, When
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.cases.models import CaseEvent, CaseFile
from apps.core.errors import NotAllowed
from apps.finance.access import RETURN_DESK
from apps.finance.config import ReturnMeaning, meaning_of
from apps.payments.models import PaymentOrder
from apps.payments.subjects import subject_of
from apps.settlements.access import READERS
from apps.settlements.models import Statement

BANDS = ((0, 2), (3, 7), (8, 14), (15, 30), (31, None))  # whole days since the return
ASKED = ("payment_returned", "account_asked")


@dataclass(frozen=True)
class Return:
    """One returned payment: what the bank said, what it means, how old it is, what comes next."""

    order: PaymentOrder
    meaning: ReturnMeaning
    days: int
    open: bool
    asked_at: datetime | None = None  # the member was last asked for another account
    times_asked: int = 0

    @property
    def case(self) -> CaseFile | None:
        """None for a statement of a hospital: it pays many."""
        return self.order.case

    @property
    def url(self) -> str:
        """The page on which the return is settled."""
        if self.order.case is None:
            return subject_of(self.order.reference).url(self.order.reference)
        step = {"ACCOUNT": "new_account", "RETRY": "retry_payment"}.get(self.next)
        number = self.order.case.number
        return (
            reverse("admin:case-action", args=[number, step])
            if step
            else reverse("admin:case", args=[number])
        )

    @property
    def next(self) -> str:
        """ACCOUNT | RETRY | ASK while it is open; "" when it is settled."""
        return self.meaning.next if self.open else ""


@dataclass(frozen=True)
class Filters:
    """`state`: open (still to be settled) or all; a band of BANDS; a meaning; an assignee or "none"."""

    state: str = "open"
    band: int | None = None
    meaning: str = ""
    assignee: str = ""
    series: str = ""


def filters_of(params: Mapping[str, str]) -> Filters:
    """From a query string; what is not understood is left out, as everywhere in lists."""
    band = params.get("band", "")
    return Filters(
        state="all" if params.get("state") == "all" else "open",
        band=int(band) if band.isdigit() and int(band) < len(BANDS) else None,
        meaning=params.get("meaning", "")[:30],
        assignee=params.get("assignee", "")[:20],
        series=params.get("series", "")[:10],
    )


def returned(actor: Actor, filters: Filters) -> QuerySet[PaymentOrder]:
    """Returned orders of cases and of statements of hospitals the actor may see, oldest first. Open: nothing was
    ordered in their place, and the statement was not given up."""
    if not RETURN_DESK & actor.roles:
        raise NotAllowed(_("Bank returns are for finance and the claims desk."), code="role")
    later = PaymentOrder.objects.filter(
        case=OuterRef("case"), decision_version__gte=OuterRef("decision_version"), pk__gt=OuterRef("pk")
    )
    waiting = Statement.objects.filter(
        number=OuterRef("reference"), order=OuterRef("pk"), state=Statement.State.RETURNED
    )
    rows = visible_to(PaymentOrder.objects.filter(state=PaymentOrder.State.RETURNED), actor)
    rows = rows.annotate(
        unsettled=Case(
            When(case__isnull=True, then=Exists(waiting)),
            default=~Exists(later) & Q(case__open=True),
            output_field=BooleanField(),
        )
    ).select_related("case__assignee", "case__team", "case__member", "payee__hospital")
    if not READERS & actor.roles:  # who does not read statements sees those of cases
        rows = rows.filter(case__isnull=False)
    if filters.state == "open":
        rows = rows.filter(unsettled=True)
    if filters.series:
        rows = rows.filter(series=filters.series)
    if filters.assignee == "none":
        rows = rows.filter(case__assignee=None)
    elif filters.assignee.isdigit():
        rows = rows.filter(case__assignee=int(filters.assignee))
    return rows.order_by(F("returned_at").asc(nulls_first=True), "pk")


def worklist(
    actor: Actor, filters: Filters, *, now: datetime | None = None, limit: int = 500
) -> list[Return]:
    """The list, with when the member was asked last. Two queries."""
    now = now or timezone.now()
    found = [_row(order, now) for order in returned(actor, filters)[: limit * 4]]
    if filters.band is not None:
        found = [row for row in found if band_of(row.days) == filters.band]
    if filters.meaning:
        found = [row for row in found if row.meaning.key == filters.meaning]
    return _with_asked(found[:limit])


def _row(order: Any, now: datetime) -> Return:
    since = order.returned_at or order.ordered_at
    return Return(order, meaning_of(order.return_reason), max((now - since).days, 0), order.unsettled)


def _with_asked(rows: list[Return]) -> list[Return]:
    events = CaseEvent.objects.filter(case__in={row.order.case_id for row in rows}, name__in=ASKED)
    asked: dict[int, list[datetime]] = {}
    for case, at in events.values_list("case", "at").order_by("at"):
        asked.setdefault(case, []).append(at)
    return [
        Return(row.order, row.meaning, row.days, row.open, times[-1] if times else None, len(times))
        for row in rows
        for times in (asked.get(row.order.case_id or 0, []),)
    ]


def band_of(days: int) -> int:
    return next(n for n, (low, high) in enumerate(BANDS) if days >= low and (high is None or days <= high))


@dataclass(frozen=True, slots=True)
class Band:
    number: int
    low: int
    high: int | None
    orders: int
    amount_fen: int


def aging(rows: Iterable[Return]) -> list[Band]:
    """How many and how much, by days since the return."""
    own = list(rows)
    return [
        Band(n, low, high, len(there), sum(row.order.amount_fen for row in there))
        for n, (low, high) in enumerate(BANDS)
        for there in ([row for row in own if band_of(row.days) == n],)
    ]
