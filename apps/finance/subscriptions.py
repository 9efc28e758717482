"""Reserves follow the events of a claim, in the transaction of the event.

Each event says at once what it means for the reserve (a plan); the plans of a whole batch are carried
out together before it is flushed: one statement reads, one inserts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Sum

from apps.cases.context import Batch, Ctx
from apps.cases.subscribers import subscribe
from apps.claims.models import Visit
from apps.core.money import to_fen
from apps.finance.config import rule_for
from apps.finance.models import Book, Movement
from apps.finance.reckoning import (
    ESTIMATED,
    Basis,
    CaseBook,
    Kind,
    Part,
    PartKey,
    Stamp,
    Target,
    first_of_month,
    next_month,
    split,
)

Claimed = Mapping[PartKey, int]
Plan = Callable[[CaseBook, Claimed], Target | None]
PLANS = "reserve_plans"
RESERVED = frozenset({"claim", "direct"})


@dataclass(frozen=True, slots=True)
class Noted:
    """An event of a claim and what it means for the reserve; `claimed` None is looked up."""

    ctx: Ctx[Any]
    event: str
    event_seq: int
    plan: Plan
    claimed: Claimed | None = None


def connect() -> None:
    for event, handler in HANDLERS.items():
        subscribe(event, handler)


def note(ctx: Ctx[Any], event: str, plan: Plan, claimed: Claimed | None = None) -> None:
    """Carry out `plan(book, claimed)` when the batch is flushed. Only claims have case reserves, those that a
    family reports and those that a hospital bills."""
    if ctx.kind.code not in RESERVED:
        return
    ctx.batch.shared.setdefault(PLANS, []).append(Noted(ctx, event, ctx.case.version, plan, claimed))
    ctx.batch.before_flush(post)


# --- What events mean ------------------------------------------------------------------------------


def reported(ctx: Ctx[Any]) -> None:
    claimed = _claimed_in(ctx)
    estimate = estimates(ctx, claimed or {}, Kind.OPENING)
    note(ctx, "reported", lambda book, _claimed: estimate, claimed)


def submitted(ctx: Ctx[Any]) -> None:
    """What a hospital bills is known: at once, or at the end of a stay. Letters of others are submitted too."""
    if ctx.kind.code == "direct" and "assessment" in ctx.loaded:
        reported(ctx)


def facts_corrected(ctx: Ctx[Any]) -> None:
    """The rule's estimate follows the facts; what a person set stays, over the parts there are now."""

    def plan(book: CaseBook, claimed: Claimed) -> Target:
        if book.basis == Basis.MANUAL:
            return Target(Kind.CHANGE, Basis.MANUAL, split(book.reserve, claimed))
        return estimates(ctx, less_paid(claimed, book), Kind.CHANGE)

    note(ctx, "facts_corrected", plan, _claimed_in(ctx))


def proposed(ctx: Ctx[Any]) -> None:
    amount, weights = int(ctx.data["insurer_fen"]), _weights(ctx)

    def plan(book: CaseBook, claimed: Claimed) -> Target:
        outstanding = max(amount - book.paid, 0)
        return Target(Kind.CHANGE, Basis.PROPOSAL, split(outstanding, weights or claimed))

    note(ctx, "decision_proposed", plan, _claimed_in(ctx))


def returned_to_reviewer(ctx: Ctx[Any]) -> None:
    """The proposal is gone: the rule's estimate again."""

    def plan(book: CaseBook, claimed: Claimed) -> Target:
        return estimates(ctx, less_paid(claimed, book), Kind.CHANGE)

    note(ctx, "returned_to_reviewer", plan)


def decided(ctx: Ctx[Any]) -> None:
    """What is decided and not yet disbursed. Payments follow it part by part."""
    amount, weights = int(ctx.data["insurer_fen"]), _weights(ctx)

    def plan(book: CaseBook, claimed: Claimed) -> Target:
        due = split(amount, weights or claimed)
        unpaid = {key: max(share - _paid(book, key), 0) for key, share in due.items()}
        return Target(Kind.CHANGE, Basis.DECISION, split(max(amount - book.paid, 0), unpaid), due=due)

    note(ctx, "decided", plan, _claimed_in(ctx))


