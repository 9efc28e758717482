"""Cases over the API: what is seen, what can be done, and how a refusal looks."""

from __future__ import annotations

from typing import Any

import pytest

from apps.cases.models import CaseFile
from apps.claims.tests.world import World, events
from tests.api import Refusal, machine, person, refusal, refusals, rows_of_every_table

CASES = "/api/v1/cases/"


def address(case: CaseFile, tail: str = "") -> str:
    return f"{CASES}{case.number}/{tail}"


def do(
    api: Any, case: CaseFile, action: str, *, version: int | None = None, key: str = "", **data: Any
) -> Any:
    headers = {"HTTP_IDEMPOTENCY_KEY": key} if key else {}
    seen = CaseFile.objects.get(pk=case.pk).version if version is None else version
    return api.post(
        address(case, f"actions/{action}/"), {"version": seen, "input": data}, format="json", **headers
    )


def numbers(response: Any) -> set[str]:
    assert response.status_code == 200, response.content
    return {row["number"] for row in response.json()["results"]}


# --- Reading ---------------------------------------------------------------------------------


def test_a_list_masks_names_and_writes_yuan_as_text(world: World) -> None:
    case = world.claim()
    [row] = machine().get(CASES).json()["results"]
    assert row["number"] == case.number
    assert row["amount"] == "800.00"
    assert row["member"] == "M2026"
    assert "王小明" not in str(row)


def test_one_case_shows_its_clocks_and_what_the_caller_may_do(world: World) -> None:
    case = world.claim(papers=[{"kind": "CLAIM_FORM", "form": "E_SIGNED"}])
    body = machine(member="M2026").get(address(case)).json()
    assert {clock["key"] for clock in body["clocks"]} == {
        "claim.small_notice",
        "law.decision",
        "law.undisputed",
    }
    actions = {row["name"]: row for row in body["actions"]}
    assert {"withdraw", "set_payee", "attach_paper"} <= set(actions)
    asked = {row["name"]: row["choices"] for row in actions["attach_paper"]["inputs"]}
    assert {"code": "CLAIM_FORM", "title": "理赔表（签名）"} in asked["kind"]
    assert "decide" not in actions
    assert actions["withdraw"]["inputs"] == [
        {"name": "reason", "title": "理由", "type": "text", "required": True, "choices": []}
    ]
    relation = next(row for row in actions["set_payee"]["inputs"] if row["name"] == "relation")
    assert {"code": "MOTHER", "title": "母亲"} in relation["choices"]


def test_a_blocked_action_is_listed_with_its_rule(world: World) -> None:
    case = world.do(world.do(world.claim(), "check_materials", by="intake"), "papers_arrived", by="intake")
    rows = {row["name"]: row for row in person("intake").get(address(case)).json()["actions"]}
    assert rows["request_supplement"]["allowed"] is False
    assert [blocker["code"] for blocker in rows["request_supplement"]["blockers"]] == ["second_notice"]
    assert rows["request_supplement"]["blockers"][0]["rule"]


def test_the_timeline_is_in_order(world: World) -> None:
    case = world.closed()
    rows = machine().get(address(case, "events/")).json()
    assert [row["name"] for row in rows] == events(case)
    assert [row["seq"] for row in rows] == sorted(row["seq"] for row in rows)


def test_filters_search_and_order(world: World) -> None:
    first, second = world.claim(), world.claim(series="2024")
    third = world.claim(external_numbers=[{"system": "HIS", "number": "X-77"}], now=world.later(hours=1))
    api = machine()
    assert numbers(api.get(CASES, {"series": "2024"})) == {second.number}
    assert numbers(
        api.get(CASES, {"member": "M2026", "opened_before": world.later(minutes=1).isoformat()})
    ) == {first.number}
    assert numbers(api.get(CASES, {"search": "X-77"})) == {third.number}
    assert numbers(api.get(CASES, {"state": "CLOSED"})) == set()
    ordered = [row["number"] for row in api.get(CASES, {"ordering": "number"}).json()["results"]]
    assert ordered == sorted(ordered)


