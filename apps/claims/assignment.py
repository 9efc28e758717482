"""Who is paid first of a claim: a provider that advanced the cost of the stay, up to what it advanced (ADV-14)."""

from __future__ import annotations

from typing import Any

from apps.cases.models import CaseFile
from apps.payments.queries import assigned_fen

ADVANCE = "ADVANCE"  # the system of the external number by which a claim names the advance it comes from


def advances_of(case: CaseFile) -> list[str]:
    """Numbers of the advances whose stay the claim is; no query where nothing is assigned."""
    claim: Any = case.claim  # type: ignore[attr-defined]
    if claim.assigned_to_id is None:
        return []
    return list(case.external_numbers.filter(system=ADVANCE).order_by("pk").values_list("number", flat=True))


def assigned_part(case: CaseFile, amount_fen: int) -> int:
    """What of an amount that is to be ordered goes to whom the claim is assigned to (fen). One query, none where
    nothing is assigned."""
    claim: Any = case.claim  # type: ignore[attr-defined]
    if claim.assigned_to_id is None:
        return 0
    return max(min(amount_fen, claim.assigned_fen - assigned_fen(case)), 0)


def family_part(case: CaseFile, amount_fen: int) -> int:
    """What of it goes to the account of the family."""
    return amount_fen - assigned_part(case, amount_fen)


def can_be_ordered(case: CaseFile, amount_fen: int) -> bool:
    """Whether everybody who gets a part of it has an account that money may go to."""
    claim: Any = case.claim  # type: ignore[attr-defined]
    part = assigned_part(case, amount_fen)
    parties = [claim.assigned_to] if part else []
    if part < amount_fen:
        parties.append(claim.payee)
    return all(payee is not None and payee.screening == "CLEAR" for payee in parties)
