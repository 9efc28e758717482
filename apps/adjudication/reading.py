"""Typed reading of a TOML table: every wrong value is noted with its place, none stops the rest."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping
from datetime import time
from decimal import Decimal, InvalidOperation
from typing import Any

from apps.adjudication.errors import HandbookError

REQUIRED: Any = object()


class HandbookErrors(HandbookError):
    """Everything wrong with one text; `errors` lists all, the first gives the message."""

    def __init__(self, errors: list[HandbookError]):
        self.errors = tuple(errors)
        super().__init__(errors[0].where, errors[0].value, errors[0].expected)


class Table:
    """One TOML table. Each reader takes a key; `done()` complains about keys nobody took."""

    def __init__(self, data: Mapping[str, Any], path: str, problems: list[HandbookError]):
        self.path, self.problems = path, problems
        self._data = dict(data)
        self._known: set[str] = set()

    def refuse(self, key: str, value: object, expected: str) -> None:
        where = ".".join(part for part in (self.path, key) if part)
        self.problems.append(HandbookError(where, value, expected))

    def has(self, key: str) -> bool:
        return key in self._data

    def raw(self, key: str, default: Any = REQUIRED, expected: str = "a value") -> Any:
        self._known.add(key)
        if key in self._data:
            return self._data[key]
        if default is REQUIRED:
            self.refuse(key, None, f"{expected} (it is missing)")
            return None
        return default

    def _typed(self, key: str, kind: type, expected: str, default: Any, fallback: Any) -> Any:
        value = self.raw(key, default, expected)
        if value is default and default is not REQUIRED:
            return value
        # bool is an int in Python, not in a handbook
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            if key in self._data:
                self.refuse(key, value, expected)
            return fallback
        return value

    def text(self, key: str, default: Any = REQUIRED) -> str:
        value: str = self._typed(key, str, "a text", default, "")
        if default is REQUIRED and key in self._data and value == "" and self._data[key] == "":
            self.refuse(key, value, "a text that is not empty")
        return value

    def choice(self, key: str, allowed: Collection[str], default: Any = REQUIRED) -> str:
        value = self.text(key, default)
        if value not in allowed and key in self._data and isinstance(self._data[key], str):
            self.refuse(key, value, "one of " + ", ".join(sorted(allowed)))
        return value

    def integer(self, key: str, default: Any = REQUIRED, least: int | None = None) -> Any:
        value = self._typed(key, int, "a whole number", default, 0)
        if least is not None and isinstance(value, int) and value < least:
            self.refuse(key, value, f"a whole number from {least}")
        return value

    def flag(self, key: str, default: Any = REQUIRED) -> bool:
        return bool(self._typed(key, bool, "true or false", default, False))

    def moment(self, key: str, default: Any = REQUIRED) -> time | None:
        value: time | None = self._typed(key, time, "a time of day such as 14:00:00", default, None)
        return value

    def decimal(self, key: str, default: Any = REQUIRED) -> Decimal | None:
        """A figure written as text or whole number, so that no float ever stands in between."""
        value = self.raw(key, default, "a figure")
        if value is default and default is not REQUIRED:
            return value  # type: ignore[no-any-return]
        if isinstance(value, int | str) and not isinstance(value, bool):
            try:
                figure = Decimal(value)
            except InvalidOperation:
                figure = Decimal("NaN")
            if figure.is_finite() and figure >= 0:
                return figure
        if key in self._data:
            self.refuse(key, value, 'a figure from 0 as text, such as "10000.00"')
        return Decimal(0)

    def yuan(self, key: str, default: Any = REQUIRED) -> Decimal | None:
        value = self.decimal(key, default)
        if value is not None and value != value.quantize(Decimal("0.01")):
            self.refuse(key, str(value), "yuan with at most two decimals")
        return value if value is None else value.quantize(Decimal("0.01"))

    def texts(
        self, key: str, default: Any = REQUIRED, allowed: Collection[str] | None = None
    ) -> tuple[str, ...]:
        value = self.raw(key, default, "a list of texts")
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) and item for item in value):
            if key in self._data:
                self.refuse(key, value, "a list of texts")
            return ()
        for position, item in enumerate(value):
            if allowed is not None and item not in allowed:
                self.refuse(f"{key}.{position}", item, "one of " + ", ".join(sorted(allowed)))
        doubled = sorted({item for item in value if value.count(item) > 1})
        if doubled:
            self.refuse(key, doubled, "every entry once")
        return tuple(value)

    def table(self, key: str) -> Table:
        value = self.raw(key, REQUIRED, "a table")
        if not isinstance(value, dict):
            if key in self._data:
                self.refuse(key, value, "a table")
            value = {}
            return Table(value, self._below(key), [])  # already complained once
        return Table(value, self._below(key), self.problems)

    def tables(self, key: str, name: str = "", optional: bool = True) -> Iterator[Table]:
        """The entries of an array of tables; each is labelled by its `name` column for people."""
        value = self.raw(key, () if optional else REQUIRED, "a list of tables")
        if value is None:
            return
        if not isinstance(value, list | tuple) or not all(isinstance(item, dict) for item in value):
            self.refuse(key, value, "a list of tables")
            return
        for position, item in enumerate(value):
            label = item.get(name, position) if name else position
            yield Table(item, f"{self._below(key)}[{label}]", self.problems)

    def rest(self) -> dict[str, Any]:
        """The keys nobody has taken yet; they count as taken from here on."""
        left = {key: value for key, value in self._data.items() if key not in self._known}
        self._known.update(left)
        return left

    def done(self) -> None:
        for key in self._data:
            if key not in self._known:
                self.refuse(key, self._data[key], "no such key; known are " + ", ".join(sorted(self._known)))

    def _below(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key


def read_toml(text: str) -> Mapping[str, Any]:
    """Parse TOML; raises HandbookErrors with the line when the text is no TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise HandbookErrors([HandbookError("toml", str(error), "well-formed TOML")]) from error
