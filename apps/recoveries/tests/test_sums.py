"""amount = kept + written off + open, nothing negative, whatever happens in whatever order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.cases.engine import perform
from apps.core.errors import DomainError
from apps.finance.booking import draft, entries_of
from apps.finance.config import chart_of
from apps.finance.models import Movement
from apps.finance.reckoning import first_of_month
from apps.payments.queries import payable_fen
from apps.recoveries.models import Recovery
from apps.recoveries.queries import standing_of
from apps.recoveries.tests.world import Recoveries
from tests.concurrency import in_processes

STEPS = st.one_of(
    st.tuples(st.just("refund"), st.integers(1, 50_000)),
    st.tuples(st.just("decide"), st.sampled_from([0, 100, 250, 300, 550, 800])),
    st.sampled_from([("undo", 0), ("escalate", 0), ("write_off", 0), ("give_time", 0)]),
)


@pytest.fixture
def prepared(world: Recoveries) -> tuple[Recoveries, Any]:
    return world, world.notified().recovery.origin


@settings(max_examples=10, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEPS, min_size=1, max_size=5))
def test_the_parts_add_up_whatever_happens(
    prepared: tuple[Recoveries, Any], steps: list[tuple[str, int]]
) -> None:
    world, origin = prepared
    with transaction.atomic():
        for number, (what, value) in enumerate(steps):
            _try(world, world.recovery_of(origin), origin, what, value, number)
            rows = list(Recovery.objects.filter(origin=origin.pk))
            for row in rows:
                assert row.amount_fen == row.kept_fen + row.written_off_fen + row.open_fen
                assert min(row.amount_fen, row.kept_fen, row.written_off_fen, row.open_fen) >= 0
            owed = sum(row.open_fen + row.written_off_fen for row in standing_of(origin))
            assert owed == max(-payable_fen(origin), 0)
        transaction.set_rollback(True)


def _try(world: Recoveries, case: Any, origin: Any, what: str, value: int, number: int) -> None:
    """One step; what its guards refuse changes nothing."""
    try:
        if what == "refund":
            world.refund(case, f"{value / 100:.2f}", f"H-{number}")
        elif what == "decide":
            world.decide_again(origin, f"{value}.00") if value else None
        elif what == "undo":
            refund = case.recovery.refunds.filter(undone_at=None).last()
            world.act(case, "undo_refund", by="leader", refund=refund.pk if refund else 0, reason="记错")
        elif what == "escalate":
            world.system(case, "escalate", now=world.now + timedelta(days=40))
        elif what == "write_off":
            world.act(case, "propose_write_off", reason="无法追回")
            world.act(case, "write_off", by="approver", reason="同意核销")
        else:
            world.act(case, "give_time", by="manager", reason="再次通知")
    except DomainError:
        return


def test_vouchers_balance_and_end_where_they_began(world: Recoveries) -> None:
    """Asked back 500: 200 refunded, 300 written off; then a decision pays all again."""
    case = world.refund(world.escalated(), "200.00", "BK-1")
    world.act(case, "propose_write_off", reason="无法追回")
    case = world.act(case, "write_off", by="approver", reason="同意核销")
    moved = Movement.objects.filter(case=case.pk).order_by("seq")
    assert [(m.receivable_fen, m.refunded_fen, m.written_off_fen) for m in moved] == [
        (50_000, 0, 0), (0, 20_000, 0), (0, 0, 30_000),
    ]  # fmt: skip
    world.pay(world.decide_again(case.recovery.origin, "800.00"))
    month = first_of_month(world.now)
    entries = [entry for row in Movement.objects.order_by("pk") for entry in entries_of(row, "X")]
    totals: dict[str, int] = {}
    for voucher in draft(entries, chart_of("2026"), month):
        assert voucher.debit_fen == voucher.credit_fen
        for line in voucher.lines:
            totals[line.account_name] = totals.get(line.account_name, 0) + line.debit_fen - line.credit_fen
    assert totals["其他应收款—应收追偿款"] == totals["其他应付款—应付赔付款"] == 0
    assert totals["营业外支出—追偿款核销"] == 0
    assert (totals["银行存款—赔付专户"], totals["赔付支出—健康险"]) == (-80_000, 80_000)


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_the_same_refund_recorded_three_times_at_once_counts_once(now: Any, transactional_db: None) -> None:
    world = Recoveries("2026")
    case = world.notified()
    people = [world.actor(name) for name in ("clerk", "leader", "finance")]
    given = {"amount": "100.00", "received_on": "2026-09-16", "bank_reference": "BK-RACE"}

    def record(index: int) -> str:
        try:
            perform(case.number, "record_refund", people[index], now=world.now, **given)
        except DomainError as error:
            return error.code
        return "done"

    answers = in_processes(record, 3)
    assert set(answers) <= {"done", "race", "recorded_twice"}
    assert answers.count("done") == 1
    row = Recovery.objects.get(pk=case.pk)
    assert (row.kept_fen, row.refunds.count(), payable_fen(row.origin)) == (10_000, 1, -40_000)
