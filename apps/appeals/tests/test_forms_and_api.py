"""Appeals on pages and over the API: who records, who reads, who sees nothing; figures and Excel."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest

from apps.accounts.tests.factories import ApiClientFactory, UserFactory, api_of, web_of
from apps.appeals.models import Appeal
from apps.appeals.queries import by_adjuster, by_rule, rows_visible_to, total
from apps.appeals.tests.world import Appeals
from apps.direct.tests.world import Direct
from apps.enquiries.actions import record as ask

pytestmark = pytest.mark.django_db
URL, PAGE = "/api/v1/appeals/", "/admin/appeals/"
SCOPES = ["cases:read", "cases:write"]


def machine(kind: str, **fields: Any) -> Any:
    return api_of(ApiClientFactory(kind=kind, scopes=SCOPES, **fields))


def web(*roles: str, **fields: Any) -> Any:
    return web_of(UserFactory(roles=roles, is_staff=True, **fields))


def test_a_family_takes_up_its_own_complaint_where_the_series_prints_that(world: Appeals, rulebook: Any) -> None:  # fmt: skip
    """APP-27: 2024. In 2026 appeals come by the hotline (APL-01)."""
    given: dict[str, Any] = {}
    for series in ("2024", "2026"):
        claim = world.partial(series)
        family = machine("MEMBER_APP", member=f"M{series}")
        wish = {"about": claim.number, "asker": "王建国", "sort": "COMPLAINT", "text": "失约费不应扣除", "appeal": True}  # fmt: skip
        made = family.post("/api/v1/enquiries/", wish, format="json")
        assert made.status_code == 201, made.content
        given[series] = (
            family,
            claim,
            family.post(URL, {"complaint": made.json()["number"]}, format="json"),
        )
    family, claim, opened = given["2024"]
    assert opened.status_code == 201, opened.content
    told = opened.json()
    assert (told["appeal"]["claim"], told["appeal"]["rule"], told["state"]) == (
        claim.number,
        "APP-27",
        "RECEIVED",
    )
    assert [line["place"] for line in told["lines"]] == ["1.1.1", "1.1.2"]
    rulebook.read_back("APP-27", told["appeal"]["complaint"])
    _family, claim_2026, refused = given["2026"]
    body = refused.json()
    assert (refused.status_code, body["code"], body["rule"]) == (409, "channel", "APL-01")
    direct = machine("MEMBER_APP", member="M2026").post(
        URL, {"claim": claim_2026.number, "appellant": "王建国", "text": "不应扣除"}, format="json"
    )
    assert (direct.status_code, direct.json()["rule"]) == (409, "APL-01")
    number = told["number"]
    assert [row["number"] for row in family.get(URL).json()["results"]] == [number]
    stranger = machine("MEMBER_APP", member="M2026")
    assert stranger.get(f"{URL}{number}/").status_code == 404
    assert stranger.get(URL).json()["results"] == []
    assert stranger.post(URL, {"claim": claim.number, "appellant": "陌生人", "text": "不应扣除"}, format="json").status_code == 400  # fmt: skip
    action = f"/api/v1/cases/{number}/actions/"
    again = {"version": told["version"], "input": {"extent": "WHOLLY", "reason": "应予赔付"}}
    assert family.post(f"{action}overturn/", again, format="json").status_code == 403
    gone = family.post(f"{action}withdraw/", {"version": told["version"], "input": {"reason": "不再申诉"}}, format="json")  # fmt: skip
    assert (gone.status_code, gone.json()["state"]) == (200, "WITHDRAWN")


def test_the_result_is_told_with_the_answer(world: Appeals) -> None:
    case = world.upheld()
    family = machine("MEMBER_APP", member="M2026")
    told = family.get(f"{URL}{case.number}/").json()["appeal"]
    assert (told["result"], told["reasons"], told["answer"]) == ("", [], "")
    case = world.act(case, "answer", text="经复审，维持原决定。")
    told = family.get(f"{URL}{case.number}/").json()
    assert (told["appeal"]["result"], told["appeal"]["answer"]) == ("UPHELD", "经复审，维持原决定。")
    assert {letter["kind"] for letter in told["appeal_letters"]} == {"APPEAL_ACK", "APPEAL_REPLY"}
    assert "王建国" in told["appeal"]["appellant"]
    assert world.actor("second").label not in str(told)


def test_hospitals_and_other_administrators_see_no_appeal(world: Appeals) -> None:
    claim = world.partial("2024")
    case = world.record(claim)
    said = {"claim": claim.number, "appellant": "医院", "text": "不应扣除"}
    hospital = machine("HOSPITAL", hospital="PUB")
    assert hospital.get(URL).json()["results"] == []
    assert hospital.get(f"{URL}{case.number}/").status_code == 404
    assert hospital.post(URL, said, format="json").status_code == 403
    other = machine("TPA", tpa="OTHER")
    assert other.get(URL).json()["results"] == []
    assert other.post(URL, said, format="json").json()["code"] == "unknown_case"
    own = machine("TPA", tpa=claim.tpa)
    assert [row["number"] for row in own.get(URL).json()["results"]] == [case.number]
    second = own.post(URL, {"claim": world.partial("2024").number, "appellant": "王建国", "text": "不应扣除", "channel": "EMAIL"}, format="json")  # fmt: skip
    assert second.status_code == 201, second.content
    assert web("adjuster_lead", tpa="OTHER").get(PAGE).content.decode().count(case.number) == 0
    assert web("finance").get(PAGE).status_code == 403


def test_staff_record_on_a_page_that_says_what_is_wrong(world: Appeals) -> None:
    claim, client = world.partial(), web("service_specialist")
    empty = client.get(f"{PAGE}record/").content.decode()
    assert 'name="claim"' in empty
    page = client.get(f"{PAGE}record/?claim={claim.number}").content.decode()
    assert "失约费" in page
    assert 'value="1.1.2"' in page
    wrong = client.post(f"{PAGE}record/", {"claim": claim.number, "appellant": "母亲", "text": "", "channel": "HOTLINE"})  # fmt: skip
    assert wrong.status_code == 400
    refused = client.post(f"{PAGE}record/", {"claim": claim.number, "appellant": "母亲", "text": "不应扣除", "channel": "EMAIL"})  # fmt: skip
    assert (refused.status_code, "APL-01" in refused.content.decode()) == (409, True)
    given = {"claim": claim.number, "appellant": "母亲", "text": "不应扣除", "channel": "HOTLINE", "lines": ["1.1.2"]}  # fmt: skip
    made = client.post(f"{PAGE}record/", given)
    assert made.status_code == 302
    shown = client.get(made.url).content.decode()
    assert "不应扣除" in shown
    assert claim.number in shown
    number = Appeal.objects.get().case.number
    assert number in web("supervisor").get(f"/admin/case/{claim.number}/").content.decode()
    assert number in client.get(f"{PAGE}record/?claim={claim.number}").content.decode()
    assert web("auditor").get(f"{PAGE}record/").status_code == 403


def test_a_complaint_page_leads_to_its_appeal(world: Appeals) -> None:
    claim, client = world.partial("2024"), web("service_specialist")
    wish = {"about": claim.number, "asker": "王建国", "sort": "COMPLAINT", "text": "失约费不应扣除", "channel": "EMAIL", "appeal": True}  # fmt: skip
    complaint = ask(world.actor("service"), wish)
    page = f"/admin/case/{complaint.number}/"
    assert f"record/?complaint={complaint.number}" in client.get(page).content.decode()
    form = client.get(f"{PAGE}record/?complaint={complaint.number}").content.decode()
    assert "失约费不应扣除" in form
    given = {
        "claim": claim.number,
        "complaint": complaint.number,
        "appellant": "王建国",
        "text": "失约费不应扣除",
    }
    assert client.post(f"{PAGE}record/", given | {"channel": "HOTLINE"}).status_code == 302
    assert Appeal.objects.get().case.number in client.get(page).content.decode()


@pytest.mark.both_databases
def test_how_appeals_go(world: Appeals) -> None:
    """Counts by rule and by adjuster open their cases; figures by adjuster are for managers."""
    world.act(world.upheld(), "answer", text="经复审，维持原决定。")
    claim = world.partial("2024")
    case = world.overturned(claim, "2024")
    world.corrected(claim)
    world.do(claim, "decide", by="second")
    world.act(world.record(world.partial()), "withdraw", by="service", reason="不再申诉")
    rows = rows_visible_to(world.actor("manager"))
    told = total(rows, world.now)
    assert (told.received, told.open, told.upheld, told.partly, told.withdrawn) == (3, 1, 1, 1, 1)
    assert (told.rate, told.change_fen) == (50, 9_000)
    [adjuster] = by_adjuster(rows)
    assert (adjuster.key, adjuster.received, adjuster.rate) == (
        str(world.actor("adjuster").user_id),
        3,
        50,
    )
    rules = by_rule(rows)
    assert sum(one.partly for one in rules) >= 1
    manager, clerk = web("manager"), web("service_specialist")
    page = manager.get(f"{PAGE}figures/").content.decode()
    assert f"decider={adjuster.key}" in page
    assert f"rule={rules[0].key}" in page
    assert "decider=" not in clerk.get(f"{PAGE}figures/").content.decode()
    for query, numbers in (
        ("", [case.number]), ("?state=all&result=PARTLY", [case.number]), ("?state=WITHDRAWN", None),
        (f"?state=all&decider={adjuster.key}&result=OVERTURNED", [case.number]), (f"?q={claim.number}", [case.number]),
        ("?series=2024", [case.number]), ("?late=1", []), ("?since=2027-01-01&state=all", []), ("?who=nobody", []),
    ):  # fmt: skip
        book = openpyxl.load_workbook(io.BytesIO(manager.get(f"{PAGE}{query or '?'}&excel=1".replace("?&", "?")).content))  # fmt: skip
        found = [row[0] for row in list(book.active.iter_rows(values_only=True))[1:]]
        assert len(found) == 1 if numbers is None else found == numbers, query
    for part in ("rules", "adjusters"):
        book = openpyxl.load_workbook(io.BytesIO(manager.get(f"{PAGE}figures/?excel={part}").content))
        assert book.active.max_row > 1


@pytest.mark.both_databases
def test_a_direct_claim_is_appealed_and_decided_again(now: Any) -> None:
    """Its hospital is paid the difference; the appeal is answered after the new decision."""
    hospitals = Direct()
    lines = [
        hospitals.line("800.00"),
        hospitals.line("90.00", name="失约费", kind="NO_SHOW"),
    ]
    claim = hospitals.decided(hospitals.visit([hospitals.bill(lines=lines)], hospital="PRI"))
    appeals = Appeals.__new__(Appeals)
    appeals.now = hospitals.now
    case = appeals.record(claim)
    assert case.appeal.version == 1
    assert case.hospital_id is None
    reviewer = next(name for name in ("senior", "second") if appeals.actor(name).user_id not in {one.user_id for one in case.appeal.deciders.all()})  # fmt: skip
    case = appeals.act(case, "assign", by="lead", assignee=appeals.actor(reviewer).user_id)
    case = appeals.act(case, "overturn", by=reviewer, extent="WHOLLY", reason="该项为检查")
    assert hospitals.look(claim).state == "UNDER_REVIEW"
    change = {"place": "1.1.2", "field": "kind", "value": "EXAM"}
    hospitals.do(claim, "correct_facts", by=reviewer, reason="申诉复审", changes=[change])
    hospitals.do(claim, "decide", by=reviewer)
    case = appeals.fresh(case)
    assert (case.appeal.new_version, case.appeal.change_fen and case.appeal.change_fen > 0) == (2, True)
    assert appeals.act(case, "answer", by=reviewer, text="改判，差额付给医院。").state == "CLOSED"
