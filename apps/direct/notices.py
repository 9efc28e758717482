"""What a decision says: the explanation of benefits to the family, the notice to the hospital (REC-04)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from apps.adjudication.decision import Decision
from apps.cases.context import Ctx
from apps.claims import letters
from apps.claims.assess import Assessment
from apps.claims.booking import PAYING, Verdict, letter_of
from apps.core.money import format_yuan, to_fen
from apps.direct.models import DirectClaim
from apps.documents.letter_contexts import HospitalShare
from apps.documents.letters import queue_letter
from apps.messaging.models import Message
from apps.messaging.outbox import notify_member, queue_message

MOST_LINES = 60  # named one by one in the notice to the hospital


def tell_family(ctx: Ctx[Any], verdict: Verdict) -> None:
    """Direct billing is not the final opinion (REC-01, REC-05): what is paid, what is own, and why."""
    share = share_of(ctx.subject, verdict.decision, verdict.insurer_fen, str(ctx.case.hospital))
    letter = queue_letter(
        ctx, family_letter(ctx.loaded["assessment"], verdict, letters.local_day(ctx.now), ctx.subject)
    )
    template = "direct_decision" if verdict.outcome in PAYING else "direct_refusal"
    words = letters.message_context(
        ctx.case, outcome=verdict.outcome, amount=format_yuan(verdict.insurer_fen), hospital=share.name,
        own=format_yuan(share.own_fen), open=format_yuan(share.open_fen),
    )  # fmt: skip
    key = f"{ctx.case.number}:decision:{ctx.loaded['decision_version']}"
    notify_member(ctx, template=template, context=words, key=key, letter=letter)


def family_letter(found: Assessment, verdict: Verdict, on: date, direct: DirectClaim) -> Any:
    """As of a claim of a family; what is paid goes to the hospital, and the rest is settled there."""
    context = letter_of(found, verdict, on)
    if verdict.outcome not in PAYING:
        return context
    hospital = str(found.rows.case.hospital)
    return replace(context, hospital=share_of(direct, verdict.decision, verdict.insurer_fen, hospital))


def share_of(direct: DirectClaim, decision: Decision, insurer_fen: int, hospital: str) -> HospitalShare:
    """What is left to the family: in all, collected on the spot, still open at the hospital."""
    own = to_fen(decision.billed - decision.third_party) - insurer_fen
    return HospitalShare(hospital, own, min(direct.collected_fen, own), max(own - direct.collected_fen, 0))


def tell_hospital(ctx: Ctx[Any], verdict: Verdict) -> None:
    """REC-04: what is paid and each line that is not, with its reason. A hospital with a program of its own
    and no address reads the decision there."""
    direct: DirectClaim = ctx.subject
    if not direct.contact_email and direct.source == DirectClaim.Source.API:
        return
    share = share_of(direct, verdict.decision, verdict.insurer_fen, str(ctx.case.hospital))
    context = {
        "addressee": direct.contact_name or str(ctx.case.hospital),
        "hospital": str(ctx.case.hospital),
        "paid": format_yuan(verdict.insurer_fen),
        "own": format_yuan(share.own_fen),
        "collected": format_yuan(share.collected_fen),
        "open": format_yuan(share.open_fen),
        "lines": unpaid_lines(ctx.loaded["assessment"], verdict.decision),
    }
    queue_message(
        ctx, case=ctx.case, channel=Message.Channel.EMAIL, template="direct_decided", recipient=direct.contact_email,
        context=context, key=f"{ctx.case.number}:hospital:{ctx.loaded['decision_version']}",
    )  # fmt: skip


def unpaid_lines(found: Assessment, decision: Decision) -> list[dict[str, str]]:
    """Lines that are not paid in full: name, billed, what is own, and why."""
    names, by_ref = found.rows.lines(), {finding.ref: finding for finding in decision.findings}
    rows = []
    for line in decision.lines:
        own = line.disallowed + line.deductible + line.member
        if own:
            why = [by_ref[ref].message_zh for ref in line.reasons if ref in by_ref]
            rows.append(
                {
                    "name": names[line.ref].name,
                    "billed": format_yuan(to_fen(line.billed)),
                    "own": format_yuan(to_fen(own)),
                    "why": "；".join(why),
                }
            )
    return rows[:MOST_LINES]
