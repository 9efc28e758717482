"""The workflow against the specification's machines (d), (e) and the post-claims of (f)."""

import csv
import re
from pathlib import Path

import pytest
from django.conf import settings

from apps.claims.actions import KIND
from apps.claims.workflow import BEFORE_DECISION, FINAL, STATES, ClaimFlow

TABLE = Path(__file__).parent / "data" / "machines.tsv"


def specified() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def expected() -> set[tuple[str, str]]:
    pairs: set[tuple[str, str]] = set()
    for row in specified():
        sources = sorted(BEFORE_DECISION) if row["from"] == "*" else [row["from"]]
        pairs |= {(source, row["to"]) for source in sources if source != "-"}
    return pairs


def transitions() -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for name in dir(ClaimFlow):
        method = getattr(ClaimFlow, name, None)
        meta = getattr(method, "_django_fsm", None)
        if meta is not None:
            found |= {(source, transition.target) for source, transition in meta.transitions.items()}
    return found


def test_every_transition_is_specified_and_the_other_way_round() -> None:
    assert transitions() == expected()


def test_every_difference_is_explained() -> None:
    marked = {row["difference"] for row in specified()} - {"", None}
    page = (settings.BASE_DIR / "docs" / "architecture-machines.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^\| (D\d+) \|", page, flags=re.MULTILINE))
    assert marked == explained


def test_states_are_words_and_nothing_else() -> None:
    used = {state for pair in transitions() for state in pair}
    assert used == set(STATES)


def test_final_states_are_left_only_by_reopening_or_a_returned_payment() -> None:
    leaving = {target for source, target in transitions() if source in FINAL}
    assert leaving == {"REOPENED", "PAYMENT_FAILED"}


@pytest.mark.parametrize("name", [action.name for action in KIND.actions.values()])
def test_every_transition_an_action_names_exists(name: str) -> None:
    for transition in KIND.actions[name].candidates:
        assert hasattr(getattr(ClaimFlow, transition), "_django_fsm")
