"""The pages of staff, the interface, the list with Excel, the provider's account, children in hospital."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest

from apps.accounts.actors import actor_of_user
from apps.accounts.models import User
from apps.accounts.tests.factories import ApiClientFactory, UserFactory, api_of, web_of
from apps.advances.models import Advance, Provider
from apps.advances.providers import confirm, enter
from apps.advances.tests.test_money import decide
from apps.advances.tests.world import BANK, DISCHARGE, PROVIDER, Advances
from apps.cases.engine import available
from apps.cases.models import CaseFile
from apps.claims.tests.world import World
from apps.core.errors import Blocked, InvalidInput, NotAllowed
from apps.documents.models import Letter
from apps.documents.storage import open_stored
from apps.documents.tasks import render_letter
from apps.documents.tests.paper import text_of

URL = "/api/v1/advances/"


def machine(kind: str = "TPA", **fields: Any) -> Any:
    return api_of(ApiClientFactory(kind=kind, scopes=["cases:read", "cases:write"], **fields))


def web(*roles: str, **fields: Any) -> Any:
    return web_of(UserFactory(roles=roles, is_staff=True, **fields))


def posted(world: Advances, **fields: Any) -> dict[str, Any]:
    told = world.told(**fields)
    lines = told.pop("lines")
    flat = {f"lines.0.{name}": value for name, value in lines[0].items()}
    return {name: value for name, value in told.items() if value is not False} | flat | {"cost": "TREATMENT"}


def test_an_application_is_filed_on_the_page_and_its_errors_stand_at_their_fields(world: Advances) -> None:
    desk = web("service_specialist")
    assert desk.get("/admin/advances/apply/?member=M2026").status_code == 200
    wrong = desk.post("/admin/advances/apply/", posted(world, hospital="", need=False))
    assert wrong.status_code == 400
    assert "ADV-02" not in wrong.content.decode().split("data-report")[0]
    assert CaseFile.objects.filter(kind="advance").count() == 0
    old = desk.post("/admin/advances/apply/", posted(world, series="2024"))
    assert "ADV-22" in old.content.decode()
    made = desk.post("/admin/advances/apply/", posted(world))
    case = CaseFile.objects.get(kind="advance")
    assert made["Location"] == f"/admin/case/{case.number}/"
    page = desk.get(made["Location"]).content.decode()
    for words in ("ADV-03", "40,000.00", "重症肺炎", case.number):
        assert words in page, words
    assert web("finance").get("/admin/advances/apply/").status_code == 403


def test_the_page_says_what_stands_against_it_and_what_comes_next(world: Advances) -> None:
    case = world.apply(hospital="PRI", cost="DEPOSIT")
    page = web("service_specialist").get(f"/admin/case/{case.number}/").content.decode()
    for rule in ("ADV-20", "ADV-18", "ADV-01"):
        assert rule in page
    case = world.settled("26500.00")
    page = web("manager").get(f"/admin/case/{case.number}/").content.decode()
    assert world.claim_of(case).number in page
    assert "FW-0001" in page


@pytest.mark.parametrize("state", ["MATERIALS_COMPLETE", "APPROVED", "ADVANCED"])
def test_every_offered_action_opens_its_form(world: Advances, state: str) -> None:
    case = {"MATERIALS_COMPLETE": world.checked, "APPROVED": world.approved, "ADVANCED": world.advanced}[
        state
    ]()
    if state == "ADVANCED":
        world.give(case, *DISCHARGE)
    desk = web("service_specialist", "senior_adjuster", "supervisor", "finance")
    actor = actor_of_user(User.objects.latest("pk"))
    names = [one.action.name for one in available(world.see(case), actor) if one.allowed]
    assert names
    for name in names:
        answer = desk.get(f"/admin/case/{case.number}/do/{name}/")
        assert answer.status_code == 200, name


def test_the_list_is_searched_filtered_sorted_and_goes_to_excel(world: Advances) -> None:
    first, second = world.settled("26500.00"), world.apply(diagnosis_name="川崎病")
    desk = web("manager")
    for query, there, gone in (
        ("", [first, second], []), ("?state=before", [second], [first]), ("?state=claim", [first], [second]),
        ("?state=all&q=川崎", [second], [first]), (f"?q={world.claim_of(first).number}", [first], [second]),
        ("?state=SETTLED&order=amount&series=2026", [first], [second]), ("?who=mine", [], [first, second]),
    ):  # fmt: skip
        text = desk.get(f"/admin/advances/{query}").content.decode()
        assert all(f"/admin/case/{case.number}/" in text for case in there), query
        assert not any(f"/admin/case/{case.number}/" in text for case in gone), query
    book = openpyxl.load_workbook(io.BytesIO(desk.get("/admin/advances/?state=all&excel=1").content))
    rows = list(book.worksheets[0].values)
    assert {row[0] for row in rows} >= {first.number, second.number}
    assert any(30_000 in row for row in rows)
    assert (
        first.number not in web("manager", tpa="风石健康").get("/admin/advances/?state=all").content.decode()
    )


def test_the_interface_files_lists_and_acts_and_refuses_by_rule(world: Advances) -> None:
    tpa = machine(tpa=world.handbook("2024").handbook.tpa)
    refused = tpa.post(URL, world.told(series="2024"), format="json")
    assert (refused.status_code, refused.json()["rule"]) == (400, "ADV-22")
    desk = web("service_specialist")  # the call center's own program, logged in
    made = desk.post(URL, world.told(), content_type="application/json")
    assert made.status_code == 201, made.content
    number = made.json()["number"]
    assert made.json()["advance"]["estimate"] == "40000.00"
    assert made.json()["advance"]["lines"][0]["amount"] == "40000.00"
    assert [row["number"] for row in desk.get(URL + "?state=APPLIED&member=M2026").json()["results"]] == [
        number
    ]
    path = f"/api/v1/cases/{number}/actions/"
    early = desk.post(
        f"{path}approve/", {"input": {"amount": "1.00"}, "version": 1}, content_type="application/json"
    )
    assert early.status_code in (403, 409), early.content
    done = desk.post(
        f"{path}withdraw/",
        {"input": {"reason": "家长来电撤回"}, "version": 1},
        content_type="application/json",
    )
    assert done.status_code == 200, done.content
    assert desk.get(f"{URL}{number}/").json()["state"] == "WITHDRAWN"
    family = machine("MEMBER_APP", member="M2026")
    denied = family.post(URL, world.told(), format="json")
    assert (denied.status_code, "ADV-04" in denied.content.decode()) == (403, True)
    assert family.get(f"{URL}{number}/").json()["advance"]["caller"] == "王建国"
    for stranger in (
        machine("MEMBER_APP", member="M2024"),
        machine(tpa="风石健康"),
        machine("HOSPITAL", hospital="CHC"),
    ):
        assert stranger.get(f"{URL}{number}/").status_code == 404


def test_children_in_hospital_with_an_advance_stand_on_the_daily_list(world: Advances) -> None:
    case = world.advanced()
    page = web("service_specialist").get("/admin/authorizations/in-hospital/").content.decode()
    assert case.number in page
    assert "30,000.00" in page
    assert (
        case.number
        not in web("service_specialist", tpa="风石健康")
        .get("/admin/authorizations/in-hospital/")
        .content.decode()
    )
    world.settle(world.give(case, *DISCHARGE))
    assert (
        case.number
        not in web("service_specialist").get("/admin/authorizations/in-hospital/").content.decode()
    )


# --- The provider -----------------------------------------------------------------------------------------


def test_the_providers_account_is_entered_by_one_and_confirmed_by_another(world: Advances) -> None:
    row = enter(world.actor("finance_lead"), PROVIDER | {"account": BANK | {"account": "436742009999"}})
    with pytest.raises(NotAllowed):
        confirm(world.actor("finance_lead"), row.pk)
    assert Provider.objects.get().payee.account == "436742001234"  # type: ignore[union-attr]
    case = world.settled("30000.00")
    page = web("finance", "payment_check")
    assert "9999" in page.get("/admin/advances/provider/").content.decode()
    confirm(world.actor("checker"), row.pk)
    assert Provider.objects.get().payee.account == "436742009999"  # type: ignore[union-attr]
    assert world.claim_of(case).claim.assigned_to.account == "436742009999"
    with pytest.raises(Blocked):
        confirm(world.actor("checker"), row.pk)
    for data, rule in (
        (PROVIDER | {"series": "2024"}, "ADV-22"),
        (PROVIDER | {"provider": "别家"}, "ADV-03"),
    ):
        with pytest.raises(InvalidInput) as refused:
            enter(world.actor("finance"), data)
        assert refused.value.rule == rule
    typed = {f"account.{name}": value for name, value in BANK.items()} | {"account.account": "12"}
    bad = page.post(
        "/admin/advances/provider/", {"series": "2026", "provider": "安伴健康服务有限公司"} | typed
    )
    assert bad.status_code == 400
    assert "436742" not in web("finance", tpa="风石健康").get("/admin/advances/provider/").content.decode()


def test_nothing_is_approved_without_a_provider(world: Advances) -> None:
    case = world.checked()
    Provider.objects.all().delete()
    with pytest.raises(Blocked) as refused:
        world.do(case, "approve", by="senior", amount="1000.00")
    assert refused.value.rule == "ADV-03"


# --- Letters ------------------------------------------------------------------------------------------------


def test_the_letters_as_pdf(world: Advances) -> None:
    case = world.settled("26500.00")
    decide(world, case)
    ended = world.do(
        world.checked(litigation=True), "terminate", by="senior", because="LITIGATION", reason="已起诉肇事方"
    )
    words = {
        "ENTRUSTMENT": (case, ["垫付服务委托书", "30,000.00", "安伴健康服务有限公司", "叁万元整"]),
        "DIFFERENCE": (case, ["垫付差额退还通知", "3,500.00", "436742001234", world.claim_of(case).number]),
        "ADVANCE_END": (ended, ["住院垫付终止通知", "存在诉讼", "ADV-12", "已起诉肇事方"]),
        "EOB": (World.see(world, world.claim_of(case)), ["26,500.00", "支付给安伴健康服务有限公司"]),
    }
    for kind, (of, expected) in words.items():
        letter = Letter.objects.filter(case=of, kind=kind).latest("pk")
        render_letter(letter.pk)
        letter = Letter.objects.get(pk=letter.pk)
        assert letter.file is not None, kind
        with open_stored(letter.file) as file:
            text = text_of(file.read()).replace("\n", "").replace(" ", "")
        for one in expected:
            assert one.replace(" ", "") in text, (kind, one)
    assert Advance.objects.filter(pk=case.pk, refund_fen=350_000).exists()
