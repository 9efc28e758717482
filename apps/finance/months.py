"""The month of finance: a roll-forward of what is outstanding, and closing it for ever.

A month is read by adding its movements (one index range) to the closing lines of the last closed month
before it, so its price does not grow with history. Only where no month has been closed is everything
added up.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Sum, When
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.core.errors import Blocked, Conflict, InvalidInput
from apps.core.money import format_yuan
from apps.documents.storage import store_bytes
from apps.finance.access import CLOSERS, READERS, need
from apps.finance.models import Book, MonthCell, MonthClose, Movement
from apps.finance.reckoning import Kind, first_of_month, next_month
from apps.ledger.models import MoneyEntry

DIMENSIONS = ("series", "tpa", "product", "benefit", "visit_type", "visit_year", "reported_month")
MEASURES = (
    "opening_fen", "reported_fen", "changed_fen", "reopened_fen", "released_fen", "paid_fen", "closing_fen", "due_fen",
    "opening_parts", "reported_parts", "reopened_parts", "closed_parts", "closing_parts",
    "opening_claims", "reported_claims", "reopened_claims", "closed_claims", "closing_claims",
)  # fmt: skip
GROUPS = ("series", "product", "benefit", "visit_year", "age")
AGES = ((0, 0), (1, 3), (4, 6), (7, 12), (13, None))  # whole months since the month of report
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(slots=True)
class Cell:
    """One line of a month (fen, counts), or a sum of lines."""

    opening_fen: int = 0
    reported_fen: int = 0
    changed_fen: int = 0
    reopened_fen: int = 0
    released_fen: int = 0
    paid_fen: int = 0
    closing_fen: int = 0
    due_fen: int = 0
    opening_parts: int = 0
    reported_parts: int = 0
    reopened_parts: int = 0
    closed_parts: int = 0
    closing_parts: int = 0
    opening_claims: int = 0
    reported_claims: int = 0
    reopened_claims: int = 0
    closed_claims: int = 0
    closing_claims: int = 0

    @property
    def incurred_fen(self) -> int:
        """Paid, and what is outstanding more than before."""
        return self.paid_fen + self.closing_fen - self.opening_fen

    @property
    def balances(self) -> bool:
        moved = self.reported_fen + self.changed_fen + self.reopened_fen + self.released_fen - self.paid_fen
        return (
            self.closing_fen == self.opening_fen + moved
            and self.closing_parts
            == self.opening_parts + self.reported_parts + self.reopened_parts - self.closed_parts
            and self.closing_claims
            == self.opening_claims + self.reported_claims + self.reopened_claims - self.closed_claims
        )

    def add(self, other: Cell) -> None:
        for name in MEASURES:
            setattr(self, name, getattr(self, name) + getattr(other, name))


Key = tuple[Any, ...]  # values of DIMENSIONS


@dataclass
class Month:
    """The report of a month. `close` is set when it is closed and comes from the stored lines."""

    month: date
    cells: dict[Key, Cell]
    close: MonthClose | None = None

    @property
    def total(self) -> Cell:
        found = Cell()
        for cell in self.cells.values():
            found.add(cell)
        return found

    def grouped(self, name: str) -> list[tuple[Any, Cell]]:
        """Sums by one of GROUPS, in the order of its values.

        A claim with parts in several groups counts once in each; the total counts it once, which is why
        groups other than series and product show parts.
        """
        found: dict[Any, Cell] = defaultdict(Cell)
        place = DIMENSIONS.index("reported_month" if name == "age" else name)
        for key, cell in self.cells.items():
            value = age_band(key[place], self.month) if name == "age" else key[place]
            found[value].add(cell)
        return sorted(found.items())


def months_between(first: date, last: date) -> int:
    return (last.year - first.year) * 12 + last.month - first.month


def age_band(reported: date, month: date) -> int:
    """Index into AGES of a claim reported in one month, seen from another."""
    age = max(months_between(reported, month), 0)
    return next(n for n, (low, high) in enumerate(AGES) if low <= age and (high is None or age <= high))


def band_months(band: int, month: date) -> tuple[date | None, date]:
    """First (None: any) and last month of report of an age band."""
    low, high = AGES[band]
    return (None if high is None else back(month, high)), back(month, low)


def back(month: date, count: int) -> date:
    number = month.year * 12 + month.month - 1 - count
    return date(number // 12, number % 12 + 1, 1)


def parse_month(text: str) -> date:
    """'2026-10' → its first day; InvalidInput names the value."""
    try:
        year, month = text.split("-")
        if len(year) != 4:
            raise ValueError
        return date(int(year), int(month), 1)
    except ValueError:
        raise InvalidInput(
            _("A month like 2026-10 is expected, not “%(value)s”.") % {"value": text[:20]},
            field="month",
            code="month",
        ) from None


# --- Reading ---------------------------------------------------------------------------------------


def month_report(actor: Actor, month: date) -> Month:
    """The month as it was closed, or as it stands now. At most three queries, whatever the history."""
    need(actor, READERS)
    close = MonthClose.objects.select_related("closed_by", "excel").filter(month=month).first()
    if close is not None:
        return Month(month, _stored(visible_to(MonthCell.objects.filter(close=close), actor)), close)
    return Month(month, roll(month, actor))


def roll(month: date, actor: Actor | None = None) -> dict[Key, Cell]:
    """The lines of a month from the journal; all series without an actor. Two queries or three."""
    base = MonthClose.objects.filter(month__lt=month).order_by("-month").first()
    cells: dict[Key, Cell] = defaultdict(Cell)
    if base is not None:
        stored = MonthCell.objects.filter(close=base).exclude(
            closing_fen=0, closing_parts=0, closing_claims=0
        )
        for key, cell in _stored(visible_to(stored, actor) if actor else stored).items():
            mine = cells[key]
            mine.opening_fen = cell.closing_fen
            mine.opening_parts, mine.opening_claims = cell.closing_parts, cell.closing_claims
    rows = Movement.objects.filter(month__lte=month)
    if base is not None:
        rows = rows.filter(month__gt=base.month)
    for key, cell in _summed(visible_to(rows, actor) if actor else rows, month):
        cells[key].add(cell)
    for cell in cells.values():
        _close_cell(cell)
    return {key: cell for key, cell in sorted(cells.items()) if any(asdict(cell).values())}


def _close_cell(cell: Cell) -> None:
    moved = cell.reported_fen + cell.changed_fen + cell.reopened_fen + cell.released_fen - cell.paid_fen
    cell.closing_fen = cell.opening_fen + moved
    for unit in ("parts", "claims"):
        opening, reported, reopened, closed = (
            getattr(cell, f"{name}_{unit}") for name in ("opening", "reported", "reopened", "closed")
        )
        setattr(cell, f"closing_{unit}", opening + reported + reopened - closed)


def _summed(rows: QuerySet[Movement], month: date) -> Iterable[tuple[Key, Cell]]:
    """One pass over the journal: what came before the month, and each measure within it."""
    here, before = Q(month=month), Q(month__lt=month)

    def add(column: str, condition: Q) -> Any:
        return Coalesce(Sum(Case(When(condition, then=F(column)))), 0)

    first = here & Q(kind=Kind.OPENING)
    back_again = here & ~Q(kind=Kind.OPENING)
    sums: dict[str, Any] = {
        "opening_fen": add("reserve_fen", before),
        "reported_fen": add("reserve_fen", first),
        "changed_fen": add("reserve_fen", here & Q(kind=Kind.CHANGE)),
        "reopened_fen": add("reserve_fen", here & Q(kind=Kind.REOPENING)),
        "released_fen": add("reserve_fen", here & Q(kind=Kind.RELEASE)),
        "settled_fen": add("reserve_fen", here & Q(kind__in=[Kind.PAYMENT, Kind.RETURN])),
        "due_fen": add("due_fen", here),
    }
    for unit in ("parts", "claims"):
        sums |= {
            f"opening_{unit}": add(unit, before),
            f"reported_{unit}": add(unit, first & Q(**{f"{unit}__gt": 0})),
            f"reopened_{unit}": add(unit, back_again & Q(**{f"{unit}__gt": 0})),
            f"closed_{unit}": add(unit, here & Q(**{f"{unit}__lt": 0})),
        }
    grouped: Any = rows.order_by().values(*DIMENSIONS).annotate(**sums)
    for row in grouped.iterator(chunk_size=5000):
        key = tuple(row.pop(name) for name in DIMENSIONS)
        row["paid_fen"] = -row.pop("settled_fen")
        row["closed_parts"], row["closed_claims"] = -row["closed_parts"], -row["closed_claims"]
        yield key, Cell(**row)


def _stored(rows: QuerySet[MonthCell]) -> dict[Key, Cell]:
    found = {}
    for row in rows.order_by(*DIMENSIONS).values_list(*DIMENSIONS, *MEASURES):
        found[row[: len(DIMENSIONS)]] = Cell(**dict(zip(MEASURES, row[len(DIMENSIONS) :], strict=True)))
    return found


# --- Agreement with the ledger ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the journal and the book of money owed do not agree (fen)."""

    series: str
    what: str  # due | paid
    journal_fen: int
    ledger_fen: int


