"""`kill -9` of web and worker at random points under load: nothing doubled, nothing lost.

Real processes: gunicorn and a Celery worker on this test's own PostgreSQL database and its own
Redis-protocol server. Front ends report claims and repeat what was not answered under the same key;
clerks complete the papers; workers decide what is clean, render letters and deliver messages, while
whole process groups are killed every second or two. Figures are printed (`-s`).
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from django.conf import settings
from django.db import connection, connections
from django.db.models import Count, Max, Sum
from django.utils import timezone

from apps.accounts.tests.factories import ApiClientFactory, make_actor
from apps.cases.models import CaseFile
from apps.claims.models import Claim, Decision
from apps.claims.tests.world import World
from apps.documents.models import Letter
from apps.ledger.models import LimitAccount, MoneyAccount
from apps.members.models import Policy
from apps.messaging.models import Message
from apps.payments.models import PaymentOrder
from apps.quality.actions.straight import set_rule
from apps.quality.models import StraightLook
from tests.api import SCOPES

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True)]

SECONDS = float(os.environ.get("CHAOS_SECONDS", "60"))
PATIENCE = int(os.environ.get("CHAOS_PATIENCE", "240"))  # seconds for what is left once nobody kills any more
CHILDREN = 20  # a series; no child comes near a limit: what crosses one would be a person's to decide
ROOT = Path(__file__).resolve().parent.parent
SWEEPS = (
    "apps.quality.tasks.decide_straight",
    "apps.documents.tasks.render_due_letters",
    "apps.messaging.tasks.deliver_outbox",
    "apps.cases.tasks.sweep_clocks",
)


@dataclass
class Figures:
    """What happened; printed at the end."""

    kills: Counter[str] = field(default_factory=Counter)
    asked: int = 0  # requests sent, repetitions included
    broken: int = 0  # requests without an answer
    answered: dict[str, str] = field(default_factory=dict)  # key → case number
    refused: list[str] = field(default_factory=list)


class Servers:
    """Web and worker, each a process group that can be killed as a whole and is started again."""

    def __init__(self, folder: Path, port: int) -> None:
        self.environment = {
            **os.environ,
            "CLAIMS_ENV": "development",
            "DATABASE_URL": _same_server(os.environ["DATABASE_URL"], connection.settings_dict["NAME"]),
            "VAR_DIR": str(folder),
            "BIND": f"127.0.0.1:{port}",
            "PORT": str(port),
            "LOG_LEVEL": "ERROR",
            "WEB_CONCURRENCY": "2",
            "WEB_THREADS": "3",
            "PYTHONWARNINGS": "ignore",
        }
        binaries = Path(sys.executable).parent
        self.commands = {
            "web": [str(binaries / "gunicorn"), "-c", "python:claimsadmin.gunicorn", "claimsadmin.wsgi"],
            "worker": [
                str(binaries / "celery"), "-q", "-A", "claimsadmin", "worker", "--concurrency", "2", "--loglevel", "ERROR",
            ],
        }  # fmt: skip
        self.folder = folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                self.commands[name],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_for_web(self) -> None:
        address = f"http://127.0.0.1:{self.environment['PORT']}/health/?format=json"
        until = time.monotonic() + 120
        while time.monotonic() < until:
            with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5):
                return
            time.sleep(0.3)
        raise AssertionError((self.folder / "web.log").read_text()[-3000:])

    def kill(self, name: str) -> None:
        """Without a word of farewell: the whole group, as when a machine loses its power."""
        process = self.running[name]
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def kill_one_child(self, name: str) -> None:
        """One process of the group only; its parent goes on."""
        children = Path(f"/proc/{self.running[name].pid}/task/{self.running[name].pid}/children")
        with contextlib.suppress(OSError):
            pids = children.read_text().split()
            if pids:
                os.kill(int(random.choice(pids)), signal.SIGKILL)


def _same_server(url: str, name: str) -> str:
    """The same URL with another database: it stands in the path, options stay."""
    head, question, options = url.partition("?")
    return head.rpartition("/")[0] + f"/{name}" + question + options


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    if connection.vendor != "postgresql":
        pytest.skip("web and worker share a PostgreSQL server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    found = Servers(tmp_path, port)
    try:
        for name in found.commands:
            found.start(name)
        yield found
    finally:
        for name in found.running:
            found.kill(name)


@pytest.fixture
def world() -> World:
    """Today is today: the servers have the machine's clock."""
    world = World(now=timezone.now())
    for series in world.series:
        for number in range(CHILDREN):
            world.child(f"{series}-{number}", series)
    today = timezone.localdate()
    Policy.objects.update(
        effective_on=today - timedelta(days=200), expires_on=today + timedelta(days=165),
        continuous_since=today - timedelta(days=600), concluded_on=today - timedelta(days=600),
    )  # fmt: skip
    for series in world.series:
        rule = {"series": series, "straight": True, "ceiling": "100000", "reason": "压力测试"}
        set_rule(make_actor("manager"), rule)
    return world


