"""Posting what happens to a recovery: in the ledger at once, for finance by what the event carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apps.cases.context import Ctx
from apps.ledger.actions import money_account, post_money
from apps.ledger.models import MoneyEntry
from apps.payments.queries import payable_key
from apps.recoveries.demand import DIRECT, account_key, written_off_key
from apps.recoveries.models import Recovery

Kind = MoneyEntry.Kind
HOSPITAL = "HOSPITAL"


@dataclass(frozen=True, slots=True)
class Booked:
    """Signed fen of one event: claimed from the family, refunded by it, not pursued."""

    owed_fen: int = 0
    refunded_fen: int = 0
    written_off_fen: int = 0
    payment: str = ""


def book(
    ctx: Ctx[Any], row: Recovery, *, owed: int = 0, refunded: int = 0, written_off: int = 0, payment: str = ""
) -> None:
    """Post signed amounts (fen). The debt of a claim stands on the claim's own account already; the debt of
    a direct claim begins here: we paid the hospital, whose account is relieved, and the family owes us."""
    if ctx.action != "open":
        ctx.update(row, "postings")
    row.postings += 1
    reference = f"{ctx.case.number}/{row.postings}"
    key, owner = account_key(row, ctx.case)
    if owed and row.origin.kind == DIRECT:
        _post(ctx, key, owner.number, Kind.DUE, -owed, reference)
        _post(
            ctx,
            payable_key(row.origin, HOSPITAL),
            row.origin.number,
            Kind.REVERSAL,
            owed,
            reference,
            HOSPITAL,
        )
    if refunded:
        _post(ctx, key, owner.number, Kind.REFUND, refunded, reference)
    if written_off:
        _post(ctx, written_off_key(ctx.case), ctx.case.number, Kind.WRITE_OFF, written_off, reference)
    ctx.loaded["booked"] = Booked(owed, refunded, written_off, payment)


def _post(
    ctx: Ctx[Any], key: str, case: str, kind: str, amount_fen: int, reference: str, party: str = "MEMBER"
) -> None:
    account = money_account(key, party=party, reference=case, series=ctx.case.series, tpa=ctx.case.tpa)
    post_money(account, kind, amount_fen, reference=reference)


def set_open(ctx: Ctx[Any], *fields: str) -> None:
    """Write changed columns; lists show what is open."""
    row: Recovery = ctx.subject
    ctx.case.amount_fen = row.open_fen
    ctx.update(row, *fields)
