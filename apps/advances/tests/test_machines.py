"""The workflow against the specification's machine (g)."""

from apps.advances.actions import KIND
from apps.advances.workflow import BEFORE_ADVANCED, FINAL
from apps.cases.testing_machines import Machine

MACHINE = Machine(KIND, __file__, any_source=BEFORE_ADVANCED)


def test_the_workflow_is_what_the_specification_says() -> None:
    MACHINE.check("G")


def test_what_has_ended_stays_ended() -> None:
    assert not MACHINE.leaving(FINAL)
