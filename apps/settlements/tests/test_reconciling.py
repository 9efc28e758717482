"""The hospital's Excel: all or nothing, then a work list until each difference has its reason (PR-25)."""

from __future__ import annotations

import io
from typing import Any

import pytest

from apps.core.errors import Conflict, InvalidInput, NotAllowed
from apps.core.money import to_yuan
from apps.settlements import reconciling
from apps.settlements.models import Difference, HospitalList, Statement
from apps.settlements.queries import differences_visible_to
from apps.settlements.tests.world import Settled, workbook


@pytest.fixture
def statement(world: Settled) -> Statement:
    world.contract("2026")
    return world.ordered(2)


def good(statement: Statement, extra: int = 0) -> list[list[Any]]:
    return [
        [line.case.number, "", line.bills[0], "王小明", line.visited_on, to_yuan(line.amount_fen + extra)]
        for line in statement.lines.order_by("position")
    ]


def read(world: Settled, statement: Statement, *rows: list[Any], **more: Any) -> Any:
    return reconciling.reconcile(
        world.actor("finance"), statement.number, workbook(*rows, **more), "清单.xlsx", now=world.now
    )


@pytest.mark.both_databases
def test_pr25_differences_are_listed_resolved_once_and_kept_when_the_list_comes_again(
    world: Settled, statement: Statement, rulebook: Any
) -> None:
    one, two = good(statement)
    wrong = [*one[:5], "¥1,234.50"]
    unknown = ["", "MZ-1", "0042", "李小红", "2026-09-09", 99]
    found, report = read(world, statement, wrong, two, unknown, ["合计", "", "", "", "", 9999])
    assert report.errors == []
    assert (found.rows, found.matched) == (3, 1)
    amount, stranger = found.differences.order_by("kind")
    assert (amount.kind, amount.theirs_fen, amount.rows) == ("AMOUNT", 123450, [3])
    assert (stranger.kind, stranger.case, "李小红" in stranger.theirs) == ("ONLY_THEIRS", None, False)
    adjuster = world.actor("senior")
    with pytest.raises(InvalidInput) as reason:
        reconciling.resolve(adjuster, amount.pk, "OURS", reason="")
    assert reason.value.field == "reason"
    with pytest.raises(InvalidInput) as outcome:
        reconciling.resolve(adjuster, amount.pk, "MAYBE", reason="医院同意")
    assert outcome.value.field == "outcome"
    reconciling.resolve(adjuster, amount.pk, "OURS", reason="医院同意以我方为准", now=world.now)
    with pytest.raises(Conflict):
        reconciling.resolve(adjuster, amount.pk, "THEIRS", reason="医院同意")
    again, _report = read(world, statement, wrong, two)
    assert HospitalList.objects.filter(superseded=False).get() == again
    kept = again.differences.get()
    assert (kept.kind, kept.outcome, kept.reason) == ("AMOUNT", "OURS", "医院同意以我方为准")
    assert list(differences_visible_to(adjuster)) == [kept]
    assert [event.name for event in statement.events.order_by("seq")][-3:] == [
        "reconciled",
        "resolved",
        "reconciled",
    ]
    rulebook.read_back("PR-25", kept.get_kind_display())


def test_a_claim_paid_by_another_statement_is_said_so(world: Settled) -> None:
    world.contract("2026")
    first = world.paid(1)
    paid = good(first)[0]
    second = world.ordered(1)
    found, _report = read(world, second, paid, *good(second))
    difference = found.differences.get()
    assert (difference.kind, first.number in difference.ours) == ("PAID", True)


def test_wrong_rows_are_named_and_nothing_is_stored(world: Settled, statement: Statement) -> None:
    one, two = good(statement)
    found, report = read(
        world,
        statement,
        one,
        one,
        [*two[:4], "03/04/2026", two[5]],
        ["", "", "", "王小明", "", 5],
        [*two[:5], "1.005"],
    )
    assert found is None
    assert [(error.row, error.column) for error in report.errors] == [
        (4, "票据号码"), (5, "就诊日期"), (6, "案件号"), (7, "应付金额"),
    ]  # fmt: skip
    assert not HospitalList.objects.exists()
    with pytest.raises(InvalidInput) as columns:
        read(world, statement, ["x"], header=["案件号", "姓名"])
    assert columns.value.code == "missing_columns"
    with pytest.raises(InvalidInput):
        reconciling.reconcile(world.actor("finance"), statement.number, io.BytesIO(b"a,b"), "x.xlsx")


def test_who_may_not_reconcile(world: Settled, statement: Statement) -> None:
    with pytest.raises(NotAllowed):
        reconciling.reconcile(world.actor("intake"), statement.number, workbook(), "x.xlsx")
    assert not Difference.objects.exists()
