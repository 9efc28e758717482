"""The workflow against the specification's machine (h)."""

from apps.appeals.actions import KIND
from apps.appeals.workflow import FINAL
from apps.cases.testing_machines import Machine

MACHINE = Machine(KIND, __file__)


def test_the_workflow_is_what_the_specification_says() -> None:
    MACHINE.check("H")


def test_what_is_answered_or_withdrawn_stays_so() -> None:
    assert not MACHINE.leaving(FINAL)
    assert {"CLOSED", "WITHDRAWN"} == FINAL
