"""What a request for authorization consists of: one nested input for API, form and demo data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from apps.adjudication.codes import BENEFITS, CAUSES, LINE_KINDS, PROCEDURES
from apps.adjudication.keys import CHANNELS
from apps.cases.inputs import ask, codes, money
from apps.hospitals.models import DepartmentGroup

VISITS = ("INPATIENT", "OBSERVATION_WARD", "OUTPATIENT", "EMERGENCY")
MAXIMUM_LINES = 300
DIRECT, REIMBURSEMENT = "DIRECT", "REIMBURSEMENT"


@dataclass(frozen=True)
class PlannedInput:
    """One item of the plan; `amount` is the estimate of the whole quantity in yuan."""

    name: str = ask(_("Item"), max_length=120, min_length=1)
    kind: str = ask(_("Kind"), choices=codes(LINE_KINDS), widget="select")
    amount: Decimal = money(_("Estimate"))
    quantity: Decimal = ask(
        _("Quantity"), default=Decimal(1), minimum=Decimal("0.001"), maximum=Decimal(9999)
    )
    unit_price: Decimal = money(_("Unit price"), default=Decimal("0.00"))
    code: str = ask(_("Code"), default="", max_length=40)
    procedure_categories: tuple[str, ...] = ask(_("Listed procedures"), default=(), choices=codes(PROCEDURES))


@dataclass(frozen=True)
class PlanInput:
    """Who, where, when and what: enough to say whether authorization is needed."""

    member: str = ask(_("Insured child"), max_length=40, help=_("member or policy number"))
    hospital: str = ask(_("Hospital"), max_length=40)
    planned_on: date = ask(_("Planned start"), rule="PA-03")
    visit_type: str = ask(_("Visit type"), choices=codes(VISITS), widget="select")
    lines: tuple[PlannedInput, ...] = ask(_("Planned items"), widget="lines")
    name: str = ask(_("Name of the child"), default="", max_length=80)
    birth_date: date | None = ask(_("Date of birth"), default=None)
    campus: str = ask(_("Campus code"), default="", max_length=40)
    department_group: str = ask(
        _("Department group"), default="GENERAL", choices=list(DepartmentGroup.choices), widget="select"
    )
    benefit: str = ask(
        _("Benefit"), default="", choices=codes(BENEFITS), widget="select", help=_("empty = by visit")
    )
    planned_days: int = ask(_("Planned days"), default=1, minimum=1, maximum=365)
    diagnosis: str = ask(_("Diagnosis (ICD-10)"), default="", max_length=20)
    cause: str = ask(_("Cause"), default="ILLNESS", choices=codes(CAUSES), widget="select")
    surgery: bool = ask(_("Surgery"), default=False)
    course: Decimal = money(
        _("Same course so far"), default=Decimal("0.00"), help=_("already incurred in this policy period")
    )
    emergency_at: datetime | None = ask(
        _("Emergency visit at"), default=None, rule="PA-06", help=_("registration time; empty = planned")
    )
    settlement: str = ask(
        _("Settlement"),
        default=DIRECT,
        choices=[(DIRECT, _("billed directly")), (REIMBURSEMENT, _("claimed afterwards"))],
        widget="select",
    )


@dataclass(frozen=True, kw_only=True)
class RequestInput(PlanInput):
    """The request: the plan, what it is for, how it came, and whom to answer."""

    channel: str = ask(_("Channel"), choices=codes(CHANNELS), widget="select", rule="PA-04")
    department: str = ask(_("Department"), max_length=80, min_length=1)
    diagnosis_name: str = ask(_("Diagnosis"), max_length=120, min_length=1)
    treatment: str = ask(_("Planned treatment"), widget="textarea", min_length=2, max_length=2000)
    requester: str = ask(_("Requested by"), default="", max_length=80)
    contact_name: str = ask(_("Contact at the hospital"), default="", max_length=80)
    contact_email: str = ask(_("Email of the hospital"), default="", max_length=200)
    consent: bool = ask(_("The family agrees"), default=False, rule="PA-27")
