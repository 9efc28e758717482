"""Photo identity of large claims: whose, and which paper counts (KYC-01, KYC-02, PR-02)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from apps.adjudication.clocks import local
from apps.adjudication.conditions import is_minor
from apps.adjudication.facts import Facts, PaperFacts
from apps.adjudication.findings import check

INSURED, PAYEE = "INSURED", "PAYEE"
REGISTER = "HOUSEHOLD_REGISTER"
PHOTOLESS = (REGISTER, "BIRTH_CERTIFICATE", "BIRTH_CERTIFICATE_NAMING_PARENTS")
PAYEE_KINDS = ("GUARDIAN_ID", "PAYEE_ID")
ABSENT, EXPIRED, NO_PHOTO, ILLEGIBLE = "ABSENT", "EXPIRED", "NO_PHOTO", "ILLEGIBLE"


@dataclass(frozen=True, slots=True)
class Gap:
    """A subject whose photo identity is missing, and why what there is does not count."""

    subject: str  # INSURED | PAYEE
    why: str  # ABSENT | EXPIRED | NO_PHOTO | ILLEGIBLE


def identity_needed(facts: Facts) -> bool:
    """KYC-01: a claim *reaching* the threshold, after third-party settlement (PR-12)."""
    rule, threshold = facts.handbook.rule("papers.photo_id"), facts.handbook.value("photo_id.threshold")
    return rule is not None and threshold is not None and facts.claimed >= threshold


def identity_gaps(facts: Facts) -> tuple[Gap, ...]:
    """Subjects without valid photo identity: the insured (a child may be shown by its page of the
    household register) and the payee, when that is another person or nobody else shows a photo."""
    own = _gap(facts, INSURED)
    registered = own is not None and _registered(facts)
    check(facts.handbook.rule("papers.child_register"), registered)
    gaps = [] if own is None or registered else [own]
    if facts.payee_relation not in ("", INSURED) or (registered and facts.payee_relation != INSURED):
        payee = _gap(facts, PAYEE)
        gaps += [payee] if payee else []
    elif registered:
        gaps.append(Gap(INSURED, NO_PHOTO))
    refused = any(gap.why in (EXPIRED, NO_PHOTO) for gap in gaps)
    check(facts.handbook.rule("papers.photo_id_valid"), refused)
    return tuple(gaps)


def is_photo_identity(paper: PaperFacts, on: date) -> bool:
    """KYC-02: usable, with photo, unexpired on the day of submission."""
    return _fault(paper, on) is None


def _gap(facts: Facts, subject: str) -> Gap | None:
    on = local(facts.reported_at).date()
    faults = [_fault(paper, on) for paper in facts.papers if _shows(paper, subject)]
    if None in faults:
        return None
    return Gap(subject, next((fault for fault in faults if fault), ABSENT))


def _shows(paper: PaperFacts, subject: str) -> bool:
    """Identity papers only: a photo on a record or an invoice proves nobody's identity."""
    kind = paper.kind in IDENTITY_KINDS
    if subject == PAYEE:
        return kind and (paper.subject == PAYEE or paper.kind in PAYEE_KINDS)
    return kind and paper.subject in ("", INSURED) and paper.kind not in PAYEE_KINDS


def _fault(paper: PaperFacts, on: date) -> str | None:
    if not (paper.usable and paper.legible):
        return ILLEGIBLE
    if not paper.has_photo or paper.kind in PHOTOLESS:
        return NO_PHOTO
    return EXPIRED if paper.valid_until is not None and paper.valid_until < on else None


def _registered(facts: Facts) -> bool:
    """PR-02: the child's page of the household register."""
    if facts.handbook.rule("papers.child_register") is None or not is_minor(facts):
        return False
    return any(
        paper.kind == REGISTER and paper.subject in ("", INSURED) and paper.usable and paper.legible
        for paper in facts.papers
    )


IDENTITY_KINDS = frozenset(
    {"INSURED_ID", "PHOTO_ID", "PASSPORT", "RESIDENT_ID", "TAIWAN_PERMIT", "HK_MACAO_PERMIT",
     "RESIDENCE_PERMIT", *PHOTOLESS, *PAYEE_KINDS}
)  # fmt: skip
