"""Claims that were there before finance: their reserves open as they stand today."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from apps.accounts.actors import SYSTEM
from apps.cases.context import Batch, Ctx
from apps.cases.kinds import KINDS
from apps.cases.models import CaseFile
from apps.finance.models import Movement
from apps.finance.reckoning import Basis, CaseBook, Kind, Target, split
from apps.finance.subscriptions import Claimed, Plan, estimates, note
from apps.ledger.models import MoneyAccount

CHUNK = 200


def open_missing(now: datetime | None = None) -> int:
    """Open a reserve for each open claim without movements: what is owed where it is decided, else the
    proposal, else the rule. Returns how many. Can be repeated and interrupted; a few queries a chunk."""
    now = now or timezone.now()
    done = 0
    while chunk := _next_chunk():
        done += _open(chunk, now)
    return done


def _next_chunk() -> list[CaseFile]:
    known = Movement.objects.values("case")
    rows = CaseFile.objects.filter(kind="claim", open=True).exclude(pk__in=known).order_by("pk")
    return list(rows.select_related("policy__plan", "claim__proposal")[:CHUNK])


def _open(cases: Sequence[CaseFile], now: datetime) -> int:
    with transaction.atomic():
        locked = {
            row.pk: row
            for row in CaseFile.objects.select_for_update(of=("self",))
            .filter(pk__in=[case.pk for case in cases], open=True)
            .exclude(pk__in=Movement.objects.values("case"))
            .select_related("policy__plan", "claim__proposal")
            .order_by("pk")
        }
        owed = dict(
            MoneyAccount.objects.filter(
                reference__in=[case.number for case in locked.values()], party="MEMBER"
            ).values_list("reference", "balance")
        )
        batch = Batch(SYSTEM, now)
        for case in locked.values():
            ctx: Ctx[None] = Ctx(
                case=case, kind=KINDS["claim"], actor=SYSTEM, now=now, batch=batch, action="reserves"
            )
            batch.contexts.append(ctx)
            note(ctx, "reserve_opened", _plan(ctx, owed.get(case.number, 0)))
        batch.flush()
    return len(locked)


def _plan(ctx: Ctx[None], owed: int) -> Plan:
    case = ctx.case
    decided = case.claim.decided_fen is not None
    proposal = getattr(case.claim, "proposal", None)

    def plan(book: CaseBook, claimed: Claimed) -> Target:
        if decided and owed > 0:
            return Target(Kind.OPENING, Basis.DECISION, split(owed, claimed), due=split(owed, claimed))
        if proposal is not None:
            return Target(Kind.OPENING, Basis.PROPOSAL, split(proposal.insurer_fen, claimed))
        return estimates(ctx, claimed, Kind.OPENING)

    return plan
