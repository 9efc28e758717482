"""What pages cost while only history grows: 200 open cases, and 1,000 or 20,000 closed ones behind them.

A history of a case is all of it: lines, decision, events, clocks, letters, messages, payment. Pages are
asked for as a browser does, through middleware, view and template; warm, the best of several, since the
two sizes are measured at different moments of a noisy machine. `effort` is what the database did and
does not depend on the machine; `growth` compares it with the smaller history.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client, override_settings

from apps.cases.models import CaseFile
from apps.claims.models import Bill
from apps.claims.tests.world import World
from apps.members.models import Guardian, Member, Policy
from bench.copies import Copies
from bench.measure import Meter, each, effort, say, settle
from bench.world import claim_under_review, make_world

OPEN = 200
HISTORY = (1_000, 20_000)
RUNS = 7
PLAIN = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}


def main() -> None:
    world = make_world()
    open_case = claim_under_review(world, 10, child="OPEN")
    closed_case = world.pay(world.do(claim_under_review(world, 10, child="CLOSED"), "decide"))
    Copies(open_case.member).make(OPEN - 1)
    history, made = Copies(closed_case.member), 1
    found: list[dict[str, dict[str, float]]] = []
    for goal in HISTORY:
        history.make(goal - made)
        made = goal
        settle()
        check(goal)
        found.append(measure(world, open_case, goal))
        for page, cost in found[-1].items():
            growth = round(cost["effort"] / found[0][page]["effort"], 2)
            say("pages", page=page, history=goal, open=OPEN, runs=RUNS, **cost, growth=growth)


def check(goal: int) -> None:
    found = CaseFile.objects.filter(open=False).count(), CaseFile.objects.filter(open=True).count()
    if found != (goal, OPEN):
        raise SystemExit(f"{found} closed and open cases, expected {(goal, OPEN)}")


def measure(world: World, open_case: CaseFile, history: int) -> dict[str, dict[str, float]]:
    """What each page costs. `PLAIN`: addresses of styles without the manifest that `collectstatic` makes."""
    supervisor, adjuster = client(world, "supervisor"), client(world, "adjuster")
    an_old = CaseFile.objects.filter(open=False).order_by("-pk")[history // 2]
    mobile = Guardian.objects.get(member=open_case.member_id).mobile
    pages = {
        "my work": (adjuster, "/admin/"),
        "my work of a lead": (supervisor, "/admin/?scope=all"),
        "my work, late only": (supervisor, "/admin/?scope=all&due=late"),
        "search: policy number": (
            supervisor,
            f"/admin/find/?q={Policy.objects.get(pk=an_old.policy_id).number}",
        ),
        "search: bill number": (
            supervisor,
            f"/admin/find/?q={Bill.objects.get(visit__claim=an_old.pk).number}",
        ),
        "search: child's name": (
            supervisor,
            f"/admin/find/?q={Member.objects.get(pk=an_old.member_id).name}",
        ),
        "search: mobile": (supervisor, f"/admin/find/?q={mobile}"),
        "case page, open": (adjuster, f"/admin/case/{open_case.number}/"),
        "case page, closed": (adjuster, f"/admin/case/{an_old.number}/"),
    }
    with override_settings(STORAGES=settings.STORAGES | PLAIN):
        return {name: asked(browser, address) for name, (browser, address) in pages.items()}


def client(world: World, name: str) -> Client:
    browser = Client()
    browser.force_login(get_user_model().objects.get(pk=world.actor(name).user_id))
    return browser


def asked(browser: Client, address: str) -> dict[str, float]:
    meters = []
    for run in range(RUNS + 2):
        with Meter() as meter:
            response = browser.get(address)
        if response.status_code != 200:
            raise SystemExit(f"{address}: {response.status_code}")
        if run >= 2:
            meters.append(meter)
    work = min(effort(lambda: browser.get(address)) for _ in range(3))  # other processes count, too
    return each(meters, of=min) | {"effort": work, "kilobytes": round(len(response.content) / 1024)}
