"""Decide claims one by one and in batches; beside it, in the same run, the same rows by bare bulk SQL.

Every claim has a child and a policy of its own. Counted from facts to stored decision: limits, money owed,
letter and message queued, payment ordered, events, clocks; and after the commit, letters handed to Redis.
"""

from __future__ import annotations

from collections.abc import Callable

from apps.cases.engine import perform_many
from apps.claims.seeding.copies import Copies
from apps.claims.tests.world import World
from bench import floor
from bench.measure import Meter, all_cpu, each, say
from bench.world import bill, claim_under_review, copied, make_world

WALK = ("report", "check_materials", "start_review", "decide")
RUNS = {10: {1: 21, 50: 3, 200: 2}, 4: {1: 21, 50: 3}}  # lines → claims in a batch → runs
FLOOR_RUNS = {1: 5, 50: 3, 200: 2}


def main() -> None:
    world = make_world()
    walk(world)
    for lines, sizes in RUNS.items():
        copies = Copies(claim_under_review(world, lines).member)
        decide(world, copied(copies, 1))()  # what is parsed and compiled once a process
        for size, runs in sizes.items():
            measure(world, copies, lines, size, runs)


def measure(world: World, copies: Copies, lines: int, size: int, runs: int) -> None:
    """Ours and the floor in turns, so that both meet the same noise."""
    ours: list[Meter] = []
    bare: list[Meter] = []
    touched = 0
    for number in range(runs):
        ours.append(timed(decide(world, copied(copies, size))))
        if number < FLOOR_RUNS[size]:
            statements, touched = floor.statements_of(decide(world, copied(copies, size)))
            bare.append(timed(lambda statements=statements: floor.run(statements)))
    mine, least = each(ours, size), each(bare, size)
    say(
        "claims",
        lines=lines,
        batch=size,
        runs=runs,
        claims_per_second=round(1000 / mine["wall_ms"], 1),
        per_claim=mine,
        statements_of_a_batch=round(mine["statements"] * size),
        rows_per_claim=round(touched / size, 1),
        floor_per_claim=least,
        times_the_floor={
            "wall": round(mine["wall_ms"] / least["wall_ms"], 1),
            "cpu_with_server": round(all_cpu(mine) / all_cpu(least), 1),
        },
    )


def decide(world: World, numbers: list[str]) -> Callable[[], None]:
    def work() -> None:
        decided = perform_many(numbers, "decide", world.actor("adjuster"), now=world.now)
        if {case.state for case in decided} != {"PAYMENT_PENDING"}:
            raise SystemExit(f"not paid: {sorted({case.state for case in decided})}")

    return work


def timed(work: Callable[[], None]) -> Meter:
    with Meter() as meter:
        work()
    return meter


def walk(world: World, claims: int = 8) -> None:
    """What comes before the decision: the way of one claim of ten lines from the report on."""
    meters: dict[str, list[Meter]] = {name: [] for name in WALK}
    for number in range(claims):
        world.child(f"W{number}", "2026")
        with Meter() as meter:
            case = world.claim(world.visit([bill(world, 10)]), member={"number": f"W{number}"})
        meters["report"].append(meter)
        world.papers(case)
        for action, by in (
            ("check_materials", "intake"),
            ("start_review", "adjuster"),
            ("decide", "adjuster"),
        ):
            meters[action].append(
                timed(lambda case=case, action=action, by=by: world.do(case, action, by=by))
            )
    say("walk", lines=10, claims=claims, **{name: each(found) for name, found in meters.items()})
