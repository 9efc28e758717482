"""The request as a form, and the small forms of the page of brands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.appointments.inputs import RequestInput, WishInput
from apps.cases.forms import ActionForm, form_for
from apps.cases.inputs import ask

WISH = frozenset(WishInput.__dataclass_fields__)


@dataclass(frozen=True)
class CloseBrandInput:
    brand: str = ask(_("Clinic brand"), max_length=80, min_length=1, rule="VAC-05")
    closed_on: date = ask(_("Closed on"), rule="VAC-05")
    designated: tuple[str, ...] = ask(_("Designated brands"), help=_("several with commas"), rule="VAC-05")
    evidence: str = ask(_("Evidence"), max_length=200, min_length=2)


@dataclass(frozen=True)
class TransferInput:
    to_brand: str = ask(_("To brand"), max_length=120, min_length=1, rule="VAC-05")
    reason: str = ask(_("Reason"), max_length=400, min_length=2)


@dataclass(frozen=True)
class DecideInput:
    grant: bool = ask(_("Grant"))
    answer: str = ask(_("Reason"), max_length=400, min_length=2)


def request_form(data: Any = None, files: Any = None, *, initial: dict[str, Any] | None = None) -> ActionForm:
    return form_for(RequestInput)(data, files, initial=initial)


def wish_part(asked: dict[str, Any]) -> dict[str, Any]:
    """What of a request says whether it may be booked; the rest may still be empty."""
    return {name: value for name, value in asked.items() if name in WISH}
