"""The receiver for trying things out takes what is signed and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.urls import reverse

from apps.accounts.actors import SYSTEM
from apps.accounts.tests.factories import UserFactory, web_of
from apps.claims.tests.world import World
from apps.webhooks import actions
from apps.webhooks.delivery import sweep
from apps.webhooks.models import Delivery

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_case_event_reaches_the_page(live_server: Any, listen: Any, settings: Any, client: Any) -> None:
    settings.WEBHOOK_TIMEOUT = 10.0
    cache.clear()
    world = World("2026")
    endpoint = listen("claim.reported")
    page = reverse("webhook-receiver", args=[endpoint.uid])
    actions.change(SYSTEM, endpoint, url=f"{live_server.url}{page}")
    case = world.claim()
    sweep()
    assert Delivery.objects.get().state == "DELIVERED", Delivery.objects.get().error
    assert f"{case.number}.1.reported" in web_of(UserFactory(roles=["manager"])).get(page).content.decode()
    assert web_of(UserFactory(roles=["intake"])).get(page).status_code == 404
    forged = {"webhook-id": "x", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}
    assert client.post(page, b"{}", content_type="application/json", headers=forged).status_code == 401
