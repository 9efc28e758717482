"""The workflow against the specification's machine (i)."""

from apps.billing.actions import KIND
from apps.billing.workflow import FINAL, UNPAID
from apps.cases.testing_machines import Machine

MACHINE = Machine(KIND, __file__, any_source=UNPAID)


def test_the_workflow_is_what_the_specification_says() -> None:
    MACHINE.check("I")


def test_the_end_is_the_end() -> None:
    assert not MACHINE.leaving(FINAL - {"PAID"})  # but for a mistake (I3)
