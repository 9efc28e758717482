"""Two processes at the same instant: the card is restored once, and each sweep does its work once."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from apps.billing.models import BillReminder
from apps.billing.tasks import sweep
from apps.billing.tests.world import Bills
from apps.cards.models import CardEvent
from apps.core.errors import DomainError
from apps.messaging.models import Message

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
PROCESSES = multiprocessing.get_context("fork")


def together(*works: Callable[[], Any]) -> list[str]:
    """Each work in a process of its own, let go at one moment; what each says."""
    gate, said = PROCESSES.Barrier(len(works)), PROCESSES.Queue()

    def run(work: Callable[[], Any]) -> None:
        connections.close_all()
        gate.wait(30)
        try:
            said.put(str(work()))
        except DomainError as error:
            said.put(error.code)
        finally:
            connections.close_all()

    connections.close_all()
    processes = [PROCESSES.Process(target=run, args=(work,)) for work in works]
    for process in processes:
        process.start()
    answers = [said.get(timeout=60) for _work in works]
    for process in processes:
        process.join(30)
    return answers


def test_two_bills_paid_at_the_same_instant_restore_the_card_once(now: Any) -> None:
    world = Bills("2026", clock=now)
    first, second = world.bill("100.00"), world.reminded(amount="200.00")
    world.at("2026-10-09 00:01")
    payer, hospital = world.actor("caller"), world.machine("PRI")
    assert world.card().greyed_at is not None
    together(
        lambda: world.pay_as(payer, first, "100.00").state, lambda: world.pay_as(hospital, second, "200.00").state
    )  # fmt: skip
    assert (world.state(first), world.state(second)) == ("PAID", "PAID")
    assert world.card().greyed_at is None
    assert CardEvent.objects.filter(kind="RESTORED").count() == 1
    assert Message.objects.filter(template="card_restored").count() == 1


def test_two_sweepers_send_one_reminder_and_grey_once(now: Any) -> None:
    world = Bills("2026", clock=now)
    case = world.bill()
    world.deliver()
    world.now = world.later(days=7)
    now.move_to(world.now)
    assert sorted(together(lambda: sweep(world.now), lambda: sweep(world.now))) == ["0", "1"]
    assert BillReminder.objects.filter(bill=case.pk).count() == 2
