"""Recoveries in the books: claimed from the family, refunded, written off; as movements, for the vouchers.

A recovery has no reserve. Its movements stand on its own case under the benefit of the claim it was paid on.
"""

from __future__ import annotations

from typing import Any

from apps.cases.context import Batch, Ctx
from apps.cases.subscribers import subscribe
from apps.claims.models import Visit
from apps.finance.models import Movement
from apps.finance.subscriptions import frame_of, load, part_of, stamp
from apps.recoveries.actions.books import Booked

EVENTS = (
    "recovery_opened", "recovery_raised", "recovery_lowered", "refund_recorded", "refund_undone", "written_off",
    "given_back", "give_back_returned",
)  # fmt: skip
NOTED = "recovery_movements"


def connect() -> None:
    for event in EVENTS:
        subscribe(event, note)


def note(ctx: Ctx[Any]) -> None:
    """Book what the event carries when the batch is flushed."""
    booked: Booked | None = ctx.loaded.get("booked")
    if booked is None or not (booked.owed_fen or booked.refunded_fen or booked.written_off_fen):
        return
    event = next(name for name in EVENTS if name in ctx.emitted)
    ctx.batch.shared.setdefault(NOTED, []).append((ctx, event, booked))
    ctx.batch.before_flush(post)


def post(batch: Batch) -> None:
    """One movement an event, in its month or the first open one."""
    for ctx, event, booked in batch.shared.pop(NOTED, []):
        _books, closed_through = load({})
        at = stamp(ctx, event, ctx.case.version, closed_through)
        former = Movement.objects.filter(case=ctx.case.pk).count() if ctx.action != "open" else 0
        batch.add(
            Movement(
                case=ctx.case, seq=former + 1, event=at.event, event_seq=at.event_seq, kind=Movement.Kind.RECOVERY,
                basis=Movement.Basis.ENDED, reason=ctx.reason[:400], who=at.who, user_id=at.user_id, at=at.at,
                month=at.month, before_fen=0, reserve_fen=0, after_fen=0, receivable_fen=booked.owed_fen,
                refunded_fen=booked.refunded_fen, written_off_fen=booked.written_off_fen,
                payment=booked.payment[:30], **_part(ctx), **frame_of(ctx.case),
            )
        )  # fmt: skip


def _part(ctx: Ctx[Any]) -> dict[str, Any]:
    """The benefit, visit type and year of the largest visit of the claim it was paid on."""
    row = ctx.loaded.get("recovery") or ctx.subject
    visit = Visit.objects.filter(claim=row.origin_id).order_by("-claimed_fen", "pk").first()
    if visit is None:
        return {"benefit": "", "visit_type": "", "visit_year": row.origin.opened_at.year}
    key = part_of(visit)
    return {"benefit": key.benefit, "visit_type": key.visit_type, "visit_year": key.visit_year}
