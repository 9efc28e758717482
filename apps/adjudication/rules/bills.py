"""Bills that count, and what others have paid of them (LAW-11, RMB-16, PR-11)."""

from __future__ import annotations

from apps.adjudication.handbook import Level
from apps.adjudication.money import split
from apps.adjudication.words import bill_state_name
from apps.adjudication.work import Claim

FISCAL = ("FISCAL_E", "FISCAL_PAPER")


def void_bills(claim: Claim) -> None:
    """LAW-11: a void or red-letter bill supports nothing."""
    for bill, lines in claim.bills:
        rule = claim.check("decide.bill_void", not bill.live)
        if rule:
            claim.deny(
                "BILL_VOID", rule, lines, place=f"bill:{bill.ref}",
                identity=bill.identity, state=bill_state_name(bill.state),
            )  # fmt: skip


def duplicate_bills(claim: Claim) -> None:
    """LAW-11: one bill is accepted once, over all claims and in whatever shape it arrives (an
    exchanged e-bill and its paper have one identity)."""
    seen: dict[tuple[str, str], str] = {}
    for bill, lines in claim.bills:
        identity = ("FISCAL" if bill.bill_type in FISCAL else bill.bill_type, bill.identity)
        earlier = seen.get(identity) if bill.identity and bill.live else None
        where = f"赔案 {bill.duplicate_of}" if bill.duplicate_of else f"本赔案票据 {earlier}"
        rule = claim.check("papers.bill_register", bool(bill.duplicate_of or earlier))
        if rule:
            claim.deny(
                "BILL_DUPLICATE", rule, lines, place=f"bill:{bill.ref}",
                identity=bill.identity, where=where,
            )  # fmt: skip
        elif bill.live:
            seen[identity] = bill.ref


def third_party(claim: Claim) -> None:
    """RMB-16, PR-11: what pooled fund, serious illness, assistance and other insurers paid comes
    off first; the personal account never does. Amounts named on lines stay there, the rest is
    spread over the lines of the bill in proportion to what is left of them."""
    for bill, lines in claim.bills:
        settled = bill.settled
        rule = claim.check("decide.third_party", settled > 0)
        if settled <= 0 or not lines or lines[0].denied:
            continue
        named = [line.fact.third_party for line in lines]
        rest = settled - sum(named)
        weights = [line.fact.amount - part for line, part in zip(lines, named, strict=True)]
        for line, part, more in zip(lines, named, split(rest, weights), strict=True):
            line.third_party = part + more
            line.open -= line.third_party
        claim.note(
            "THIRD_PARTY", rule or claim.contract("decide.third_party"), Level.REDUCE, lines,
            place=f"bill:{bill.ref}", amount=settled, personal_account=bill.personal_account,
        )  # fmt: skip
