"""Two people, one case; two transactions, one circle: real threads with connections of their own."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from apps.cases.context import Ctx
from apps.cases.engine import perform, perform_many
from apps.cases.kinds import Action
from apps.cases.models import CaseFile
from apps.claims.actions import KIND
from apps.claims.tests.world import World, events
from apps.claims.workflow import STATES
from apps.core.errors import Conflict, DomainError
from apps.core.transactions import ATTEMPTS
from apps.ledger.actions import LimitSpec, lock_limits
from apps.ledger.models import LimitAccount
from tests.concurrency import in_threads

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]
only_postgresql = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="SQLite lets one writer in at a time"
)


def said(work: Any) -> str:
    try:
        work()
    except DomainError as error:
        return error.code
    return "done"


def test_two_people_who_saw_the_same_version_one_wins_and_one_is_told(world: World) -> None:
    case = world.review()
    actors = [
        world.actor("adjuster"),
        world.actor("second"),
        world.actor("senior"),
        world.actor("supervisor"),
    ]

    def take(index: int) -> str:
        return said(lambda: perform(case, "take", actors[index], version=case.version))

    assert Counter(in_threads(take, 4)) == {"done": 1, "stale": 3}
    assert events(case).count("take") == 1
    assert world.see(case).version == case.version + 1


def test_a_decision_is_made_once_however_often_it_is_sent(world: World) -> None:
    case, adjuster = world.review(), world.actor("adjuster")

    def decide(index: int) -> str:
        return said(lambda: perform(case, "decide", adjuster, now=world.now))

    assert Counter(in_threads(decide, 4)) == {"done": 1, "state": 3}
    assert case.claim.decisions.count() == 1
    assert case.payment_orders.count() == 1


def test_batches_that_overlap_wait_for_each_other_and_both_end(world: World) -> None:
    numbers = [world.claim().number for _ in range(6)]
    adjuster = world.actor("adjuster")

    def note(index: int) -> int:
        mine = numbers if index % 2 else numbers[::-1]
        return len(perform_many(mine, "note", adjuster, data={"text": f"batch {index}"}))

    assert in_threads(note, 4) == [6, 6, 6, 6]
    for case in CaseFile.objects.filter(number__in=numbers):
        assert events(case).count("note") == 4
        assert sorted(case.events.values_list("seq", flat=True)) == list(range(1, case.version + 1))


def test_numbers_are_given_once_and_without_gaps(world: World) -> None:
    world.actor("intake")
    numbers = in_threads(lambda index: [world.claim().number for _ in range(3)], 4)
    found = sorted(number for batch in numbers for number in batch)
    assert found == [f"C26-{index:06d}" for index in range(1, 13)]


# --- A circle of locks -----------------------------------------------------------------------


@pytest.fixture
def circle(monkeypatch: pytest.MonkeyPatch, world: World) -> Iterator[dict[str, int]]:
    """An action that locks two limits in the order of its case; on its first try it waits for the other."""
    policy = world.policy_of("2026")
    with transaction.atomic():
        limits = lock_limits(policy.pk, [LimitSpec("a", "FEN", 1), LimitSpec("b", "FEN", 1)])
    first, second = limits["a"].pk, limits["b"].pk
    meet, tries = threading.Barrier(2, timeout=20), Counter[str]()

    def cross(ctx: Ctx[Any]) -> None:
        tries[ctx.case.number] += 1
        order = (first, second) if ctx.case.pk % 2 else (second, first)
        LimitAccount.objects.select_for_update().get(pk=order[0])
        if tries[ctx.case.number] == 1:
            meet.wait()
        LimitAccount.objects.select_for_update().get(pk=order[1])

    action: Action[Any] = Action("cross", "cross", frozenset({"first_review"}), cross)
    monkeypatch.setitem(KIND.actions, "cross", replace(action, states=frozenset(STATES)))
    return tries


@only_postgresql
def test_a_deadlock_is_tried_again_and_both_actions_end_once(world: World, circle: dict[str, int]) -> None:
    cases = [world.claim(), world.claim()]
    adjuster = world.actor("adjuster")
    in_threads(lambda index: perform(cases[index], "cross", adjuster), 2)
    assert sum(circle.values()) == 3  # two, and the victim once more
    for case in cases:
        assert events(case).count("cross") == 1
        assert world.see(case).version == case.version + 1


@only_postgresql
def test_a_deadlock_inside_a_larger_transaction_is_left_to_it(world: World, circle: dict[str, int]) -> None:
    """Half of a transaction cannot be repeated: whoever began it tries again (keyed POSTs, the assignment page)."""
    cases = [world.claim(), world.claim()]
    adjuster = world.actor("adjuster")

    def work(index: int) -> str:
        try:
            with transaction.atomic():
                perform(cases[index], "cross", adjuster)
        except OperationalError as error:
            return str(getattr(error.__cause__, "sqlstate", ""))
        return "done"

    assert sorted(in_threads(work, 2)) == ["40P01", "done"]
    assert sorted(events(case).count("cross") for case in cases) == [0, 1]


def test_what_never_comes_free_is_given_up_with_nothing_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, adjuster, tries = world.claim(), world.actor("adjuster"), []

    def busy(ctx: Ctx[Any]) -> None:
        tries.append(1)
        raise OperationalError("database is locked")

    action: Action[Any] = Action("busy", "busy", frozenset({"first_review"}), busy)
    monkeypatch.setitem(KIND.actions, "busy", action)
    with pytest.raises(OperationalError):
        perform(case, "busy", adjuster)
    assert len(tries) == ATTEMPTS
    assert events(case) == ["reported", "routed"]


def test_another_error_of_the_database_is_not_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, adjuster, tries = world.claim(), world.actor("adjuster"), []

    def wrong(ctx: Ctx[Any]) -> None:
        tries.append(1)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO cases_externalnumber (case_id, system, number) VALUES (%s, 'X', '1')",
                [ctx.case.pk],
            )
            cursor.execute(
                "INSERT INTO cases_externalnumber (case_id, system, number) VALUES (%s, 'X', '1')",
                [ctx.case.pk],
            )

    action: Action[Any] = Action("wrong", "wrong", frozenset({"first_review"}), wrong)
    monkeypatch.setitem(KIND.actions, "wrong", action)
    with pytest.raises(Conflict):
        perform(case, "wrong", adjuster)
    assert len(tries) == 1