def test_pages_are_complete_without_a_count(world: World) -> None:
    made = {world.claim().number for _ in range(5)}
    api, found, page = machine(), set(), f"{CASES}?page_size=2"
    while page:
        body = api.get(page).json()
        assert "count" not in body
        found |= {row["number"] for row in body["results"]}
        page = body["next"]
    assert found == made


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"due_before": "tomorrow"}, "due_before"),
        ({"opened_after": "2026-13-01"}, "opened_after"),
        ({"page": "0"}, "page"),
        ({"page_size": "9999"}, "page_size"),
        ({"member": "\x00"}, "member"),
    ],
)
def test_a_wrong_filter_is_named(world: World, query: dict[str, str], field: str) -> None:
    found = refusal(machine().get(CASES, query))
    assert (found.status, found.field) == (400, field)


# --- Visibility ------------------------------------------------------------------------------


def test_everybody_sees_their_own_cases_only(world: World) -> None:
    mine, other_house, other_series = (
        world.claim(),
        world.claim(world.visit(hospital="CHC")),
        world.claim(series="2024"),
    )
    everything = {mine.number, other_house.number, other_series.number}
    assert other_series.tpa
    for api, expected in (
        (machine(), everything),
        (machine("HOSPITAL", hospital="PUB"), {mine.number, other_series.number}),
        (machine("HOSPITAL", hospital="PRI"), set()),
        (machine("TPA", tpa=other_series.tpa), {other_series.number}),
        (machine("TPA", tpa="ELSEWHERE"), set()),
        (machine("MEMBER_APP", member="M2026"), {mine.number, other_house.number}),
        (machine("PROVIDER"), set()),
        (person("manager", series=["2024"]), {other_series.number}),
        (person("auditor"), everything),
    ):
        assert numbers(api.get(CASES)) == expected
        for case in (mine, other_house, other_series):
            seen = case.number in expected
            for tail in ("", "events/"):
                response = api.get(address(case, tail))
                assert response.status_code == (200 if seen else 404)
            if not seen:
                assert refusal(do(api, case, "withdraw", reason="not mine")).status == 404
    assert {case.state for case in CaseFile.objects.all()} <= {"ONLINE_SUBMITTED", "AWAITING_ORIGINALS"}


def test_strangers_and_people_without_a_role_get_nothing(world: World) -> None:
    from rest_framework.test import APIClient

    case = world.claim()
    for path in (CASES, address(case), address(case, "events/")):
        assert refusal(APIClient().get(path)).status == 401
        assert refusal(person().get(path)).status == 403
    assert refusal(do(person(), case, "withdraw", reason="let me")).status == 403


@pytest.mark.parametrize("scopes", [[], ["members:read"], ["cases:read"]])
def test_a_key_does_what_its_scopes_say(world: World, scopes: list[str]) -> None:
    case, api = world.claim(), machine(scopes=scopes)
    may_read = "cases:read" in scopes
    assert api.get(CASES).status_code == (200 if may_read else 403)
    assert refusal(do(api, case, "withdraw", reason="twice"))[:2] == (403, "missing_scope")
    assert world.see(case).state == "ONLINE_SUBMITTED"


# --- Doing -----------------------------------------------------------------------------------


def test_an_action_answers_with_the_case_as_it_is_now(world: World) -> None:
    case = world.claim()
    body = do(machine("HOSPITAL"), case, "withdraw", reason="reported twice").json()
    assert (body["state"], body["open"], body["version"]) == ("WITHDRAWN", False, world.see(case).version)
    assert case.events.latest("seq").client is not None


def test_a_stale_version_is_a_409_with_the_version_it_has_now(world: World) -> None:
    case = world.claim()
    seen = world.see(case).version
    world.do(case, "note", text="meanwhile")
    response = do(machine(), case, "withdraw", version=seen, reason="twice")
    assert refusal(response)[:2] == (409, "stale")
    assert response.json()["data"] == {"number": case.number, "version": seen + 1, "seen": seen}