def undisputed_decided(ctx: Ctx[Any]) -> None:
    """A part is owed ahead (LAW-05); the estimate of the whole stands, and covers that part at least."""
    amount, weights = int(ctx.data["insurer_fen"]), _weights(ctx)

    def plan(book: CaseBook, claimed: Claimed) -> Target:
        due = split(amount, weights or claimed)
        owed = {key: max(share - _paid(book, key), 0) for key, share in due.items()}
        reserves = {
            key: max(book.parts[key].reserve if key in book.parts else 0, owed.get(key, 0))
            for key in {*claimed, *owed}
        }
        return Target(Kind.CHANGE, _still(book, Basis.RULE), reserves, due=due)

    note(ctx, "undisputed_decided", plan, _claimed_in(ctx))


def refused(ctx: Ctx[Any]) -> None:
    """Declined or refused at intake: nothing is outstanding; a former decision is taken back."""

    def plan(book: CaseBook, claimed: Claimed) -> Target:
        return Target(Kind.RELEASE, Basis.ENDED, {}, due={} if book.due else None, opens=False)

    note(ctx, "refused", plan)


def closed(ctx: Ctx[Any]) -> None:
    def plan(book: CaseBook, claimed: Claimed) -> Target | None:
        return Target(Kind.RELEASE, Basis.ENDED, {}, opens=False) if book.open else None

    note(ctx, "closed", plan)


def _still(book: CaseBook, otherwise: str) -> str:
    """The basis of an estimate outlives payments made ahead of the decision."""
    return book.basis if book.basis in ESTIMATED else otherwise


def paid(ctx: Ctx[Any]) -> None:
    """Lowers what is outstanding, part by part; of a direct claim, with the statement of its hospital."""
    if ctx.kind.code not in RESERVED:
        return
    amount, order = int(ctx.data["amount_fen"]), str(ctx.data.get("order") or ctx.data["reference"])

    def plan(book: CaseBook, claimed: Claimed) -> Target:
        owed = {key: max(part.due - part.paid, 0) for key, part in book.parts.items()}
        shares = split(amount, owed if any(owed.values()) else book.reserves() or claimed)
        left = {key: max(part.reserve - shares.get(key, 0), 0) for key, part in _open(book, shares).items()}
        return Target(Kind.PAYMENT, _still(book, Basis.DECISION), left, paid=shares, payment=order)

    note(ctx, "paid", plan)


def payment_returned(ctx: Ctx[Any]) -> None:
    """Money that had been booked as paid is owed again; an unbooked payment was owed all the time."""
    if ctx.kind.code not in RESERVED:
        return
    order = str(ctx.data.get("order") or ctx.data["reference"])
    booked = ctx.data["amount_fen"] if ctx.kind.code == "direct" else ctx.loaded.get("returned_fen", 0)
    amount, reason = int(booked), ctx.reason

    def plan(book: CaseBook, claimed: Claimed) -> Target | None:
        if not amount:
            return None
        back = split(amount, {key: part.paid for key, part in book.parts.items()} or claimed)
        owed = {
            key: book.parts[key].reserve + share if key in book.parts else share
            for key, share in back.items()
        }
        shares = {key: -share for key, share in back.items()}
        return Target(
            Kind.RETURN, _still(book, Basis.DECISION), owed, paid=shares, payment=order, reason=reason
        )

    note(ctx, "payment_returned", plan)


def set_off(ctx: Ctx[Any]) -> None:
    """A hospital's statement withheld what was paid too much; nothing is owed for it, so no reserve moves."""
    _withheld(ctx, "set_off", int(ctx.data["amount_fen"]))


def set_off_undone(ctx: Ctx[Any]) -> None:
    _withheld(ctx, "set_off_undone", int(ctx.data["amount_fen"]))


def _withheld(ctx: Ctx[Any], event: str, amount: int) -> None:
    order, sign = str(ctx.data["reference"]), -1 if amount > 0 else 1

    def plan(book: CaseBook, claimed: Claimed) -> Target:
        over = {key: max(part.paid - part.due, 0) for key, part in book.parts.items()}
        weights = over if any(over.values()) else {key: part.paid for key, part in book.parts.items()}
        shares = {key: sign * share for key, share in split(abs(amount), weights or claimed).items()}
        return Target(
            Kind.PAYMENT,
            _still(book, Basis.DECISION),
            book.reserves(),
            paid=shares,
            payment=order,
            opens=book.open,
        )

    note(ctx, event, plan)


