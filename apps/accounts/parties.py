"""Whether a code of a scope stands for anything. The rooms that keep hospitals, series and children stand
above this one, so each says from its `AppConfig.ready` how its codes are looked up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

SHOWN = 10
# Of a code: None when it exists, else what there is instead (the likeliest first; empty: not to be listed).
LookUp = Callable[[str], Iterable[str] | None]
LOOK_UPS: dict[str, LookUp] = {}


def register_party(dimension: str, look_up: LookUp) -> None:
    """`dimension`: a field of `accounts.models.Scope`."""
    LOOK_UPS[dimension] = look_up


def refuse_strangers(scope: Mapping[str, str | list[str]]) -> None:
    """`ValidationError` by field, naming what exists; empty fields restrict nothing and are not looked up."""
    errors: dict[str, Any] = {}
    for dimension, given in scope.items():
        for code in dict.fromkeys([given] if isinstance(given, str) else given):
            look_up = LOOK_UPS.get(dimension)
            others = look_up(code) if look_up and code else None
            if others is not None:
                errors[dimension] = _error(code, list(others)[:SHOWN])
    if errors:
        raise ValidationError(errors)


def _error(code: str, others: list[str]) -> ValidationError:
    words = (
        _("“%(code)s” does not exist. There are: %(others)s.") if others else _("“%(code)s” does not exist.")
    )
    return ValidationError(words, code="unknown", params={"code": code, "others": "、".join(others)})
