"""The workflow against the specification's machine (i)."""

import csv
import re
from pathlib import Path

import pytest
from django.conf import settings

from apps.billing.actions import KIND
from apps.billing.workflow import FINAL, STATES, UNPAID, BillFlow

TABLE = Path(__file__).parent / "data" / "machines.tsv"


def specified() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def expected() -> set[tuple[str, str]]:
    return {
        (source, row["to"])
        for row in specified()
        for source in (sorted(UNPAID) if row["from"] == "ANY" else [row["from"]])
    }


def transitions() -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for name in dir(BillFlow):
        meta = getattr(getattr(BillFlow, name, None), "_django_fsm", None)
        if meta is not None:
            found |= {(source, transition.target) for source, transition in meta.transitions.items()}
    return found


def test_every_transition_is_specified_and_the_other_way_round() -> None:
    assert transitions() == expected()


def test_every_difference_is_explained() -> None:
    marked = {row["difference"] for row in specified()} - {"", None}
    page = (settings.BASE_DIR / "docs" / "architecture-machines.md").read_text(encoding="utf-8")
    assert marked == set(re.findall(r"^\| (I\d+) \|", page, flags=re.MULTILINE))


def test_states_are_words_and_nothing_else_and_the_end_is_the_end() -> None:
    assert {state for pair in transitions() for state in pair} == set(STATES)
    assert not {source for source, _target in transitions()} & FINAL - {"PAID"}  # but for a mistake (I3)


@pytest.mark.parametrize("name", [action.name for action in KIND.actions.values()])
def test_every_transition_an_action_names_exists(name: str) -> None:
    for transition in KIND.actions[name].candidates:
        assert hasattr(getattr(BillFlow, transition), "_django_fsm")
