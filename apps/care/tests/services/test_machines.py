"""The workflow of services against the specification's machines (l): assistance and phone consult as one."""

from __future__ import annotations

from apps.care.workflow import SERVICE, SERVICE_FINAL
from apps.cases.testing_machines import Machine

MACHINE = Machine(SERVICE, __file__)


def test_the_workflow_is_what_the_specification_says() -> None:
    MACHINE.check("L")


def test_what_has_ended_stays_so() -> None:
    assert not MACHINE.leaving(SERVICE_FINAL)
