"""A decision that draws a letter down, while the family's own claim is decided and letters expire."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.accounts.actors import SYSTEM
from apps.authorizations.models import Authorization
from apps.cases.engine import perform
from apps.claims.models import Decision
from apps.claims.tests.world import World
from apps.core.errors import DomainError
from apps.direct.tests.test_letter import discharged, sums
from apps.direct.tests.world import Direct
from apps.ledger.models import LimitAccount
from tests.concurrency import in_processes

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]


def test_a_draw_down_a_familys_claim_and_an_expiry_at_the_same_instant(world: Direct) -> None:
    letter, unused = world.sent(), world.sent(amount="5000.00")
    stay = discharged(world, world.admit(authorization=letter.number), "4000.00")
    family = World.review(world, world.visit([world.bill("700.00")]))
    late = world.now + timedelta(days=60)
    senior = world.actor("senior")
    work = [(stay.number, "decide", senior, world.now), (family.number, "decide", senior, world.now),
            (unused.number, "expire", SYSTEM, late), (stay.number, "decide", senior, world.now)]  # fmt: skip

    def run(index: int) -> str:
        number, action, actor, now = work[index]
        try:
            perform(number, action, actor, now=now)
        except DomainError as error:
            return error.code
        return "done"

    answers = in_processes(run, len(work))
    assert answers[1:3] == ["done", "done"]
    assert sorted([answers[0], answers[3]]) == ["done", "state"]
    paid = sum(Decision.objects.values_list("insurer_fen", flat=True))
    drawn = Authorization.objects.get(pk=letter.pk).drawn_fen
    annual = LimitAccount.objects.get(policy=world.policy_of("2026"), key="annual")
    assert (annual.used, annual.reserved) == (paid, 10_000_00 - drawn)
    sums(world)
