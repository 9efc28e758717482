"""Everything a decision rests on, gathered by the caller. Nothing here is looked up later.

What a coded field may say stands in `codes.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from apps.adjudication.handbook import Handbook
from apps.adjudication.plan import Plan

ZERO = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class MemberFacts:
    ref: str
    birth_date: date
    sex: str  # M | F
    id_type: str  # codes.ID_TYPES
    social_insurance: bool


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    ref: str
    status: str  # IN_FORCE | PENDING | LAPSED | TERMINATED
    effective_on: date
    expires_on: date  # inclusive
    continuous_since: date
    renewed: bool
    riders: tuple[str, ...] = ()
    exclusions: tuple[str, ...] = ()  # special agreements: ICD-10 prefixes
    exclusion_text: str = ""
    concluded_on: date | None = None
    ended_on: date | None = None  # last day of cover when it ended before `expires_on`

    @property
    def covers_until(self) -> date:
        """Last day of cover, inclusive."""
        return self.expires_on if self.ended_on is None else min(self.expires_on, self.ended_on)


@dataclass(frozen=True, slots=True)
class HospitalFacts:
    ref: str
    name: str
    ownership: str  # PUBLIC | PRIVATE
    grade: int | None  # 1..3; None = ungraded
    city: str
    department_group: str  # GENERAL | SPECIAL | INTERNATIONAL
    networks: tuple[str, ...] = ()  # benefits in which it is listed for this member on the date
    internet_licensed: bool = False
    internet_network: bool = False  # internet hospital of the designated private network


@dataclass(frozen=True, slots=True)
class LineFacts:
    ref: str
    name: str
    kind: str  # codes.LINE_KINDS
    amount: Decimal
    quantity: Decimal = Decimal(1)
    unit_price: Decimal = ZERO
    third_party: Decimal = ZERO
    code: str = ""
    category: str = ""  # A 甲 | B 乙 | C 丙 | ""
    benefit: str = ""  # when not the benefit of the visit
    procedure_categories: tuple[str, ...] = ()  # GENERAL_ANESTHESIA, CHEMOTHERAPY, …, MAJOR_EXAM
    vaccine_approved: bool = True
    vaccine_experimental: bool = False
    provider: str = ""


@dataclass(frozen=True, slots=True)
class BillFacts:
    """`third_party` = pooled fund + serious illness + assistance + other insurers (PR-11)."""

    ref: str
    bill_type: str  # FISCAL_E | FISCAL_PAPER | VAT | DIGITAL | OTHER
    identity: str
    issued_on: date
    amount: Decimal
    lines: tuple[LineFacts, ...]
    third_party: Decimal = ZERO
    personal_account: Decimal = ZERO
    state: str = "VALID"  # VALID | VOID | RED_LETTER | EXCHANGED
    electronic: bool = False
    verified: bool = False
    annotated: bool = False
    duplicate_of: str = ""  # claim in which the register has accepted this bill before (LAW-11)

    @property
    def settled(self) -> Decimal:
        """Third-party payment in yuan: of the bill, or of its lines where they say more (PR-11)."""
        return max(self.third_party, sum((line.third_party for line in self.lines), ZERO))

    @property
    def live(self) -> bool:
        """False for a void or red-letter bill: it documents no cost any more (LAW-11)."""
        return self.state not in ("VOID", "RED_LETTER")


@dataclass(frozen=True, slots=True)
class VisitFacts:
    ref: str
    visit_type: str  # OUTPATIENT | EMERGENCY | INPATIENT | OBSERVATION_WARD | INTERNET
    benefit: str
    started_on: date
    ended_on: date
    hospital: HospitalFacts
    bills: tuple[BillFacts, ...]
    cause: str = "ILLNESS"  # ILLNESS | ACCIDENT
    diagnoses: tuple[str, ...] = ()  # ICD-10, main first
    conditions: tuple[str, ...] = ()  # mental-health condition codes
    emergency: bool = False
    surgery: bool = False
    follow_up: bool = False
    prior_visit_ref: str = ""
    direct_billed: bool = False
    used_social_insurance: bool = False
    drugs_prescribed: bool = False
    psychiatrist_diagnosed: bool = False
    psychiatrist_recommended: bool = False
    department: str = ""  # with hospital and date: what one outpatient visit is (PR-13)
    admission: str = ""  # admission number: what one stay is (PR-13)
    course_cost: Decimal = ZERO  # same course in this policy period beyond this visit (PA-12, PA-26)

    @property
    def claimed(self) -> Decimal:
        """Amount claimed after third-party settlement, in yuan (PR-12); void bills claim nothing."""
        return sum((bill.amount - bill.settled for bill in self.bills if bill.live), ZERO)

    @property
    def in_stay(self) -> bool:
        return self.visit_type == "INPATIENT"


@dataclass(frozen=True, slots=True)
class PaperFacts:
    kind: str
    form: str  # ORIGINAL | COPY | IMAGE | E_SIGNED | SOURCE_FILE | DATA
    pages: int = 1
    legible: bool = True
    color: bool = True
    signed: bool = False
    has_photo: bool = False
    valid_until: date | None = None
    subject: str = ""  # INSURED | PAYEE | "bill:<ref>"
    usable: bool = True


@dataclass(frozen=True, slots=True)
class Balance:
    """One limit before this decision. `key` as in `accumulators.py`; used + reserved <= limit."""

    key: str
    limit: Decimal
    used: Decimal = ZERO
    reserved: Decimal = ZERO

    @property
    def left(self) -> Decimal:
        return self.limit - self.used - self.reserved


@dataclass(frozen=True, slots=True)
class Override:
    """A person's answer to a REFER finding: pay, or refuse, with a reason."""

    finding: str  # Finding.ref
    accept: bool
    reason: str
    actor: str


@dataclass(frozen=True, slots=True)
class Facts:
    claim_ref: str
    category: str  # REIMBURSEMENT | VACCINE | INTERNET | HEALTH_CHECK | DIRECT
    channel: str
    reported_at: datetime
    decided_on: date
    handbook: Handbook
    plan: Plan
    member: MemberFacts
    policy: PolicyFacts
    visits: tuple[VisitFacts, ...]
    papers: tuple[PaperFacts, ...] = ()
    balances: tuple[Balance, ...] = ()
    full_visits_used: int = 0
    day_total: Decimal = ZERO  # other claims of the same service day, for the split flag (PR-15)
    overrides: tuple[Override, ...] = ()
    authorizations: tuple[str, ...] = ()  # trigger keys, rule ids, "visit:<ref>", or "*" (all)
    payee_structured: bool = False  # bank data typed in on line (RMB-12)
    e_signed: bool = False
    e_card: bool = False  # our own e-card exists (PR-03)
    extra: dict[str, str] = field(default_factory=dict)
    payee_relation: str = ""  # INSURED | GUARDIAN | OTHER | "" (unknown): PR-02
    day_totals: tuple[tuple[date, Decimal], ...] = ()  # per service day; wins over `day_total`
    letter_left: Decimal | None = None  # what a guarantee letter still binds for this claim; None = no letter
    handbook_sha: str = ""  # of the published version; "" = fingerprint of the parsed handbook
    plan_sha: str = ""

    @property
    def claimed(self) -> Decimal:
        """Amount claimed after third-party settlement, in yuan (PR-12)."""
        return sum((visit.claimed for visit in self.visits), ZERO)

    @property
    def direct(self) -> bool:
        return self.category == "DIRECT"
