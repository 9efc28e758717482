"""Limits over the API: limit, used, reserved, left (APP-20)."""

from __future__ import annotations

import pytest

from apps.claims.tests.world import World
from apps.ledger.models import LimitAccount
from tests.api import machine, person, refusal

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db]
LIMITS = "/api/v1/limits/"


@pytest.fixture
def world() -> World:
    world = World()
    for series in ("2026", "2024"):
        world.claim(series=series)
    return world


def test_app_20_amounts_are_yuan_and_counts_are_counts(world: World) -> None:
    account = LimitAccount.objects.get(policy__number="P-M2026", key="annual")
    LimitAccount.objects.filter(pk=account.pk).update(ceiling=100_000_00, used=1_234_56, reserved=10_00)
    LimitAccount.objects.create(policy=account.policy, key="visits", unit="COUNT", ceiling=8, used=3)
    rows = {row["key"]: row for row in machine().get(LIMITS, {"policy__number": "P-M2026"}).json()["results"]}
    assert rows["annual"] == {
        "id": account.pk, "policy": "P-M2026", "key": "annual", "unit": "FEN", "ceiling": "100000.00", "used": "1234.56",
        "reserved": "10.00", "left": "98755.44",
    }  # fmt: skip
    assert [rows["visits"][name] for name in ("ceiling", "used", "reserved", "left")] == ["8", "3", "0", "5"]
    assert machine().get(f"{LIMITS}{account.pk}/").json() == rows["annual"]


def test_everybody_sees_their_own_children_only(world: World) -> None:
    all_policies = {"P-M2026", "P-M2024"}
    row = LimitAccount.objects.filter(policy__number="P-M2026").first()
    for api, expected in (
        (machine(), all_policies),
        (machine(member="M2026"), {"P-M2026"}),
        (machine("TPA", tpa="ELSEWHERE"), set()),
        (machine("TPA", tpa=world.policy_of("2024").tpa), {"P-M2024"}),
        (machine("HOSPITAL"), set()),  # a hospital asks for an authorization, it does not read limits
        (person("first_review", series=["2024"]), {"P-M2024"}),
    ):
        assert {found["policy"] for found in api.get(LIMITS).json()["results"]} == expected
        assert api.get(f"{LIMITS}{row.pk}/").status_code == (200 if "P-M2026" in expected else 404)


def test_refusals(world: World) -> None:
    assert refusal(machine(scopes=["cases:read"]).get(LIMITS))[:2] == (403, "missing_scope")
    assert refusal(person().get(LIMITS)).status == 403
    for pk in ("0", "x", "9" * 30):
        assert refusal(machine().get(f"{LIMITS}{pk}/")).status == 404
    for method in ("post", "put", "patch", "delete"):
        assert refusal(getattr(machine(), method)(LIMITS, {"used": 0}, format="json")).status == 405


def test_a_list_costs_the_same_however_long(world: World, django_assert_num_queries: object) -> None:
    api = machine()
    api.get(LIMITS)
    with django_assert_num_queries(2):  # type: ignore[operator]
        assert len(api.get(LIMITS).json()["results"]) > 2