def differences(actor: Actor | None = None) -> list[Difference]:
    """Decided and paid in all, by series, in both books. Three queries. Claims whose first movement came after money had
    moved (before finance was there) are left out of both sides."""
    young = Movement.objects.filter(seq=1, event="reported").values("case__number")
    journal = Movement.objects.filter(case__number__in=young).order_by().values("series")
    ours: dict[str, Any] = {
        row["series"]: row for row in journal.annotate(due=Sum("due_fen"), paid=Sum("paid_fen"))
    }
    entries = MoneyEntry.objects.filter(account__reference__in=young).order_by().values("account__series")
    kinds = MoneyEntry.Kind
    theirs: dict[str, Any] = {
        row["account__series"]: row
        for row in entries.annotate(
            due=Coalesce(Sum("amount", filter=Q(kind=kinds.DUE)), 0),
            paid=-Coalesce(Sum("amount", filter=Q(kind__in=[kinds.PAID, kinds.RETURNED])), 0),
        )
    }
    found = []
    for series in sorted({*ours, *theirs}):
        if actor and actor.series and series not in actor.series:
            continue
        for what in ("due", "paid"):
            left, right = ours.get(series, {}).get(what) or 0, theirs.get(series, {}).get(what) or 0
            if left != right:
                found.append(Difference(series, what, left, right))
    return found