def reopened(ctx: Ctx[Any]) -> None:
    """What the rule expects beyond what was paid."""
    reason = ctx.reason

    def plan(book: CaseBook, claimed: Claimed) -> Target:
        return estimates(ctx, less_paid(claimed, book), Kind.REOPENING, reason=reason)

    note(ctx, "reopened", plan)


HANDLERS: dict[str, Callable[[Ctx[Any]], None]] = {
    "reported": reported,
    "facts_corrected": facts_corrected,
    "decision_proposed": proposed,
    "returned_to_reviewer": returned_to_reviewer,
    "decided": decided,
    "undisputed_decided": undisputed_decided,
    "refused": refused,
    "paid": paid,
    "part_paid": paid,
    "payment_returned": payment_returned,
    "part_returned": payment_returned,
    "closed": closed,
    "reopened": reopened,
    # What hospitals bill directly.
    "submitted": submitted,
    "discharged": submitted,
    "settled": paid,
    "settlement_returned": payment_returned,
    "set_off": set_off,
    "set_off_undone": set_off_undone,
}


# --- Estimates -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Expected:
    """What is claimed for a part, what was paid for it already, and what is owed for it (fen)."""

    claimed: int
    paid: int = 0
    owed: int = 0


def less_paid(claimed: Claimed, book: CaseBook) -> dict[PartKey, Expected]:
    return {key: Expected(amount, _paid(book, key), _owed(book, key)) for key, amount in claimed.items()}


def _owed(book: CaseBook, key: PartKey) -> int:
    return max(book.parts[key].due - book.parts[key].paid, 0) if key in book.parts else 0


def _paid(book: CaseBook, key: PartKey) -> int:
    return max(book.parts[key].paid, 0) if key in book.parts else 0


def _open(book: CaseBook, shares: Mapping[PartKey, int]) -> dict[PartKey, Part]:
    """The parts a payment leaves open: those that are, or those it names where nothing was booked."""
    return {key: part for key, part in book.parts.items() if part.open} or {key: Part() for key in shares}


def estimates(
    ctx: Ctx[Any], expected: Mapping[PartKey, Expected | int], kind: str, *, reason: str = ""
) -> Target:
    """Reported × expected paid ratio, less what was paid, by the rules in force today."""
    day = first_of_month(ctx.now)
    reserves, rules = {}, {}
    for key, given in expected.items():
        part = given if isinstance(given, Expected) else Expected(given)
        rule = rule_for(ctx.case.series, key.benefit, key.visit_type, day)
        reserves[key], rules[key] = max(rule.of(part.claimed) - part.paid, part.owed), rule.label
    return Target(kind, Basis.RULE, reserves, rules, reason=reason)


def _claimed_in(ctx: Ctx[Any]) -> dict[PartKey, int] | None:
    """What each part claims, when the action has the rows at hand."""
    found = ctx.loaded.get("assessment")
    if found is None:
        return None
    claimed: dict[PartKey, int] = defaultdict(int)
    for row in found.rows.visits:
        claimed[part_of(row.visit)] += row.visit.claimed_fen
    return dict(claimed)


def _weights(ctx: Ctx[Any]) -> dict[PartKey, int]:
    """What the rules gave each part; empty when they gave nothing (ex gratia)."""
    found = ctx.loaded.get("assessment")
    if found is None:
        return {}
    part_at = {row.ref: part_of(row.visit) for row in found.rows.visits}
    weights: dict[PartKey, int] = dict.fromkeys(part_at.values(), 0)
    for line in found.decision.lines:
        weights[part_at[line.ref.split(".")[0]]] += to_fen(line.insurer)
    return weights if any(weights.values()) else {}


def part_of(visit: Visit) -> PartKey:
    return PartKey(visit.benefit, visit.visit_type, visit.started_on.year)


# --- Posting ---------------------------------------------------------------------------------------


