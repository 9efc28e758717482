"""The workflow against the specification's machine (a)."""

from apps.appointments.actions import KIND
from apps.appointments.workflow import FINAL
from apps.cases.testing_machines import Machine

MACHINE = Machine(KIND, __file__)


def test_the_workflow_is_what_the_specification_says() -> None:
    MACHINE.check("P")


def test_only_lateness_and_a_mistaken_no_show_are_taken_back() -> None:
    assert MACHINE.leaving(FINAL) == {("REJECTED", "REQUESTED"), ("NO_SHOW", "CHECKED_IN")}
