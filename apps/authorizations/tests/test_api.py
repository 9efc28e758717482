"""The interface and the pages: what hospitals, administrators and staff may do and see."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.accounts.tests.factories import UserFactory, web_of
from apps.authorizations.queries import in_hospital
from apps.authorizations.tests.world import Rooms
from apps.cases.models import CaseFile
from tests.api import machine as client_of

URL = "/api/v1/authorizations/"
CHILD = {"name": "王小明", "birth_date": "2021-05-04"}
PAGE_BUDGET, LIST_BUDGET = 27, 6  # queries
SCOPES = ["claims:read", "claims:write"]


def machine(kind: str = "HOSPITAL", **fields: Any) -> Any:
    return client_of(kind, scopes=SCOPES, **fields)


def test_a_hospital_requests_once_and_sees_its_own_only(world: Rooms) -> None:
    own, other = machine(hospital="PRI"), machine(hospital="PUB")
    body, key = world.request(**CHILD), {"HTTP_IDEMPOTENCY_KEY": "one-request"}
    first = own.post(URL, body, format="json", **key)
    again = own.post(URL, body, format="json", **key)
    assert (first.status_code, again.status_code) == (201, 201), first.content
    assert first.json()["number"] == again.json()["number"]
    assert CaseFile.objects.filter(kind="authorization").count() == 1
    said = first.json()["authorization"]
    assert (said["estimate"], said["late"], said["submitter"]) == ("12000.00", False, "HOSPITAL")
    number = first.json()["number"]
    assert own.get(f"{URL}{number}/").status_code == 200
    assert other.get(f"{URL}{number}/").status_code == 404
    assert [len(client.get(URL).json()["results"]) for client in (own, other)] == [1, 0]


def test_a_hospital_asks_for_itself_and_names_the_child_fully(world: Rooms) -> None:
    own = machine(hospital="PRI")
    assert own.post(URL, world.request(**CHILD, hospital="PUB"), format="json").status_code == 403
    refused = own.post(URL, world.request(), format="json")
    assert refused.status_code == 400
    assert not CaseFile.objects.filter(kind="authorization").exists()


def test_pa27_the_hospital_asks_with_consent_and_app24_the_family_follows(
    world: Rooms, rulebook: Any
) -> None:
    own = machine(hospital="PRI")
    body = world.request(**CHILD, series="2024", channel="HOSPITAL", consent=True)
    said = own.post(URL, body, format="json")
    assert said.status_code == 201, said.content
    given = said.json()["authorization"]
    assert (given["submitter"], given["channel"]) == ("HOSPITAL", "HOSPITAL")
    rulebook.read_back("PA-27", given)
    number = said.json()["number"]
    family, others = machine("MEMBER_APP", member="M2024"), machine("MEMBER_APP", member="M2026")
    assert [row["number"] for row in family.get(URL).json()["results"]] == [number]
    assert family.get(f"{URL}{number}/").json()["state"] == "SUBMITTED"
    case = CaseFile.objects.get(number=number)
    world.do(case, "ask_papers", by="intake")
    progress = family.get(f"{URL}{number}/").json()
    assert progress["state"] == "MATERIALS_PENDING"
    rulebook.read_back("APP-24", progress["state"])
    assert others.get(f"{URL}{number}/").status_code == 404
    assert others.get(URL).json()["results"] == []


def test_an_administrator_sees_its_series_only(world: Rooms) -> None:
    tpa = world.handbook("2024").handbook.tpa
    client = machine("TPA", tpa=tpa)
    assert client.post(URL, world.request(), format="json").status_code == 400  # 2026: not its child
    assert client.post(URL, world.request(series="2024"), format="json").status_code == 201


def test_the_question_stores_nothing(world: Rooms) -> None:
    answer = machine("TPA").post(f"{URL}check/", world.plan(), format="json")
    assert answer.status_code == 200, answer.content
    said = answer.json()
    assert (said["needed"], said["direct_billing"], said["late"]) == (True, True, False)
    assert {trigger["rule"] for trigger in said["triggers"]} == {"PA-07"}
    assert (said["not_covered_because"], said["no_letter_because"]) == ([], "")
    elsewhere = world.plan(hospital="PUB", planned_on="2027-06-30")
    said = machine("TPA").post(f"{URL}check/", elsewhere, format="json").json()
    assert (said["covered"], [why["rule"] for why in said["not_covered_because"]]) == (False, ["C9"])
    assert "网络" in said["no_letter_because"]
    assert not CaseFile.objects.exists()


@pytest.mark.parametrize(("hours", "late"), [(47, False), (49, True)])
def test_pa06_the_answer_counts_the_hours_of_an_emergency(world: Rooms, hours: int, late: bool) -> None:
    at = world.now - timedelta(hours=hours)
    plan = world.plan(emergency_at=at.isoformat(), planned_on=at.date().isoformat())
    said = machine("TPA").post(f"{URL}check/", plan, format="json").json()
    assert (said["late"], said["ask_until"]) == (late, None)
    assert datetime.fromisoformat(said["notify_by"]) == at + timedelta(hours=48)
    page = web("service_specialist").post("/admin/authorizations/check/", as_form(plan)).content.decode()
    assert ("PA-06" in page, "逾时" in page) == (True, late)


def test_refusals_name_field_and_rule(world: Rooms) -> None:
    answer = machine("TPA").post(URL, world.request(channel="MAIL"), format="json")
    assert answer.status_code == 400
    assert "PA-04" in answer.content.decode()


# --- Pages ------------------------------------------------------------------------------------------


def web(*roles: str, **fields: Any) -> Any:
    return web_of(UserFactory(roles=roles, is_staff=True, **fields))


def as_form(data: dict[str, Any]) -> dict[str, Any]:
    flat = {name: value for name, value in data.items() if name != "lines"}
    lines = data["lines"]
    return flat | {
        f"lines.{index}.{name}": value for index, line in enumerate(lines) for name, value in line.items()
    }


def test_the_request_is_asked_and_filed_on_a_page(world: Rooms) -> None:
    client = web("service_specialist")
    assert client.get("/admin/authorizations/new/").status_code == 200
    form = as_form(world.request())
    asked = client.post("/admin/authorizations/check/", form)
    assert "PA-07" in asked.content.decode()
    assert not CaseFile.objects.exists()
    wrong = client.post("/admin/authorizations/check/", form | {"member": "", "lines.0.amount": "viel"})
    assert "<b>被保险人</b>" in wrong.content.decode()
    assert "<b>计划项目 1 · 预估金额</b>" in wrong.content.decode()
    filed = client.post("/admin/authorizations/new/", form)
    case = CaseFile.objects.get(kind="authorization")
    assert (filed.status_code, filed.url) == (302, f"/admin/case/{case.number}/")
    shown = client.get(filed.url).content.decode()
    assert "急性阑尾炎" in shown
    wrong = client.post("/admin/authorizations/new/", form | {"channel": "MAIL"})
    assert wrong.status_code == 400
    assert "PA-04" in wrong.content.decode()


@pytest.mark.parametrize("roles", [("finance",), ("mailroom",)])
def test_the_request_page_is_for_the_desk(world: Rooms, roles: tuple[str, ...]) -> None:
    assert web(*roles).get("/admin/authorizations/new/").status_code in (302, 403, 404)


def test_children_in_hospital_with_day_and_share_of_the_letter(
    world: Rooms, django_assert_num_queries: Any
) -> None:
    case = world.do(world.admitted(), "report_costs", by="intake", amount="8500.00")
    world.admitted(series="2024")
    actor = world.actor("intake")
    with django_assert_num_queries(1):
        rows = in_hospital(actor, world.now.date())
    assert [(row.case.pk == case.pk, row.day, row.percent, row.level) for row in rows] == [
        (True, 1, 85, "warn"), (False, 1, 0, "good"),
    ]  # fmt: skip
    page = web("intake").get("/admin/authorizations/in-hospital/?series=2026").content.decode()
    assert case.number in page
    assert "85 %" in page
    assert User.objects.exists()


def test_every_state_has_its_page(world: Rooms) -> None:
    client = web("senior_adjuster")
    cases = [world.ask(), world.approved(hospital="PUB"), world.sent()]
    asked = world.do(world.admitted(), "ask_supplement", by="lead", reason="延长", until="2026-11-10")
    for case in (*cases, asked):
        assert client.get(f"/admin/case/{case.number}/").status_code == 200
    granting = client.get(f"/admin/case/{asked.number}/do/grant_supplement/")
    assert granting.status_code == 200


def test_pages_and_lists_cost_the_same_however_much_they_show(world: Rooms) -> None:
    """The case page with one item and with twelve, its guards and panels from one reading of the plan;
    the list of the API with one row and with three."""
    many = [{"name": f"项目{index}", "kind": "EXAM", "amount": "100.00"} for index in range(11)]
    small = world.ask()
    large = world.ask({"name": "阑尾切除术", "kind": "SURGERY", "amount": "12000.00"}, *many)
    client, api = web("senior_adjuster"), machine("TPA")

    def cost(read: Any, address: str) -> int:
        read(address)  # what a process reads once
        with CaptureQueriesContext(connection) as seen:
            assert read(address).status_code == 200
        return len(seen)

    assert cost(client.get, f"/admin/case/{small.number}/") == cost(
        client.get, f"/admin/case/{large.number}/"
    )
    assert cost(client.get, f"/admin/case/{large.number}/") <= PAGE_BUDGET
    with CaptureQueriesContext(connection) as seen:
        client.get(f"/admin/case/{large.number}/")
    for table in (
        "authorizations_plannedline",
        "documents_paper",
        "ledger_limitaccount",
        "hospitals_networkentry",
    ):
        assert sum(f'FROM "{table}"' in query["sql"] for query in seen.captured_queries) == 1, table
    two = cost(api.get, URL)
    for _more in range(3):
        world.ask()
    assert cost(api.get, URL) == two <= LIST_BUDGET