def post(batch: Batch) -> None:
    """Carry out what the events of a batch noted, in their order."""
    noted: list[Noted] = batch.shared.pop(PLANS, [])
    cases = {one.ctx.case.pk: one.ctx.case for one in noted}
    fresh = {one.ctx.case.pk for one in noted if one.event == "reported"}
    books, closed_through = load(cases, fresh)
    claimed = {one.ctx.case.pk: one.claimed for one in noted if one.claimed is not None}
    unknown = {pk for pk in cases if pk not in claimed and _asks(books[pk], noted, pk)}
    claimed |= claimed_of(unknown) if unknown else {}
    for one in noted:
        case = one.ctx.case
        target = one.plan(books[case.pk], claimed.get(case.pk, {}))
        if target is None:
            continue
        for row in books[case.pk].move(target, _stamp(one, closed_through), frame_of(case)):
            batch.add(row)


NEED_CLAIMED = frozenset(
    {
        "facts_corrected", "decision_proposed", "returned_to_reviewer", "decided", "undisputed_decided", "reopened",
        "reserve_adjusted", "reserve_opened",
    }
)  # fmt: skip


def _asks(book: CaseBook, noted: Iterable[Noted], pk: int) -> bool:
    """Whether a plan will look at what was claimed: an estimate, or money of a claim never booked."""
    own = [one for one in noted if one.ctx.case.pk == pk]
    return any(one.event in NEED_CLAIMED for one in own) or (
        not book.parts and any(one.event in ("paid", "payment_returned") for one in own)
    )


def _stamp(one: Noted, closed_through: date | None) -> Stamp:
    return stamp(one.ctx, one.event, one.event_seq, closed_through)


def stamp(ctx: Ctx[Any], event: str, event_seq: int, closed_through: date | None) -> Stamp:
    """A movement falls into the month of its day, or into the first open one when that is closed."""
    month = first_of_month(ctx.now)
    if closed_through is not None:
        month = max(month, next_month(closed_through))
    return Stamp(event, event_seq, ctx.now, month, ctx.actor.label[:80], ctx.actor.user_id)


def frame_of(case: Any) -> dict[str, Any]:
    """What all movements of a claim say of it."""
    return {
        "series": case.series,
        "tpa": case.tpa,
        "product": case.policy.plan.code,
        "reported_month": first_of_month(case.opened_at),
    }


_READ = """
SELECT b.closed_through, m.case_id, m.seq, m.basis, m.benefit, m.visit_type, m.visit_year,
       m.reserve_fen, m.provision_fen, m.due_fen, m.paid_fen, m.parts, m.claims
FROM finance_book b LEFT JOIN finance_movement m ON m.case_id IN ({ids})
WHERE b.id = 1 ORDER BY m.case_id, m.seq {lock}
"""
COLUMNS = (
    "case_id", "seq", "basis", "benefit", "visit_type", "visit_year", "reserve_fen", "provision_fen", "due_fen",
    "paid_fen", "parts", "claims",
)  # fmt: skip


def load(cases: Mapping[int, Any], fresh: Iterable[int] = ()) -> tuple[dict[int, CaseBook], date | None]:
    """The books of claims and the last closed month, in one statement that keeps the month from closing.

    `fresh` are claims opened just now, which have no movements.
    """
    books = {pk: CaseBook(case) for pk, case in cases.items()}
    rows = _read([pk for pk in cases if pk not in set(fresh)])
    if not rows:
        Book.objects.get_or_create(pk=1)
        rows = _read([pk for pk in cases if pk not in set(fresh)])
    for _closed, *values in rows:
        if values[0] is not None:
            books[values[0]].take(Movement(**dict(zip(COLUMNS, values, strict=True))))
    return books, _as_date(rows[0][0])


def _read(ids: Sequence[int]) -> list[tuple[Any, ...]]:
    lock = "FOR SHARE OF b" if connection.features.has_select_for_update else ""
    places = ", ".join(["%s"] * len(ids)) or "NULL"
    with connection.cursor() as cursor:
        cursor.execute(_READ.format(ids=places, lock=lock), list(ids))
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def _as_date(value: Any) -> date | None:
    """SQLite gives the text of a date."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def claimed_of(cases: Iterable[int]) -> dict[int, dict[PartKey, int]]:
    """What each part of claims claims; one query."""
    found: dict[int, dict[PartKey, int]] = defaultdict(dict)
    rows = Visit.objects.filter(claim__in=list(cases)).order_by()
    parts = rows.values_list("claim", "benefit", "visit_type", "started_on__year")
    for case, benefit, visit_type, year, claimed in parts.annotate(claimed=Sum("claimed_fen")):
        found[case][PartKey(benefit, visit_type, year)] = claimed
    return found
