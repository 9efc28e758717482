"""docs/adjudication.md says what the engine does: same steps in the same order, same worked cases."""

import re

import pytest

from apps.adjudication.engine import COVER
from apps.adjudication.tests.builders import ROOT, yuan
from apps.adjudication.tests.test_decisions import CASES

PROSE = (ROOT / "docs" / "adjudication.md").read_text(encoding="utf-8")


def test_the_steps_stand_in_their_order() -> None:
    assert re.findall(r"^\| `(\w+)` \| ", PROSE, re.MULTILINE) == [name for name, _ in COVER]


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_the_worked_cases_stand_in_the_table(case: tuple) -> None:
    name, _, amounts, parts, outcome = case
    row = next(line for line in PROSE.splitlines() if line.startswith(f"| {name} |"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[2:] == [" + ".join(str(yuan(one)) for one in amounts), *parts, outcome]
