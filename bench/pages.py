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

from apps.cases.models import CaseFile
from apps.claims.models import Bill, Claim
from apps.members.models import Guardian, Member, Policy
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
            growth = round(cost["effort"] / found[0][page]["effort"], 2)
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
    """Each page as somebody sees it whose daily work it is."""
    lead, desk = client("supervisor"), client("first_review")
    finance, compliance = client("finance"), client("compliance")
    today = timezone.localdate()
    old = CaseFile.objects.filter(state="CLOSED", closed_at__lt=timezone.now() - timedelta(days=60))
    an_old = old.order_by("-closed_at").first()
    an_open = CaseFile.objects.filter(state="UNDER_REVIEW").order_by("pk").first()
    mobile = Guardian.objects.get(member=an_open.member_id).mobile
    lists = {
        "cases": (lead, "cases/casefile/"),
        "cases, page 20": (lead, "cases/casefile/?p=20"),
        "open cases": (lead, "cases/casefile/?open__exact=1"),
        "clocks": (lead, "cases/clock/"),
        "events": (lead, "cases/caseevent/"),
        "children": (lead, "members/member/"),
        "policies": (lead, "members/policy/"),
        "policies in force": (lead, "members/policy/?today=yes"),
        "letters": (lead, "documents/letter/"),
        "failed letters": (lead, "documents/letter/?state__exact=FAILED"),
        "bill register": (lead, "documents/billregister/"),
        "messages": (lead, "messaging/message/"),
        "failed messages": (lead, "messaging/message/?state__exact=FAILED"),
        "calls": (lead, "messaging/calltask/"),
        "payments": (finance, "payments/paymentorder/"),
        "payments, pending": (finance, "payments/paymentorder/?state__exact=ORDERED"),
        "payment files": (finance, "payments/paymentfile/"),
        "access log": (compliance, "accounts/accesslog/"),
    }
    found = {
        "my work": (desk, "/admin/"),
        "my work of a lead": (lead, "/admin/?scope=all"),
        "my work, late only": (lead, "/admin/?scope=all&due=late"),
        "my work as Excel": (lead, "/admin/work/export/?scope=all"),
        "search: policy number": (lead, f"/admin/find/?q={Policy.objects.get(pk=an_old.policy_id).number}"),
        "search: bill number": (
            lead,
            f"/admin/find/?q={Bill.objects.filter(visit__claim=an_old.pk).first().number}",
        ),
        "search: child's name": (lead, f"/admin/find/?q={Member.objects.get(pk=an_old.member_id).name}"),
        "search: mobile": (lead, f"/admin/find/?q={mobile}"),
        "case page, open": (desk, f"/admin/case/{an_open.number}/"),
        "case page, closed": (desk, f"/admin/case/{an_old.number}/"),
        "dashboard": (client("manager"), "/admin/dashboard/"),
        "API: cases": (lead, f"/api/v1/cases/?opened_before={today.isoformat()}T00:00:00%2B08:00"),
        "API: open cases": (lead, "/api/v1/cases/?open=true"),
        "API: case by number": (lead, f"/api/v1/cases/?search={an_old.number}"),
        "API: papers of a case": (lead, f"/api/v1/papers/?case__number={an_old.number}"),
        "API: letters": (lead, "/api/v1/letters/"),
        "API: children": (lead, f"/api/v1/members/?q={Member.objects.get(pk=an_old.member_id).number}"),
    }
    return found | {f"list: {name}": (who, f"/admin/{path}") for name, (who, path) in lists.items()}


def client(name: str) -> Client:
    browser = Client()
    browser.force_login(get_user_model().objects.get(username=name))
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
