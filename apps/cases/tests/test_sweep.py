"""Every reminder and escalation once: several sweepers, a crash, a stopped week, a poisoned step (SKIP)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.accounts.tests.factories import UserFactory
from apps.adjudication.handbook import Step
from apps.cases import clocks, subscribers, tasks
from apps.cases.models import CaseFile, Clock, ClockStep
from apps.claims.tests.world import World
from apps.messaging.models import CallTask, Message
from tests.concurrency import in_processes, in_threads

pytestmark = pytest.mark.both_databases


def steps(clock: Clock) -> list[str]:
    return [step.step for step in ClockStep.objects.filter(clock=clock).order_by("pk")]


def reminders() -> int:
    return Message.objects.filter(template__startswith="clock_").count() + CallTask.objects.count()


# --- One sweeper -----------------------------------------------------------------------------


def test_a_step_is_carried_out_when_it_is_due_and_not_before(world: World) -> None:
    clock = world.clock(world.review(), "claim.decision")
    assert clock.next_at is not None
    assert clocks.sweep(clock.next_at - timedelta(seconds=1)) == 0
    assert clocks.sweep(clock.next_at) == 1
    assert steps(clock) == ["remind"]
    assert clocks.sweep(clock.next_at) == 0


def test_the_breach_marks_the_clock_and_the_ladder_goes_on(world: World) -> None:
    clock = world.clock(world.review(), "claim.decision")
    clocks.sweep(clock.due_at)
    clock.refresh_from_db()
    assert (steps(clock), clock.breached) == (["remind", "breach"], True)
    clocks.sweep(clock.due_at + timedelta(days=10))
    clock.refresh_from_db()
    assert (steps(clock), clock.next_at, clock.state) == (["remind", "breach", "escalate_1"], None, "RUNNING")


def test_after_a_stopped_week_every_step_is_carried_out_once(world: World) -> None:
    cases = [world.review() for _ in range(3)]
    late = world.later(days=60)
    assert clocks.sweep(late) == 3 * 3
    assert tasks.sweep_clocks() == 0
    assert clocks.sweep(late) == 0
    for case in cases:
        assert Counter(steps(world.clock(case, "claim.decision"))) == {
            "remind": 1,
            "breach": 1,
            "escalate_1": 1,
        }
    assert reminders() == 9


def test_a_reminder_goes_to_the_assignee_and_an_escalation_to_its_role(world: World) -> None:
    lead = UserFactory(roles=["adjuster_lead"], email="lead@example.com")
    case = world.review()
    User.objects.filter(username="adjuster").update(email="me@example.com")
    clock = world.clock(case, "claim.decision")
    clocks.sweep(clock.due_at)
    sent = {
        message.template: message.recipient
        for message in Message.objects.filter(template__startswith="clock_")
    }
    assert sent == {"clock_reminder": "me@example.com", "clock_escalation": lead.email}


def test_paused_and_stopped_clocks_are_not_swept(world: World) -> None:
    world.do(world.review(), "open_dispute", by="supervisor", reason="whose?")
    world.do(world.review(), "withdraw", reason="reported twice")
    assert clocks.sweep(world.later(days=90)) == 0


def test_a_reminder_does_not_make_an_open_screen_stale(world: World) -> None:
    case = world.review()
    clocks.sweep(world.clock(case, "claim.decision").due_at)
    assert world.see(case).version == case.version
    assert world.do(case, "note", text="seen").version == case.version + 1


def test_no_more_than_asked_for_at_a_time(world: World) -> None:
    for _ in range(3):
        world.review()
    assert clocks.sweep(world.later(days=60), limit=1) >= 1
    clocks.sweep(world.later(days=60))
    assert ClockStep.objects.count() == 9


# --- A step that fails -----------------------------------------------------------------------


class Poison:
    """A subscriber that cannot bear one clock."""

    def __init__(self, clock: Clock):
        self.pk, self.heard = clock.pk, Counter[int]()

    def __call__(self, ctx: Any, clock: Clock, step: Step) -> None:
        self.heard[clock.pk] += 1
        if clock.pk == self.pk:
            raise RuntimeError("poisoned")


@pytest.fixture
def poison(world: World, monkeypatch: pytest.MonkeyPatch) -> Poison:
    poison = Poison(world.clock(world.review(), "claim.decision"))
    monkeypatch.setattr(subscribers, "STEPS", [*subscribers.STEPS, poison])
    return poison


def test_a_poisoned_step_does_not_block_the_others_and_comes_to_an_end(world: World, poison: Poison) -> None:
    healthy = [world.clock(world.review(), "claim.decision") for _ in range(2)]
    late = world.later(days=60)
    assert clocks.sweep(late) == 6
    assert [len(steps(clock)) for clock in healthy] == [3, 3]
    assert poison.heard[poison.pk] == 1
    assert ClockStep.objects.filter(clock=poison.pk).count() == 0  # rolled back as a whole


def test_a_poisoned_step_is_tried_again_later_and_then_done_once(world: World, poison: Poison) -> None:
    late = world.later(days=60)
    clocks.sweep(late)
    before = reminders()
    assert clocks.sweep(late + clocks.RETRY_POISONED / 2) == 0
    assert reminders() == before
    poison.pk = 0
    assert clocks.sweep(late + 2 * clocks.RETRY_POISONED) == 3
    assert reminders() == before + 3


def test_a_crash_between_the_step_and_its_effect_leaves_neither(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = world.clock(world.review(), "claim.decision")

    def dies(ctx: Any, clock: Clock, step: Step) -> None:
        raise SystemExit  # a worker that is told to stop

    monkeypatch.setattr(subscribers, "STEPS", [*subscribers.STEPS, dies])
    with pytest.raises(SystemExit):
        clocks.sweep(clock.next_at)
    fresh = Clock.objects.get(pk=clock.pk)
    assert (fresh.position, fresh.next_at, steps(clock), reminders()) == (
        clock.position,
        clock.next_at,
        [],
        0,
    )
    monkeypatch.undo()
    assert clocks.sweep(clock.next_at) == 1


def test_what_was_read_before_somebody_else_was_faster_is_dropped(world: World) -> None:
    """SKIP: two sweepers read the same clock; the second one's compare-and-set fails."""
    clock = world.clock(world.review(), "claim.decision")
    [first], [second] = clocks._due_chunk(clock.next_at), clocks._due_chunk(clock.next_at)
    assert clocks._carry_out([first]) == 1
    assert clocks._carry_out([second]) == 0
    assert steps(clock) == ["remind"]


