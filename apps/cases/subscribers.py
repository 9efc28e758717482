"""Effects that go upwards: one registry, run inside the transaction of the event.

An app that must react to another app's event subscribes here in its `AppConfig.ready`. The list of
subscriptions stands as a table in docs/architecture.md (a test compares).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from apps.adjudication.handbook import Step
    from apps.cases.context import Ctx
    from apps.cases.models import Clock

Subscriber = Callable[["Ctx[Any]"], None]
Watcher = Callable[["Ctx[Any]", str], None]
StepSubscriber = Callable[["Ctx[Any]", "Clock", "Step"], None]

EVENTS: dict[str, list[Subscriber]] = defaultdict(list)
STEPS: list[StepSubscriber] = []
WATCHERS: list[Watcher] = []


def subscribe(event: str, subscriber: Subscriber) -> None:
    """Run `subscriber(ctx)` in the transaction whenever `event` is emitted."""
    if subscriber not in EVENTS[event]:
        EVENTS[event].append(subscriber)


def subscribe_step(subscriber: StepSubscriber) -> None:
    """Run `subscriber(ctx, clock, step)` when a reminder, target, escalation or breach is due.

    What it queues in `ctx` is written together with that of the other clocks of the sweep; what it raises
    undoes the step of its clock alone.
    """
    if subscriber not in STEPS:
        STEPS.append(subscriber)


def watch(watcher: Watcher) -> None:
    """Run `watcher(ctx, from_state)` once after every action, when all its events stand in `ctx.emitted`."""
    if watcher not in WATCHERS:
        WATCHERS.append(watcher)


def publish(ctx: Ctx[Any], event: str) -> None:
    for subscriber in EVENTS.get(event, ()):
        subscriber(ctx)
