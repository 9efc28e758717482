"""From input dataclasses to the fields that the OpenAPI document shows.

The document describes; `inputs.parse_input` decides. Both read the same dataclass, so they agree.
"""

from __future__ import annotations

import re
import types
import typing
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from rest_framework import serializers

from apps.cases.forms import in_words

BARE_CODE = re.compile(r"^\* `(\w+)` - \1$", re.MULTILINE)
_FIELDS: dict[Any, type[serializers.Field[Any, Any, Any, Any]]] = {
    bool: serializers.BooleanField,
    int: serializers.IntegerField,
    date: serializers.DateField,
    datetime: serializers.DateTimeField,
}


def serializer_for(cls: Any, name: str = "") -> type[serializers.Serializer[Any]]:
    """A serializer with one field for each field of an input dataclass."""
    return _serializer(cls, name)


@cache
def _serializer(cls: Any, name: str) -> type[serializers.Serializer[Any]]:
    hints = typing.get_type_hints(cls)
    members: dict[str, Any] = {item.name: _field(hints[item.name], item) for item in fields(cls)}
    members["__doc__"] = (cls.__doc__ or "").split("\n\n")[0]
    return type(name or cls.__name__.removesuffix("Input") or "Empty", (serializers.Serializer,), members)


def _field(hint: Any, item: Any) -> Any:
    metadata = item.metadata
    optional = item.default is not MISSING or item.default_factory is not MISSING
    options: dict[str, Any] = {
        "required": not optional,
        "help_text": metadata.get("help") or metadata.get("label"),
    }
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        hint = next(arg for arg in typing.get_args(hint) if arg is not type(None))
        options["allow_null"] = True
    if typing.get_origin(hint) is tuple:
        inner = typing.get_args(hint)[0]
        child = serializer_for(inner)() if is_dataclass(inner) else _scalar(inner, metadata, {})
        return serializers.ListField(child=child, **options)
    if is_dataclass(hint):
        nested: Any = hint
        return serializer_for(nested)(**options)
    return _scalar(hint, metadata, options)


def _scalar(hint: Any, metadata: Any, options: dict[str, Any]) -> Any:
    choices = metadata.get("choices")
    if isinstance(choices, list) and hint is str:
        return serializers.ChoiceField(choices=choices, **options)
    if hint is Decimal:
        places = 2 if metadata.get("widget") == "money" else 4
        return serializers.DecimalField(max_digits=12 + places, decimal_places=places, **options)
    if hint in _FIELDS:
        return _FIELDS[hint](**options)
    if not options.get("required", True):
        options = {**options, "allow_blank": True}
    return serializers.CharField(max_length=metadata.get("max_length") or 2000, **options)


_TYPES: dict[Any, str] = {
    Any: "text", str: "text", bool: "boolean", int: "integer", Decimal: "decimal", date: "date", datetime: "date-time",
}  # fmt: skip


def input_rows(cls: Any, ctx: Any = None) -> list[dict[str, Any]]:
    """What an action asks: each field by name, title, type ("decimal", "list of text", "object"), whether it
    is required, the codes it accepts with their words (where the case decides: those of the `Ctx`, without one
    none), and the fields of what is nested."""
    hints = _hints(cls)
    return [_input_row(item, hints[item.name], ctx) for item in fields(cls)]


@cache
def _hints(cls: Any) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _input_row(item: Any, hint: Any, ctx: Any) -> dict[str, Any]:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        hint = next(arg for arg in typing.get_args(hint) if arg is not type(None))
    several = typing.get_origin(hint) is tuple
    inner = typing.get_args(hint)[0] if several else hint
    named, choices = _TYPES.get(inner, "object"), item.metadata.get("choices")
    if callable(choices):
        choices = choices(ctx) if ctx is not None else ()
    row: dict[str, Any] = {
        "name": item.name,
        "title": str(item.metadata.get("label", item.name)),
        "type": f"list of {named}" if several else named,
        "required": item.default is MISSING and item.default_factory is MISSING,
        "choices": [{"code": code, "title": str(in_words(code, label))} for code, label in choices or ()],
    }
    if is_dataclass(inner):
        row["fields"] = input_rows(inner, ctx)
    return row


def name_codes(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """drf-spectacular post-processing hook: bare codes in descriptions get the words of the screens."""
    _name_codes(result)
    return result


def _name_codes(node: Any) -> None:
    if isinstance(node, list):
        for inner in node:
            _name_codes(inner)
    if not isinstance(node, dict):
        return
    for name, inner in node.items():
        if name == "description" and isinstance(inner, str):
            node[name] = BARE_CODE.sub(
                lambda found: f"* `{found[1]}` - {in_words(found[1], found[1])}", inner
            )
        else:
            _name_codes(inner)
