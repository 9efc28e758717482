"""Nothing is settled twice, whoever is at work at the same time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from apps.core.errors import DomainError
from apps.payments.models import PaymentOrder
from apps.settlements import actions
from apps.settlements.models import StatementLine
from apps.settlements.tests.world import Settled
from tests.concurrency import in_processes

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]


def said(work: Callable[[], Any]) -> str:
    try:
        work()
    except DomainError as error:
        return error.code
    return "done"


@pytest.fixture
def world(transactional_db: None, now: Any) -> Settled:
    return Settled("2026")


def test_two_runs_and_two_checks_at_once_pay_once(world: Settled) -> None:
    world.contract()
    world.claims(2)
    world.actor("finance")  # known before the processes part
    found = Counter(in_processes(lambda index: said(lambda: world.draft(by=("finance", "lead")[index])), 2))
    assert found["done"] == 1
    assert set(found) - {"done"} <= {"nothing", "taken"}
    number = StatementLine.objects.get(position=1).statement.number
    checker = world.actor("checker")
    checked = Counter(
        in_processes(lambda index: said(lambda: actions.check(checker, number, now=world.now)), 2)
    )
    assert checked == {"done": 1, "state": 1}
    assert PaymentOrder.objects.filter(reference=number).count() == 1
