"""Inputs of actions: every wrong value is named with its path, all at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import pytest

from apps.cases.inputs import ask, parse_input
from apps.core.errors import InvalidInputs


@dataclass(frozen=True)
class Line:
    name: str = ask("name", max_length=10)
    amount: Decimal = ask("amount", widget="money", minimum=Decimal(0))


@dataclass(frozen=True)
class Report:
    who: str = ask("who", choices=[("MOTHER", "mother"), ("FATHER", "father")])
    on: date = ask("on")
    lines: tuple[Line, ...] = ask("lines")
    at: datetime | None = ask("at", default=None)
    urgent: bool = ask("urgent", default=False)
    tags: tuple[str, ...] = ask("tags", default=tuple)


GOOD = {"who": "MOTHER", "on": "2026-10-09", "lines": [{"name": "CT", "amount": "1200.00"}]}


def test_good_data_becomes_the_dataclass() -> None:
    report = parse_input(Report, {**GOOD, "urgent": "on", "tags": "a, b"})
    assert report == Report(
        "MOTHER", date(2026, 10, 9), (Line("CT", Decimal("1200.00")),), None, True, ("a", "b")
    )


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"who": "UNCLE"}, "who", "unknown_code"),
        ({"who": ""}, "who", "required"),
        ({"on": "2026-13-40"}, "on", "date"),
        ({"on": "9.10.2026"}, "on", "date"),
        ({"at": "soon"}, "at", "datetime"),
        ({"urgent": "perhaps"}, "urgent", "type"),
        ({"lines": "CT"}, "lines.0", "type"),
        ({"lines": [{"name": "CT", "amount": "-1"}]}, "lines.0.amount", "too_small"),
        ({"lines": [{"name": "CT", "amount": "1.234"}]}, "lines.0.amount", "decimals"),
        ({"lines": [{"name": "CT", "amount": "¥100"}]}, "lines.0.amount", "number"),
        ({"lines": [{"name": "CT", "amount": 12.5}]}, "lines.0.amount", "number"),
        ({"lines": [{"name": "CT", "amount": "NaN"}]}, "lines.0.amount", "number"),
        ({"lines": [{"name": "CT", "amount": "1e99"}]}, "lines.0.amount", "too_large"),
        ({"lines": [{"name": "x" * 11, "amount": "1"}]}, "lines.0.name", "too_long"),
        ({"lines": [{"name": "C\x00T", "amount": "1"}]}, "lines.0.name", "characters"),
        ({"surprise": 1}, "surprise", "unknown_field"),
    ],
)
def test_a_wrong_value_is_named_by_path_and_code(change: dict, field: str, code: str) -> None:
    with pytest.raises(InvalidInputs) as caught:
        parse_input(Report, {**GOOD, **change})
    assert [(error.field, error.code) for error in caught.value.errors] == [(field, code)]


def test_all_mistakes_are_named_at_once() -> None:
    bad = {"on": "x", "lines": [{"name": "a", "amount": "x"}, {"amount": "1"}]}
    with pytest.raises(InvalidInputs) as caught:
        parse_input(Report, bad)
    assert [error.field for error in caught.value.errors] == ["who", "on", "lines.0.amount", "lines.1.name"]