@pytest.mark.parametrize(
    ("action", "data", "expected"),
    [
        ("decide", {}, Refusal(403, "role")),
        ("abracadabra", {}, Refusal(404, "unknown_action", "action")),
        ("withdraw", {}, Refusal(400, "required", "reason")),
        ("withdraw", {"reason": ["a", "list"]}, Refusal(400, "type", "reason")),
        ("withdraw", {"reason": "twice", "mood": "bad"}, Refusal(400, "unknown_field", "mood")),
        ("withdraw", {"reason": "twice", "now": "2020-01-01"}, Refusal(400, "unknown_field", "input.now")),
        ("withdraw", {"reason": "twice", "actor": "system"}, Refusal(400, "unknown_field", "input.actor")),
        ("withdraw", {"reason": "\x00\x00"}, Refusal(400, "characters", "reason")),
        ("new_account", {}, Refusal(400, "required", "name")),
    ],
)
def test_refusals_have_one_shape_and_change_nothing(
    world: World, action: str, data: Any, expected: Refusal
) -> None:
    case, api = world.claim(), machine()
    before = rows_of_every_table()
    assert refusal(do(api, case, action, **data)) == expected
    assert rows_of_every_table() == before


def test_what_stands_beside_the_input_is_refused_not_passed_over(world: World) -> None:
    case, api = world.claim(), machine()
    sent = {"version": case.version, "reason": "twice", "input": {}}
    response = api.post(f"/api/v1/cases/{case.number}/actions/withdraw/", sent, format="json")
    assert refusal(response) == Refusal(400, "unknown_field", "reason")
    assert "version, input" in response.json()["message"]


def test_every_wrong_field_is_listed(world: World) -> None:
    response = do(
        machine(), world.claim(), "set_payee", account="12", clearing_number="x" * 20, relation="AUNT"
    )
    assert {
        ("name", "required"),
        ("bank", "required"),
        ("relation", "unknown_code"),
        ("clearing_number", "too_long"),
    } == refusals(response)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "version"),
        ({"version": "one"}, "version"),
        ({"version": 0}, "version"),
        ({"version": 2**40}, "version"),
        ({"version": 1, "input": []}, "input"),
    ],
)
def test_a_wrong_envelope_is_named(world: World, body: dict[str, Any], field: str) -> None:
    response = machine().post(address(world.claim(), "actions/withdraw/"), body, format="json")
    assert (refusal(response).status, refusal(response).field) == (400, field)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"version": NaN}', b"1" * 5000]
)
def test_a_body_that_is_no_object_is_a_400(world: World, content: bytes) -> None:
    response = machine().post(
        address(world.claim(), "actions/withdraw/"), content, content_type="application/json"
    )
    assert refusal(response).status == 400


def test_what_is_not_json_is_a_415(world: World) -> None:
    response = machine().post(
        address(world.claim(), "actions/withdraw/"), b"<a/>", content_type="application/xml"
    )
    assert refusal(response).status == 415


def test_a_blocked_action_is_a_409_with_its_rule(world: World) -> None:
    case = world.do(world.do(world.claim(), "check_materials", by="intake"), "papers_arrived", by="intake")
    found = refusal(do(person("intake"), case, "request_supplement"))
    assert (found.status, found.code) == (409, "second_notice")
    assert found.rule


# --- Idempotency-Key -------------------------------------------------------------------------


def test_the_same_key_does_an_action_once_and_answers_the_same(world: World) -> None:
    case, api = world.claim(), machine()
    seen = world.see(case).version
    first = do(api, case, "withdraw", version=seen, key="k-1", reason="reported twice")
    second = do(api, case, "withdraw", version=seen, key="k-1", reason="reported twice")
    assert (first.status_code, second.status_code) == (200, 200)
    assert second.content == first.content
    assert second["Idempotent-Replayed"] == "true"
    assert events(case).count("withdrawn") == 1


