"""Lists of codes ("2024, 2026" or "claims:read claims:write") in JSON columns and in forms."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9:_.\-]{0,39}")


def validate_codes(value: Any) -> None:
    """A list of codes without repetition; a bare string would be read as a list of its letters."""
    if not isinstance(value, list) or not all(isinstance(code, str) for code in value):
        raise ValidationError(_("Enter a list of codes."), code="codes")
    for code in value:
        if not CODE.fullmatch(code):
            raise ValidationError(_("%(code)s is not a code."), code="codes", params={"code": code})
    if len(set(value)) != len(value):
        raise ValidationError(_("A code appears twice in the list."), code="codes")


class CodesField(forms.CharField):
    """One line of text for a list of codes; commas (also Chinese ones) and spaces separate."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [code for code in re.split(r"[\s,，、;；]+", value or "") if code]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return (initial or []) != self.to_python(data)
