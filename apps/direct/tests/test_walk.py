"""From the hospital's bill to the end, in both series."""

from __future__ import annotations

import pytest

from apps.claims.tests.world import events
from apps.direct.tests.world import Direct


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_sent_reviewed_decided_paid_closed(world: Direct, series: str) -> None:
    case = world.send(series=series)
    assert case.state == "INTAKE"
    case = world.seen(case)
    assert case.state == "UNDER_REVIEW"
    case = world.do(case, "decide", by="senior")
    assert case.state == "ADJUDICATED"
    case = world.settle(case)
    assert case.state == "PAID_TO_HOSPITAL"
    case = world.do(case, "close", by="supervisor")
    assert (case.state, case.open) == ("CLOSED", False)
    assert events(case)[0] == "submitted"
