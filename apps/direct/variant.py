"""What a claim billed directly does in its own way: the letter speaks in its facts, its reservation is drawn
down with the decision, the hospital is owed, and both sides are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

from apps.accounts.actors import SYSTEM
from apps.adjudication.checklist import UNUSABLE, Requirement
from apps.adjudication.facts import Facts
from apps.adjudication.handbook import Title
from apps.cases.context import Batch, Ctx
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.claims.assess import Assessment
from apps.claims.booking import PAYING, Verdict, limits_in
from apps.claims.rows import ClaimRows
from apps.claims.variants import Variant
from apps.core.money import to_fen, to_yuan
from apps.direct import notices
from apps.direct.letter import Own, authorized_names, own_of
from apps.direct.queries import owed_fen

SIGNED = frozenset({"SIGNED_RECEIPT", "SIGNED_BILL"})
UNSIGNED = Title("未签名", "not signed")
SIGN_IT = Title("请家长签字后重新提交。", "Have the parent sign it and send it again.")


@dataclass
class DirectAssessment(Assessment):
    """A receipt or bill that must be signed is not there while nobody saw a signature on it (APT-06, DBO-03)."""

    @cached_property
    def requirements(self) -> tuple[Requirement, ...]:
        listed = super().requirements  # a plain property of the base as far as callers can tell
        signed = {paper.kind for paper in self.facts.papers if paper.signed and paper.usable}
        return tuple(
            replace(entry, status=UNUSABLE, why=UNSIGNED, remedy=SIGN_IT, fault="UNSIGNED")
            if entry.key in SIGNED and entry.satisfied and not entry.automatic and entry.key not in signed
            else entry
            for entry in listed
        )


class Direct(Variant):
    party = "HOSPITAL"
    orders = False

    def prepare(self, batch: Batch) -> None:
        """The letters first: what they hold stands still until the decision is booked."""
        letters = [ctx.subject.authorization_id for ctx in batch.contexts if ctx.subject.authorization_id]
        if letters:
            list(CaseFile.objects.select_for_update().filter(pk__in=letters).order_by("pk").values_list("pk"))

    def load(self, claims: Sequence[ClaimRows]) -> None:
        found = own_of([rows.case.direct for rows in claims])
        for rows in claims:
            rows.own = found[rows.case.pk]

    def facts(self, rows: ClaimRows, facts: Facts) -> Facts:
        own: Own | None = rows.own
        if own is None or not facts.visits:
            return facts
        visits = [(visit.ref, visit.started_on) for visit in facts.visits]
        bound = any(own.binds(day) for _ref, day in visits)
        return replace(
            facts,
            authorizations=authorized_names(own, visits),
            letter_left=to_yuan(own.left_fen()) if bound else None,
        )

    def assessment(self, rows: ClaimRows, facts: Facts) -> Assessment:
        return DirectAssessment(rows, facts)

    def held(self, rows: ClaimRows) -> dict[int, int]:
        return rows.own.held if rows.own is not None else {}

    def before_booking(self, ctx: Ctx[Any], verdict: Verdict) -> None:
        """What the claim takes of the letter is reserved no longer; the limits it uses are booked next."""
        own: Own = ctx.loaded["assessment"].rows.own
        if own.letter is None or not own.drawable or not verdict.uses_limits:
            return
        amount = min(verdict.insurer_fen, own.left_fen()) - own.direct.drawn_fen
        if amount <= 0:
            return
        perform(own.letter.case, "draw", SYSTEM, now=ctx.now, amount=to_yuan(amount), claim=ctx.case.number)
        for account in limits_in(ctx).values():
            given = min(amount, own.held.get(account.pk, 0))
            if given:
                account.reserved -= given
                own.held[account.pk] -= given
        own.direct.drawn_fen += amount
        own.letter.drawn_fen += amount
        ctx.update(own.direct, "drawn_fen")
        ctx.data["drawn_fen"] = amount

    def payable(self, ctx: Ctx[Any], *, change: int) -> int:
        """Less what went to the hospital already."""
        decided: int = ctx.case.claim.decided_fen or 0
        return decided - int(ctx.subject.paid_fen)

    def letter(self, found: Assessment, verdict: Verdict, on: date) -> Any:
        return notices.family_letter(found, verdict, on, found.rows.case.direct)

    def beside(self, found: Assessment) -> tuple[str, dict[str, Any]]:
        """The hospital with what it was paid already, what is taken of the letter, what is left to the family."""
        own: Own = found.rows.own
        paying, decision = to_fen(found.decision.insurer), found.decision
        hospital = str(found.rows.case.hospital)
        share = notices.share_of(own.direct, decision, paying, hospital)
        return "direct/parts/verdict.html", {
            "billed_directly": True,
            "hospital": hospital,
            "paid_fen": own.direct.paid_fen,
            "share": share,
            "owed_fen": owed_fen(own.direct, found.rows.claim.claimed_fen, paying),
            "too_much_fen": max(own.direct.collected_fen - share.own_fen, 0),
            "letter": own.letter,
            "draws_fen": min(paying, own.left_fen()) if own.letter is not None and own.drawable else 0,
        }

    def tell(self, ctx: Ctx[Any], verdict: Verdict) -> None:
        notices.tell_family(ctx, verdict)
        notices.tell_hospital(ctx, verdict)

    def go_on(self, ctx: Ctx[Any], verdict: Verdict) -> None:
        """Every decision is ADJUDICATED first; the system goes on where nothing is left to pay."""
        decision, direct = verdict.decision, ctx.subject
        payable = verdict.insurer_fen - direct.paid_fen
        ctx.loaded["payable_fen"], ctx.loaded["way"] = payable, "adjudicate"
        ctx.data |= {
            "payable_fen": payable,
            "self_pay_fen": to_fen(decision.billed - decision.third_party) - verdict.insurer_fen,
            "not_covered_fen": to_fen(decision.disallowed),
        }
        ctx.emit("decided")
        if verdict.outcome not in PAYING:
            ctx.then("deny")
        elif payable <= 0:
            ctx.then("count_paid")
