"""Two orders at the same instant: one test, one clear refusal (TST-05)."""

from __future__ import annotations

from typing import Any

import pytest

from apps.care.models import HomeTest
from apps.care.tests.world import Care
from apps.core.testing_processes import together
from apps.ledger.models import LimitAccount

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def test_two_orders_at_once_are_one(now: Any) -> None:
    world = Care("2026")
    world.actor("service")
    said = together(*[lambda: world.order().state] * 2)
    account = LimitAccount.objects.get(key="home_test:count")
    assert (HomeTest.objects.filter(slot__isnull=False).count(), account.reserved) == (1, 1)
    assert "ORDERED" in said
    assert len(said) == 2
