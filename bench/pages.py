"""What pages cost while only history grows: 200 open cases, and 1,000 or 20,000 closed ones behind them.

A history of a case is all of it: lines, decision, events, clocks, letters, messages, payment. Pages are
asked for as a browser does, through middleware, view and template; warm, the median of several.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.test import Client, override_settings

from apps.cases.models import CaseFile
from apps.claims.models import Bill
from apps.claims.tests.world import World
from apps.members.models import Guardian, Member, Policy
from bench.copies import Copies
from bench.measure import Meter, each, say, settle
from bench.world import claim_under_review, make_world

OPEN = 200
HISTORY = (1_000, 20_000)
RUNS = 9
PLAIN = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}


def main() -> None:
    world = make_world()
    open_case = claim_under_review(world, 10, child="OPEN")
    closed_case = world.pay(world.do(claim_under_review(world, 10, child="CLOSED"), "decide"))
    Copies(open_case.member).make(OPEN - 1)
    history, made = Copies(closed_case.member), 1
    for goal in HISTORY:
        history.make(goal - made)
        made = goal
        settle()
        check(goal)
        measure(world, goal, open_case, closed_case)


def check(goal: int) -> None:
    found = CaseFile.objects.filter(open=False).count(), CaseFile.objects.filter(open=True).count()
    if found != (goal, OPEN):
        raise SystemExit(f"{found} closed and open cases, expected {(goal, OPEN)}")


def measure(world: World, history: int, open_case: CaseFile, closed_case: CaseFile) -> None:
    """`PLAIN`: addresses of pictures and styles without the manifest that `collectstatic` makes."""
    from django.conf import settings

    supervisor, adjuster = client(world, "supervisor"), client(world, "adjuster")
    an_old = CaseFile.objects.filter(open=False).order_by("-pk")[history // 2]
    pages = {
        "my work": (adjuster, "/admin/"),
        "my work of a lead": (supervisor, "/admin/?scope=all"),
        "my work, late only": (supervisor, "/admin/?scope=all&due=late"),
        "search: policy number": (supervisor, f"/admin/find/?q={Policy.objects.get(pk=an_old.policy_id).number}"),
        "search: bill number": (supervisor, f"/admin/find/?q={Bill.objects.get(visit__claim=an_old.pk).number}"),
        "search: child's name": (supervisor, f"/admin/find/?q={Member.objects.get(pk=an_old.member_id).name}"),
        "search: mobile": (supervisor, f"/admin/find/?q={Guardian.objects.get(member=open_case.member_id).mobile}"),
        "case page, open": (adjuster, f"/admin/case/{open_case.number}/"),
        "case page, closed": (adjuster, f"/admin/case/{an_old.number}/"),
    }
    with override_settings(STORAGES=settings.STORAGES | PLAIN):
        for name, (browser, address) in pages.items():
            say("pages", page=name, history=history, open=OPEN, runs=RUNS, **asked(browser, address))


def client(world: World, name: str) -> Client:
    browser = Client()
    browser.force_login(get_user_model().objects.get(pk=world.actor(name).user_id))
    return browser


def asked(browser: Client, address: str) -> dict[str, Any]:
    meters = []
    for run in range(RUNS + 2):
        with Meter() as meter:
            response = browser.get(address)
        if response.status_code != 200:
            raise SystemExit(f"{address}: {response.status_code}")
        if run >= 2:
            meters.append(meter)
    return each(meters) | {"kilobytes": round(len(response.content) / 1024)}
