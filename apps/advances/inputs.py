"""What an application for an advance consists of: one input for API, form and demo data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.adjudication.codes import CAUSES, LINE_KINDS
from apps.adjudication.keys import CHANNELS
from apps.cases.forms import CODE_WORDS
from apps.cases.inputs import ask, codes, money
from apps.hospitals.models import DepartmentGroup

VISITS = ("INPATIENT", "OUTPATIENT", "EMERGENCY", "OBSERVATION_WARD")
TREATMENT = "TREATMENT"
COSTS = [
    (TREATMENT, _("treatment during the stay")),
    ("DEPOSIT", _("deposit or its top-up")),
    ("OUTPATIENT", _("outpatient cost")),
    ("EMERGENCY", _("emergency cost")),
]
MAXIMUM_LINES = 100
REASONS = {
    "FALSE_INFO": _("false information"),
    "NON_DISCLOSURE": _("non-disclosure"),
    "FRAUD": _("fraud"),
    "THIRD_PARTY": _("third-party funds"),
    "LITIGATION": _("litigation"),
    "NOT_COVERED": _("stay not covered"),
    "INCOMPLETE": _("papers not complete"),
    "OUT_OF_AREA": _("out-of-area insurance (three conditions)"),
    "NETWORK": _("outside the provider's network"),
}
CODE_WORDS.update(REASONS)
CODE_WORDS.update({"DEPOSIT": _("deposit or its top-up")})


@dataclass(frozen=True)
class CostInput:
    """One item of the expected cost in yuan."""

    name: str = ask(_("Item"), max_length=120, min_length=1)
    kind: str = ask(_("Kind"), choices=codes(LINE_KINDS), widget="select")
    amount: Decimal = money(_("Estimate"))


@dataclass(frozen=True)
class ApplyInput:
    """Who, where, since when and for what; what of it makes an advance impossible is said by the verification."""

    member: str = ask(_("Insured child"), max_length=40, help=_("member or policy number"))
    hospital: str = ask(_("Hospital"), max_length=40)
    admitted_on: date = ask(_("Admission"), rule="ADV-02", help=_("planned, or since when"))
    department: str = ask(_("Department"), max_length=80, min_length=1)
    diagnosis_name: str = ask(_("Diagnosis"), max_length=120, min_length=1)
    caller: str = ask(_("Applied by"), max_length=80, min_length=1)
    lines: tuple[CostInput, ...] = ask(_("Expected cost"), widget="lines")
    channel: str = ask(
        _("Channel"), choices=codes(CHANNELS), widget="select", default="HOTLINE", rule="ADV-04"
    )
    cause: str = ask(_("Cause"), default="ILLNESS", choices=codes(CAUSES), widget="select", rule="ADV-02")
    visit_type: str = ask(
        _("Visit type"), default="INPATIENT", choices=codes(VISITS), widget="select", rule="ADV-02"
    )
    cost: str = ask(
        pgettext_lazy("advance", "Asked for"),
        default=TREATMENT,
        choices=COSTS,
        widget="select",
        rule="ADV-18",
    )
    need: bool = ask(_("The family says that money is short"), default=False, rule="ADV-02")
    consent: bool = ask(_("The family agrees to hand over full papers"), default=False, rule="ADV-13")
    admitted: bool = ask(_("Admitted already"), default=False)
    admission_number: str = ask(_("Admission number"), default="", max_length=60)
    planned_days: int = ask(_("Expected days"), default=7, minimum=1, maximum=365)
    expected: Decimal = money(
        _("Paid by others, expected"),
        default=Decimal("0.00"),
        help=_("social insurance and the like, of this cost"),
    )
    diagnosis: str = ask(_("Diagnosis (ICD-10)"), default="", max_length=20)
    campus: str = ask(_("Campus code"), default="", max_length=40)
    department_group: str = ask(
        _("Department group"), default="GENERAL", choices=list(DepartmentGroup.choices), widget="select"
    )


@dataclass(frozen=True)
class ReasonInput:
    reason: str = ask(_("Reason"), widget="textarea", min_length=2, max_length=2000)
