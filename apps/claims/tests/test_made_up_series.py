"""The proof that a series is data: with a made-up handbook alone, claims walk under its rules."""

from typing import Any

import pytest

from apps.claims.tests.world import NOW, World, events
from apps.members.models import Policy
from apps.products.models import HandbookVersion


@pytest.fixture
def alone(db: None, now: Any) -> World:
    world = World("2027")
    Policy.objects.update(effective_on="2026-01-01", expires_on="2027-12-31")
    assert list(HandbookVersion.objects.values_list("series", flat=True)) == ["2027"]
    return world


def channel(world: World) -> str:
    service = world.handbook("2027").handbook.service("reimbursement")
    assert service is not None
    return service.channels[0] if service.channels else "ONLINE"


def test_a_claim_walks_under_the_made_up_rules(alone: World) -> None:
    case = alone.closed(series="2027", channel=channel(alone))
    assert case.state == "CLOSED"
    assert events(case)[-3:] == ["payment_ordered", "paid", "closed"]


def test_its_routing_is_its_own(alone: World) -> None:
    handbook = alone.handbook("2027").handbook
    maximum = handbook.value("routing.online_maximum")
    routes = []
    for amount in ("10.00", "49999.00"):
        case = alone.claim(alone.visit([alone.bill(amount)]), series="2027", channel=channel(alone))
        routes.append(case.claim.route)
    if maximum is not None and handbook.value("routing.basis") == "AMOUNT":
        assert routes == ["ONLINE", "MAIL" if maximum < 49999 else "ONLINE"]


def test_its_clocks_are_its_own(alone: World) -> None:
    case = alone.complete(series="2027", channel=channel(alone))
    specs = {
        spec.id: spec for spec in alone.handbook("2027").handbook.clocks if spec.start == "materials_complete"
    }
    clock = case.clocks.get(key__in={spec.key for spec in specs.values()})
    assert clock.spec_id in specs
    assert clock.started_at == NOW
