"""The worker's side: straight-through runs, daily samples, replays. Repeating any of them does no harm."""

from __future__ import annotations

from celery import shared_task

from apps.quality.actions import replays, sampling, straight


@shared_task
def decide_straight() -> tuple[int, int]:
    """Every few minutes: claims decided, claims left to people."""
    run = straight.run_straight()
    return run.decided, run.left


@shared_task
def draw_samples() -> int:
    """Daily: decisions of yesterday drawn for inspection."""
    return sum(draw.drawn for draw in sampling.draw_yesterday())


@shared_task
def run_replay(pk: int) -> str:
    """Redelivered after a crash it starts over."""
    return str(replays.run_replay(pk).state)