def body(world: World, series: str, key: str, day: date, child: int) -> dict[str, Any]:
    visit = world.visit(
        [world.bill("300.00", issued_on=day.isoformat())], department=key, started_on=day.isoformat()
    )
    return world.report(visit, series=series, member={"number": f"{series}-{child}"})


def front_end(world: World, port: int, key: str, series: str, until: float, figures: Figures) -> None:
    """Reports one claim after the other; repeats each under its key until somebody answers."""
    count = 0
    while time.monotonic() < until:
        count += 1
        day = timezone.localdate() - timedelta(days=count % 190 + 1)  # not all on one day (PR-15)
        keyed = f"{series}-{count}"
        data = json.dumps(body(world, series, keyed, day, count % CHILDREN)).encode()
        while (answer := _post(port, key, keyed, data, figures)) is None:
            time.sleep(0.3)
        status, content = answer
        if status == 201:
            figures.answered[keyed] = content["number"]
        else:
            figures.refused.append(f"{status} {content}")
            return


def _post(port: int, key: str, keyed: str, data: bytes, figures: Figures) -> tuple[int, Any] | None:
    """(status, body), or None when there was no answer or the answer says to repeat."""
    headers = {
        "Authorization": f"Api-Key {key}",
        "Content-Type": "application/json",
        "Idempotency-Key": keyed,
    }
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1/claims/", data, headers)
    figures.asked += 1
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        content = json.loads(error.read() or b"{}")
        if content.get("code") == "idempotency_busy":
            figures.broken += 1
            return None
        return error.code, content
    except (OSError, ValueError, urllib.error.URLError):
        figures.broken += 1
        return None


def clerk(world: World, stop: threading.Event, figures: Figures) -> None:
    """Completes the papers of what was reported."""
    try:
        while not stop.is_set():
            for case in list(CaseFile.objects.filter(state="ONLINE_SUBMITTED").order_by("pk")[:20]):
                world.papers(case)
                world.do(case, "check_materials", by="intake", now=timezone.now())
            time.sleep(0.2)
    except Exception as error:
        figures.refused.append(f"clerk: {error!r}")
    finally:
        connections.close_all()


def left_over() -> dict[str, int]:
    """What the workers still owe."""
    return {
        "undecided": CaseFile.objects.filter(state__in=["COMPLETE", "ONLINE_SUBMITTED"]).count(),
        "letters": Letter.objects.filter(state="QUEUED").count(),
        "messages": Message.objects.filter(state__in=["QUEUED", "SENDING"]).count(),
    }


def drain(tasks: Celery) -> None:
    """As the scheduler would; leases of killed workers run out meanwhile."""
    until = time.monotonic() + PATIENCE
    while any(left_over().values()) and time.monotonic() < until:
        soon = timezone.now() + timedelta(minutes=1)
        Letter.objects.filter(state="QUEUED", next_attempt_at__gt=soon).update(next_attempt_at=timezone.now())
        Message.objects.filter(state__in=["QUEUED", "SENDING"], next_attempt_at__gt=soon).update(
            next_attempt_at=timezone.now()
        )
        for sweep in SWEEPS:
            tasks.send_task(sweep)
        time.sleep(2)


