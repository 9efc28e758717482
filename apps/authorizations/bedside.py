"""Who else lies in hospital at our expense, beside the children on a letter: apps above add their list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from apps.accounts.actors import Actor


@dataclass(frozen=True, slots=True)
class Bedside:
    """A block below the children on a letter: a template, and its rows for an actor and a series ("" = all)."""

    template: str
    rows: Callable[[Actor, str], list[Any]]


SOURCES: list[Bedside] = []


def add_bedside(source: Bedside) -> None:
    if source not in SOURCES:
        SOURCES.append(source)


def others_in_hospital(actor: Actor, series: str) -> list[tuple[str, list[Any]]]:
    """(template, rows) of every block that has something to show."""
    found = [(source.template, source.rows(actor, series)) for source in SOURCES]
    return [(template, rows) for template, rows in found if rows]
