"""The workflow against the specification's machine (a)."""

import csv
import re
from pathlib import Path

from django.conf import settings

from apps.appointments.actions import KIND
from apps.appointments.workflow import FINAL, STATES, AppointmentFlow

TABLE = Path(__file__).parent / "data" / "machines.tsv"


def specified() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def transitions() -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for name in dir(AppointmentFlow):
        meta = getattr(getattr(AppointmentFlow, name, None), "_django_fsm", None)
        if meta is not None:
            found |= {(source, transition.target) for source, transition in meta.transitions.items()}
    return found


def test_every_transition_is_specified_and_the_other_way_round() -> None:
    assert transitions() == {(row["from"], row["to"]) for row in specified()}


def test_every_difference_is_explained() -> None:
    marked = {row["difference"] for row in specified()} - {"", None}
    page = (settings.BASE_DIR / "docs" / "architecture-machines.md").read_text(encoding="utf-8")
    assert marked == set(re.findall(r"^\| (P\d+) \|", page, flags=re.MULTILINE))


def test_states_are_words_and_nothing_else() -> None:
    assert {state for pair in transitions() for state in pair} == set(STATES)


def test_only_lateness_and_a_mistaken_no_show_are_taken_back() -> None:
    assert {(source, target) for source, target in transitions() if source in FINAL} == {
        ("REJECTED", "REQUESTED"),
        ("NO_SHOW", "CHECKED_IN"),
    }


def test_every_transition_an_action_names_exists() -> None:
    for action in KIND.actions.values():
        for transition in action.candidates:
            assert hasattr(getattr(AppointmentFlow, transition), "_django_fsm"), (action.name, transition)
