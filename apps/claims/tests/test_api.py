"""Claims over the API: reported once, read whole, checked without being stored."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.conf import settings

from apps.cases.models import CaseFile
from apps.claims.tests.world import PAYEE, World, events
from apps.documents.models import BillRegister
from apps.documents.storage import StoredFile
from tests.api import machine, person, refusal, refusals, rows_of_every_table

CLAIMS, COVERAGE = "/api/v1/claims/", "/api/v1/claims/coverage/"


def report(world: World, api: Any = None, *, path: str = CLAIMS, key: str = "", **fields: Any) -> Any:
    headers = {"HTTP_IDEMPOTENCY_KEY": key} if key else {}
    return (api or machine()).post(
        path, fields.pop("body", None) or world.report(**fields), format="json", **headers
    )


# --- Reporting -------------------------------------------------------------------------------


@pytest.mark.parametrize("series", ["2024", "2026"])
@pytest.mark.parametrize("kind", ["MEMBER_APP", "TPA"])
def test_every_kind_of_front_end_reports_a_claim(world: World, kind: str, series: str) -> None:
    response = report(world, machine(kind), series=series)
    assert response.status_code == 201, response.content
    body = response.json()
    assert (body["state"], body["claimed"], body["series"]) == ("ONLINE_SUBMITTED", "800.00", series)
    assert body["visits"][0]["bills"][0]["lines"][0]["amount"] == "800.00"
    case = CaseFile.objects.get(number=body["number"])
    assert events(case) == ["reported", "routed"]
    assert case.events.first().client is not None


def test_a_person_reports_with_their_session(world: World) -> None:
    assert report(world, person("intake")).status_code == 201
    assert refusal(report(world, person("auditor")))[:2] == (403, "role")
    assert refusal(report(world, machine("PROVIDER")))[:2] in ((403, "role"), (400, "unknown_member"))


def test_pr_06_what_a_series_refuses_is_registered_for_a_person(world: World) -> None:
    response = report(world, body=world.report(world.visit(hospital="PRI")))
    assert (response.status_code, response.json()["state"]) == (201, "REFUSAL_PENDING")


def test_a_report_costs_a_constant_number_of_statements(
    world: World, django_assert_max_num_queries: Any
) -> None:
    def cost(lines: int) -> int:
        body = world.report(world.visit([world.bill(lines=[world.line("1.00") for _ in range(lines)])]))
        with django_assert_max_num_queries(80) as captured:
            assert report(world, api, body=body).status_code == 201
        return len(captured)

    api = machine()
    cost(1)
    assert cost(60) == cost(1)


# --- Once ------------------------------------------------------------------------------------


def test_the_same_key_reports_once_and_answers_the_same(world: World) -> None:
    api, body = machine(), world.report()
    first, second = (report(world, api, body=body, key="k-1") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert second["Idempotent-Replayed"] == "true"
    assert rows_of_every_table()["claims.Claim"] == 1


def test_law_11_without_a_key_the_bill_itself_is_refused_the_second_time(world: World) -> None:
    api, body = machine(), world.report()
    assert report(world, api, body=body).status_code == 201
    before = rows_of_every_table()
    found = refusal(report(world, api, body=body))
    assert (found.status, found.code, found.rule) == (409, "BILL_SEEN", "LAW-11")
    assert rows_of_every_table() == before


def test_law_11_names_the_other_case_only_to_who_may_see_it(world: World) -> None:
    """Another family's key learns that the bill was claimed, and not in which case."""
    api, body = machine(member="M2026"), world.report()
    assert report(world, api, body=body).status_code == 201
    number = CaseFile.objects.get().number
    theirs = world.report(*body["visits"], series="2024")
    for caller, asked, named in ((machine(member="M2024"), theirs, False), (api, body, True)):
        answer = report(world, caller, body=asked)
        assert (answer.status_code, answer.json()["code"]) == (409, "BILL_SEEN")
        assert (number in answer.content.decode()) is named


# --- Reading ---------------------------------------------------------------------------------


def test_a_decided_claim_shows_its_decision_line_by_line(world: World) -> None:
    case = world.closed()
    body = machine(member="M2026").get(f"{CLAIMS}{case.number}/").json()
    [decision] = body["decisions"]
    [line] = decision["lines"]
    parts = [float(line[name]) for name in ("third_party", "disallowed", "deductible", "member", "insurer")]
    assert sum(parts) == float(line["billed"]) == 800
    assert decision["insurer"] == line["insurer"]


