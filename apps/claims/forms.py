"""The report of a claim and the coverage check as forms: words for codes, and what is asked at the phone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.adjudication.codes import BENEFITS, CAUSES, LINE_KINDS, VISIT_TYPES
from apps.cases.forms import CODE_WORDS, ActionForm, form_for
from apps.cases.inputs import ask
from apps.claims.inputs import ReportInput
from apps.core.errors import DomainError, InvalidInputs
from apps.hospitals.models import DepartmentGroup

CODE_WORDS.update(
    {
        # what was done
        "CONSULT": _("consultation"), "EXAM": _("examination"), "TREATMENT": _("treatment"), "DRUG": _("drugs"),
        "INJECTION": _("injection"), "SURGERY": _("surgery"), "BED": _("bed"), "NURSING": _("nursing"),
        "MATERIAL": _("materials"), "DME": _("medical equipment"), "VACCINE": _("vaccine"),
        "VACCINATION": _("vaccination"), "HEALTH_CHECK": _("health check"), "COUNSELING": _("counseling"),
        "HOME_TEST": _("home test"), "NO_SHOW": _("no-show fee"), "POSTAGE": _("postage"),
        "REGISTRATION": _("registration fee"), "FREE_CONSULT": _("free consult"), "OTHER": _("other"),
        # where and why
        "OUTPATIENT": _("outpatient"), "EMERGENCY": _("emergency"), "INPATIENT": _("inpatient"),
        "OBSERVATION_WARD": _("observation ward"), "INTERNET": _("internet hospital"), "DENTAL": _("dental"),
        "EYE": _("eye"), "MENTAL_HEALTH": _("mental health"), "ILLNESS": _("illness"), "ACCIDENT": _("accident"),
        # bills
        "FISCAL_E": _("electronic medical bill"), "FISCAL_PAPER": _("paper medical bill"), "VAT": _("VAT invoice"),
        "DIGITAL": _("fully digital invoice"), "VALID": _("valid"), "VOID": _("void"), "RED_LETTER": _("red-letter"),
        "EXCHANGED": _("exchanged for paper"), "A": pgettext_lazy("item category", "A"),
        "B": pgettext_lazy("item category", "B"), "C": pgettext_lazy("item category", "C"),
        # channels
        "MINIPROGRAM": _("mini program"), "ONLINE": _("online"), "HOTLINE": _("hotline"), "PHONE": _("phone"),
        "EMAIL": _("email"), "MAIL": _("mail"), "SMS": _("SMS"), "WECOM": _("WeCom"), "API": _("API"),
        "TEXT_IMAGE": _("chat with pictures"), "HOSPITAL": _("hospital"), "HOSPITAL_DIRECT": _("hospital, direct"),
        "HOSPITAL_COUNTER": _("hospital counter"),
        # who stands for the child
        "MOTHER": _("mother"), "FATHER": _("father"), "GUARDIAN": _("guardian"), "SELF": _("the insured"),
        # listed procedures
        "GENERAL_ANESTHESIA": _("general anesthesia"), "CHEMOTHERAPY": _("chemotherapy"),
        "RADIOTHERAPY": _("radiotherapy"), "IMMUNOTHERAPY": _("immunotherapy"),
        "ENDOCRINE_THERAPY": _("endocrine therapy"), "PROTON_THERAPY": _("proton therapy"),
        "HEMODIALYSIS": _("hemodialysis"), "PERITONEAL_DIALYSIS": _("peritoneal dialysis"),
        "MAJOR_EXAM": _("major examination"),
    }
)  # fmt: skip

CODE_WORDS.update(  # the figures of findings
    {
        "affected": _("affected"), "amount": _("Amount"), "basis": _("basis"), "benefit": _("Benefit"),
        "cause": _("Cause"), "ceiling": _("ceiling"), "channel": _("Channel"), "channels": _("channels"),
        "claimed": _("claimed"), "day": _("day"), "days": _("days"), "department": _("Department"),
        "diagnosis": _("Diagnosis"), "effective": _("effective on"), "end": _("end"), "grade": _("grade"),
        "hospital": _("Hospital"), "identity": _("bill identity"), "item": _("Item"), "kind": _("Kind"),
        "known": _("known"), "last": _("last day"), "latest": _("latest day"), "left": _("left"),
        "limit": _("limit"), "maximum": _("maximum"), "minimum": _("minimum"), "missing": _("missing"),
        "over": _("over the limit"), "ownership": _("ownership"), "payee": _("Payee"), "per": _("counted per"),
        "percent": _("share of the insurer"), "personal_account": _("Personal account"), "plan": _("plan"),
        "provider": _("provider"), "quota": _("quota"), "received": _("received"), "service": _("service"),
        "since": _("since"), "state": _("State"), "status": _("status"), "subjects": _("about"),
        "threshold": _("threshold"), "total": _("Total"), "triggers": _("triggers"), "until": _("until"),
        "used": _("used"), "version": _("version"), "visit": _("Visit"), "year": _("year"), "years": _("years"),
    }
)  # fmt: skip


def report_form(data: Any = None, files: Any = None, *, member: str = "") -> ActionForm:
    """The whole report; a new one starts with one visit, one bill and one line."""
    initial = {
        "channel": "HOTLINE",
        "member": {"number": member},
        "visits": [{"bills": [{"lines": [{}]}], "diagnoses": [{}]}],
    }
    return form_for(ReportInput)(data, files, initial=initial)


# --- Coverage check --------------------------------------------------------------------------


@dataclass(frozen=True)
class CoverageLine:
    kind: str = ask(_("Item"), choices=[(code, code) for code in LINE_KINDS], widget="select")
    amount: Decimal = ask(_("Amount"), widget="money", minimum=Decimal(0))
    third_party: Decimal = ask(
        _("Paid by third parties"), widget="money", default=Decimal("0.00"), minimum=Decimal(0)
    )


@dataclass(frozen=True)
class CoverageInput:
    """What a caller knows: who, where, when, and about what it costs."""

    member: str = ask(_("Insured child"), max_length=40)
    started_on: date = ask(_("Date of treatment"))
    visit_type: str = ask(_("Visit type"), choices=[(code, code) for code in VISIT_TYPES], widget="select")
    hospital: str = ask(_("Hospital"), max_length=40)
    lines: tuple[CoverageLine, ...] = ask(_("Costs"), widget="lines")
    department_group: str = ask(
        _("Department group"), default="GENERAL", choices=list(DepartmentGroup.choices), widget="select"
    )
    benefit: str = ask(
        _("Benefit"),
        default="",
        choices=[(code, code) for code in BENEFITS],
        widget="select",
        help=_("empty = by visit"),
    )
    cause: str = ask(
        _("Cause"), default="ILLNESS", choices=[(code, code) for code in CAUSES], widget="select"
    )
    diagnosis: str = ask(_("Diagnosis (ICD-10)"), default="", max_length=20)
    used_social_insurance: bool = ask(_("Social insurance used"), default=False)
    surgery: bool = ask(_("Surgery"), default=False)


def coverage_form(data: Any = None, *, member: str = "") -> ActionForm:
    initial = {"member": member, "started_on": date.today(), "visit_type": "OUTPATIENT", "lines": [{}]}
    return form_for(CoverageInput)(data, initial=initial)


def as_report(asked: dict[str, Any]) -> dict[str, Any]:
    """A coverage question as a report of one visit with one bill that nobody has issued yet."""
    lines = [{"name": str(line.get("kind", "")), **line} for line in asked.get("lines", [])]
    total = sum((_amount(line.get("amount")) for line in lines), Decimal(0))
    day = asked.get("started_on", "")
    visit = {name: asked[name] for name in VISIT_FIELDS if asked.get(name) not in (None, "")}
    bill = {"bill_type": "OTHER", "number": "CHECK", "issued_on": day, "amount": str(total), "lines": lines}
    if asked.get("diagnosis"):
        visit["diagnoses"] = [{"code": asked["diagnosis"]}]
    return {
        "member": {"number": asked.get("member", "")},
        "reporter": {"name": "-"},
        "channel": "HOTLINE",
        "category": CATEGORY_OF.get(
            asked.get("visit_type", ""), CATEGORY_OF.get(asked.get("benefit", ""), "REIMBURSEMENT")
        ),
        "visits": [{"department": "-", **visit, "bills": [bill]}],
    }


VISIT_FIELDS = (
    "started_on",
    "visit_type",
    "hospital",
    "department_group",
    "benefit",
    "cause",
    "used_social_insurance",
    "surgery",
)
CATEGORY_OF = {"INTERNET": "INTERNET", "VACCINE": "VACCINE", "HEALTH_CHECK": "HEALTH_CHECK"}
PLACES = (
    ("visits.0.bills.0.lines", "lines"),
    ("visits.0.bills.0", "lines"),
    ("visits.0.diagnoses.0.code", "diagnosis"),
    ("visits.0.", ""),
    ("member.number", "member"),
)


def _amount(text: Any) -> Decimal:
    try:
        return Decimal(str(text or 0))
    except ArithmeticError:
        return Decimal(0)


def at_question(error: DomainError) -> DomainError:
    """The same errors at the fields of the coverage question."""
    for one in error.errors if isinstance(error, InvalidInputs) else [error]:
        for path, here in PLACES:
            if one.field.startswith(path):
                one.field = here + one.field[len(path) :] if path != "visits.0.bills.0" else here
                break
    return error
