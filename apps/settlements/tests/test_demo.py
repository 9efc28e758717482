"""The demonstration of settlements (as `manage.py demo` builds it)."""

from __future__ import annotations

from apps.accounts.tests.factories import make_actor
from apps.settlements import demo
from apps.settlements.models import Difference, HospitalAccount, PaymentTerms, Statement
from apps.settlements.tests.world import Settled


def test_statements_in_several_states_once(world: Settled) -> None:
    assert demo.build(world.now) == 0
    world.actor("finance")
    make_actor("payment_check", username="payment_check")
    world.claims(2, "2026")
    world.claims(1, "2024")
    assert demo.build(world.now) == 2
    assert sorted(Statement.objects.values_list("state", flat=True)) == ["PAID", "RETURNED"]
    assert PaymentTerms.objects.filter(state="IN_FORCE").count() == 2
    assert HospitalAccount.objects.filter(state="PROPOSED").count() == 1
    assert Difference.objects.filter(outcome="OPEN").exists()
    assert demo.build(world.now) == 0
