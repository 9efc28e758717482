"""What a hospital sends: the report of a claim with what only direct billing knows beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from apps.adjudication.codes import BENEFITS
from apps.adjudication.keys import CHANNELS
from apps.cases.inputs import ask, codes, money
from apps.claims.inputs import (
    BillInput,
    LineInput,
    MemberInput,
    PaperInput,
    ReporterInput,
    ReportInput,
    VisitInput,
)
from apps.claims.models import Category
from apps.hospitals.models import DepartmentGroup
from apps.members.models import IdType

CHANNEL = "HOSPITAL_DIRECT"
SETTLED_BY_US = [(code, label) for code, label in Category.choices if code == Category.DIRECT]


@dataclass(frozen=True)
class DirectLineInput(LineInput):
    collected: Decimal = money(_("Collected on the spot"), default=Decimal("0.00"), rule="BIL-22")


@dataclass(frozen=True)
class DirectBillInput(BillInput):
    lines: tuple[DirectLineInput, ...] = ask(_("Lines"), widget="lines")


@dataclass(frozen=True)
class DirectVisitInput(VisitInput):
    bills: tuple[DirectBillInput, ...] = ask(_("Bills"), widget="lines")


@dataclass(frozen=True)
class DirectPaperInput(PaperInput):
    """A paper as the hospital's desk saw it; ours looks again."""

    signed: bool = ask(_("Signed"), default=False, rule="APT-06")
    has_photo: bool = ask(_("With photo"), default=False, rule="KYC-02")


@dataclass(frozen=True)
class SubmitInput(ReportInput):
    """One visit, or one stay after its discharge. A hospital names the child by number, name and date of birth."""

    member: MemberInput = ask(_("Insured child"))
    reporter: ReporterInput = ask(_("Reporter"))
    visits: tuple[DirectVisitInput, ...] = ask(_("Visits"), widget="lines")
    channel: str = ask(_("Channel"), default=CHANNEL, choices=codes(CHANNELS), widget="select")
    category: str = ask(_("Category"), default=Category.DIRECT.value, choices=SETTLED_BY_US, widget="select")
    papers: tuple[DirectPaperInput, ...] = ask(_("Papers"), default=(), widget="lines")
    card: str = ask(_("Card shown"), default="", max_length=200, rule="VIS-04", help=_("number or code"))
    id_type: str = ask(
        _("Identity paper shown"), default="", choices=list(IdType.choices), widget="select", rule="VIS-04"
    )
    id_photo: bool = ask(_("It has a photo"), default=False, rule="VIS-01")
    authorization: str = ask(_("Guarantee letter or authorization"), default="", max_length=30, rule="PA-01")
    emergency_at: datetime | None = ask(_("Emergency visit"), default=None, rule="PA-06")
    contact_name: str = ask(_("Contact at the hospital"), default="", max_length=80)
    contact_email: str = ask(_("Email of the hospital"), default="", max_length=200)


@dataclass(frozen=True)
class AdmissionInput:
    """A child comes to stay: on a letter that was sent, or as an emergency notified in time."""

    member: MemberInput = ask(_("Insured child"))
    hospital: str = ask(_("Hospital code"), max_length=40)
    department: str = ask(_("Department"), max_length=80, min_length=1)
    admitted_on: date = ask(_("Admitted on"))
    reporter: ReporterInput = ask(_("Reporter"))
    authorization: str = ask(_("Guarantee letter"), default="", max_length=30, rule="DBI-01")
    emergency_at: datetime | None = ask(_("Emergency visit"), default=None, rule="PA-06")
    campus: str = ask(_("Campus code"), default="", max_length=40)
    department_group: str = ask(
        _("Department group"), default="GENERAL", choices=list(DepartmentGroup.choices), widget="select"
    )
    benefit: str = ask(_("Benefit"), default="INPATIENT", choices=codes(BENEFITS), widget="select")
    diagnosis: str = ask(_("Diagnosis (ICD-10)"), default="", max_length=20)
    diagnosis_name: str = ask(_("Diagnosis"), default="", max_length=120)
    card: str = ask(_("Card shown"), default="", max_length=200, rule="VIS-04", help=_("number or code"))
    id_type: str = ask(
        _("Identity paper shown"), default="", choices=list(IdType.choices), widget="select", rule="VIS-04"
    )
    id_photo: bool = ask(_("It has a photo"), default=False, rule="VIS-01")
    contact_name: str = ask(_("Contact at the hospital"), default="", max_length=80)
    contact_email: str = ask(_("Email of the hospital"), default="", max_length=200)
