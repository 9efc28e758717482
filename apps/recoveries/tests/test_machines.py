"""The workflow against the specification's machine (j)."""

import csv
import re
from pathlib import Path

import pytest
from django.conf import settings

from apps.recoveries.actions import KIND
from apps.recoveries.workflow import FINAL, STATES, RecoveryFlow

TABLE = Path(__file__).parent / "data" / "machines.tsv"


def specified() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def transitions() -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for name in dir(RecoveryFlow):
        meta = getattr(getattr(RecoveryFlow, name, None), "_django_fsm", None)
        if meta is not None:
            found |= {(source, transition.target) for source, transition in meta.transitions.items()}
    return found


def test_every_transition_is_specified_and_the_other_way_round() -> None:
    assert transitions() == {(row["from"], row["to"]) for row in specified()}


def test_every_difference_is_explained() -> None:
    marked = {row["difference"] for row in specified()} - {"", None}
    page = (settings.BASE_DIR / "docs" / "architecture-machines.md").read_text(encoding="utf-8")
    assert marked == set(re.findall(r"^\| (J\d+) \|", page, flags=re.MULTILINE))


def test_states_are_words_and_what_is_canceled_stays_so() -> None:
    assert {state for pair in transitions() for state in pair} == set(STATES)
    assert not {pair for pair in transitions() if pair[0] == "CANCELLED"}
    assert {"REFUNDED", "WRITTEN_OFF", "CANCELLED"} == FINAL


@pytest.mark.parametrize("name", [action.name for action in KIND.actions.values()])
def test_every_transition_an_action_names_exists(name: str) -> None:
    for transition in KIND.actions[name].candidates:
        assert hasattr(getattr(RecoveryFlow, transition), "_django_fsm")
