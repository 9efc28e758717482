"""The workflow against the specification's machines (c1), (c2) and the direct part of (f)."""

from apps.cases.testing_machines import Machine
from apps.direct.actions import KIND
from apps.direct.workflow import BEFORE_DECISION, FINAL

MACHINE = Machine(KIND, __file__, any_source=BEFORE_DECISION)


def test_the_workflow_is_what_the_specification_says() -> None:
    MACHINE.check("E")


def test_final_states_are_left_only_to_decide_or_pay_again() -> None:
    assert MACHINE.leaving(FINAL) == {
        ("CLOSED", "ADJUDICATED"),
        ("CLOSED", "UNDER_REVIEW"),
        ("DENIED", "UNDER_REVIEW"),
    }
