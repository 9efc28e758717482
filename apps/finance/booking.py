"""From movements to vouchers: pure, so that what is released is what was prepared.

An entry is one aspect of one movement: provision, decided, paid or returned. A posting of the chart
says which accounts it touches. Entries of one event (or of one day) make one voucher; equal lines are
added up, decreases turn the sides, and what adds up to nothing is left out.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from apps.cases.models import CaseFile
from apps.finance.config import TO_HOSPITALS, Chart, Posting
from apps.finance.models import Aspect, Movement
from apps.finance.reckoning import next_month

DIRECT, RECOVERY = "direct", "recovery"  # claims that hospitals bill; what is asked back


@dataclass(frozen=True, slots=True)
class Entry:
    """An amount (fen, signed) that one aspect of a movement brings to the books."""

    movement: int
    aspect: str
    amount: int
    case: str
    event_seq: int
    day: date
    product: str
    benefit: str
    payment: str
    hospital: bool = False  # owed to a hospital that billed directly

    @property
    def items(self) -> dict[str, str]:
        return {
            "product": self.product, "benefit": self.benefit, "case": self.case, "payment": self.payment,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class DraftLine:
    account: str
    account_name: str
    items: tuple[tuple[str, str], ...]
    debit_fen: int
    credit_fen: int


@dataclass(frozen=True, slots=True)
class DraftVoucher:
    """A voucher that has no number yet."""

    key: str
    aspect: str
    word: str
    date: date
    summary: str
    lines: tuple[DraftLine, ...]

    @property
    def debit_fen(self) -> int:
        return sum(line.debit_fen for line in self.lines)

    @property
    def credit_fen(self) -> int:
        return sum(line.credit_fen for line in self.lines)


def entries_of(row: Movement, case: str) -> list[Entry]:
    """The entries of a movement. Money paid and money returned are different matters to a bank account."""
    day = timezone.localtime(row.at).date()
    amounts = (
        (Aspect.PROVISION, row.provision_fen),
        (Aspect.DUE, row.due_fen),
        (Aspect.PAID, max(row.paid_fen, 0)),
        (Aspect.RETURNED, max(-row.paid_fen, 0)),
        (Aspect.RECEIVABLE, row.receivable_fen),
        (Aspect.REFUND, row.refunded_fen),
        (Aspect.WRITE_OFF, row.written_off_fen),
    )
    return [
        Entry(
            row.pk,
            aspect.value,
            amount,
            case,
            row.event_seq,
            day,
            row.product,
            row.benefit,
            row.payment,
            _of_hospital(row.case),
        )
        for aspect, amount in amounts
        if amount
    ]


def _of_hospital(case: CaseFile) -> bool:
    """A direct claim, or what was paid to a hospital for one and is asked back of the family."""
    origin = case.recovery.origin if case.kind == RECOVERY else case  # type: ignore[attr-defined]
    return bool(origin.kind == DIRECT)


def posting_of(entry: Entry, chart: Chart) -> Posting:
    """What is owed to hospitals has postings of its own where the chart gives them."""
    own = chart.postings.get(f"{entry.aspect}{TO_HOSPITALS}") if entry.hospital else None
    return own or chart.postings[entry.aspect]


def key_of(entry: Entry, posting: Posting, month: date) -> str:
    """Which voucher of a batch an entry belongs to."""
    if posting.grain == "DAY":
        return f"{entry.aspect}:{within(entry.day, month):%Y%m%d}"
    if posting.grain == "PAYMENT" and entry.payment:
        return f"{entry.aspect}:{entry.payment}"
    return f"{entry.aspect}:{entry.case}:{entry.event_seq}"


def within(day: date, month: date) -> date:
    """A voucher is dated in its month, also when its entry came from before or (late) after."""
    return min(max(day, month), next_month(month) - timedelta(days=1))


def draft(entries: Iterable[Entry], chart: Chart, month: date) -> list[DraftVoucher]:
    """Balanced vouchers by date; those of one day in the order in which their first entries come."""
    grouped: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        grouped[key_of(entry, posting_of(entry, chart), month)].append(entry)
    found = [_voucher(key, own, chart, month) for key, own in grouped.items()]
    return sorted((one for one in found if one.lines), key=lambda one: one.date)


def _voucher(key: str, entries: Sequence[Entry], chart: Chart, month: date) -> DraftVoucher:
    first = entries[0]
    posting = posting_of(first, chart)
    sums: dict[tuple[bool, tuple[tuple[str, str], ...]], int] = defaultdict(int)
    for entry in entries:
        items = tuple((name, entry.items[name]) for name in posting.items if entry.items[name])
        sums[False, items] += entry.amount
        sums[True, items] -= entry.amount
    lines = [
        _line(posting, credit, items, amount) for (credit, items), amount in sorted(sums.items()) if amount
    ]
    about = f" {first.case}" if posting.grain == "CASE" else ""
    paid = f" {first.payment}" if posting.grain in ("CASE", "PAYMENT") and first.payment else ""
    return DraftVoucher(
        key, first.aspect, chart.word, within(first.day, month), f"{posting.summary}{about}{paid}",
        tuple(sorted(lines, key=lambda line: (line.credit_fen != 0, line.account, line.items))),
    )  # fmt: skip


def _line(posting: Posting, credit: bool, items: tuple[tuple[str, str], ...], amount: int) -> DraftLine:
    account = posting.credit if credit else posting.debit
    return DraftLine(account.code, account.name, items, max(amount, 0), max(-amount, 0))


def reversal(voucher: DraftVoucher, day: date, number: str) -> DraftVoucher:
    """The same voucher in red (红字冲销): the same sides, negative amounts."""
    lines = tuple(
        replace(line, debit_fen=-line.debit_fen, credit_fen=-line.credit_fen) for line in voucher.lines
    )
    return replace(voucher, date=day, summary=f"冲销 {number} {voucher.summary}"[:200], lines=lines)


def digest(vouchers: Sequence[DraftVoucher]) -> str:
    """SHA-256 of vouchers as prepared, in whatever order; a release under other accounts is noticed by it."""
    plain: list[Any] = [asdict(one) for one in sorted(vouchers, key=lambda one: (one.date, one.key))]
    text = json.dumps(plain, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
