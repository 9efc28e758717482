"""The workflow of home tests against the specification's machine (k)."""

from __future__ import annotations

from apps.care.workflow import HOME_TEST, TEST_FINAL
from apps.cases.testing_machines import Machine

MACHINE = Machine(HOME_TEST, __file__)


def test_the_workflow_is_what_the_specification_says() -> None:
    MACHINE.check("K")


def test_what_has_ended_stays_so() -> None:
    assert not MACHINE.leaving(TEST_FINAL)
