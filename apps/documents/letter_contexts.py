"""What letters say: one dataclass a kind holds all that its template needs, kept as JSON with the letter.

Money is integer fen, dates are `date`, names and account numbers come masked, words come in the language
of the letter.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date
from typing import Any

from apps.adjudication.handbook import Title
from apps.documents.models import Letter

log = logging.getLogger(__name__)
PREFIX = "L"
LIVE = (Letter.State.QUEUED, Letter.State.RENDERED, Letter.State.SENT, Letter.State.FAILED)


@dataclass(frozen=True, slots=True)
class About:
    """The first block of every letter: whom and what it is about."""

    addressee: str  # the claimant as addressed: "张女士" or the guardian's name
    child: str  # masked: "王**"
    policy: str
    case: str  # number of the claim
    reported_on: date
    plan: str = ""
    external: str = ""  # the insurer's, TPA's or hospital's number


@dataclass(frozen=True, slots=True)
class VisitLine:
    """One visit in an acceptance notice or a refusal."""

    on: date
    hospital: str
    what: str  # "门诊" / "outpatient"
    claimed_fen: int
    until: date | None = None


@dataclass(frozen=True, slots=True)
class AcceptanceContext:
    about: About
    visits: tuple[VisitLine, ...]
    claimed_fen: int
    papers: tuple[str, ...] = ()  # received papers, by title
    originals_expected: bool = False  # route MAIL: prints the mailing instructions
    originals: tuple[str, ...] = ()  # which papers must come as originals, by title
    decision_by: date | None = None  # printed promise of the series only
    text: str = ""


@dataclass(frozen=True, slots=True)
class MissingPaper:
    title: str
    why: str  # what is there or wrong
    remedy: str  # what would satisfy it
    place: str = ""  # "票据 1234567890"
    original: bool = False


@dataclass(frozen=True, slots=True)
class SupplementContext:
    about: About
    missing: tuple[MissingPaper, ...]  # everything at once (LAW-01)
    satisfied: tuple[str, ...] = ()
    originals_by_mail: bool = False  # prints the mailing instructions inside (PR-05)
    annotation: str = ""  # text to write on the original invoice (RMB-21); "" = not asked
    text: str = ""


@dataclass(frozen=True, slots=True)
class EobLine:
    """billed = third_party + disallowed + deductible + own + paid"""

    name: str
    billed_fen: int
    third_party_fen: int
    disallowed_fen: int
    deductible_fen: int
    own_fen: int
    paid_fen: int
    reasons: tuple[int, ...] = ()  # 1-based numbers of the reasons below
    group: str = ""  # heading over the lines: visit and bill


@dataclass(frozen=True, slots=True)
class Reason:
    text: str
    clause: str  # the clause in our own words (Rule.says)
    rule: str  # rule id
    source: str = ""  # handbook line or law
    amount_fen: int = 0
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class LimitLeft:
    title: str
    limit: str  # formatted: "1,000,000.00" or "8"
    used: str
    left: str


@dataclass(frozen=True, slots=True)
class PayeeBlock:
    name: str  # masked
    bank: str
    account: str  # masked


@dataclass(frozen=True, slots=True)
class HospitalShare:
    """Billed directly: who is paid, and what stays with the family there (BIL-01, BIL-22)."""

    name: str
    own_fen: int
    collected_fen: int
    open_fen: int


@dataclass(frozen=True, slots=True)
class EobContext:
    about: About
    outcome: str  # APPROVE | PARTIAL | ZERO | EX_GRATIA | COMPROMISE
    decided_on: date
    lines: tuple[EobLine, ...]
    paid_fen: int  # what is paid in all (differs from the lines for EX_GRATIA / COMPROMISE)
    reasons: tuple[Reason, ...] = ()
    limits: tuple[LimitLeft, ...] = ()
    payee: PayeeBlock | None = None
    text: str = ""
    hospital: HospitalShare | None = None
    former_fen: int = 0  # what a former decision of the claim gave; then only the difference moves
    more_fen: int = 0
    less_fen: int = 0
    provider: str = ""  # that advanced the cost of the stay and is paid first (ADV-14)
    provider_fen: int = 0


@dataclass(frozen=True, slots=True)
class RefusalContext:
    about: About
    at_intake: bool  # 不予受理通知书 instead of 拒赔通知书 (PR-06)
    decided_on: date
    claimed_fen: int
    reasons: tuple[Reason, ...]  # never empty (LAW-04)
    visits: tuple[VisitLine, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class GuaranteeContext:
    """The guarantee letter (PA-01): one page in Chinese with English beside it."""

    case: str
    hospital: Title
    place: str  # campus and department
    child: str  # masked
    identity: str  # masked
    identity_kind: Title
    born_in: int
    sex: Title
    policy: str
    plan: str
    diagnosis: str
    diagnosis_code: str
    treatment: str
    visit: Title
    benefit: Title
    planned_on: date
    planned_days: int
    valid_from: date
    valid_until: date  # inclusive
    cap_fen: int
    items: tuple[str, ...]  # what is covered, by name
    more_items: int = 0
    cuts: tuple[Title, ...] = ()  # what the plan does not pay of it
    conditions: str = ""
    text: str = ""
    dense: bool = False  # set smaller, so that much to say still stands on one page


@dataclass(frozen=True, slots=True)
class RefundLine:
    """One item of what was paid and is not covered, with its reason."""

    name: str
    amount_fen: int
    reason: Title
    text: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class RefundDate:
    """One instalment of an agreed plan."""

    due_on: date
    amount_fen: int


@dataclass(frozen=True, slots=True)
class RecoveryContext:
    """The request to give back what was paid and is not covered (REC-03, REC-05)."""

    about: About
    amount_fen: int  # what was paid too much in all
    refunded_fen: int
    open_fen: int
    due_on: date  # inclusive
    lines: tuple[RefundLine, ...]
    paid_to: Title  # the hospital, or the family's account
    payment: str  # reference of the payment
    clause: Title  # the rule in our own words
    rule: str
    source: str
    payee: PayeeBlock  # the insurer's account, in full
    plan: tuple[RefundDate, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class ListedPaper:
    """One paper of a check list, before there is a claim; `depends`: only in some cases."""

    title: Title
    rule: str
    original: bool  # must come as an original when mailed
    depends: bool = False


@dataclass(frozen=True, slots=True)
class FormsContext:
    """Blank forms for a family (APP-05): what was chosen is printed, the rest left out."""

    about: About
    enquiry: str  # number of the request
    claim_form: bool
    mailing: bool
    papers: tuple[ListedPaper, ...] = ()
    minors: tuple[ListedPaper, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class AppealedDecision:
    """The decision under appeal; `at_intake`: the claim was not taken in (PR-06)."""

    on: date
    at_intake: bool
    paid_fen: int


@dataclass(frozen=True, slots=True)
class AppealReceivedContext:
    """An appeal has come (APL-01, APP-27)."""

    about: About
    appeal: str  # number
    received_on: date
    decision: AppealedDecision
    said: str
    lines: tuple[str, ...] = ()  # names of the lines in question; none = the whole decision
    text: str = ""


@dataclass(frozen=True, slots=True)
class EntrustmentContext:
    """The letter by which a family entrusts the provider with an advance, to be signed (ADV-08)."""

    about: About
    hospital: str
    department: str
    diagnosis: str
    admitted_on: date
    admission_number: str
    amount_fen: int  # to be advanced
    provider: str
    provider_phone: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class ComparedLine:
    """What the decision under appeal paid for a line, and what is paid now."""

    place: str
    name: str
    contested: bool
    billed_fen: int
    before_fen: int
    after_fen: int


@dataclass(frozen=True, slots=True)
class AppealReplyContext:
    """The answer to an appeal. Without a new decision `new_fen` and `change_fen` are None."""

    about: About
    appeal: str  # number
    received_on: date
    decision: AppealedDecision
    said: str
    result: str  # UPHELD | WHOLLY | PARTLY
    answer: str
    new_fen: int | None = None
    change_fen: int | None = None
    lines: tuple[ComparedLine, ...] = ()
    reasons: tuple[Reason, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class AdvanceEndContext:
    """That an advance is terminated, why, and what the family can do (ADV-07, ADV-17)."""

    about: About
    hospital: str
    amount_fen: int  # applied for
    because: Title
    clause: Title
    rule: str
    source: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class DifferenceContext:
    """What the provider advanced above the decision of the claim, to be refunded to the provider (ADV-14)."""

    about: About
    claim: str
    hospital: str
    advanced_fen: int
    adjudicated_fen: int
    refunded_fen: int
    open_fen: int
    due_on: date  # inclusive
    provider: str
    payee: PayeeBlock | None  # the provider's account, in full
    clause: Title
    rule: str
    source: str
    text: str = ""


LetterContext = (
    AcceptanceContext
    | SupplementContext
    | EobContext
    | RefusalContext
    | GuaranteeContext
    | RecoveryContext
    | FormsContext
    | AppealReceivedContext
    | AppealReplyContext
    | EntrustmentContext
    | AdvanceEndContext
    | DifferenceContext
)
KINDS: dict[type[Any], Letter.Kind] = {
    AcceptanceContext: Letter.Kind.ACCEPTANCE,
    SupplementContext: Letter.Kind.SUPPLEMENT,
    EobContext: Letter.Kind.EOB,
    RefusalContext: Letter.Kind.REFUSAL,
    GuaranteeContext: Letter.Kind.GUARANTEE,
    RecoveryContext: Letter.Kind.RECOVERY,
    FormsContext: Letter.Kind.FORMS,
    AppealReceivedContext: Letter.Kind.APPEAL_ACK,
    AppealReplyContext: Letter.Kind.APPEAL_REPLY,
    EntrustmentContext: Letter.Kind.ENTRUSTMENT,
    AdvanceEndContext: Letter.Kind.ADVANCE_END,
    DifferenceContext: Letter.Kind.DIFFERENCE,
}
