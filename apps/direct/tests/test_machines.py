"""The workflow against the specification's machines (c1), (c2) and the direct part of (f)."""

import csv
import re
from pathlib import Path

import pytest
from django.conf import settings

from apps.direct.actions import KIND
from apps.direct.workflow import BEFORE_DECISION, FINAL, STATES, DirectFlow

TABLE = Path(__file__).parent / "data" / "machines.tsv"


def specified() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def expected() -> set[tuple[str, str]]:
    return {
        (source, row["to"])
        for row in specified()
        for source in (sorted(BEFORE_DECISION) if row["from"] == "BEFORE" else [row["from"]])
    }


def transitions() -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for name in dir(DirectFlow):
        meta = getattr(getattr(DirectFlow, name, None), "_django_fsm", None)
        if meta is not None:
            found |= {(source, transition.target) for source, transition in meta.transitions.items()}
    return found


def test_every_transition_is_specified_and_the_other_way_round() -> None:
    assert transitions() == expected()


def test_every_difference_is_explained() -> None:
    marked = {row["difference"] for row in specified()} - {"", None}
    page = (settings.BASE_DIR / "docs" / "architecture-machines.md").read_text(encoding="utf-8")
    assert marked == set(re.findall(r"^\| (E\d+) \|", page, flags=re.MULTILINE))


def test_states_are_words_and_final_ones_are_left_only_to_decide_or_pay_again() -> None:
    assert {state for pair in transitions() for state in pair} == set(STATES)
    leaving = {(source, target) for source, target in transitions() if source in FINAL}
    assert leaving == {("CLOSED", "ADJUDICATED"), ("CLOSED", "UNDER_REVIEW"), ("DENIED", "UNDER_REVIEW")}


@pytest.mark.parametrize("name", [action.name for action in KIND.actions.values()])
def test_every_transition_an_action_names_exists(name: str) -> None:
    for transition in KIND.actions[name].candidates:
        assert hasattr(getattr(DirectFlow, transition), "_django_fsm")