# --- Closing ---------------------------------------------------------------------------------------


def close_month(actor: Actor, month: date, *, now: datetime | None = None) -> MonthClose:
    """Close the next month: its lines and its Excel are stored and never change.

    Months are closed in order, once they are over. Whoever posts at this moment either comes into the
    month before its sums are taken, or falls into the next one.
    """
    need(actor, CLOSERS, whole=True)
    now = now or timezone.now()
    if next_month(month) > first_of_month(now):
        raise Blocked(
            _("%(month)s is not over yet.") % {"month": f"{month:%Y-%m}"}, code="not_over", field="month"
        )
    with transaction.atomic():
        Book.objects.get_or_create(pk=1)
        book = Book.objects.select_for_update().get(pk=1)
        _in_order(book, month)
        wrong = differences()
        if wrong:
            raise Blocked(_disagreement(wrong), code="books_disagree")
        cells = roll(month)
        from apps.finance.workbooks import month_workbook  # it reads this module's reports

        close = MonthClose.objects.create(
            month=month,
            closed_at=now,
            closed_by_id=actor.person_id,
            cells=len(cells),
            sha256=digest(cells),
            excel=store_bytes(month_workbook(Month(month, cells)), f"未决赔款月报-{month:%Y-%m}.xlsx", EXCEL),
        )
        MonthCell.objects.bulk_create(_rows(close, cells), batch_size=500)
        Book.objects.filter(pk=1).update(closed_through=month)
    return close


def _in_order(book: Book, month: date) -> None:
    if book.closed_through is not None and month <= book.closed_through:
        raise Conflict(
            _("%(month)s is closed already.") % {"month": f"{month:%Y-%m}"}, code="closed", field="month"
        )
    first = Movement.objects.order_by("month").values_list("month", flat=True).first()
    due = next_month(book.closed_through) if book.closed_through else first
    if due is not None and month > due:
        raise Blocked(_("Close %(first)s first.") % {"first": f"{due:%Y-%m}"}, code="order", field="month")


def _disagreement(wrong: Sequence[Difference]) -> str:
    words = {"due": _("decided"), "paid": _("paid")}
    listed = "; ".join(
        f"{one.series} {words[one.what]}: {format_yuan(one.journal_fen)} ≠ {format_yuan(one.ledger_fen)}"
        for one in wrong
    )
    return _("The reserve journal and the ledger do not agree: %(what)s") % {"what": listed}


def _rows(close: MonthClose, cells: Mapping[Key, Cell]) -> list[MonthCell]:
    return [
        MonthCell(close=close, **dict(zip(DIMENSIONS, key, strict=True)), **asdict(cell))
        for key, cell in cells.items()
    ]


def digest(cells: Mapping[Key, Cell]) -> str:
    """SHA-256 over the lines in canonical form: anybody can reckon it again from the table."""
    lines = [
        [*(value.isoformat() if isinstance(value, date) else value for value in key), *asdict(cell).values()]
        for key, cell in sorted(cells.items())
    ]
    return hashlib.sha256(json.dumps(lines, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def intact(close: MonthClose) -> bool:
    """Whether the stored lines are those that were closed."""
    return digest(_stored(MonthCell.objects.filter(close=close))) == close.sha256


def closable(month: date, now: datetime) -> bool:
    """Whether this is the month to close next."""
    book = Book.objects.filter(pk=1).first()
    if next_month(month) > first_of_month(now):
        return False
    if book and book.closed_through:
        return month == next_month(book.closed_through)
    first = Movement.objects.order_by("month").values_list("month", flat=True).first()
    return first is None or month <= first


assert tuple(field.name for field in fields(Cell)) == MEASURES
