"""Two processes at the same instant: the card is restored once, and each sweep does its work once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from apps.billing.models import BillReminder
from apps.billing.tasks import sweep
from apps.billing.tests.world import Bills
from apps.cards.models import Card, CardEvent
from apps.core.testing_processes import together
from apps.messaging.models import Message

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def test_two_bills_paid_at_the_same_instant_restore_the_card_once(now: Any) -> None:
    world = Bills("2026").under(now)
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
    world = Bills("2026").under(now)
    case = world.bill()
    world.deliver()
    world.now = world.later(days=7)
    now.move_to(world.now)
    assert sorted(together(lambda: sweep(world.now), lambda: sweep(world.now))) == ["0", "1"]
    assert BillReminder.objects.filter(bill=case.pk).count() == 2


def test_a_card_issued_while_the_bill_runs_out_is_grey(now: Any) -> None:
    """Whichever comes first, the other sees it: the child is locked."""
    world = Bills("2026").under(now)
    world.reminded(amount="200.00")
    world.now = datetime.fromisoformat("2026-10-09T00:01+08:00")
    now.move_to(world.now)
    together(lambda: sweep(world.now), lambda: world.renewed("M2026"))
    assert Card.objects.filter(member__number="M2026", greyed_rule="BIL-03").count() == 2