def test_a_family_reads_when_how_much_and_to_whom_was_paid(world: World) -> None:
    case = world.closed()
    [order] = machine(member="M2026").get(f"{CLAIMS}{case.number}/").json()["payments"]
    assert (order["state"], order["amount"], order["payee"]) == ("PAID", "800.00", "王建国")
    assert order["account"].endswith("0830")
    assert PAYEE["account"] not in order["account"]
    assert order["paid_at"].startswith(f"{world.now:%Y-%m-%d}")
    world.do(case, "payment_returned", by="finance", order=order["number"], reason="已销户")
    [order] = machine(member="M2026").get(f"{CLAIMS}{case.number}/").json()["payments"]
    assert (order["state"], order["return_reason"]) == ("RETURNED", "已销户")


def test_a_claim_is_seen_by_whom_it_concerns(world: World) -> None:
    case = world.claim(series="2024")
    for api, seen in (
        (machine(), True),
        (machine("TPA", tpa=case.tpa), True),
        (machine("TPA", tpa="ELSEWHERE"), False),
        (machine("HOSPITAL", hospital="PUB"), True),
        (machine("HOSPITAL", hospital="CHC"), False),
        (machine(member="M2024"), True),
        (machine(member="M2026"), False),
        (machine("PROVIDER"), False),
        (person("manager", series=["2026"]), False),
    ):
        assert api.get(f"{CLAIMS}{case.number}/").status_code == (200 if seen else 404)


@pytest.mark.parametrize(
    ("kind", "scope"),
    [
        ("MEMBER_APP", {"member": "M2024"}),
        ("TPA", {"tpa": "ELSEWHERE"}),
        ("MEMBER_APP", {"series": ["2024"]}),
    ],
)
def test_a_report_for_a_child_of_somebody_else_is_refused_and_says_no_more(
    world: World, kind: str, scope: Any
) -> None:
    before = rows_of_every_table()
    for path in (CLAIMS, COVERAGE):
        response = report(world, machine(kind, **scope), path=path)
        assert refusals(response) == {("member.number", "unknown_member")}
        assert "王小明" not in response.content.decode()
    assert rows_of_every_table() == before


@pytest.mark.parametrize("hospital", ["PUB", "CHC"])
@pytest.mark.parametrize("series", ["2024", "2026"])
def test_a_hospital_reports_no_reimbursement_claims(world: World, series: str, hospital: str) -> None:
    """Not even of visits to itself (PUB): families ask for their money back, hospitals bill directly."""
    before = rows_of_every_table()
    response = report(world, machine("HOSPITAL", hospital=hospital), series=series)
    assert refusal(response) == (403, "not_for_hospitals", "", "")
    assert rows_of_every_table() == before


# --- Coverage check --------------------------------------------------------------------------


def test_a_coverage_check_decides_and_stores_nothing(world: World) -> None:
    api, before = machine(), rows_of_every_table()
    response = report(world, api, path=COVERAGE)
    assert response.status_code == 200
    body = response.json()
    assert body["outcome"] in ("APPROVE", "PARTIAL", "PEND", "REFER")
    assert len(body["lines"]) == 1
    assert rows_of_every_table() == before
    assert not BillRegister.objects.exists()


def test_a_coverage_check_says_what_intake_would_refuse(world: World) -> None:
    body = report(world, path=COVERAGE, body=world.report(world.visit(hospital="PRI"))).json()
    assert body["outcome"] == "BLOCKED"


def test_a_coverage_check_needs_only_the_scope_to_read(world: World) -> None:
    assert report(world, machine(scopes=["claims:read"]), path=COVERAGE).status_code == 200
    assert refusal(report(world, machine(scopes=["claims:read"])))[:2] == (403, "missing_scope")


# --- Refusals --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [CLAIMS, COVERAGE])
@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'"text"', b"1", b"\xff", b'{"member": {}}', b"[" * 3000]
)
def test_a_body_that_is_no_report_is_a_400(world: World, path: str, content: bytes) -> None:
    assert refusal(machine().post(path, content, content_type="application/json")).status == 400


def test_form_data_is_read_or_refused_but_never_breaks(world: World) -> None:
    response = machine().post(CLAIMS, {"member": "M2026", "visits": "x"}, format="multipart")
    assert refusal(response).status == 400


def test_everything_wrong_is_named_at_once(world: World) -> None:
    bill = world.bill("800.00", issued_on="2031-01-01") | {"amount": "700.00"}
    body = world.report(world.visit([bill], hospital="NOWHERE"))
    body["member"] = {"number": "M-UNKNOWN"}
    body["channel"] = "PIGEON"
    found = refusals(report(world, body=body))
    assert {
        ("channel", "unknown_code"), ("member.number", "unknown_member"), ("visits.0.hospital", "unknown_hospital"),
        ("visits.0.bills.0.issued_on", "future"), ("visits.0.bills.0.amount", "sum"),
    } <= found  # fmt: skip


