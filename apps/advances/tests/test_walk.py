"""An advance from the call to the end: states, guards, clocks, money."""

from __future__ import annotations

from apps.advances.tests.world import Advances
from apps.claims.tests.world import events


def test_the_whole_way(world: Advances) -> None:
    case = world.settled()
    assert case.state == "SETTLED"
    print(events(case), world.claim_of(case).state)
