"""Finance over the API."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.accounts.tests.factories import ApiClientFactory, api_of, make_actor
from apps.claims.tests.world import World
from apps.finance.models import VoucherBatch
from apps.payments.models import PaymentOrder

BASE = "/api/v1/finance"


def api(role: str, **fields: Any) -> APIClient:
    name = f"api-{role}-{len(User.objects.all())}"
    make_actor(role, username=name, is_staff=True, **fields)
    client = APIClient()
    client.force_login(User.objects.get(username=name))
    return client


def test_months_add_up_and_open_their_cases(world: World) -> None:
    case = world.closed()
    client = api("manager")
    month = client.get(f"{BASE}/months/2026-09/").json()
    assert month["total"]["paid"] == f"{case.claim.decided_fen / 100:.2f}"
    assert month["closed_at"] is None
    assert month["groups"]["benefit"][0]["benefit"] == "OUTPATIENT"
    (row,) = client.get(f"{BASE}/months/2026-09/cases/?measure=paid").json()
    assert row == {
        "case": case.number,
        "series": "2026",
        "product": row["product"],
        "amount": month["total"]["paid"],
    }
    assert client.get(f"{BASE}/months/2026-13/").status_code == 400
    wrong = client.get(f"{BASE}/months/2026-09/cases/?measure=x")
    assert wrong.status_code == 400
    assert "measure" in wrong.content.decode()
    assert client.post(f"{BASE}/months/2026-09/close/").status_code == 403
    assert api("finance_lead").post(f"{BASE}/months/2026-09/close/").status_code == 409


def test_reserves_and_what_was_outstanding_on_a_day(world: World) -> None:
    case = world.claim()
    client = api("auditor")
    (row,) = client.get(f"{BASE}/reserves/?case__number={case.number}").json()["results"]
    assert (row["outstanding"], row["basis"], row["rule"]) == ("656.00", "RULE", "S26 82%")
    assert client.get(f"{BASE}/reserves/outstanding/?on=2026-09-16").json()["outstanding"] == {
        "2026": "656.00"
    }
    assert client.get(f"{BASE}/reserves/outstanding/?on=2026-09-15").json()["outstanding"] == {}
    assert client.get(f"{BASE}/reserves/outstanding/?on=gestern").status_code == 400


def test_vouchers_from_preparing_to_reversal(world: World) -> None:
    world.closed()
    maker, checker = api("finance"), api("payment_check")
    made = maker.post(f"{BASE}/vouchers/", {"series": "2026", "month": "2026-09"})
    assert made.status_code == 201
    number = made.json()["number"]
    assert maker.post(f"{BASE}/vouchers/{number}/release/").status_code == 403
    assert checker.post(f"{BASE}/vouchers/{number}/release/").json()["state"] == "RELEASED"
    detail = checker.get(f"{BASE}/vouchers/{number}/").json()
    assert [voucher["number"] for voucher in detail["items"]] == [1, 2]
    assert maker.post(f"{BASE}/vouchers/{number}/cancel/").status_code == 409
    red = maker.post(f"{BASE}/vouchers/{number}/reverse/", {"month": "2026-10", "reason": "科目用错"})
    assert red.json()["reverses"] == number
    assert maker.post(f"{BASE}/vouchers/{red.json()['number']}/cancel/").json()["state"] == "CANCELLED"
    assert VoucherBatch.objects.count() == 2


def test_returns_and_statements(world: World) -> None:
    case = world.closed()
    order = PaymentOrder.objects.get(case=case)
    world.do(case, "payment_returned", by="finance", order=order.number, reason="AC05")
    (row,) = api("finance").get(f"{BASE}/returns/").json()
    assert (row["order"], row["meaning"], row["next"]) == (order.number, "CLOSED", "ACCOUNT")
    client = api("service_specialist")
    made = client.post(
        f"{BASE}/statements/", {"policy": "P-M2026", "since": "2026-01-01", "until": "2026-12-31"}
    )
    assert made.status_code == 201
    assert made.json()["context"]["claims"][0]["case"] == case.number
    assert client.get(f"{BASE}/statements/{made.json()['number']}/").status_code == 200


@pytest.mark.parametrize(
    "path", ["months/2026-09/", "reserves/", "reserves/outstanding/?on=2026-09-16", "vouchers/"]
)
def test_machines_and_administrators_see_no_books(world: World, path: str) -> None:
    world.claim(series="2024")
    scopes = ["finance:read", "finance:write", "claims:read"]
    machine = api_of(ApiClientFactory(kind="TPA", tpa="WINDSTONE", scopes=scopes))
    for client in (machine, api("finance", tpa="WINDSTONE"), api("first_review")):
        assert client.get(f"{BASE}/{path}").status_code == 403
    assert APIClient().get(f"{BASE}/{path}").status_code in (401, 403)
