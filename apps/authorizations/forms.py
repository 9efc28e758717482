"""The request as a form."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from apps.authorizations.inputs import PlanInput, RequestInput
from apps.cases.forms import ActionForm, form_for

PLAN = frozenset(PlanInput.__dataclass_fields__)


def request_form(data: Any = None, files: Any = None, *, member: str = "", **known: Any) -> ActionForm:
    """A new one starts with one item and what is `known` of it."""
    initial = {
        "member": member, "channel": "HOTLINE", "visit_type": "INPATIENT", "planned_on": timezone.localdate(),
        "lines": [{}],
    } | known  # fmt: skip
    return form_for(RequestInput)(data, files, initial=initial)


def plan_part(asked: dict[str, Any]) -> dict[str, Any]:
    """What of a request says whether authorization is needed; the rest may still be empty."""
    return {name: value for name, value in asked.items() if name in PLAN}
