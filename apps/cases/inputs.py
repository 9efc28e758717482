"""Inputs of actions are dataclasses; from them come validation, admin forms and API fields.

`ask(...)` gives a field its words. Supported types: str, bool, int, Decimal, date, datetime,
tuple[str, ...], tuple[<dataclass>, ...] and X | None.
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, field, fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, TypeVar

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from apps.core.days import read_day
from apps.core.errors import DomainError, InvalidInput, InvalidInputs

T = TypeVar("T")
COMMA = re.compile(r"[,，、;；]")  # between the entries of a list that is typed into one field
HALF = re.compile("[\ud800-\udfff]")  # of a pair of surrogates, alone
LONGEST_NUMBER = 1000  # digits before or after the point; "1e3000000" overflows any arithmetic
Choices = list[tuple[Any, Any]] | Callable[[Any], list[tuple[Any, Any]]]


def ask(
    label: Any,
    *,
    default: Any = MISSING,
    help: Any = "",
    choices: Choices | None = None,
    widget: str = "",
    max_length: int = 0,
    min_length: int = 0,
    minimum: Any = None,
    maximum: Any = None,
    roles: frozenset[str] = frozenset(),
    rule: str = "",
) -> Any:
    """A field of an input: its label, help, choices, limits and, when refused, the rule cited.

    `widget`: textarea | money | date | datetime | select | user | file | hidden | lines ("" = by type).
    `roles`: a user field offers only people with one of them; whether a name is right, the action says.
    """
    metadata = {
        "label": label, "help": help, "choices": choices, "widget": widget, "max_length": max_length,
        "min_length": min_length, "minimum": minimum, "maximum": maximum, "roles": roles, "rule": rule,
    }  # fmt: skip
    if default is MISSING:
        return field(metadata=metadata)
    if callable(default):
        return field(default_factory=default, metadata=metadata)
    return field(default=default, metadata=metadata)


def codes(values: Iterable[str]) -> list[tuple[str, Any]]:
    """Choices that are their own labels; forms show their words."""
    return [(value, value) for value in values]


def money(label: Any, **more: Any) -> Any:
    """A field with an amount in yuan, from 0, two decimals."""
    return ask(label, widget="money", minimum=Decimal(0), **more)


def parse_input(cls: type[T], data: Mapping[str, Any], *, path: str = "") -> T:
    """Build the input from form or JSON data; every wrong value is named, all at once.

    Values that already have the right type pass through. Unknown names are errors too.
    """
    errors: list[DomainError] = []
    values: dict[str, Any] = {}
    hints = _hints(cls)  # type: ignore[arg-type]
    known = {item.name for item in fields(cls)}  # type: ignore[arg-type]
    for name in data:
        if name not in known:
            errors.append(InvalidInput(_("Unknown field."), code="unknown_field", field=path + name))
    for item in fields(cls):  # type: ignore[arg-type]
        here = path + item.name
        try:
            raw = data.get(item.name, MISSING)
            if raw is MISSING or raw is None or raw == "":
                if not _has_default(item):
                    raise InvalidInput(
                        _("This is required."),
                        code="required",
                        field=here,
                        rule=item.metadata.get("rule", ""),
                    )
                continue
            value = _convert(hints[item.name], raw, here)
            _check(value, item.metadata, here)
            values[item.name] = value
        except InvalidInputs as several:
            errors.extend(several.errors)
        except DomainError as error:
            errors.append(error)
    if errors:
        raise InvalidInputs(errors)
    return cls(**values)


@cache
def _hints(cls: type[Any]) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _has_default(item: dataclasses.Field[Any]) -> bool:
    return item.default is not MISSING or item.default_factory is not MISSING


def _convert(hint: Any, raw: Any, path: str) -> Any:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        if raw in (None, ""):
            return None
        inner = next(arg for arg in typing.get_args(hint) if arg is not type(None))
        return _convert(inner, raw, path)
    if origin is tuple:
        return _convert_tuple(typing.get_args(hint)[0], raw, path)
    if is_dataclass(hint):
        if isinstance(raw, hint):  # type: ignore[arg-type]
            return raw
        if not isinstance(raw, Mapping):
            raise InvalidInput(_("An object with fields is expected."), code="type", field=path)
        return parse_input(hint, raw, path=path + ".")  # type: ignore[arg-type]
    return _SCALARS.get(hint, _any)(raw, path)


def _convert_tuple(inner: Any, raw: Any, path: str) -> tuple[Any, ...]:
    if isinstance(raw, str):
        raw = [part.strip() for part in COMMA.split(raw) if part.strip()]
    if not isinstance(raw, (list, tuple)):
        raise InvalidInput(_("A list is expected."), code="type", field=path)
    errors: list[DomainError] = []
    values = []
    for index, entry in enumerate(raw):
        try:
            values.append(_convert(inner, entry, f"{path}.{index}"))
        except InvalidInputs as several:
            errors.extend(several.errors)
        except DomainError as error:
            errors.append(error)
    if errors:
        raise InvalidInputs(errors)
    return tuple(values)


def _str(raw: Any, path: str) -> str:
    if not isinstance(raw, (str, int)) or isinstance(raw, bool):
        raise InvalidInput(_("Text is expected."), code="type", field=path)
    text = str(raw).strip()
    if "\x00" in text:
        raise InvalidInput(_("Control characters are not allowed."), code="characters", field=path)
    if HALF.search(text):
        raise InvalidInput(_("Half a character cannot be stored."), code="characters", field=path)
    return text


def _bool(raw: Any, path: str) -> bool:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.lower() in ("true", "on", "1", "yes", "false", "off", "0", "no", ""):
        return raw.lower() in ("true", "on", "1", "yes")
    raise InvalidInput(_("Yes or no is expected (true or false)."), code="type", field=path)


def _int(raw: Any, path: str) -> int:
    try:
        if isinstance(raw, (bool, float)):
            raise ValueError
        return int(raw)
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            _("A whole number is expected, not “%(value)s”.") % {"value": str(raw)[:40]},
            code="type",
            field=path,
        ) from error


def _decimal(raw: Any, path: str) -> Decimal:
    """Amounts come as strings or whole numbers; a JSON float has lost its cents already."""
    try:
        if isinstance(raw, (bool, float)):
            raise InvalidOperation
        value = Decimal(str(raw).strip())
        if not value.is_finite() or abs(value.adjusted()) > LONGEST_NUMBER:
            raise InvalidOperation
    except InvalidOperation as error:
        raise InvalidInput(
            _("A plain number like 1234.56 is expected (no currency sign), not “%(value)s”.")
            % {"value": str(raw)[:40]},
            code="number",
            field=path,
        ) from error
    return value


def _date(raw: Any, path: str) -> date:
    if isinstance(raw, datetime):
        return timezone.localtime(raw).date()
    if isinstance(raw, date):
        return raw
    return read_day(str(raw), path)


def _datetime(raw: Any, path: str) -> datetime:
    if isinstance(raw, datetime):
        value: datetime | None = raw
    else:
        try:
            value = parse_datetime(str(raw).strip())
        except ValueError:
            value = None
    if value is None:
        raise InvalidInput(
            _("A time like 2026-10-09T14:30 is expected, not “%(value)s”.") % {"value": str(raw)[:40]},
            code="datetime",
            field=path,
        )
    try:
        value = timezone.make_aware(value) if timezone.is_naive(value) else value
        for zone in (UTC, None):  # as it is stored, and as it is shown
            timezone.localtime(value, zone)
        return value
    except (OverflowError, ValueError) as error:
        raise InvalidInput(_("This time is out of range."), code="datetime", field=path) from error


def _any(raw: Any, path: str) -> Any:
    return raw


_SCALARS: dict[Any, Callable[[Any, str], Any]] = {
    str: _str, bool: _bool, int: _int, Decimal: _decimal, date: _date, datetime: _datetime,
}  # fmt: skip


def _check(value: Any, metadata: Mapping[str, Any], path: str) -> None:
    rule = metadata.get("rule", "")
    if metadata.get("widget") == "money" and isinstance(value, Decimal):
        if abs(value) >= Decimal("10000000000"):
            raise InvalidInput(_("This amount is too large."), code="too_large", field=path, rule=rule)
        if value != value.quantize(Decimal("0.01")):
            raise InvalidInput(
                _("Amounts have at most two decimals."), code="decimals", field=path, rule=rule
            )
    minimum, maximum = metadata.get("minimum"), metadata.get("maximum")
    if minimum is not None and value is not None and value < minimum:
        raise InvalidInput(
            _("At least %(minimum)s is expected.") % {"minimum": minimum},
            code="too_small",
            field=path,
            rule=rule,
        )
    if maximum is not None and value is not None and value > maximum:
        raise InvalidInput(
            _("At most %(maximum)s is expected.") % {"maximum": maximum},
            code="too_large",
            field=path,
            rule=rule,
        )
    if isinstance(value, str):
        _check_text(value, metadata, path, rule)
    choices = metadata.get("choices")
    if isinstance(choices, list):
        allowed = {choice for choice, _label in choices}
        for entry in value if isinstance(value, tuple) else (value,):
            if entry not in allowed and entry not in ("", None):
                raise InvalidInput(
                    _("“%(value)s” is not known. Expected: %(expected)s.")
                    % {"value": str(entry)[:40], "expected": ", ".join(sorted(map(str, allowed)))[:300]},
                    code="unknown_code",
                    field=path,
                    rule=rule,
                )


def _check_text(value: str, metadata: Mapping[str, Any], path: str, rule: str) -> None:
    longest = metadata.get("max_length") or 2000
    if len(value) > longest:
        raise InvalidInput(
            _("At most %(limit)d characters are allowed.") % {"limit": longest},
            code="too_long",
            field=path,
            rule=rule,
        )
    if len(value) < metadata.get("min_length", 0):
        raise InvalidInput(
            _("At least %(limit)d characters are expected.") % {"limit": metadata["min_length"]},
            code="too_short",
            field=path,
            rule=rule,
        )
