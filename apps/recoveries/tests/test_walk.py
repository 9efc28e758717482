"""The whole way of a recovery, through every state of machine (j), in both series."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from apps.cases.models import Clock
from apps.claims.tests.world import events
from apps.documents.models import Letter
from apps.messaging.models import CallTask
from apps.payments.models import PaymentOrder
from apps.payments.queries import payable_fen
from apps.recoveries.tests.world import Recoveries, sums


@pytest.mark.both_databases
@pytest.mark.parametrize("series", ["2024", "2026"])
def test_from_the_lower_decision_to_the_last_refund(db: None, now: Any, series: str, rulebook: Any) -> None:
    world = Recoveries(series)
    case = world.overpaid(series=series)
    row = case.recovery
    assert (case.state, sums(case)) == ("OPENED", (500, 0, 0, 500))
    assert (row.reason, row.rule) == ("OVERPAID", {"2024": "REC-05", "2026": "REC-03"}[series])
    assert row.payment == PaymentOrder.objects.get(case=row.origin).number
    assert row.contact_by == date(2026, 9, 17)  # the next working day
    rulebook.read_back(row.rule, row.rule)

    case = world.act(case, "notify")
    clock = Clock.objects.get(case=case.pk, key="recovery.refund")
    assert (case.state, case.recovery.due_on, clock.day) == (
        "NOTIFIED",
        date(2026, 10, 16),
        date(2026, 10, 16),
    )
    assert Letter.objects.get(case=case.pk).kind == "RECOVERY"
    assert CallTask.objects.get(case=case.pk).script.count("500.00") >= 2

    case = world.refund(case, "200.00", "B100")
    assert (case.state, sums(case)) == ("PARTIALLY_REFUNDED", (500, 200, 0, 300))
    case = world.refund(case, "300.00", "B101", by="finance")
    assert (case.state, case.open, sums(case)) == ("REFUNDED", False, (500, 500, 0, 0))
    assert payable_fen(row.origin) == 0
    clock.refresh_from_db()
    assert (clock.state, clock.breached) == ("STOPPED", False)
    assert events(case)[-1] == "refund_recorded"
