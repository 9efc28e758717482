"""The interface and the pages: what families, administrators, hospitals and staff may do and see; brands."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from apps.accounts.actors import actor_of_client
from apps.accounts.models import ApiClient
from apps.accounts.tests.factories import UserFactory, web_of
from apps.accounts.visibility import sees
from apps.appointments import demo
from apps.appointments.models import Appointment
from apps.appointments.tests.world import Rooms, at, days
from apps.cases.models import CaseFile
from apps.core.errors import Blocked, Conflict, InvalidInput, NotAllowed
from apps.hospitals.actions import close_brand
from apps.ledger.models import LimitAccount
from apps.members.brands import ask_transfer, decide_transfer
from apps.members.models import BrandLock
from apps.messaging.models import Message
from tests.api import machine as client_of
from tests.api import refusal

URL = "/api/v1/appointments/"
SCOPES = ["cases:read", "cases:write"]


def machine(kind: str = "MEMBER_APP", **fields: Any) -> Any:
    return client_of(kind, scopes=SCOPES, **fields)


def web(*roles: str, **fields: Any) -> Any:
    return web_of(UserFactory(roles=roles, is_staff=True, **fields))


def test_a_family_asks_books_once_and_sees_its_own_only(world: Rooms) -> None:
    own, other = machine(member="M2026"), machine(member="M2024")
    body = world.request(channel="MINIPROGRAM")
    asked = own.post(f"{URL}check/", world.wish(channel="MINIPROGRAM"), format="json").json()
    assert (asked["possible"], asked["lead"], asked["ask_until"]) == (True, "ON_TIME", "2026-10-10")
    assert asked["cancel_by"] == "2026-10-12T14:00:00+08:00"
    assert not CaseFile.objects.exists()
    key = {"HTTP_IDEMPOTENCY_KEY": "one-booking"}
    first, again = (own.post(URL, body, format="json", **key) for _turn in range(2))
    assert (first.status_code, first.json()["number"]) == (201, again.json()["number"])
    assert CaseFile.objects.filter(kind="appointment").count() == 1
    number = first.json()["number"]
    assert first.json()["appointment"]["submitter"] == "MEMBER"
    assert [client.get(f"{URL}{number}/").status_code for client in (own, other)] == [200, 404]
    cancel = {"version": first.json()["version"], "input": {"reason": "孩子已好转", "channel": "MINIPROGRAM"}}
    done = own.post(f"/api/v1/cases/{number}/actions/cancel/", cancel, format="json")
    assert done.status_code == 200, done.content
    assert own.get(f"{URL}{number}/").json()["state"] == "CANCELLED_ON_TIME"


def test_a_refusal_by_rule_is_filed_and_wrong_input_is_not(world: Rooms) -> None:
    own = machine(member="M2026")
    filed = own.post(URL, world.request(channel="MINIPROGRAM", expert="张主任"), format="json")
    assert (filed.status_code, filed.json()["state"]) == (201, "REJECTED")
    assert [(one["code"], one["rule"]) for one in filed.json()["appointment"]["reasons"]] == [
        ("EXPERT", "APT-10")
    ]
    wrong = own.post(URL, world.request(channel="MINIPROGRAM", visit_on="yesterday"), format="json")
    assert refusal(wrong)[::2] == (400, "visit_on")
    late = own.post(URL, world.request(channel="MINIPROGRAM", override_reason="急"), format="json")
    assert refusal(late)[:3] == (403, "override", "override_reason")
    assert CaseFile.objects.filter(kind="appointment").count() == 1


def test_hospitals_and_administrators_see_their_own(world: Rooms) -> None:
    mine, refused = world.confirmed(), world.ask(expert="张主任", visit_on="2026-10-14")
    world.confirmed("2024", hospital="PUB")
    house, other = machine("HOSPITAL", hospital="PRI"), machine("HOSPITAL", hospital="OTH")
    listed = house.get(URL, {"on": "2026-10-13"}).json()["results"]
    assert [row["number"] for row in listed] == [mine.number]
    for address in (URL, "/api/v1/cases/"):
        assert house.get(f"{address}{refused.number}/").status_code == 404
    confirm = {"version": refused.version, "input": {"time": "09:30"}}
    answer = house.post(f"/api/v1/cases/{refused.number}/actions/confirm/", confirm, format="json")
    assert answer.status_code == 404
    desk = actor_of_client(ApiClient.objects.get(hospital="PRI"))
    assert [sees(desk, case) for case in (mine, refused)] == [True, False]  # nor does a webhook tell it
    assert other.get(URL).json()["results"] == []
    assert house.post(URL, world.request(), format="json").status_code == 403
    tpa = machine("TPA", tpa=world.handbook("2024").handbook.tpa)
    assert {row["series"] for row in tpa.get(URL).json()["results"]} == {"2024"}
    assert tpa.post(URL, world.request(), format="json").status_code == 400  # 2026: not its child
    assert tpa.post(URL, world.request("2024", visit_on="2026-10-27"), format="json").status_code == 201


@pytest.mark.both_databases
def test_the_list_costs_the_same_for_one_and_for_many(world: Rooms) -> None:
    client = machine("TPA")
    world.confirmed()
    client.get(URL)
    with CaptureQueriesContext(connection) as one:
        assert len(client.get(URL).json()["results"]) == 1
    for day in range(14, 18):
        world.ask(visit_on=f"2026-10-{day}")
    with CaptureQueriesContext(connection) as many:
        assert len(client.get(URL).json()["results"]) == 5
    assert len(many) == len(one) <= 6, [query["sql"][:100] for query in many.captured_queries]
    found = client.get(URL, {"visit_from": "2026-10-15", "state": "REQUESTED"}).json()["results"]
    assert [row["appointment"]["visit_on"] for row in found] == ["2026-10-17", "2026-10-16", "2026-10-15"]


# --- Pages ------------------------------------------------------------------------------------------


def test_the_page_asks_and_files(world: Rooms) -> None:
    client = web("service_specialist")
    assert client.get("/admin/appointments/new/?member=M2026&hospital=PRI").status_code == 200
    answer = client.post("/admin/appointments/check/", world.request(visit_on="2026-09-18"))
    assert "APT-07" in answer.content.decode()
    assert "APT-11" in answer.content.decode()
    assert not CaseFile.objects.exists()
    filed = client.post("/admin/appointments/new/", world.request())
    case = CaseFile.objects.get()
    assert filed.status_code == 302
    page = client.get(filed["Location"]).content.decode()
    assert case.number in page
    assert "APT-11" in page
    wrong = client.post("/admin/appointments/new/", world.request(visit_on="2020-01-01"))
    assert wrong.status_code == 400


def test_arrivals_and_lists_are_read_filtered_and_exported(world: Rooms) -> None:
    case, client = world.confirmed(), web("service_specialist")
    page = client.get("/admin/appointments/today/?on=2026-10-13").content.decode()
    assert case.number in page
    assert "09:30" in page
    assert case.number not in client.get("/admin/appointments/today/?on=2026-10-14").content.decode()
    book = load_workbook(io.BytesIO(client.get("/admin/appointments/today/?on=2026-10-13&excel=1").content))
    assert next(cell.value for cell in book.active[2]) == "09:30"
    house = web("service_specialist", hospital="OTH")
    assert case.number not in house.get("/admin/appointments/today/?on=2026-10-13").content.decode()
    lists = "/admin/appointments/appointment/"
    for query, there in (("q=悦安", True), ("q=M2026", True), (f"q={case.number}", True), ("q=康宁", False),
                         ("state=CONFIRMED", True), ("state=NO_SHOW", False),
                         ("visit_on_from=2026-10-13&visit_on_to=2026-10-13", True)):  # fmt: skip
        assert (case.number in client.get(f"{lists}?{query}").content.decode()) is there, query
    data = {"action": "export_excel", "_selected_action": [case.pk]}
    sheet = load_workbook(io.BytesIO(client.post(lists, data).content)).active
    assert sheet["A2"].value == case.number
    assert client.get("/admin/appointments/missed/").status_code == 403


def test_a_manager_looks_at_missed_visits_and_lifts(world: Rooms) -> None:
    case = world.confirmed()
    late = at("2026-10-12 15:00")
    world.do(case, "cancel", by="specialist", reason="改期", channel="HOTLINE", now=late)
    client = web("manager")
    assert case.number in client.get("/admin/appointments/missed/").content.decode()
    world.do(case, "review_missed", by="boss", decision="BAN", reason="多次逾期")
    page = client.get("/admin/appointments/missed/").content.decode()
    assert "多次逾期" in page
    ban = case.member.hospital_bans.get()  # type: ignore[attr-defined]
    client.post("/admin/appointments/missed/", {"ban": ban.pk, "reason": "家属说明"})
    ban.refresh_from_db()
    assert ban.lifted_because == "家属说明"


def test_what_counts_as_late_is_said_before_and_in_the_message(world: Rooms) -> None:
    """APT-11: asked for today with a permission, its cut-off passed before it was confirmed."""
    case = world.confirmed(by="boss", visit_on=f"{world.now:%Y-%m-%d}", override_reason="医院同意当日接诊")
    told = Message.objects.get(case=case.pk).body
    assert "按时取消的时限已过" in told
    assert "之前告知" not in told
    desk = web("service_specialist")
    late = desk.get(f"/admin/case/{case.number}/do/cancel/").content.decode()
    assert "计为逾期" in late
    assert "APT-11" in late
    in_time = world.confirmed(visit_on="2026-10-20")
    assert "计为逾期" not in desk.get(f"/admin/case/{in_time.number}/do/cancel/").content.decode()


# --- Going on at another brand ------------------------------------------------------------------------


@pytest.fixture
def lock(world: Rooms) -> BrandLock:
    case = world.visited(benefit="VACCINE")
    return BrandLock.objects.select_related("policy").get(policy=case.policy_id)


def closed(world: Rooms, on: date = date(2026, 9, 1)) -> None:
    close_brand(world.actor("boss"), brand="悦安", closed_on=on, designated=["康宁"], evidence="品牌公告")


def test_2026_transfers_the_rest_when_the_brand_closes(world: Rooms, lock: BrandLock) -> None:
    """VAC-05, S48: asked for, granted by claims review, somebody else; the limits stay as they are."""
    desk, senior = world.actor("specialist"), world.actor("senior")
    with pytest.raises(Blocked) as early:
        ask_transfer(desk, lock, to_brand="康宁", reason="门店关停")
    assert (early.value.code, early.value.rule) == ("brand_open", "VAC-05")
    closed(world, on=date(2026, 9, 17))
    with pytest.raises(Blocked):  # closes tomorrow
        ask_transfer(desk, lock, to_brand="康宁", reason="品牌关停")
    with pytest.raises(InvalidInput, match=r"designated|指定"):
        ask_transfer(desk, lock, to_brand="别的", reason="品牌关停", now=world.now + days(2))
    transfer = ask_transfer(desk, lock, to_brand="康宁", reason="品牌关停", now=world.now + days(2))
    with pytest.raises(Conflict):
        ask_transfer(desk, lock, to_brand="康宁", reason="品牌关停", now=world.now + days(2))
    with pytest.raises(NotAllowed):
        decide_transfer(desk, transfer, grant=True, answer="同意")
    limits = list(LimitAccount.objects.values())
    decide_transfer(senior, transfer, grant=True, answer="品牌关停属实")
    assert list(LimitAccount.objects.values()) == limits
    assert BrandLock.objects.get().brand == "康宁"
    later = {"benefit": "VACCINE", "visit_on": "2026-11-10"}
    assert world.ask(hospital="OTH", **later).state == "REQUESTED"
    assert world.reasons(world.ask(hospital="PR2", **later)) == {"BRAND": "VAC-04"}
    with pytest.raises(Conflict):
        decide_transfer(senior, transfer, grant=False, answer="再看")


def test_2024_leaves_it_to_a_manager(world: Rooms) -> None:
    """VAC-22: no exception is printed, whatever closed."""
    case = world.visited("2024", benefit="VACCINE")
    lock = BrandLock.objects.select_related("policy").get(policy=case.policy_id)
    transfer = ask_transfer(world.actor("specialist"), lock, to_brand="康宁", reason="品牌关停")
    assert transfer.rule == "VAC-22"
    with pytest.raises(NotAllowed):
        decide_transfer(world.actor("senior"), transfer, grant=True, answer="同意")
    decide_transfer(world.actor("boss"), transfer, grant=True, answer="特殊情况")
    assert BrandLock.objects.get().brand == "康宁"


def test_brands_over_api_and_page(world: Rooms, lock: BrandLock) -> None:
    lead, boss = web("adjuster_lead"), web("manager")
    page = "/admin/appointments/brands/"
    told = {
        "what": "close",
        "brand": "悦安",
        "closed_on": "2026-09-01",
        "designated": "康宁、 别的",
        "evidence": "品牌公告",
    }
    keeper = web("provider_lead")  # manages the network, decides nothing
    unknown = keeper.post(page, told)
    assert unknown.status_code == 400
    assert all(words in unknown.content.decode() for words in ("别的", "VAC-05", 'value="品牌公告"'))
    keeper.post(page, told | {"designated": "康宁"})
    client = web("service_specialist")
    shown = client.get(page).content.decode()
    assert "<option>康宁</option>" in shown
    assert lock.visit in client.get(page, {"q": lock.policy.member.name}).content.decode()
    body = {"to_brand": "康宁", "reason": "品牌关停"}
    asked = client.post(f"/api/v1/brand-locks/{lock.pk}/transfer/", body, content_type="application/json")
    assert asked.status_code == 201, asked.content
    assert asked.json()["transfers"][0]["state"] == "ASKED"
    assert 'name="grant"' in lead.get(page).content.decode()
    assert not any('name="grant"' in desk.get(page).content.decode() for desk in (client, boss, keeper))
    assert client.post(f"/api/v1/brand-locks/{lock.pk}/decide/", {"grant": True, "answer": "同意转诊"},
                       content_type="application/json").status_code == 403  # fmt: skip
    transfer = lock.transfers.get()  # type: ignore[attr-defined]
    lead.post(page, {"what": "decide", "transfer": transfer.pk, "grant": "true", "answer": "品牌关停属实"})
    assert BrandLock.objects.get().brand == "康宁"
    assert machine(member="M2024").get("/api/v1/brand-locks/").json()["results"] == []


def test_the_demonstration_needs_its_children(world: Rooms) -> None:
    assert demo.build(world.now) == 0
    assert not Appointment.objects.exists()