def test_two_steps_of_one_instant_are_two_steps(world: World) -> None:
    clock = world.clock(world.review(), "claim.decision")
    at = clock.schedule[0]["at"]
    clock.schedule = [{**step, "at": at} for step in clock.schedule]
    clock.save()
    [slow] = clocks._due_chunk(clock.next_at)
    assert clocks.sweep(clock.next_at) == 3
    Clock.objects.filter(pk=clock.pk).update(next_at=clock.next_at, position=1)
    assert clocks._carry_out([slow]) == 0  # same instant, another position
    assert sorted(steps(clock)) == ["breach", "escalate_1", "remind"]


def test_steps_are_never_changed_and_written_once(world: World) -> None:
    clock = world.clock(world.review(), "claim.decision")
    clocks.sweep(clock.next_at)
    with pytest.raises(DatabaseError):
        ClockStep.objects.create(
            clock=clock, step="remind", kind="REMIND", to="ASSIGNEE", due_at=clock.due_at
        )


# --- What it costs ---------------------------------------------------------------------------


def statements(now: datetime) -> int:
    with CaptureQueriesContext(connection) as captured:
        clocks.sweep(now)
    return len([query for query in captured.captured_queries if "SAVEPOINT" not in query["sql"]])


def test_a_sweep_costs_what_is_due_not_what_is_open(world: World) -> None:
    for _ in range(2):
        world.review()
    nothing_yet = statements(world.now)
    for _ in range(12):
        world.review()
    assert statements(world.now) == nothing_yet == 1


def test_a_sweep_takes_a_constant_number_of_statements(world: World) -> None:
    """One step, then ten: chunks are read, claimed, recorded and told together."""
    one = world.clock(world.review(), "claim.decision")
    first = statements(one.next_at)
    many = [world.clock(world.review(now=world.later(days=2)), "claim.decision") for _ in range(10)]
    assert len({clock.next_at for clock in many}) == 1
    assert statements(many[0].next_at) == first <= 8
    assert reminders() == 11


def test_due_clocks_are_found_by_their_index(world: World) -> None:
    if connection.vendor != "sqlite":
        pytest.skip(
            "PostgreSQL reads a small table whole; test_size looks at its plans with a history behind it"
        )
    with connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN QUERY PLAN SELECT id FROM cases_clock WHERE state = 'RUNNING' AND next_at <= '2026-01-01' ORDER BY next_at"
        )
        assert any("clock_next" in row[-1] for row in cursor.fetchall())


# --- Several sweepers at once ----------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_skip_four_sweepers_in_one_process_do_each_step_once(world: World) -> None:
    cases = [world.review() for _ in range(6)]
    late = world.later(days=60)
    done = in_threads(lambda index: clocks.sweep(late), 4)
    assert sum(done) == 6 * 3
    assert reminders() == 6 * 3
    for case in cases:
        assert Counter(steps(world.clock(case, "claim.decision"))) == {
            "remind": 1,
            "breach": 1,
            "escalate_1": 1,
        }


@pytest.mark.django_db(transaction=True)
def test_skip_two_processes_after_a_stopped_week_do_each_step_once(world: World) -> None:
    for _ in range(6):
        world.review()
    late = world.later(days=60)
    assert sum(in_processes(lambda index: clocks.sweep(late), 2)) == 6 * 3
    assert ClockStep.objects.count() == 6 * 3
    assert reminders() == 6 * 3


@pytest.mark.django_db(transaction=True)
def test_a_sweep_beside_actions_neither_wakes_a_stopped_clock_nor_loses_a_step(world: World) -> None:
    cases = [world.review() for _ in range(6)]
    late, adjuster = world.later(days=60), world.actor("adjuster")
    assert adjuster

    def work(index: int) -> int:
        if index == 0:
            return clocks.sweep(late)
        for case in cases[index - 1 :: 2]:
            world.do(case, "withdraw", reason="reported twice", now=late)
        return 0

    in_threads(work, 3)
    for clock in Clock.objects.filter(case__in=cases):
        assert (clock.state, clock.next_at) == ("STOPPED", None)
        assert max(Counter(steps(clock)).values(), default=1) == 1
    assert clocks.sweep(late) == 0


@pytest.mark.django_db(transaction=True)
def test_counting_again_beside_actions_does_not_wake_a_stopped_clock(world: World) -> None:
    """S56: a calendar is published while people work."""
    cases = [world.review() for _ in range(8)]
    Clock.objects.update(provisional=True)
    late = world.later(days=1)
    world.actor("adjuster")

    def work(index: int) -> None:
        if index == 0:
            clocks.recount(2026)
        else:
            for case in cases:
                world.do(case, "withdraw", reason="reported twice", now=late)

    in_threads(work, 2)
    assert set(Clock.objects.filter(case__in=cases).values_list("state", "next_at")) == {("STOPPED", None)}
    assert not CaseFile.objects.filter(pk__in=[case.pk for case in cases]).exclude(next_due=None).exists()
