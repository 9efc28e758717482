"""How many statements a decision costs: cold caches, on-commit work counted, savepoints not.

A batch may cost two a claim; it costs as many as one claim, and that is what is asserted.
"""

from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.cases.engine import perform_many
from apps.claims.models import DecisionLine
from apps.claims.tests.world import World
from apps.products import calendars
from apps.products.actions import load_calendar

BUDGET = 25


@pytest.fixture(autouse=True)
def as_in_production(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """A process trusts its calendar for two seconds; tests otherwise ask each time."""
    load_calendar(range(2024, 2027))
    monkeypatch.setattr(calendars, "RECHECK_SECONDS", 600)


@pytest.fixture(autouse=True)
def no_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work after the commit hands the letter to a worker; that costs no statement here."""
    monkeypatch.setattr("apps.documents.tasks.render_letters.apply_async", lambda *args, **options: None)


def statements(captured: CaptureQueriesContext) -> list[str]:
    """Without savepoints and transaction brackets."""
    bracket = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT")
    return [query["sql"] for query in captured.captured_queries if not query["sql"].startswith(bracket)]


def forget() -> None:
    """Cold caches: calendar, parsed handbooks and plans."""
    from apps.products import models

    cache.clear()
    calendars._Kept.calendar, calendars._Kept.asked_at = None, 0.0
    for name in ("_parsed_plan", "_parsed", "PARSED"):
        found = getattr(models, name, None)
        clear = getattr(found, "cache_clear", None) or getattr(found, "clear", None)
        if clear:
            clear()


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_one_claim_of_ten_lines(world: World, series: str, django_capture_on_commit_callbacks: Any) -> None:
    lines = [world.line("100.00", name=f"item {index}", kind="DRUG") for index in range(10)]
    case = world.review(world.visit([world.bill(lines=lines)]), series=series)
    forget()
    with CaptureQueriesContext(connection) as captured, django_capture_on_commit_callbacks(execute=True):
        decided = perform_many([case.number], "decide", world.actor("adjuster"), now=world.now)
    found = statements(captured)
    assert decided[0].state == "PAYMENT_PENDING"
    assert DecisionLine.objects.filter(decision__claim=case.pk).count() == 10
    assert len(found) <= BUDGET, "\n".join(sql[:150] for sql in found)


def test_a_batch_costs_no_more_than_one_claim(world: World, django_capture_on_commit_callbacks: Any) -> None:
    cases = [world.review(world.visit(department=f"科{index}")) for index in range(12)]
    forget()
    with CaptureQueriesContext(connection) as captured, django_capture_on_commit_callbacks(execute=True):
        perform_many([case.number for case in cases], "decide", world.actor("adjuster"), now=world.now)
    found = statements(captured)
    assert len(found) <= BUDGET, "\n".join(sql[:150] for sql in found)
