"""Constraints that stop a race speak to people, on both databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.claims.tests.world import World
from apps.core.constraints import MEANINGS, meaning_of, means
from apps.documents.models import BillRegister
from apps.ledger.models import LimitAccount
from apps.payments.models import PaymentOrder

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db]


def refused(work: Callable[[], object]) -> IntegrityError:
    with pytest.raises(IntegrityError) as found, transaction.atomic():
        work()
    return found.value


def again(row: BillRegister | PaymentOrder, **other: object) -> Callable[[], object]:
    """The same row once more, as whoever lost the race would write it."""
    row.pk = None
    row._state.adding = True
    for name, value in other.items():
        setattr(row, name, value)
    return row.save


def test_a_limit_over_its_ceiling(world: World) -> None:
    world.do(world.review(), "decide")
    limits = LimitAccount.objects.filter(unit="FEN")
    error = meaning_of(refused(lambda: limits.update(used=10**14)))
    assert (type(error).__name__, error.code) == ("Conflict", "limit_race")


def test_law_11_a_bill_registered_meanwhile(world: World) -> None:
    world.claim()
    error = meaning_of(refused(again(BillRegister.objects.get(), registered_at=timezone.now())))
    assert (type(error).__name__, error.code, error.rule) == ("Blocked", "BILL_SEEN", "LAW-11")


def test_a_decision_ordered_to_be_paid_meanwhile(world: World) -> None:
    world.do(world.review(), "decide")
    error = meaning_of(refused(again(PaymentOrder.objects.get(), number="P26-999999", attempt=9)))
    assert (type(error).__name__, error.code) == ("Conflict", "paid_twice")


def test_a_constraint_nobody_spoke_for_tells_its_name(world: World) -> None:
    world.do(world.review(), "decide")
    account = LimitAccount.objects.all()[0]
    double = LimitAccount(policy=account.policy, key=account.key, unit=account.unit, ceiling=1)
    error = meaning_of(refused(double.save))
    assert error.code == "race"
    assert error.data["constraint"] in {
        "limit_once",
        "ledger_limitaccount.policy_id, ledger_limitaccount.key",
    }


def test_only_constraints_that_exist_can_be_spoken_for() -> None:
    before = dict(MEANINGS)
    with pytest.raises(LookupError, match="LimitAccount has no constraint limit_misspelt"):
        means(LimitAccount, "limit_misspelt", lambda: pytest.fail("never asked"))
    assert before == MEANINGS
