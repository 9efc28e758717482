"""Who sees a recovery, over the API and on pages, and who may do what."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest

from apps.accounts.tests.factories import ApiClientFactory, UserFactory, api_of, make_actor, web_of
from apps.cards.models import Card, CardLink
from apps.cases.engine import available, perform
from apps.core.errors import NotAllowed, NotFound
from apps.recoveries.tests.world import Recoveries

URL = "/api/v1/recoveries/"
SCOPES = ["cases:read", "cases:write"]


def machine(kind: str, **fields: Any) -> Any:
    return api_of(ApiClientFactory(kind=kind, scopes=SCOPES, **fields))


def web(*roles: str, **fields: Any) -> Any:
    return web_of(UserFactory(roles=roles, is_staff=True, **fields))


def test_a_family_sees_what_is_asked_of_its_own_child_only(world: Recoveries, rulebook: Any) -> None:
    case = world.refund(world.notified(), "120.50", "BK-1")
    family, others = machine("MEMBER_APP", member="M2026"), machine("MEMBER_APP", member="M2024")
    listed = family.get(URL).json()["results"]
    assert [row["number"] for row in listed] == [case.number]
    told = family.get(f"{URL}{case.number}/").json()
    shown = told["recovery"]
    assert (shown["amount"], shown["refunded"], shown["open"]) == ("500.00", "120.50", "379.50")
    assert (shown["due_on"], shown["rule"], len(told["refund_letters"])) == ("2026-10-16", "REC-03", 1)
    rulebook.read_back("REC-03", shown["rule"])
    assert others.get(f"{URL}{case.number}/").status_code == 404
    assert others.get(URL).json()["results"] == []
    assert machine("HOSPITAL", hospital="PUB").get(URL).json()["results"] == []
    refused = family.post(URL, {"case": case.recovery.origin.number}, format="json")
    assert refused.status_code == 403


def test_a_front_end_asks_for_one_account(world: Recoveries) -> None:
    """A front end serves many families; the account says which one looks."""
    case = world.notified()
    client = ApiClientFactory(kind="MEMBER_APP", scopes=SCOPES, series=["2026"])
    card = Card.objects.get(member=case.member_id)
    CardLink.objects.create(
        client=client, account="wx-mother", card=card, relation="MOTHER", bound_at=world.now
    )
    front = api_of(client)
    for query, found in (("", 1), ("?account=wx-mother", 1), ("?account=wx-somebody", 0)):
        assert len(front.get(URL + query).json()["results"]) == found, query
    assert front.get(f"{URL}{case.number}/?account=wx-mother").status_code == 200
    assert front.get(f"{URL}{case.number}/?account=wx-somebody").status_code == 404


def test_filters_and_refusals_over_the_api(world: Recoveries) -> None:
    case = world.notified()
    client = machine("TPA", tpa=case.tpa)
    for query, found in (
        ("?state=NOTIFIED", 1), ("?state=OPENED", 0), ("?reason=OVERPAID", 1), ("?due_before=2026-10-17", 1),
        ("?due_before=2026-10-16", 0), (f"?origin={case.recovery.origin.number}", 1), (f"?search={case.number}", 1),
    ):  # fmt: skip
        assert len(client.get(URL + query).json()["results"]) == found, query


@pytest.mark.parametrize(
    ("who", "action", "data"),
    [
        ("adjuster", "notify", {}),
        (
            "auditor",
            "record_refund",
            {"amount": "1.00", "received_on": "2026-09-16", "bank_reference": "BKX"},
        ),
        ("finance", "agree_plan", {"agreed_with": "母亲", "instalments": []}),
        ("clerk", "give_time", {"reason": "再给时间"}),
        ("clerk", "write_off", {"reason": "不追了"}),
        ("manager", "raise", {"more": 1}),
    ],
)
def test_the_wrong_role_is_refused(opened: tuple[Recoveries, Any], who: str, action: str, data: Any) -> None:
    world, case = opened
    with pytest.raises(NotAllowed):
        world.act(case, action, by=who, **data)


@pytest.fixture
def opened(world: Recoveries) -> tuple[Recoveries, Any]:
    return world, world.overpaid()


def test_another_administrators_clerk_sees_nothing(opened: tuple[Recoveries, Any]) -> None:
    world, case = opened
    stranger = make_actor("recovery", tpa="OTHER")
    with pytest.raises(NotFound):
        perform(case.number, "notify", stranger, now=world.now)
    names = {one.action.name for one in available(case, world.actor("clerk"), now=world.now)}
    assert {"notify", "record_refund"} <= names
    assert not {"raise", "lower", "write_off"} & names


def test_the_desk_lists_draws_and_exports(world: Recoveries) -> None:
    case = world.notified()
    client = web("recovery")
    page = client.get("/admin/recoveries/?q=" + case.number).content.decode()
    assert case.number in page
    assert "<svg" in page
    assert web("intake").get("/admin/recoveries/").status_code == 403
    assert case.number not in client.get("/admin/recoveries/?band=5").content.decode()
    book = openpyxl.load_workbook(io.BytesIO(client.get("/admin/recoveries/?excel=1").content))
    rows = list(book.active.iter_rows(values_only=True))
    assert (rows[1][0], float(rows[1][11])) == (case.number, 500.0)
    refused = client.post("/admin/recoveries/", {"case": case.recovery.origin.number})
    assert (refused.status_code, "REC-04" in refused.content.decode()) == (409, True)
    shown = client.get(f"/admin/case/{case.number}/").content.decode()
    assert "1001 2442" in shown
    assert "500.00" in shown
    world.refund(case, "100.00", "BK-77")
    listed = client.get("/admin/recoveries/refund/?q=BK-77").content.decode()
    assert case.number in listed
