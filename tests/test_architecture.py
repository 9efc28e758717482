"""The docs say what the code does: the order of the layers, who listens to what, what runs when."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings

from apps.cases import subscribers
from apps.messaging import outbox

ROOMS = settings.BASE_DIR / "templates"
PAGE = (settings.BASE_DIR / "docs/architecture.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def app_of(handler: Callable[..., Any]) -> str:
    return "" if ".tests." in f".{handler.__module__}." else handler.__module__.split(".")[1]


def registered() -> Iterator[tuple[str, str]]:
    for event, handlers in subscribers.EVENTS.items():
        for handler in handlers:
            yield event, app_of(handler)
    for watcher in subscribers.WATCHERS:
        yield "every event", app_of(watcher)
    for step in subscribers.STEPS:
        yield "clock step due", app_of(step)
    for delivered in outbox.DELIVERED:
        yield "message delivered", app_of(delivered)


def written_down() -> Iterator[tuple[str, str]]:
    for row in re.findall(r"^\| (.+?) \| `(\w+)` \|", section("Effects that go upwards"), re.MULTILINE):
        for event in row[0].split(", "):
            yield event.strip("`"), row[1]


def test_the_table_of_subscribers_is_what_is_registered() -> None:
    assert set(written_down()) == {(event, app) for event, app in registered() if app}


def test_the_layers_are_those_that_are_checked() -> None:
    configured = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))
    layers = configured["tool"]["importlinter"]["contracts"][0]["layers"]
    checked = [layer.removeprefix("apps.") for layer in reversed(layers) if layer.startswith("apps.")]
    drawn = re.findall(r"^  (\w+)/ ", section("Layers"), re.MULTILINE)
    assert drawn == checked


def test_templates_take_parts_only_from_below() -> None:
    """As Python does: a block that two rooms show stands with what it shows."""
    order = re.findall(r"^  (\w+)/ ", section("Layers"), re.MULTILINE)
    upward = set()
    for page in ROOMS.rglob("*.html"):
        room, *_rest = page.relative_to(ROOMS).parts
        for taken in re.findall(r'{% (?:include|extends) "(\w+)/', page.read_text(encoding="utf-8")):
            if {room, taken} <= set(order) and order.index(taken) > order.index(room):
                upward.add(f"{page.relative_to(ROOMS)} takes {taken}")
    assert not upward


def test_every_sweep_stands_in_the_operations_page() -> None:
    page = (settings.BASE_DIR / "docs/operations.md").read_text(encoding="utf-8")
    table = page.split("### What beat sends")[1].split("###")[0]
    sent = {entry["task"].rsplit(".", 1)[1] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert set(re.findall(r"`(\w+)`", table)) == sent
