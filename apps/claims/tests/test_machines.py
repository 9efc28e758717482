"""The workflow against the specification's machines (d), (e) and the post-claims of (f)."""

from apps.cases.testing_machines import Machine
from apps.claims.actions import KIND
from apps.claims.workflow import BEFORE_DECISION, FINAL

MACHINE = Machine(KIND, __file__, any_source=BEFORE_DECISION)


def test_the_workflow_is_what_the_specification_says() -> None:
    MACHINE.check("D")


def test_final_states_are_left_only_by_reopening_an_appeal_or_a_returned_payment() -> None:
    left = {target for _source, target in MACHINE.leaving(FINAL)}
    assert left == {"REOPENED", "PAYMENT_FAILED", "REFUSAL_PENDING"}
