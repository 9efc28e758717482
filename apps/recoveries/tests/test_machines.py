"""The workflow against the specification's machine (j)."""

from apps.cases.testing_machines import Machine
from apps.recoveries.actions import KIND
from apps.recoveries.workflow import FINAL

MACHINE = Machine(KIND, __file__)


def test_the_workflow_is_what_the_specification_says() -> None:
    MACHINE.check("J")


def test_what_is_canceled_stays_so() -> None:
    assert not MACHINE.leaving({"CANCELLED"})
    assert {"REFUNDED", "WRITTEN_OFF", "CANCELLED"} == FINAL