def test_a_key_belongs_to_one_request_of_one_actor(world: World) -> None:
    case, api = world.claim(), machine()
    seen = world.see(case).version
    do(api, case, "withdraw", version=seen, key="k-1", reason="reported twice")
    assert refusal(do(api, case, "withdraw", version=seen, key="k-1", reason="another"))[:2] == (
        422,
        "idempotency_mismatch",
    )
    assert refusal(do(machine(), case, "withdraw", version=seen, key="k-1", reason="reported twice"))[:2] == (
        409,
        "stale",
    )


def test_a_refusal_is_not_kept_under_its_key(world: World) -> None:
    case, api = world.claim(), machine()
    assert refusal(do(api, case, "withdraw", version=1, key="k-1", reason="reported twice")).code == "stale"
    assert do(api, case, "withdraw", key="k-1", reason="reported twice").status_code == 200


# --- What it costs ---------------------------------------------------------------------------


def test_a_list_costs_the_same_for_one_case_and_for_five(
    world: World, django_assert_num_queries: Any
) -> None:
    api = machine()
    world.claim()
    api.get(CASES)
    with django_assert_num_queries(5) as one:  # the key, the page, its children, policies, handbooks
        api.get(CASES)
    for _ in range(4):
        world.claim()
    with django_assert_num_queries(len(one)):
        api.get(CASES)


def test_nothing_is_changed_by_other_methods(world: World) -> None:
    case, api = world.claim(), machine()
    for method in ("put", "patch", "delete"):
        assert refusal(getattr(api, method)(address(case), {"state": "CLOSED"}, format="json")).status == 405
    assert refusal(api.post(CASES, {}, format="json")).status == 405
    for number in ("C26-999999", "x", "C26-00000000000", "../..", "Q26-000001"):
        assert refusal(api.get(f"{CASES}{number}/")).status == 404


# --- One action on many cases ---------------------------------------------------------------------


def do_each(api: Any, action: str, seen: dict[str, int], **data: Any) -> Any:
    cases = [{"number": number, "version": version} for number, version in seen.items()]
    return api.post(f"{CASES}actions/{action}/", {"cases": cases, "input": data}, format="json")


def test_who_refuses_stays_and_says_why_and_the_others_are_done(world: World) -> None:
    ready, stale, early = world.review(), world.review(), world.claim()
    api = person("senior_adjuster")
    cases = {case.number: world.see(case).version for case in (ready, stale, early)}
    seen = cases | {stale.number: cases[stale.number] - 1}
    response = do_each(api, "decide", seen)
    assert response.status_code == 200, response.content
    done, late, wrong = response.json()
    assert (done["done"], done["error"]) == (True, None)
    assert done["state"] == world.see(ready).state == "PAYMENT_PENDING"
    assert (late["done"], late["error"]["code"], late["version"]) == (
        False,
        "stale",
        cases[stale.number],
    )
    assert (wrong["done"], wrong["error"]["code"], wrong["state"]) == (False, "state", early.state)


def test_cases_of_others_are_unknown_in_a_batch_too(world: World) -> None:
    case = world.review()
    [answer] = do_each(
        person("senior_adjuster", series=["2024"]), "decide", {case.number: case.version}
    ).json()
    assert (answer["done"], answer["state"], answer["version"]) == (False, None, None)
    assert answer["error"]["code"] == "not_found"
    assert world.see(case).state == "UNDER_REVIEW"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"cases": []}, "cases"),
        ({"cases": [{"number": "C26-000001", "version": 1}] * 2}, "cases"),
        ({"cases": [{"number": f"C26-{n:06}", "version": 1} for n in range(101)]}, "cases"),
        ({"cases": [{"number": "C26-000001"}]}, "cases.0.version"),
        ({"cases": [{"number": "C26-000001", "version": 1}], "input": {"now": "2026"}}, "input.now"),
    ],
)  # fmt: skip
def test_a_wrong_batch_is_named(world: World, body: dict[str, Any], field: str) -> None:
    response = person("senior_adjuster").post(f"{CASES}actions/decide/", body, format="json")
    assert response.status_code == 400
    assert response.json()["field"] == field
