"""The report of an unpaid bill as a form, and the outcome of a call from the work list."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from apps.billing.inputs import ReportInput
from apps.cases.forms import ActionForm, form_for


def report_form(data: Any = None, *, member: str = "") -> ActionForm:
    initial = {"member": member, "visited_on": timezone.localdate(), "visit_type": "OUTPATIENT"}
    return form_for(ReportInput)(data, None, initial=initial)
