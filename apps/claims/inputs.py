"""What a report of a claim consists of: one nested input for API, phone form and demo data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.adjudication.codes import (
    BENEFITS,
    BILL_STATES,
    BILL_TYPES,
    CAUSES,
    ITEM_CATEGORIES,
    LINE_KINDS,
    PROCEDURES,
    VISIT_TYPES,
)
from apps.adjudication.keys import CHANNELS, PAPERS
from apps.cases.inputs import ask, codes, money
from apps.claims.models import Category
from apps.documents.models import Paper
from apps.hospitals.models import DepartmentGroup
from apps.members.models import IdType
from apps.payments.payees import PayeeInput

MAXIMUM_LINES = 2000
REPORTED = [(code, label) for code, label in Category.choices if code != Category.DIRECT]


def no_money(label: Any) -> Any:
    return money(label, default=Decimal("0.00"))


@dataclass(frozen=True)
class MemberInput:
    """The insured child: by member number, by policy number, or by identity; more narrows it down."""

    number: str = ask(_("Member number"), default="", max_length=40)
    policy: str = ask(_("Policy number"), default="", max_length=40)
    id_type: str = ask(_("Identity type"), default="", choices=list(IdType.choices), widget="select")
    id_number: str = ask(_("Identity number"), default="", max_length=40)
    name: str = ask(pgettext_lazy("person", "Name"), default="", max_length=80)
    birth_date: date | None = ask(_("Date of birth"), default=None)


@dataclass(frozen=True)
class DiagnosisInput:
    code: str = ask(_("ICD-10 code"), max_length=20, min_length=3)
    name: str = ask(_("Name"), default="", max_length=120)
    system: str = ask(
        _("Code system"),
        default="GB2",
        choices=[("GB2", _("national version 2.0")), ("YB2", _("insurance version 2.0"))],
    )


@dataclass(frozen=True)
class ProcedureInput:
    code: str = ask(_("ICD-9-CM-3 code"), max_length=20)
    name: str = ask(_("Name"), default="", max_length=120)


@dataclass(frozen=True)
class LineInput:
    name: str = ask(_("Item"), max_length=120, min_length=1)
    kind: str = ask(_("Kind"), choices=codes(LINE_KINDS), widget="select")
    amount: Decimal = money(_("Amount"))
    code: str = ask(_("Code"), default="", max_length=40)
    category: str = ask(
        _("Category (A, B, C = 甲, 乙, 丙)"), default="", choices=codes(ITEM_CATEGORIES), widget="select"
    )
    benefit: str = ask(
        _("Benefit, when not that of the visit"), default="", choices=codes(BENEFITS), widget="select"
    )
    specification: str = ask(_("Specification"), default="", max_length=80)
    quantity: Decimal = ask(
        _("Quantity"), default=Decimal(1), minimum=Decimal("0.001"), maximum=Decimal(9_999_999)
    )
    unit_price: Decimal = no_money(_("Unit price"))
    third_party: Decimal = no_money(_("Paid by third parties"))
    procedure_categories: tuple[str, ...] = ask(_("Listed procedures"), default=(), choices=codes(PROCEDURES))
    vaccine_approved: bool = ask(_("Approved vaccine"), default=True, rule="HLC-04")
    vaccine_experimental: bool = ask(_("Experimental vaccine"), default=False, rule="HLC-04")


@dataclass(frozen=True)
class BillInput:
    bill_type: str = ask(_("Bill type"), choices=codes(BILL_TYPES), widget="select", rule="PR-01")
    number: str = ask(_("Bill number"), max_length=20, min_length=1, rule="PR-01")
    issued_on: date = ask(_("Issued on"))
    amount: Decimal = money(_("Amount"))
    lines: tuple[LineInput, ...] = ask(_("Lines"), widget="lines")
    code: str = ask(_("Bill code"), default="", max_length=20, rule="PR-01")
    check_code: str = ask(_("Check code"), default="", max_length=20, rule="PR-01")
    serial_number: str = ask(_("Business serial number"), default="", max_length=60)
    state: str = ask(_("State"), default="VALID", choices=codes(BILL_STATES), widget="select")
    electronic: bool = ask(_("Electronic"), default=False)
    verified: bool = ask(_("Verified"), default=False, rule="PR-01")
    insurance_type: str = ask(_("Insurance type"), default="", max_length=40)
    insurance_number: str = ask(_("Insurance number"), default="", max_length=40)
    pooled_fund: Decimal = no_money(_("Pooled fund"))
    serious_illness: Decimal = no_money(_("Serious illness"))
    assistance: Decimal = no_money(_("Assistance"))
    other_insurer: Decimal = no_money(_("Other insurers"))
    personal_account: Decimal = no_money(_("Personal account"))
    cash: Decimal = no_money(_("Cash"))
    copay: Decimal = no_money(_("Personal co-payment"))
    selfpay: Decimal = no_money(_("Personal self-pay"))
    deposit: Decimal = no_money(_("Deposit paid"))
    deposit_added: Decimal = no_money(_("Deposit topped up"))
    deposit_returned: Decimal = no_money(_("Deposit returned"))
    social_deductible: Decimal = no_money(_("Deductible of the social insurance"))


@dataclass(frozen=True)
class VisitInput:
    visit_type: str = ask(_("Visit type"), choices=codes(VISIT_TYPES), widget="select")
    hospital: str = ask(_("Hospital code"), max_length=40)
    department: str = ask(_("Department"), max_length=80, min_length=1)
    started_on: date = ask(_("Visit or admission date"))
    bills: tuple[BillInput, ...] = ask(_("Bills"), widget="lines")
    diagnoses: tuple[DiagnosisInput, ...] = ask(_("Diagnoses"), default=(), widget="lines")
    procedures: tuple[ProcedureInput, ...] = ask(_("Procedures"), default=(), widget="lines")
    benefit: str = ask(_("Benefit"), default="", choices=codes(BENEFITS), widget="select")
    campus: str = ask(_("Campus code"), default="", max_length=40)
    department_group: str = ask(
        _("Department group"), default="GENERAL", choices=list(DepartmentGroup.choices), widget="select"
    )
    doctor: str = ask(_("Doctor"), default="", max_length=60)
    record_number: str = ask(_("Outpatient or record number"), default="", max_length=60)
    admission_number: str = ask(_("Admission number"), default="", max_length=60)
    ended_on: date | None = ask(_("Discharge date"), default=None)
    admitted_at: datetime | None = ask(_("Admitted at"), default=None)
    discharged_at: datetime | None = ask(_("Discharged at"), default=None)
    conditions: tuple[str, ...] = ask(_("Conditions of counseling"), default=())
    cause: str = ask(_("Cause"), default="ILLNESS", choices=codes(CAUSES), widget="select")
    event_on: date | None = ask(_("Date of event"), default=None)
    emergency: bool = ask(_("Emergency"), default=False)
    surgery: bool = ask(_("Surgery"), default=False)
    follow_up: bool = ask(_("Follow-up visit"), default=False, rule="INT-01")
    prior_claim: str = ask(_("Claim of the earlier visit"), default="", max_length=30, rule="INT-01")
    prior_reference: str = ask(_("Earlier visit (record)"), default="", max_length=80, rule="INT-01")
    direct_billed: bool = ask(_("Billed directly"), default=False)
    used_social_insurance: bool = ask(_("Social insurance used"), default=False, rule="PR-11")
    psychiatrist_diagnosed: bool = ask(_("Diagnosed by a psychiatrist"), default=False)
    psychiatrist_recommended: bool = ask(_("Recommended by a psychiatrist"), default=False)


@dataclass(frozen=True)
class PaperInput:
    """A paper of the report: a stored file by its SHA-256 or id; without a file, e.g. an e-signature."""

    kind: str = ask(_("Kind of paper"), choices=codes(PAPERS), widget="select")
    file: str = ask(_("Stored file"), default="", max_length=64)
    form: str = ask(_("Form"), default="IMAGE", choices=list(Paper.Form.choices), widget="select")
    pages: int = ask(_("Pages"), default=1, minimum=1, maximum=300)
    subject: str = ask(
        _("About"),
        default="",
        max_length=60,
        help=_("INSURED (the child), PAYEE (who is paid) or bill:<visit>.<bill>; empty: the whole case"),
    )
    verification: str = ask(_("Verification result"), default="", max_length=200, rule="PR-01")
    valid_until: date | None = ask(_("Valid until"), default=None, rule="KYC-02")


@dataclass(frozen=True)
class ReporterInput:
    name: str = ask(_("Reported by"), max_length=80, min_length=1)
    relation: str = ask(_("Relation"), default="", max_length=20)
    phone: str = ask(_("Phone"), default="", max_length=30)


@dataclass(frozen=True)
class ExternalInput:
    """The insurer's, TPA's or hospital's own number."""

    system: str = ask(_("System"), max_length=40)
    number: str = ask(_("Number"), max_length=80)


@dataclass(frozen=True)
class ReportInput:
    member: MemberInput = ask(_("Insured child"))
    reporter: ReporterInput = ask(_("Reporter"))
    visits: tuple[VisitInput, ...] = ask(_("Visits"), widget="lines")
    channel: str = ask(_("Channel"), choices=codes(CHANNELS), widget="select")
    category: str = ask(
        _("Category"), default=Category.REIMBURSEMENT.value, choices=REPORTED, widget="select"
    )
    papers: tuple[PaperInput, ...] = ask(_("Papers"), default=(), widget="lines")
    payee: PayeeInput | None = ask(_("Payee"), default=None)
    e_signed: bool = ask(_("Signed electronically"), default=False, rule="PR-03")
    external_numbers: tuple[ExternalInput, ...] = ask(_("Numbers of others"), default=(), widget="lines")
    note: str = ask(_("Note"), default="", widget="textarea", max_length=2000)
