"""What pages cost while only history grows: the same 200 open claims, and 1,000 or 10,000 closed ones behind them.

The history is that of `manage.py seed`: children with several claims of the past years in all their
rows. Pages are asked for as a browser does, through middleware, view and template; warm, the best of
several, since the sizes are measured at different moments of a noisy machine. `effort` is what the
database did and does not depend on the machine; `growth` compares it with the smallest history.

    make bench ARGS="pages --history 10000 --history 1000000"
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client, override_settings
from django.utils import timezone

from apps.accounts.models import Role
from apps.cases.models import CaseFile
from apps.claims.models import Claim
from apps.claims.tests.addresses import ADMIN, addresses
from bench.measure import Meter, each, effort, history, say, settle

OPEN = 200
HISTORY = (1_000, 10_000)
RUNS = 5
PLAIN = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}


def main() -> None:
    found: list[dict[str, dict[str, float]]] = []
    for goal in history(HISTORY):
        grow(goal)
        settle()
        closed = CaseFile.objects.filter(open=False).count()
        opened = CaseFile.objects.filter(open=True).count()
        found.append(measure())
        for page, cost in found[-1].items():
            growth = round(cost["effort"] / max(found[0][page]["effort"], 1), 2)
            say("pages", page=page, history=closed, open=opened, runs=RUNS, **cost, growth=growth)


def grow(goal: int) -> None:
    """To at least that many closed claims; a database that has them already is measured as it is."""
    known = Claim.objects.count()
    missing = goal - CaseFile.objects.filter(open=False).count()
    if missing > 0:
        call_command("seed", claims=missing, open=0 if known else OPEN)


def measure() -> dict[str, dict[str, float]]:
    """What each page costs. `PLAIN`: addresses of styles without the manifest that `collectstatic` makes."""
    with override_settings(STORAGES=settings.STORAGES | PLAIN):
        return {name: asked(browser, address) for name, (browser, address) in pages().items()}


def pages() -> dict[str, tuple[Client, str]]:
    closed = CaseFile.objects.filter(state="CLOSED", closed_at__lt=timezone.now() - timedelta(days=60))
    current = CaseFile.objects.filter(state="UNDER_REVIEW").order_by("pk")[:1].get()
    wanted = addresses(closed.order_by("-closed_at")[:1].get(), current)
    browsers = {role: client(role) for role, _address in wanted.values()}
    return {name: (browsers[role], address) for name, (role, address) in wanted.items()}


def client(name: str) -> Client:
    """Demo users are named after their role."""
    browser, user = Client(), get_user_model().objects.get(username=name)
    if name == ADMIN:
        user.roles.set(Role.objects.filter(code="supervisor"))
    browser.force_login(user)
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