def test_killed_servers_double_nothing_and_lose_nothing(world: World, servers: Servers) -> None:
    servers.wait_for_web()
    figures, until, stop = Figures(), time.monotonic() + SECONDS, threading.Event()
    key = ApiClientFactory(kind="MEMBER_APP", scopes=SCOPES).plain_key
    port = int(servers.environment["PORT"])
    tasks = Celery(broker=settings.CELERY_BROKER_URL)
    for person in ("intake", "mail"):
        world.actor(person)
    workers = [
        threading.Thread(target=front_end, args=(world, port, key, series, until, figures), daemon=True)
        for series in world.series
    ]
    desk = threading.Thread(target=clerk, args=(world, stop, figures), daemon=True)
    for thread in (*workers, desk):
        thread.start()
    _havoc(servers, tasks, figures, until)
    for thread in workers:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in workers), "a front end never got its answer"
    drain(tasks)
    stop.set()
    desk.join(60)
    _print(figures)
    _nothing_doubled_nothing_lost(figures)


def _havoc(servers: Servers, tasks: Celery, figures: Figures, until: float) -> None:
    while time.monotonic() < until:
        for sweep in SWEEPS:
            tasks.send_task(sweep)
        time.sleep(random.uniform(0.5, 3.0))
        name = random.choice(["web", "worker", "worker"])
        if random.random() < 0.5:
            servers.kill_one_child(name)
            figures.kills[f"{name} child"] += 1
        else:
            servers.kill(name)
            servers.start(name)
            figures.kills[name] += 1
            if name == "web":  # it must come up, else nothing would be under way when it is killed again
                servers.wait_for_web()


def _print(figures: Figures) -> None:
    print(json.dumps({
        "chaos_seconds": SECONDS, "kills": dict(figures.kills), "requests": figures.asked,
        "unanswered": figures.broken, "reported": len(figures.answered), "claims": Claim.objects.count(),
        "decisions": Decision.objects.count(), "letters": Letter.objects.count(),
        "letters_tried_again": Letter.objects.filter(attempts__gt=1).count(),
        "messages": Message.objects.count(), "messages_tried_again": Message.objects.filter(attempts__gt=1).count(),
        "left_over": left_over(), "left_to_people": Counter(StraightLook.objects.values_list("reason", flat=True)),
    }))  # fmt: skip


def _nothing_doubled_nothing_lost(figures: Figures) -> None:
    assert figures.refused == []
    assert figures.kills.total() >= SECONDS / 10
    assert left_over() == {"undecided": 0, "letters": 0, "messages": 0}
    # Each key one claim, each answer a claim that is there.
    numbers = dict(CaseFile.objects.filter(kind="claim").values_list("claim__visits__department", "number"))
    assert len(numbers) == Claim.objects.count() > 10
    assert numbers == figures.answered
    # Each claim decided, ordered and booked once; none was left to a person.
    assert not StraightLook.objects.exists()
    claims = Claim.objects.count()
    assert Decision.objects.count() == PaymentOrder.objects.count() == claims
    assert set(CaseFile.objects.filter(kind="claim").values_list("state", flat=True)) == {"PAYMENT_PENDING"}
    for account in LimitAccount.objects.annotate(booked=Sum("entries__used")):
        assert account.used == (account.booked or 0) <= account.ceiling
    annual = LimitAccount.objects.filter(key="annual").aggregate(used=Sum("used"))["used"]
    assert annual == Decision.objects.aggregate(paid=Sum("insurer_fen"))["paid"]
    for account in MoneyAccount.objects.annotate(booked=Sum("entries__amount")):
        assert account.balance == account.booked
    # Every history is whole.
    for case in CaseFile.objects.annotate(events_n=Count("events"), last=Max("events__seq")):
        assert case.events_n == case.last == case.version
    # Every letter one file, every message delivered.
    assert not Letter.objects.exclude(state__in=["RENDERED", "SENT", "SUPERSEDED"]).exists()
    assert not Letter.objects.filter(file=None).exists()
    assert Letter.objects.values("number", "version").distinct().count() == Letter.objects.count()
    assert not Message.objects.exclude(state="DELIVERED").exclude(state="CANCELLED").exists()
    assert Message.objects.values("idempotency_key").distinct().count() == Message.objects.count()
