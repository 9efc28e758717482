"""The manager's page: numbers that open their cases."""

import html
import io
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from openpyxl import load_workbook

from apps.cases.models import CaseFile
from apps.cases.tests.test_views import enter
from apps.claims.tests.conftest import now, own_folders, world  # noqa: F401  (fixtures)
from apps.claims.tests.world import World
from apps.core.days import start_of_day
from apps.dashboards import queries

pytestmark = pytest.mark.django_db


def make_late(world: World, case: CaseFile) -> None:  # noqa: F811
    case.clocks.update(due_at=world.now - timedelta(hours=1))
    CaseFile.objects.filter(pk=case.pk).update(next_due=world.now - timedelta(hours=1))


def test_every_overdue_number_opens_as_many_cases(world: World) -> None:  # noqa: F811
    client = enter(world, "supervisor")
    for _n in range(3):
        make_late(world, world.claim())
    cross = client.get("/admin/dashboard/").context["overdue"]
    assert cross.total >= 3
    for key, _title, cells, _sum in cross.rows:
        for team, number in cells:
            found = client.get(f"/admin/?scope=all&due=late&clock={key}&team={team or 'none'}").context[
                "rows"
            ]
            assert len(found) == number


def test_stages_and_loads_count_open_cases(world: World) -> None:  # noqa: F811
    client = enter(world, "supervisor")
    world.do(world.claim(), "take")
    world.claim()
    context = client.get("/admin/dashboard/").context
    assert sum(group.total for group in context["kinds"]) == 2
    assert [load.open for load in context["loads"]] == [1]
    assert context["unassigned"] == 1
    assert context["weeks"][-1].opened == 2


def test_weeks_that_are_over_are_counted_once_a_day_for_all_who_see_the_same(world: World) -> None:  # noqa: F811
    today, lead = timezone.localdate(world.now), world.actor("supervisor")
    sunday = start_of_day(today - timedelta(days=today.weekday())) - timedelta(hours=1)
    CaseFile.objects.filter(pk=world.claim().pk).update(opened_at=sunday)
    assert [week.opened for week in queries.trend(lead, today)[-2:]] == [1, 0]
    world.claim()
    with CaptureQueriesContext(connection) as captured:
        assert [week.opened for week in queries.trend(replace(lead, user_id=0), today)[-2:]] == [1, 1]
    assert len(captured) == 2  # cases opened and closed in the week that runs
    elsewhere = replace(lead, series=frozenset({"1999"}))
    assert [week.opened for week in queries.trend(elsewhere, today)[-2:]] == [0, 0]
    CaseFile.objects.update(opened_at=sunday)
    assert queries.trend(lead, today + timedelta(days=1))[-2].opened == (2 if today.weekday() < 6 else 0)


def test_cost_does_not_grow_with_cases(world: World) -> None:  # noqa: F811
    client = enter(world, "supervisor")

    def cost() -> int:
        client.get("/admin/dashboard/")
        with CaptureQueriesContext(connection) as captured:
            client.get("/admin/dashboard/")
        return len(captured)

    world.claim()
    one = cost()
    for _n in range(9):
        world.claim()
    assert cost() == one


@pytest.mark.parametrize("section", ["overdue", "soon", "stages", "loads", "trend"])
def test_each_table_as_excel(world: World, section: str) -> None:  # noqa: F811
    client = enter(world, "supervisor")
    make_late(world, world.claim())
    response = client.get("/admin/dashboard/", {"excel": section})
    assert load_workbook(io.BytesIO(response.content)).active is not None


def test_only_for_leads(world: World) -> None:  # noqa: F811
    assert enter(world, "adjuster").get("/admin/dashboard/").status_code == 403
    assert enter(world, "supervisor").get("/admin/dashboard/", {"excel": "nothing"}).status_code == 404


def test_every_number_on_the_page_opens_exactly_its_cases(world: World) -> None:  # noqa: F811
    """Tables and charts, running and paused, this year's weeks too: a number is a promise."""
    world.claim()
    world.review()
    world.closed()
    client = enter(world, "supervisor")
    page = client.get("/admin/dashboard/").content.decode()
    links = re.findall(r'<a[^>]*href="(/admin/[^"]*[?][^"]*)"[^>]*>(.*?)</a>', page, re.DOTALL)
    checked = 0
    for href, inside in links:
        numbers = re.findall(r"(?<!\S)\d+(?!\S)", re.sub(r"<[^>]+>", " ", inside))
        if not numbers:
            continue
        answer = client.get(html.unescape(href))
        assert answer.status_code == 200, href
        opened = set(re.findall(r'href="/admin/case/([^"/]+)/"', answer.content.decode()))
        assert len(opened) == int(numbers[-1] if "<text" in inside else numbers[0]), href
        checked += 1
    assert checked > 8
