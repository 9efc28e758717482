"""Frozen dataclasses ↔ plain JSON values ↔ JSON Schema, driven by their type hints.

One description per type: how it is written, how it is read back with an exact error, and how its
schema reads. Codes of a field are given by name, so that the error says what was expected.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Union, get_args, get_origin, get_type_hints

from apps.adjudication.errors import FactsError

Codes = Mapping[tuple[str, str], tuple[str, ...]]  # (class name, field) → what it may say
Encode = Callable[[Any], Any]
Decode = Callable[[Any, str], Any]
Schema = dict[str, Any]

YUAN_PATTERN = r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,2})?$"
NUMBER_PATTERN = r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?$"
YUAN_TEXT, NUMBER_TEXT = re.compile(YUAN_PATTERN, re.ASCII), re.compile(NUMBER_PATTERN, re.ASCII)


@dataclass(frozen=True, slots=True)
class Codec:
    """The three faces of one type."""

    encode: Encode
    decode: Decode
    schema: Schema


Parts = tuple[dict[str, tuple[Field[Any], Codec]], list[str]]


class Codecs:
    """Builds and keeps the codec of each type; `yuan` names fields that are money."""

    def __init__(self, codes: Codes, numbers: frozenset[tuple[str, str]], skip: frozenset[tuple[str, str]]):
        self._codes, self._numbers, self._skip = codes, numbers, skip
        self._known: dict[Any, Codec] = {}
        self._read: dict[Any, Parts] = {}

    def of(self, cls: type[Any]) -> Codec:
        """The codec of a dataclass."""
        if cls not in self._known:
            self._known[cls] = self._dataclass(cls)
        return self._known[cls]

    def read(self, cls: type[Any], data: Any, given: Mapping[str, Any]) -> Any:
        """An instance whose left-out fields the caller gives."""
        parts, required = self._parts(cls)
        return cls(**read_fields(data, "", parts, required), **given)

    def _parts(self, cls: type[Any]) -> Parts:
        """Fields with their codecs, and the names of those without a default."""
        if cls not in self._read:
            self._read[cls] = self._build_parts(cls)
        return self._read[cls]

    def _build_parts(self, cls: type[Any]) -> Parts:
        hints = get_type_hints(cls)
        parts: dict[str, tuple[Field[Any], Codec]] = {}
        for item in fields(cls):
            if (cls.__name__, item.name) not in self._skip:
                parts[item.name] = item, self._field(cls, item.name, hints[item.name])
        required = [n for n, (f, _) in parts.items() if f.default is MISSING and f.default_factory is MISSING]
        return parts, required

    def _dataclass(self, cls: type[Any]) -> Codec:
        parts, required = self._parts(cls)
        writers = [(name, codec.encode) for name, (_, codec) in parts.items()]

        def encode(value: Any) -> Any:
            return {name: write(getattr(value, name)) for name, write in writers}

        def decode(data: Any, path: str) -> Any:
            return cls(**read_fields(data, path, parts, required))

        schema: Schema = {
            "type": "object",
            "properties": {name: codec.schema for name, (_, codec) in parts.items()},
            "required": required,
            "additionalProperties": False,
        }
        return Codec(encode, decode, schema)

    def _field(self, cls: type[Any], name: str, hint: Any) -> Codec:
        codes = self._codes.get((cls.__name__, name))
        number = (cls.__name__, name) in self._numbers
        return self._type(hint, codes, number)

    def _type(self, hint: Any, codes: tuple[str, ...] | None, number: bool) -> Codec:
        origin, args = get_origin(hint), get_args(hint)
        if origin in (Union, types.UnionType):
            return _optional(self._type(next(arg for arg in args if arg is not type(None)), codes, number))
        if origin is tuple and args[-1] is Ellipsis:
            return _sequence(self._type(args[0], codes, number))
        if origin is tuple:
            return _pair([self._type(arg, codes, number) for arg in args])
        if origin is dict:
            return _mapping(TEXT if args[1] is str else ANY)
        if is_dataclass(hint) and isinstance(hint, type):
            return self.of(hint)
        if isinstance(hint, type) and issubclass(hint, StrEnum):
            return _enum(hint)
        if hint is str:
            return TEXT if codes is None else _coded(codes)
        if hint is Decimal:
            return NUMBER if number else YUAN
        return PLAIN[hint]


def read_fields(
    data: Any, path: str, parts: Mapping[str, tuple[Field[Any], Codec]], required: list[str]
) -> dict[str, Any]:
    """The constructor's arguments; names every unknown and every missing field."""
    if not isinstance(data, Mapping):
        raise FactsError(path, data, "an object")
    for name in data:
        if name not in parts:
            raise FactsError(_join(path, name), data[name], f"one of the fields {', '.join(parts)}")
    for name in required:
        if name not in data:
            raise FactsError(_join(path, name), None, "a value")
    return {name: parts[name][1].decode(value, _join(path, name)) for name, value in data.items()}


def _join(path: str, name: object) -> str:
    return f"{path}.{name}" if path else str(name)


# --- single values ----------------------------------------------------------------------------


