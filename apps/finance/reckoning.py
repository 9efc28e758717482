"""The reserve of one claim, reckoned in memory: its parts, and the movements that bring it to a target.

Pure but for the unsaved `Movement` rows it returns. Integer fen throughout; every split is exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.utils import timezone

from apps.finance.models import Movement

Kind, Basis = Movement.Kind, Movement.Basis
ESTIMATED = frozenset({Basis.RULE, Basis.PROPOSAL, Basis.MANUAL})


@dataclass(frozen=True, slots=True, order=True)
class PartKey:
    """One part of a claim: benefit, visit type, year of visit."""

    benefit: str
    visit_type: str
    visit_year: int


@dataclass
class Part:
    """Where a part stands (fen)."""

    reserve: int = 0
    provision: int = 0
    due: int = 0
    paid: int = 0
    open: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """What is outstanding after an event, by part; parts that are not named have nothing.

    `due` is what is owed in all by the decision in force, `paid` the payment (negative: returned).
    None leaves them as they are.
    """

    kind: str
    basis: str
    reserves: Mapping[PartKey, int]
    rules: Mapping[PartKey, str] = field(default_factory=dict)
    due: Mapping[PartKey, int] | None = None
    paid: Mapping[PartKey, int] | None = None
    opens: bool = True  # whether the claim is open afterwards
    reason: str = ""
    payment: str = ""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who, when and why: the same for all movements of one event."""

    event: str
    event_seq: int
    at: datetime
    month: date
    who: str
    user_id: int | None


def first_of_month(moment: datetime) -> date:
    return timezone.localtime(moment).date().replace(day=1)


def next_month(month: date) -> date:
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)


def split(amount: int, weights: Mapping[PartKey, int]) -> dict[PartKey, int]:
    """An amount over parts in proportion to their weights, to the last fen; equal where all weigh nothing."""
    if not weights:
        return {}
    total = sum(weights.values())
    use = {key: max(weight, 0) for key, weight in weights.items()} if total > 0 else dict.fromkeys(weights, 1)
    total, sign, size = sum(use.values()), -1 if amount < 0 else 1, abs(amount)
    shares = {key: size * weight // total for key, weight in use.items()}
    rest = size - sum(shares.values())
    # Largest remainder; the order of the keys settles what is equal.
    by_rest = sorted(use, key=lambda key: (-(size * use[key] % total), key))
    for key in by_rest[:rest]:
        shares[key] += 1
    return {key: sign * share for key, share in shares.items()}


class CaseBook:
    """The parts of one claim as its movements left them."""

    def __init__(self, case: Any, movements: Iterable[Movement] = ()) -> None:
        self.case = case
        self.parts: dict[PartKey, Part] = {}
        self.seq = 0
        self.basis = ""
        self.open = False
        for row in movements:
            self.take(row)

    def take(self, row: Movement) -> None:
        part = self.parts.setdefault(key_of(row), Part())
        part.reserve += row.reserve_fen
        part.provision += row.provision_fen
        part.due += row.due_fen
        part.paid += row.paid_fen
        part.open = bool(part.open + row.parts)
        self.open = bool(self.open + row.claims)
        self.seq, self.basis = row.seq, row.basis

    @property
    def reserve(self) -> int:
        return sum(part.reserve for part in self.parts.values())

    @property
    def due(self) -> int:
        return sum(part.due for part in self.parts.values())

    @property
    def paid(self) -> int:
        return sum(part.paid for part in self.parts.values())

    def reserves(self) -> dict[PartKey, int]:
        return {key: part.reserve for key, part in self.parts.items()}

    def move(self, target: Target, stamp: Stamp, frame: Mapping[str, Any]) -> list[Movement]:
        """The movements that lead to a target; none where nothing changes. The book moves along."""
        rows: list[Movement] = []
        keys = sorted({*self.parts, *target.reserves, *(target.due or {}), *(target.paid or {})})
        kind = target.kind if self.seq else Kind.OPENING  # whatever a claim's first movement comes from
        flips = int(target.opens) - int(self.open)
        lead = min(
            (key for key in keys if target.reserves.get(key) is not None), default=min(keys, default=None)
        )
        for key in keys:
            part = self.parts.get(key, Part())
            opens = target.opens and key in target.reserves
            after = target.reserves.get(key, 0)
            due = part.due if target.due is None else target.due.get(key, 0)
            paid = 0 if target.paid is None else target.paid.get(key, 0)
            # What is owed already is money owed; only the rest of an estimate is a provision.
            owed = max(due - part.paid - paid, 0)
            provision = max(after - owed, 0) if target.basis in ESTIMATED else 0
            row = Movement(
                case=self.case,
                seq=self.seq + 1,
                event=stamp.event,
                event_seq=stamp.event_seq,
                kind=kind,
                basis=target.basis,
                rule=target.rules.get(key, ""),
                reason=target.reason[:400],
                who=stamp.who,
                user_id=stamp.user_id,
                at=stamp.at,
                month=stamp.month,
                benefit=key.benefit,
                visit_type=key.visit_type,
                visit_year=key.visit_year,
                before_fen=part.reserve,
                reserve_fen=after - part.reserve,
                after_fen=after,
                provision_fen=provision - part.provision,
                due_fen=due - part.due,
                paid_fen=paid,
                parts=int(opens) - int(part.open),
                claims=flips if key == lead else 0,
                payment=target.payment,
                **frame,
            )
            if says_something(row):
                rows.append(row)
                self.take(row)
        return rows


def key_of(row: Movement) -> PartKey:
    return PartKey(row.benefit, row.visit_type, row.visit_year)


def says_something(row: Movement) -> bool:
    return any((row.reserve_fen, row.provision_fen, row.due_fen, row.paid_fen, row.parts, row.claims))


def books_of(cases: Mapping[int, Any], movements: Sequence[Movement]) -> dict[int, CaseBook]:
    """The books of several claims; movements come in the order of `seq`."""
    found = {pk: CaseBook(case) for pk, case in cases.items()}
    for row in movements:
        found[row.case_id].take(row)
    return found
