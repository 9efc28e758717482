"""The workflow against the specification's machine (b)."""

from apps.authorizations.actions import KIND
from apps.authorizations.workflow import BEFORE_DECISION, FINAL
from apps.cases.testing_machines import Machine

MACHINE = Machine(KIND, __file__, any_source=BEFORE_DECISION)


def test_the_workflow_is_what_the_specification_says() -> None:
    MACHINE.check("B")


def test_only_a_refusal_can_be_left_again() -> None:
    assert MACHINE.leaving(FINAL) == {("REJECTED", "RECONSIDERATION")}
