"""The application and the provider's account as forms."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from apps.advances.inputs import ApplyInput
from apps.advances.providers import ProviderInput
from apps.cases.forms import ActionForm, form_for


def application_form(data: Any = None, files: Any = None, *, member: str = "") -> ActionForm:
    """A new one starts with one expected cost."""
    initial = {"member": member, "channel": "HOTLINE", "admitted_on": timezone.localdate(), "lines": [{}]}
    return form_for(ApplyInput)(data, files, initial=initial)


def provider_form(data: Any = None, *, series: str = "") -> ActionForm:
    return form_for(ProviderInput)(data, None, initial={"series": series})