def test_refusals(world: World) -> None:
    case = world.claim()
    assert refusal(person().get(f"{CLAIMS}{case.number}/")).status == 403
    assert refusal(report(world, person())).status == 403
    assert refusal(machine(scopes=["cases:read"]).get(f"{CLAIMS}{case.number}/"))[:2] == (
        403,
        "missing_scope",
    )
    for number in ("C26-999999", "A26-000001", "x", "coverage"):
        assert refusal(machine().get(f"{CLAIMS}{number}/")).status in (404, 405)
    for method in ("put", "patch", "delete"):
        assert refusal(getattr(machine(), method)(f"{CLAIMS}{case.number}/", {}, format="json")).status == 405
    assert refusal(machine().get(CLAIMS)).status == 405


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_a_front_end_reads_which_papers_are_still_missing_and_the_desk_what_is_open(
    world: World, series: str
) -> None:
    body = report(world, series=series, e_signed=False).json()
    wanted = {entry["paper"]: entry for entry in body["missing"]}
    assert {"CLAIM_FORM", "ITEMIZED_BILL"} <= set(wanted)
    form = wanted["CLAIM_FORM"]
    assert form["why"]
    assert form["remedy"]
    assert form["rule"].startswith("RMB-")
    assert body["findings"] == []
    file = StoredFile.objects.create(
        sha256="a" * 64, name="scan.png", content_type="image/png", size=10, path="x"
    )
    paper = {"kind": "INVOICE", "form": "IMAGE", "files": [file.sha256], "subject": "bill:1.1"}
    sent = machine().post(
        f"/api/v1/cases/{body['number']}/actions/attach_paper/",
        {"version": body["version"], "input": paper},
        format="json",
    )
    assert sent.status_code == 200, sent.content
    left = {entry["paper"] for entry in machine().get(f"{CLAIMS}{body['number']}/").json()["missing"]}
    assert left == set(wanted) - {"INVOICE"}
    held = report(world, series="2024", channel="MINIPROGRAM", body=None).json()
    [finding] = person("first_review").get(f"{CLAIMS}{held['number']}/").json()["findings"]
    assert (finding["ref"], finding["rule"], finding["answerable"]) == ("CHANNEL_NOT_OFFERED", "RMB-38", True)
    assert machine().get(f"{CLAIMS}{held['number']}/").json()["findings"] == []


def test_families_read_the_steps_of_a_claim_and_not_what_the_desk_thought(world: World) -> None:
    case = world.review()
    case = world.do(case, "open_dispute", by="senior", reason="票据真实性存疑")
    case = world.do(case, "note", by="senior", text="已电话核实")
    history = f"/api/v1/cases/{case.number}/events/"
    inside = machine("TPA").get(history).json()
    assert {"票据真实性存疑"} <= {event["reason"] for event in inside}
    outside = machine().get(history).json()
    assert [event["to_state"] for event in outside][-1] == "DISPUTED"
    assert {event["reason"] for event in outside} == {""}
    assert "note" not in {event["name"] for event in outside}
    assert {event["actor_label"] for event in outside} <= {"理赔人员", "system", "API"}
    inquiries = f"{CLAIMS}{case.number}/inquiries/"
    assert refusal(machine().get(inquiries))[:2] == (403, "house_only")
    assert machine("TPA").get(inquiries).json()[0]["question"] == "票据真实性存疑"


def test_a_number_of_another_system_stands_for_one_claim_and_odd_values_are_named(world: World) -> None:
    numbers = [{"system": "HIS", "number": "7"}]
    assert report(world, external_numbers=numbers).status_code == 201
    again = report(world, body=world.report(world.visit([world.bill()]), external_numbers=numbers * 2))
    assert refusals(again) == {
        ("external_numbers.0.number", "number_taken"),
        ("external_numbers.1.number", "number_taken"),
    }
    odd = world.report(world.visit([world.bill()], admitted_at="9999-12-31T23:59:59+00:00"))
    odd["reporter"]["name"] = "王\ud800"
    answer = machine().post(CLAIMS, json.dumps(odd), content_type="application/json")
    assert refusals(answer) == {
        ("reporter.name", "characters"),
        ("visits.0.admitted_at", "datetime"),
    }


def test_the_report_in_the_guide_is_taken_as_it_is_printed(world: World) -> None:
    guide = (settings.BASE_DIR / "docs/guides/医院与接口.md").read_text(encoding="utf-8")
    claim, paper = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", guide, re.DOTALL)[:2])
    claim["member"]["number"] = "M2026"
    claim["visits"][0]["hospital"] = "PUB"
    claim["visits"][0]["started_on"] = claim["visits"][0]["bills"][0]["issued_on"] = "2026-09-10"
    body = report(world, body=claim).json()
    assert (body["state"], body["version"]) == ("ONLINE_SUBMITTED", paper["version"])
    asked = {row["name"]: row for row in body["actions"]}["attach_paper"]["inputs"]
    assert set(paper["input"]) <= {row["name"] for row in asked}
