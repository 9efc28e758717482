"""Reads of direct-billing claims that others may use: what is to be settled, owed by the family, paid in vain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import F, QuerySet, Subquery
from django.db.models.functions import Greatest, Least

from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.cases.models import CaseFile
from apps.claims.models import Decision, DecisionLine
from apps.direct.models import Collected, DirectClaim, HospitalPayment

NOT_COVERED, ANNUAL_LIMIT, EXCLUDED = "NOT_COVERED", "ANNUAL_LIMIT", "EXCLUDED"
OVER_LIMIT, NO_SHOW, NO_AUTHORIZATION = "OVER_LIMIT", "NO_SHOW", "NO_AUTHORIZATION"
DEDUCTIBLE, COINSURANCE = "DEDUCTIBLE", "COINSURANCE"
REASON_OF = {
    "ANNUAL_LIMIT": ANNUAL_LIMIT,
    "BENEFIT_LIMIT": OVER_LIMIT, "ITEM_LIMIT": OVER_LIMIT, "VISIT_LIMIT": OVER_LIMIT, "DAY_LIMIT": OVER_LIMIT,
    "COUNT_LIMIT": OVER_LIMIT, "HEALTH_CHECK_COUNT": OVER_LIMIT,
    "EXCLUSION": EXCLUDED, "ITEM_EXCLUDED": EXCLUDED, "WAITING_PERIOD": EXCLUDED,
    "NO_SHOW": NO_SHOW,
    "REFUSED_BY_PERSON": NO_AUTHORIZATION,
}  # fmt: skip
PAID_STATES = ("PAID_TO_HOSPITAL", "CLOSED", "DENIED")
PRINTED = {ANNUAL_LIMIT: ANNUAL_LIMIT, EXCLUDED: EXCLUDED}  # reasons a recovery may print (REC-02, REC-05)


def visible_direct(actor: Actor) -> QuerySet[CaseFile]:
    return visible_to(CaseFile.objects.filter(kind="direct"), actor)


def unsettled(*, hospital_id: int | None = None, tpa: str | None = None) -> QuerySet[CaseFile]:
    """What a settlement run may take: decided, not paid, annotated `payable_fen` (> 0)."""
    cases = CaseFile.objects.filter(kind="direct", state="ADJUDICATED", open=True)
    if hospital_id is not None:
        cases = cases.filter(hospital=hospital_id)
    if tpa is not None:
        cases = cases.filter(tpa=tpa)
    owed = F("claim__decided_fen") - F("direct__paid_fen")
    return cases.annotate(payable_fen=owed).filter(payable_fen__gt=0).order_by("pk")


def overpaid(*, hospital_id: int | None = None) -> QuerySet[CaseFile]:
    """Claims whose bill was lowered after the hospital was paid, annotated `owes_fen` (> 0): what a settlement run
    may set off. What the family bears of it is asked of the family (REC-03) and not in here."""
    cases = CaseFile.objects.filter(
        kind="direct", state__in=PAID_STATES, direct__paid_fen__gt=F("claim__decided_fen")
    )
    if hospital_id is not None:
        cases = cases.filter(hospital=hospital_id)
    family = F("claim__claimed_fen") - F("claim__decided_fen")
    kept = Least(Greatest(F("direct__collected_fen"), F("direct__borne_fen")), family)
    owes = F("direct__paid_fen") + kept - F("claim__claimed_fen")
    return cases.annotate(owes_fen=owes).filter(owes_fen__gt=0).order_by("pk")


def hospital_owes_fen(case: CaseFile) -> int:
    """What the hospital owes the insurer by the last decision; 0 before one. No query where claim and direct are
    loaded."""
    decided: int | None = case.claim.decided_fen
    return 0 if decided is None else owed_fen(case.direct, case.claim.claimed_fen, decided)


def owed_fen(direct: DirectClaim, claimed_fen: int, decided_fen: int) -> int:
    """What a hospital that is owed `claimed_fen` in all has beyond it of the insurer. The family still owes it what
    it bore when the insurer paid, or gave it on the spot; what the family bears beyond that the insurer has paid
    for it, and asks of it (REC-03)."""
    family = min(max(direct.collected_fen, direct.borne_fen), claimed_fen - decided_fen)
    return max(direct.paid_fen + family - claimed_fen, 0)


# --- What is not paid, by reason ----------------------------------------------------------------------


@dataclass(frozen=True)
class OwnLine:
    """One decided line with what stays with the family: `own_fen` in all, `collected_fen` of it on the spot."""

    line_id: int
    name: str
    own_fen: int
    collected_fen: int
    parts: tuple[tuple[str, int], ...]  # (reason, fen), together `own_fen`


def own_lines(case_id: int) -> list[OwnLine]:
    """Lines of the last decision and what the family bears of each; empty before a decision. One query."""
    last = Decision.objects.filter(claim=case_id).order_by("-version").values("pk")[:1]
    lines = DecisionLine.objects.filter(decision__in=Subquery(last)).select_related("line__collected")
    return [_own(line) for line in lines.order_by("pk")]


def _own(line: DecisionLine) -> OwnLine:
    taken: Collected | None = getattr(line.line, "collected", None)
    parts = [
        (reason_of(line.reasons), line.disallowed_fen),
        (DEDUCTIBLE, line.deductible_fen),
        (COINSURANCE, line.member_fen),
    ]
    borne = tuple((reason, fen) for reason, fen in parts if fen)
    collected = taken.amount_fen if taken else 0
    return OwnLine(line.line_id, line.line.name, sum(fen for _reason, fen in borne), collected, borne)


def reason_of(refs: Iterable[str]) -> str:
    """Why a line is not payable: the last finding that takes something away speaks for it."""
    found = [REASON_OF[code] for code in (ref.partition("@")[0] for ref in refs) if code in REASON_OF]
    return found[-1] if found else NOT_COVERED


def by_reason(parts: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    sums: dict[str, int] = defaultdict(int)
    for reason, fen in parts:
        sums[reason] += fen
    return [(reason, fen) for reason, fen in sums.items() if fen]


# --- What the family owes the hospital ------------------------------------------------------------------


@dataclass(frozen=True)
class SelfPay:
    """What the last decision leaves to the family, to be paid to the HOSPITAL (BIL-01, BIL-22), in fen.

    `total` in all, `collected` on the spot, `open` what is left; what the insurer has paid to the hospital
    already is no debt to it (REC-03), so it is not in `open`. `breakdown` adds up to `total`.
    """

    total_fen: int
    collected_fen: int
    open_fen: int
    hospital_id: int | None
    breakdown: list[tuple[str, int]]


def self_pay(case: CaseFile) -> SelfPay:
    lines = own_lines(case.pk)
    total = sum(line.own_fen for line in lines)
    collected = sum(min(line.collected_fen, line.own_fen) for line in lines)
    in_vain = sum(fen for _reason, fen, _reference in _paid_in_vain(case, lines))
    breakdown = by_reason(part for line in lines for part in line.parts)
    return SelfPay(total, collected, max(total - collected - in_vain, 0), case.hospital_id, breakdown)


def paid_not_covered(case: CaseFile) -> list[tuple[str, int, str]]:
    """(reason, fen, payment) of what the insurer has paid to the hospital beyond the last decision and the family
    bears; what the hospital itself owes back, because its bill was lowered, is set off (`overpaid`).

    Reasons are those a recovery prints: NOT_COVERED | ANNUAL_LIMIT | EXCLUDED (REC-02, REC-03, REC-05).
    Empty when nothing was paid (REC-04), and before a decision.
    """
    return _paid_in_vain(case, own_lines(case.pk))


def _paid_in_vain(case: CaseFile, lines: Sequence[OwnLine]) -> list[tuple[str, int, str]]:
    payments = list(HospitalPayment.objects.filter(direct=case.pk).order_by("pk"))
    decided = case.claim.decided_fen
    if decided is None or not payments:
        return []
    over = sum(payment.amount_fen for payment in payments) - decided - hospital_owes_fen(case)
    reference = next((payment.reference for payment in reversed(payments) if payment.amount_fen > 0), "")
    found: list[tuple[str, int]] = []
    for reason, fen in by_reason(part for line in lines for part in line.parts):
        part = min(fen, over)
        if part > 0:
            found.append((PRINTED.get(reason, NOT_COVERED), part))
            over -= part
    if over > 0:
        found.append((NOT_COVERED, over))
    return [(reason, fen, reference) for reason, fen in by_reason(found)]
