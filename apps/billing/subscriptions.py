"""What bills listen to: direct-billing claims that were decided or closed, and e-mails that arrived.

A claim's rows are written when the batch is flushed; only then is what it leaves to the family read.
"""

from __future__ import annotations

import logging
from typing import Any

from apps.accounts.actors import SYSTEM
from apps.billing.actions.notices import TEMPLATE
from apps.billing.actions.open import Share, follow_claim
from apps.billing.greying import grey_issued
from apps.billing.models import BillReminder
from apps.cards.models import cards_issued
from apps.cases.context import Batch, Ctx
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.cases.subscribers import subscribe
from apps.claims.models import DecisionLine, Visit
from apps.core.errors import Blocked
from apps.direct.queries import self_pay
from apps.messaging.models import Message
from apps.messaging.outbox import on_delivered

log = logging.getLogger(__name__)
CLAIMS = "claims_with_bills"
FULL_VISITS_USED = "FULL_VISITS_USED"


def connect() -> None:
    subscribe("decided", claim_moved)
    subscribe("closed", claim_moved)
    on_delivered(reminder_delivered)
    cards_issued.connect(grey_issued, dispatch_uid="billing.grey_issued")


def claim_moved(ctx: Ctx[Any]) -> None:
    """BIL-20: closed with a share; BIL-01: something stays open after a decision."""
    if ctx.kind.code != "direct":
        return
    ctx.batch.shared.setdefault(CLAIMS, {})[ctx.case.pk] = ctx
    ctx.batch.after_flush(bill_claims)


def bill_claims(batch: Batch) -> None:
    for ctx in batch.shared.pop(CLAIMS, {}).values():
        share = share_of(ctx.case)
        if share is not None:
            follow_claim(ctx.case, share, closed=ctx.case.state == "CLOSED", now=ctx.now)


def share_of(claim: CaseFile) -> Share | None:
    """What the last decision leaves to the family; None before the first or without a hospital. The visit is
    the claim's first."""
    found = self_pay(claim)
    visit = Visit.objects.filter(claim=claim.pk).select_related("hospital").order_by("position").first()
    if visit is None:
        return None
    last = DecisionLine.objects.filter(decision__claim=claim.pk).order_by("-decision__version")
    version = last.values_list("decision__version", flat=True).first()
    reasons = last.filter(decision__version=version or 0, member_fen__gt=0).values_list("reasons", flat=True)
    used_up = any(str(ref).startswith(FULL_VISITS_USED) for refs in reasons for ref in refs)
    return Share(
        total_fen=found.total_fen, collected_fen=found.collected_fen, open_fen=found.open_fen,
        breakdown=found.breakdown, hospital=visit.hospital, visit_type=visit.visit_type, visited_on=visit.started_on,
        department=visit.department, full_visits_used=used_up,
    )  # fmt: skip


def reminder_delivered(message: Message) -> None:
    """A reminder by e-mail counts when it was delivered (BIL-02)."""
    if message.template != TEMPLATE:
        return
    reminder = BillReminder.objects.filter(message=message.pk).select_related("bill__case").first()
    if reminder is None or reminder.result != BillReminder.Result.WAITING:
        return
    number = reminder.bill.case.number
    try:
        perform(number, "reminder_delivered", SYSTEM, reminder=reminder.pk, at=message.delivered_at)
    except Blocked:  # paid meanwhile; the delivery stands on the message
        log.info("reminder delivered after the bill had ended", extra={"case": number})
