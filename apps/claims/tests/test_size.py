"""Pages and sweeps cost what they show, however long the history behind: the same statements, and no more
rows read by them (PostgreSQL) or instructions carried out (SQLite). Never times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from apps.accounts.tests.factories import UserFactory
from apps.cases.clocks import sweep
from apps.cases.models import CaseFile, Clock
from apps.claims.seeding.copies import Copies
from apps.claims.tests.addresses import ADMIN, addresses
from apps.claims.tests.world import World
from apps.messaging.delivery import deliver_due
from apps.messaging.models import Message

pytestmark = pytest.mark.django_db

SHORT, LONG = 300, 1800  # closed cases
OPEN = 60
GROWTH, SLACK = 1.3, 60  # rows, or tens of instructions
BY_SHARE = {"list: policies in force"}  # reads on until it has fifty: as many as are in force among all


class House:
    """One world with a history that grows; clients by role."""

    def __init__(self) -> None:
        self.world = world = World("2026")
        closed = world.pay(world.do(self._claim("CLOSED"), "decide"))
        self.current = self._claim("OPEN")
        Message.objects.update(state="DELIVERED", reported=True, next_attempt_at=None)
        Copies(self.current.member).make(OPEN)
        self.past = Copies(closed.member, weeks=140, least=5)  # before the four weeks of the pace
        self.clients: dict[str, Client] = {}
        self.grow(SHORT)

    def _claim(self, child: str) -> CaseFile:
        self.world.child(child, "2026", certificate=f"CERT-{child}")
        return self.world.review(member={"number": child})

    def grow(self, closed: int) -> None:
        self.past.make(closed - CaseFile.objects.filter(open=False).count())
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        old = CaseFile.objects.filter(open=False).order_by("-pk")[0]
        self.addresses = addresses(old, self.current)

    def client(self, role: str) -> Client:
        if role not in self.clients:
            user = UserFactory(roles=["supervisor" if role == ADMIN else role])
            user.is_superuser = role == ADMIN
            user.save()
            self.clients[role] = Client()
            self.clients[role].force_login(user)
        return self.clients[role]

    def cost(self, name: str) -> tuple[int, int, list[str]]:
        role, address = self.addresses[name]
        return cost(lambda: self.client(role).get(address))


def cost(work: Callable[[], Any]) -> tuple[int, int, list[str]]:
    """Statements, what they read, and the plans to look at when that is too much."""
    work()  # what is parsed and compiled once a process
    with watched() as seen:
        response = work()
    assert getattr(response, "status_code", 200) == 200, response
    numbers, plans = zip(*(read_by(*statement) for statement in seen), strict=True)
    return len(seen), sum(numbers), [plan for _number, plan in sorted(zip(numbers, plans, strict=True))[-3:]]


@contextmanager
def watched() -> Iterator[list[tuple[str, Any]]]:
    seen: list[tuple[str, Any]] = []

    def look(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(("SELECT", "WITH")):
            seen.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        yield seen


def read_by(sql: str, params: Any) -> tuple[int, str]:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", params)
            found = list(scans(cursor.fetchone()[0][0]["Plan"]))
            return sum(rows for rows, _node in found), f"{found}: {sql[:1500]}"
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
        plan = [row[3] for row in cursor.fetchall()]
        ticks: list[int] = []
        connection.connection.set_progress_handler(lambda: ticks.append(1), 10)
        try:
            cursor.execute(sql, params)
            cursor.fetchall()
        finally:
            connection.connection.set_progress_handler(None, 0)
        return len(ticks), f"{len(ticks)} {plan}: {sql[:1500]}"


def scans(node: dict[str, Any]) -> Iterator[tuple[int, str]]:
    """Rows that each scan gave or threw away. The entries of a single index under a heap scan are that scan's rows,
    and those left behind by rolled-back tests, which a bitmap counts too."""
    loops, parts = node.get("Actual Loops", 0), node.get("Plans", ())
    if "Scan" in node["Node Type"]:
        rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        rows += node.get("Rows Removed by Index Recheck", 0)
        yield (
            round(rows * loops),
            f"{node['Node Type']} {node.get('Relation Name') or node.get('Index Name')}",
        )
    for part in parts:
        if (node["Node Type"], part["Node Type"]) != ("Bitmap Heap Scan", "Bitmap Index Scan"):
            yield from scans(part)


def test_pages_cost_the_same_with_six_times_the_history() -> None:
    house = House()
    names = [name for name in house.addresses if name not in BY_SHARE]
    before = {name: house.cost(name) for name in names}
    house.grow(LONG)
    grown = {}
    for name in names:
        statements, read, plans = house.cost(name)
        if statements != before[name][0] or read > before[name][1] * GROWTH + SLACK:
            grown[name] = {"before": before[name][:2], "after": (statements, read), "plans": plans}
    assert not grown, "\n\n".join(f"{name}: {found}" for name, found in grown.items())


def test_sweeps_with_nothing_due_read_nothing() -> None:
    house = House()
    now = house.world.now
    sweep(now)
    for work in (lambda: sweep(now), lambda: deliver_due(now)):
        house.grow(CaseFile.objects.filter(open=False).count() + 300)
        statements, read, plans = cost(work)
        assert statements <= 2, plans
        assert read <= SLACK, plans
    assert Clock.objects.filter(state=Clock.State.RUNNING).count() > OPEN
