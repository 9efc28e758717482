"""Staff: lists, the endpoint's page with its health, levers with reasons, who may and who may not."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from apps.accounts.actors import SYSTEM
from apps.accounts.tests.factories import ApiClientFactory, UserFactory, web_of
from apps.claims.tests.world import World
from apps.webhooks import actions
from apps.webhooks.delivery import sweep
from apps.webhooks.models import Attempt, Delivery, Endpoint, EndpointEvent
from apps.webhooks.queries import health_of
from apps.webhooks.tests.conftest import SCOPES
from apps.webhooks.tests.receiver import Receiver

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(db: None) -> Client:
    return web_of(UserFactory(roles=["manager"]))


def page(web: Client, name: str, *args: Any, **query: Any) -> str:
    answer = web.get(reverse(f"admin:{name}", args=args), query)
    assert answer.status_code == 200
    return answer.content.decode()


def lever(endpoint: Endpoint, name: str) -> str:
    return reverse("admin:webhooks_endpoint_lever", args=[endpoint.pk, name])


def test_a_lead_makes_an_endpoint_and_sees_its_secret_once(manager: Client, receiver: Receiver) -> None:
    machine = ApiClientFactory(hospital="PUB", scopes=SCOPES)
    asked = {
        "client": machine.pk,
        "url": "ftp://h.example",
        "events": ["claim.paid"],
        "language": "en",
        "contact": "",
    }
    refused = manager.post(reverse("admin:webhooks_endpoint_new"), asked)
    assert "https" in refused.content.decode()
    assert not Endpoint.objects.exists()
    shown = manager.post(reverse("admin:webhooks_endpoint_new"), asked | {"url": receiver.url})
    endpoint = Endpoint.objects.get()
    assert endpoint.secret in shown.content.decode()
    assert "no-store" in shown.headers["Cache-Control"]
    assert endpoint.secret not in page(manager, "webhooks_endpoint_change", endpoint.pk)
    fresh = manager.post(lever(endpoint, "rotate")).content.decode()
    endpoint.refresh_from_db()
    assert endpoint.secret in fresh


def test_lists_search_filters_and_excel(
    world: World, listen: Any, manager: Client, receiver: Receiver
) -> None:
    endpoint = listen("claim.reported")
    case = world.claim()
    other = world.claim(world.visit(department="眼科"))
    receiver.script["*"] = [500]
    sweep()
    found = page(manager, "webhooks_delivery_changelist", q=case.number)
    assert case.number in found
    assert other.number not in found
    assert case.number in page(
        manager, "webhooks_delivery_changelist", state__exact="QUEUED", endpoint__id__exact=endpoint.pk
    )
    assert case.number not in page(manager, "webhooks_delivery_changelist", state__exact="DEAD")
    assert endpoint.url in page(manager, "webhooks_endpoint_changelist", q="localhost", failing="1")
    assert endpoint.url not in page(manager, "webhooks_endpoint_changelist", q="nowhere.example")
    for name, expected in (("webhooks_delivery", case.number), ("webhooks_endpoint", endpoint.url)):
        sheet = manager.post(
            reverse(f"admin:{name}_export"), {"format": "0", "resource": "", **columns(name)}
        )
        rows = str(list(load_workbook(io.BytesIO(sheet.content)).active.iter_rows(values_only=True)))
        assert expected in rows
        assert "whsec" not in rows


def columns(name: str) -> dict[str, str]:
    from apps.webhooks.resources import DeliveryResource, EndpointResource

    resource = DeliveryResource if name.endswith("delivery") else EndpointResource
    label = resource.__name__.lower()
    return {f"{label}_{field}": "on" for field in resource().get_export_order()}


def test_the_page_of_an_endpoint_draws_its_days(
    world: World, listen: Any, manager: Client, receiver: Receiver
) -> None:
    endpoint = listen("claim.reported")
    world.claim(now=timezone.now())
    receiver.script["*"] = [500, 200]
    sweep()
    Delivery.objects.update(next_attempt_at=timezone.now())
    sweep()
    Attempt.objects.filter(status=500).update(at=timezone.now() - timedelta(days=3))
    health = health_of(endpoint)
    assert [(day.delivered, day.failed) for day in health.days if day.delivered or day.failed] == [
        (0, 1),
        (1, 0),
    ]
    assert health.days[-1].delivered == 1
    assert health.days[-4].failed == 1
    assert (len(health.days), health.waiting, health.dead, health.highest) == (30, 0, 0, 1)
    shown = page(manager, "webhooks_endpoint_change", endpoint.pk)
    assert shown.count("#16a34a") == 2
    assert shown.count("#dc2626") == 2
    row = Delivery.objects.get()
    log = page(manager, "webhooks_delivery_change", row.pk)
    assert row.message_id in log
    assert "done" in log
    assert "王小明" not in log


def test_levers_ask_for_reasons_and_are_written_down(
    world: World, listen: Any, manager: Client, receiver: Receiver
) -> None:
    endpoint = listen("claim.reported")
    world.claim()
    Delivery.objects.update(state="DEAD", next_attempt_at=None)
    assert manager.post(lever(endpoint, "resend"), {"reason": ""}).status_code == 200
    assert Delivery.objects.get().state == "DEAD"
    assert manager.post(lever(endpoint, "resend"), {"reason": "对方系统恢复"}).status_code == 302
    sweep()
    row = Delivery.objects.get()
    assert row.state == "DELIVERED"
    again = reverse("admin:webhooks_delivery_again", args=[row.pk])
    assert manager.post(again, {"reason": "对方要求补发"}).status_code == 302
    manager.post(lever(endpoint, "suspend"), {"reason": "系统升级中"})
    assert Endpoint.objects.get().state == "SUSPENDED"
    sweep()
    assert len(receiver.got) == 1
    manager.post(lever(endpoint, "ping"))
    sweep()
    assert receiver.got[-1].json["type"] == "ping"
    manager.post(lever(endpoint, "resume"))
    sweep()
    assert receiver.ids.count(row.message_id) == 2
    edited = {
        "url": receiver.url,
        "events": ["claim.paid"],
        "language": "en",
        "contact": "",
        "description": "HIS",
    }
    manager.post(lever(endpoint, "edit"), edited)
    manager.post(lever(endpoint, "remove"))
    told = dict(EndpointEvent.objects.exclude(kind="CREATED").values_list("kind", "reason"))
    assert told.keys() == {"RESENT", "SUSPENDED", "PINGED", "RESUMED", "CHANGED", "REMOVED"}
    assert told["SUSPENDED"] == "系统升级中"
    assert manager.post(lever(endpoint, "ping")).status_code == 200  # says that there is none
    assert Delivery.objects.filter(event="ping").count() == 1


@pytest.mark.parametrize(
    ("who", "sees"),
    [
        ({"roles": ["auditor"]}, True),
        ({"roles": ["first_review"]}, False),
        ({"roles": ["tpa_manager"], "tpa": "T9"}, False),
        ({"roles": ["tpa_manager"], "tpa": "T1", "series": ["2024"]}, True),
    ],
)
def test_who_sees_an_endpoint_and_who_may_not_touch_it(
    world: World, listen: Any, who: dict[str, Any], sees: bool
) -> None:
    """A TPA's manager has its own machines; whoever only reads pulls no lever."""
    machine = ApiClientFactory(kind="TPA", hospital="", tpa="T1", scopes=SCOPES)
    endpoint = listen("claim.reported", client=machine)
    web = web_of(UserFactory(**who))
    shown = web.get(reverse("admin:webhooks_endpoint_changelist"))
    assert (endpoint.url in shown.content.decode()) is sees
    if who["roles"] != ["tpa_manager"]:
        assert web.post(lever(endpoint, "suspend"), {"reason": "随便试试"}).status_code in (403, 404)
    elif not sees:
        assert web.post(lever(endpoint, "suspend"), {"reason": "随便试试"}).status_code == 404
    endpoint.refresh_from_db()
    assert endpoint.state == "ACTIVE"
    assert actions.ping(SYSTEM, endpoint).state == "QUEUED"
