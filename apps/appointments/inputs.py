"""What a request for an appointment consists of: one input for API, form and demo data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time

from django.utils.translation import gettext_lazy as _

from apps.adjudication.codes import CAUSES
from apps.adjudication.keys import CHANNELS
from apps.cases.inputs import ask, codes
from apps.core.errors import InvalidInput
from apps.hospitals.models import DepartmentGroup

VISITS = ("OUTPATIENT", "INPATIENT")
BOOKED_BENEFITS = ("OUTPATIENT", "INPATIENT", "VACCINE", "DENTAL", "EYE", "HEALTH_CHECK")
TIME = _("24 hours, as in 09:30")


@dataclass(frozen=True)
class WishInput:
    """Who, where, when and what: enough to say whether it may be booked."""

    member: str = ask(_("Insured child"), max_length=40, help=_("member or policy number"))
    hospital: str = ask(_("Hospital"), max_length=40)
    visit_on: date = ask(_("Visit day"), rule="APT-01")
    visit_type: str = ask(_("Visit type"), default="OUTPATIENT", choices=codes(VISITS), widget="select")
    benefit: str = ask(
        _("Benefit"), default="", choices=codes(BOOKED_BENEFITS), widget="select", help=_("empty = by visit")
    )
    department_group: str = ask(
        _("Department group"), default="GENERAL", choices=list(DepartmentGroup.choices), widget="select"
    )
    campus: str = ask(_("Campus code"), default="", max_length=40)
    cause: str = ask(_("Cause"), default="ILLNESS", choices=codes(CAUSES), widget="select")
    channel: str = ask(_("Channel"), default="", choices=codes(CHANNELS), widget="select", rule="APT-04")
    expert: str = ask(
        _("Named expert"),
        default="",
        max_length=80,
        rule="APT-10",
        help=_("not possible; use the wish below"),
    )
    emergency: bool = ask(_("Emergency"), default=False)


@dataclass(frozen=True, kw_only=True)
class RequestInput(WishInput):
    """The request: the wish, by what way it came, and what the hospital is told."""

    channel: str = ask(_("Channel"), choices=codes(CHANNELS), widget="select", rule="APT-04")
    department: str = ask(_("Department"), max_length=80, min_length=1)
    complaint: str = ask(_("Reason of the visit"), max_length=400, min_length=2, widget="textarea")
    time: str = ask(_("Time"), default="", max_length=5, help=TIME)
    preference: str = ask(_("Wish, not binding"), default="", max_length=200)
    override_reason: str = ask(
        _("Allow though late, because"), default="", max_length=400, help=_("needs a permission")
    )


def read_time(text: str, field: str = "time") -> time | None:
    """ "09:30" → a time; "" → None. Raises InvalidInput."""
    if not text:
        return None
    try:
        hours, _colon, minutes = text.strip().replace("：", ":").partition(":")
        return time(int(hours), int(minutes))
    except ValueError as error:
        words = _("A time like 09:30 is expected, not “%(value)s”.") % {"value": text[:40]}
        raise InvalidInput(words, field=field, code="time") from error
