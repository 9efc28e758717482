"""The front end of a family, the machines of providers, hospitals and administrators, and the pages of staff."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest

from apps.accounts.tests.factories import UserFactory, web_of
from apps.care.models import HealthRecord, HomeTest
from apps.care.tests.world import PROVIDER, Care, machine
from apps.cases.models import CaseFile
from apps.documents.models import Paper
from apps.documents.storage import store_bytes
from apps.documents.tests.factories import pdf

TESTS, SERVICES, RECORDS = "/api/v1/home-tests/", "/api/v1/services/", "/api/v1/health-records/"


def act(api: Any, case: dict[str, Any], action: str, **fields: Any) -> Any:
    body = {"version": case["version"], "input": fields}
    return api.post(f"/api/v1/cases/{case['number']}/actions/{action}/", body, format="json")


def web(*roles: str, **fields: Any) -> Any:
    return web_of(UserFactory(roles=roles, is_staff=True, **fields))


def test_a_family_orders_shares_and_reads_and_the_provider_serves_its_own_orders_only(world: Care) -> None:
    family, others = machine("MEMBER_APP", member="M2026"), machine("MEMBER_APP", member="M2024")
    provider, rival = machine("PROVIDER", provider=PROVIDER), machine("PROVIDER", provider="OTHER_LAB")
    made = family.post(TESTS, world.wish(), format="json")
    assert made.status_code == 201, made.content
    case = made.json()
    assert (case["provider"], case["home_test"]["month"]) == (PROVIDER, "2026-09")
    again = family.post(TESTS, world.wish(), format="json")
    assert (again.status_code, again.json()["rule"]) == (409, "TST-05")
    assert others.post(TESTS, world.wish(), format="json").status_code == 400
    for stranger in (others, rival):
        assert stranger.get(f"{TESTS}{case['number']}/").status_code == 404
        assert act(stranger, case, "cancel", reason="不要了").status_code == 404
    assert act(family, case, "sample").status_code == 403
    store_bytes(pdf(), "报告.pdf", "application/pdf")
    case = act(provider, case, "sample").json()
    case = act(provider, case, "report", result="阴性").json()
    assert act(provider, case, "share").status_code == 403
    case = act(family, case, "share").json()
    advice = {"outcome": "NO_PRESCRIPTION", "advice": "多休息", "advised_by": "李医生"}
    case = act(provider, case, "advise", **advice).json()
    assert (case["state"], [row["number"] for row in provider.get(TESTS).json()["results"]]) == (
        "ADVISED", [case["number"]],
    )  # fmt: skip
    assert family.get(f"{TESTS}{case['number']}/").json()["home_test"]["advice"] == "多休息"
    left = family.get(f"{TESTS}entitlement/?member=M2026").json()
    assert (left["state"], left["left"], left["used"], left["this_month"]) == ("AVAILABLE", 4, 1, 1)
    assert others.get(f"{TESTS}entitlement/?member=M2026").status_code == 400
    assert provider.get(f"{TESTS}entitlement/?member=M2026").status_code == 403


def test_a_report_is_a_paper_its_provider_and_family_may_read(world: Care) -> None:
    case = world.sampled()
    stored = store_bytes(pdf(), "报告.pdf", "application/pdf")
    world.act(case, "report", result="阴性", files=[stored.sha256])
    paper = Paper.objects.get(case=case.pk)
    assert (paper.kind, paper.retain_until is not None) == ("EXAM_REPORT", True)
    page = web("service_specialist").get(f"/admin/case/{case.number}/").content.decode()
    assert "报告.pdf" in page


@pytest.mark.parametrize(
    ("service", "series", "rule"),
    [("PHONE_CONSULT", "2026", "D44"), ("TRIAGE", "2026", "D47"), ("DOCTOR", "2024", "GEN-04"), ("VACCINATION", "2026", "VAS-03")],
)  # fmt: skip
def test_what_a_family_is_refused_says_the_rule(world: Care, service: str, series: str, rule: str) -> None:
    """Vaccinations of 2026 are arranged by the hotline only (VAS-03)."""
    family = machine("MEMBER_APP", member=f"M{series}")
    wish = world.ask(service, series) | {"channel": ""}
    answer = family.post(SERVICES, wish, format="json")
    assert (answer.status_code, answer.json()["rule"]) == (409, rule)


def test_a_family_asks_over_its_own_front_end_and_cancels(world: Care) -> None:
    family = machine("MEMBER_APP", member="M2024")
    case = family.post(SERVICES, world.ask("PHONE_CONSULT", "2024"), format="json").json()
    assert (case["service"]["channel"], case["service"]["rule"]) == ("ONLINE", "VAS-10")
    by_phone = family.post(SERVICES, world.ask("PHONE_CONSULT", "2024", channel="PHONE"), format="json")
    assert by_phone.status_code == 409
    offered = {row["key"]: row for row in family.get(f"{SERVICES}offered/?member=M2024").json()}
    assert offered["triage"]["parts"][0]["code"] == "TRIAGE"
    assert not offered["family_doctor"]["offered"]
    assert act(family, case, "respond", responder="我", answer="好的").status_code == 403
    assert act(family, case, "cancel", reason="已好转").json()["state"] == "CANCELLED"
    missing = family.post(SERVICES, world.ask("ASSISTANCE", "2024", site="", visit_on=None), format="json")
    assert {one["field"] for one in missing.json()["errors"]} == {"site", "visit_on"}


def test_the_clinic_of_a_consult_answers_it_and_no_other_hospital_sees_it(world: Care) -> None:
    """APP-23."""
    world.list_hospital("PRI", "2024")
    case = world.request("HOSPITAL_CONSULT", "2024")
    seen = {"number": case.number, "version": case.version}
    assert (
        act(machine("HOSPITAL", hospital="PUB"), seen, "respond", responder="x", answer="好的").status_code
        == 404
    )
    answer = act(machine("HOSPITAL", hospital="PRI"), seen, "respond", responder="周医生", answer="请先退热")
    assert (answer.status_code, answer.json()["state"]) == (200, "RESPONDED")
    assert act(machine("TPA", tpa="ELSEWHERE"), answer.json(), "finish").status_code == 404
    assert act(machine("TPA", tpa="WINDSTONE"), answer.json(), "finish").json()["state"] == "DONE"


def test_the_archive_over_the_api_is_the_childs_own(world: Care) -> None:
    family, others = machine("MEMBER_APP", member="M2026"), machine("MEMBER_APP", member="M2024")
    given = {"member": "M2026", "kind": "VACCINATION", "title": "流感疫苗", "due_on": "2026-10-05"}
    row = family.post(RECORDS, given, format="json").json()
    assert others.post(RECORDS, given, format="json").status_code == 400
    assert others.post(f"{RECORDS}{row['id']}/withdraw/").status_code == 404
    assert [one["title"] for one in family.get(f"{RECORDS}?member=M2026").json()] == ["流感疫苗"]
    assert others.get(f"{RECORDS}?member=M2024").json()["rule"] == "GEN-04"
    assert machine("PROVIDER", provider=PROVIDER).get(f"{RECORDS}?member=M2026").status_code == 403
    assert (
        family.post(f"{RECORDS}{row['id']}/given/", {"done_on": "2026-09-15"}, format="json").status_code
        == 200
    )
    assert family.post(f"{RECORDS}{row['id']}/withdraw/").status_code == 409


def test_staff_order_and_request_on_pages_that_say_what_is_wrong(world: Care) -> None:
    client = web("service_specialist")
    wrong = client.post("/admin/home-tests/order/", world.wish(address="湖南省长沙市1号"))
    assert wrong.status_code == 409
    assert "TST-09" in wrong.content.decode()
    made = client.post("/admin/home-tests/order/", world.wish())
    assert made["Location"] == f"/admin/case/{CaseFile.objects.get().number}/"
    assert HomeTest.objects.count() == 1
    form = client.get("/admin/services/request/?service=GROWTH").content.decode()
    assert 'name="way"' in form
    assert 'name="site"' not in form
    assert client.get("/admin/services/request/?service=NONE")["Location"] == "/admin/care/"
    made = client.post("/admin/services/request/", world.ask("GROWTH"))
    assert client.get(made["Location"]).status_code == 200
    page = client.get("/admin/care/").content.decode()
    for rule in ("VAS-10", "D47", "DL-47", "FD-10"):
        assert rule in page
    assert web("auditor").get("/admin/home-tests/order/").status_code == 403


def test_lists_are_filtered_searched_and_taken_to_excel(world: Care) -> None:
    test, request = world.order(), world.request("GROWTH")
    world.request("TRIAGE", "2024")
    client = web("service_lead")
    for path, case in (("/admin/home-tests/", test), ("/admin/services/", request)):
        assert case.number in client.get(path).content.decode()
        assert case.number in client.get(f"{path}?state=all&q=M2026").content.decode()
        assert case.number not in client.get(f"{path}?series=2024").content.decode()
        sheet = openpyxl.load_workbook(io.BytesIO(client.get(f"{path}?excel=1&series=2026").content)).active
        assert [row[0].value for row in sheet.iter_rows(min_row=2)] == [case.number]
    assert request.number not in client.get("/admin/services/?sort=TRIAGE").content.decode()
    assert test.number not in web("tpa_manager", tpa="ELSEWHERE").get("/admin/home-tests/").content.decode()
    assert web("finance").get("/admin/services/").status_code == 403


def test_the_archive_page_writes_and_closes_a_plan(world: Care) -> None:
    client = web("service_specialist")
    given = {"member": "M2026", "kind": "VACCINATION", "title": "流感疫苗", "due_on": "2026-10-05"}
    assert client.post("/admin/health-archive/", given).status_code == 302
    assert "流感疫苗" in client.get("/admin/health-archive/?member=M2026").content.decode()
    row = HealthRecord.objects.get()
    client.post(f"/admin/health-archive/{row.pk}/", {"member": "M2026", "done_on": "2026-09-16"})
    row.refresh_from_db()
    assert str(row.done_on) == "2026-09-16"
    refused = client.get("/admin/health-archive/?member=M2024")
    assert (refused.status_code, "GEN-04" in refused.content.decode()) == (409, True)
    assert client.post("/admin/health-archive/", given | {"due_on": ""}).status_code == 400