def _text(data: Any, path: str) -> str:
    if not isinstance(data, str):
        raise FactsError(path, data, "a text")
    return data


def _bool(data: Any, path: str) -> bool:
    if not isinstance(data, bool):
        raise FactsError(path, data, "true or false")
    return data


def _int(data: Any, path: str) -> int:
    if isinstance(data, bool) or not isinstance(data, int):
        raise FactsError(path, data, "a whole number")
    return data


def _number(data: Any, path: str, pattern: re.Pattern[str], expected: str) -> Decimal:
    """Texts and whole numbers only: a JSON float has already lost its exact value."""
    if isinstance(data, bool) or not isinstance(data, (str, int, Decimal)):
        raise FactsError(path, data, expected)
    text = f"{data:f}" if isinstance(data, Decimal) else str(data)
    if not pattern.fullmatch(text):
        raise FactsError(path, data, expected)
    return Decimal(text)


def _yuan(data: Any, path: str) -> Decimal:
    expected = 'yuan as a text like "1234.50": not negative, at most two decimals, no currency sign'
    return _number(data, path, YUAN_TEXT, expected).quantize(Decimal("0.01"))


def _quantity(data: Any, path: str) -> Decimal:
    return _number(data, path, NUMBER_TEXT, 'a number as a text like "1.5", not negative')


def _date(data: Any, path: str) -> date:
    try:
        if isinstance(data, str) and len(data) == 10:
            return date.fromisoformat(data)
    except ValueError:
        pass
    raise FactsError(path, data, "a date like 2026-09-16")


def _instant(data: Any, path: str) -> datetime:
    try:
        value = datetime.fromisoformat(data) if isinstance(data, str) else None
    except ValueError:
        value = None
    if value is None or value.tzinfo is None:
        raise FactsError(path, data, "an instant with offset like 2026-09-16T10:00:00+08:00")
    return value


TEXT = Codec(lambda value: value, _text, {"type": "string"})
ANY = Codec(lambda value: value, lambda data, path: data, {})
YUAN = Codec(lambda value: f"{value:.2f}", _yuan, {"type": "string", "pattern": YUAN_PATTERN})
NUMBER = Codec(lambda value: f"{value:f}", _quantity, {"type": "string", "pattern": NUMBER_PATTERN})
PLAIN: Mapping[Any, Codec] = {
    bool: Codec(lambda value: value, _bool, {"type": "boolean"}),
    int: Codec(lambda value: value, _int, {"type": "integer"}),
    date: Codec(lambda value: value.isoformat(), _date, {"type": "string", "format": "date"}),
    datetime: Codec(lambda value: value.isoformat(), _instant, {"type": "string", "format": "date-time"}),
}


def _coded(codes: tuple[str, ...]) -> Codec:
    def decode(data: Any, path: str) -> str:
        if data not in codes or not isinstance(data, str):
            raise FactsError(path, data, f"one of {', '.join(code or '(empty)' for code in codes)}")
        return data

    return Codec(lambda value: value, decode, {"type": "string", "enum": list(codes)})


def _enum(kind: type[StrEnum]) -> Codec:
    coded = _coded(tuple(member.value for member in kind))
    return Codec(lambda value: value.value, lambda data, path: kind(coded.decode(data, path)), coded.schema)


def _optional(inner: Codec) -> Codec:
    return Codec(
        lambda value: None if value is None else inner.encode(value),
        lambda data, path: None if data is None else inner.decode(data, path),
        {"anyOf": [inner.schema, {"type": "null"}]},
    )


def _sequence(inner: Codec) -> Codec:
    def decode(data: Any, path: str) -> tuple[Any, ...]:
        if not isinstance(data, (list, tuple)):
            raise FactsError(path, data, "a list")
        return tuple(inner.decode(value, f"{path}[{index}]") for index, value in enumerate(data))

    return Codec(
        lambda value: [inner.encode(item) for item in value],
        decode,
        {"type": "array", "items": inner.schema},
    )


def _pair(parts: list[Codec]) -> Codec:
    def decode(data: Any, path: str) -> tuple[Any, ...]:
        if not isinstance(data, (list, tuple)) or len(data) != len(parts):
            raise FactsError(path, data, f"a list of {len(parts)}")
        return tuple(
            part.decode(value, f"{path}[{n}]")
            for n, (part, value) in enumerate(zip(parts, data, strict=True))
        )

    return Codec(
        lambda value: [part.encode(item) for part, item in zip(parts, value, strict=True)],
        decode,
        {"type": "array", "prefixItems": [part.schema for part in parts], "items": False,
         "minItems": len(parts)},
    )  # fmt: skip


def _mapping(inner: Codec) -> Codec:
    def decode(data: Any, path: str) -> dict[str, Any]:
        if not isinstance(data, Mapping) or not all(isinstance(key, str) for key in data):
            raise FactsError(path, data, "an object")
        return {key: inner.decode(value, _join(path, key)) for key, value in data.items()}

    return Codec(
        lambda value: {key: inner.encode(value[key]) for key in sorted(value)},
        decode,
        {"type": "object", "additionalProperties": inner.schema or True},
    )
