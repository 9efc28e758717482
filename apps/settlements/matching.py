"""A hospital's list against our statement: pure. Rows in, differences out; integer fen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.utils.translation import gettext as _

from apps.settlements.models import Difference

Kind = Difference.Kind


@dataclass(frozen=True, slots=True)
class ListRow:
    """One row of the list; a claim may have several (one a bill). Empty fields say nothing."""

    number: int
    case: str
    hospital_number: str
    bill: str
    child: str
    visited_on: date | None
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Ours:
    """One claim as we know it; `here` when the statement pays it, else `where` says what became of it."""

    case_id: int
    case: str
    hospital_number: str
    bills: tuple[str, ...]
    child: str  # the whole name, for comparing only
    shown: str  # masked
    visited_on: date
    visited_until: date | None
    amount_fen: int
    here: bool = True
    paid: bool = False  # by another statement
    where: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A difference that is not stored yet."""

    kind: str
    about: str
    case_id: int | None = None
    rows: tuple[int, ...] = ()
    ours_fen: int | None = None
    theirs_fen: int | None = None
    ours: str = ""
    theirs: str = ""


@dataclass
class Match:
    differences: list[Found] = field(default_factory=list)
    agreed: int = 0


def match(rows: Sequence[ListRow], claims: Sequence[Ours]) -> Match:
    """By our number, then the hospital's, then the bill's; several rows of one claim are added up."""
    by_case = {plain(one.case): one for one in claims}
    by_hospital = _unique((plain(one.hospital_number), one) for one in claims)
    by_bill = _unique((plain(bill), one) for one in claims for bill in one.bills)
    grouped: dict[int, list[ListRow]] = defaultdict(list)
    known = {one.case_id: one for one in claims}
    result = Match()
    for row in rows:
        one = (
            by_case.get(plain(row.case)) or by_hospital.get(plain(row.hospital_number)) or by_bill.get(plain(row.bill))
        )  # fmt: skip
        if one is None:
            result.differences.append(
                Found(
                    Kind.ONLY_THEIRS, row.case or row.hospital_number or row.bill, None, (row.number,), None,
                    row.amount_fen, _("unknown to us"), _said(row),
                )
            )  # fmt: skip
        else:
            grouped[one.case_id].append(row)
    for case_id, own in grouped.items():
        found = _compare(known[case_id], own)
        result.differences += found
        result.agreed += not found
    for one in claims:
        if one.here and one.case_id not in grouped:
            result.differences.append(
                Found(Kind.ONLY_OURS, one.case, one.case_id, (), one.amount_fen, None, _ours(one), "")
            )
    return result


def _compare(one: Ours, rows: Sequence[ListRow]) -> list[Found]:
    numbers = tuple(row.number for row in rows)
    theirs = sum(row.amount_fen for row in rows)
    if not one.here:
        kind = Kind.PAID if one.paid else Kind.ONLY_THEIRS
        return [
            Found(kind, one.case, one.case_id, numbers, one.amount_fen, theirs, one.where, _said(rows[0]))
        ]
    found = []
    others = sorted({row.child for row in rows if row.child and plain(row.child) != plain(one.child)})
    if others:
        found.append(
            Found(
                Kind.CHILD,
                one.case,
                one.case_id,
                numbers,
                one.amount_fen,
                theirs,
                one.shown,
                masked("、".join(others)),
            )
        )
    until = one.visited_until or one.visited_on
    days = sorted(
        {row.visited_on for row in rows if row.visited_on and not one.visited_on <= row.visited_on <= until}
    )
    if days:
        said = "、".join(day.isoformat() for day in days)
        found.append(
            Found(Kind.DATE, one.case, one.case_id, numbers, one.amount_fen, theirs, _days(one), said)
        )
    if theirs != one.amount_fen:
        found.append(
            Found(Kind.AMOUNT, one.case, one.case_id, numbers, one.amount_fen, theirs, _ours(one), "")
        )
    return found


def plain(text: str) -> str:
    """Numbers and names as people mean them: no blanks, no case, no middle dots."""
    return "".join(text.split()).replace("·", "").replace("-", "").upper()


def masked(name: str) -> str:
    """'王**': a list may name other children than ours; whole names are not kept."""
    return name[:1] + "*" * max(len(name) - 1, 1) if name else ""


def _unique(pairs: Iterable[tuple[str, Ours]]) -> Mapping[str, Ours]:
    """What names one claim only; a bill or a number that two claims have names none."""
    found: dict[str, Ours | None] = {}
    for key, one in pairs:
        if key:
            found[key] = one if found.get(key, one) is one else None
    return {key: one for key, one in found.items() if one is not None}


def _days(one: Ours) -> str:
    return one.visited_on.isoformat() + (f" – {one.visited_until.isoformat()}" if one.visited_until else "")


def _ours(one: Ours) -> str:
    return " ".join(part for part in (one.shown, _days(one), one.hospital_number) if part)


def _said(row: ListRow) -> str:
    day = row.visited_on.isoformat() if row.visited_on else ""
    return " ".join(part for part in (masked(row.child), day, row.hospital_number, row.bill) if part)
