"""What one sweep of the clocks costs: the same 50 due among 1,000 and among 20,000 open clocks, and 1,000
due of them while the history behind grows.

Due are first reminders, each of another case; who they go to and what they say is written as always.
Times are the best of the runs: the sizes are measured at different moments of a noisy machine.
"""

from __future__ import annotations

from datetime import timedelta

from apps.cases.clocks import sweep
from apps.cases.models import CaseFile, Clock
from apps.claims.seeding.copies import Copies
from apps.claims.tests.world import World
from bench.measure import Meter, each, effort, history, say, settle
from bench.world import claim_under_review, make_world

OPEN = (1_000, 20_000)
HISTORY = (1_000, 10_000)
DUE, MANY = 50, 1_000
RUNS = {DUE: 5, MANY: 2}


def main() -> None:
    world = make_world()
    closed = Copies(world.pay(world.do(claim_under_review(world, 4, child="CLOSED"), "decide")).member)
    case = claim_under_review(world, 4)
    copies = Copies(case.member)
    a_case = Clock.objects.filter(case=case, state=Clock.State.RUNNING).count()
    key = Clock.objects.filter(case=case, next_at__gt=world.now).order_by("next_at").first().key
    for goal in OPEN:
        copies.make(goal // a_case - Clock.objects.filter(key=key, state=Clock.State.RUNNING).count())
        measure(world, key, DUE)
    for goal in history(HISTORY):
        closed.make(goal - CaseFile.objects.filter(open=False).count())
        measure(world, key, MANY)


def measure(world: World, key: str, due: int) -> None:
    settle()
    sweep(world.now)
    due_now(world, key, 1)
    sweep(world.now)  # what is parsed and compiled once a process
    idle, busy = [], []
    for _run in range(RUNS[due]):
        idle.append(swept(world, 0))
        due_now(world, key, due)
        busy.append(swept(world, due))
    due_now(world, key, due)
    work = effort(lambda: swept(world, due))
    say("sweep", open_clocks=Clock.objects.filter(state=Clock.State.RUNNING).count(), due=due, runs=RUNS[due],
        closed_cases=CaseFile.objects.filter(open=False).count(), effort=work,
        a_sweep=each(busy, of=min), for_each_due=each(busy, due, of=min), nothing_due=each(idle, of=min))  # fmt: skip


def due_now(world: World, key: str, count: int) -> None:
    """Their next step came a minute ago; the one after it is still to come."""
    fresh = Clock.objects.filter(key=key, state=Clock.State.RUNNING, next_at__gt=world.now, position=0)
    chosen = list(fresh.order_by("-pk").values_list("pk", flat=True)[:count])
    Clock.objects.filter(pk__in=chosen).update(next_at=world.now - timedelta(minutes=1))


def swept(world: World, expected: int) -> Meter:
    with Meter() as meter:
        done = sweep(world.now)
    if done != expected:
        raise SystemExit(f"{done} steps were carried out, {expected} were due")
    return meter
