"""Opening a recovery by hand, as a form and over the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.cases.forms import ActionForm, form_for
from apps.cases.inputs import ask


@dataclass(frozen=True)
class OpenInput:
    case: str = ask(_("Claim"), max_length=30, help=_("number of the claim or direct claim"), rule="REC-04")


def open_form(data: Any = None) -> ActionForm:
    return form_for(OpenInput)(data)
