"""Who sees and does what: roles, the TPA's series, a hospital's own statements (LAW-09)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from apps.accounts.models import AccessLog, User
from apps.accounts.tests.factories import ApiClientFactory, UserFactory, api_of, web_of
from apps.core.errors import DomainError, NotAllowed, NotFound
from apps.settlements import actions, contracts, queries, runs
from apps.settlements.models import HospitalAccount, Statement
from apps.settlements.tasks import render_settlement
from apps.settlements.tests.world import ACCOUNT, TERMS, Settled, workbook

BASE = "/api/v1/hospital-statements/"


def person(*roles: str, **fields: Any) -> APIClient:
    api = APIClient()
    api.force_login(UserFactory(roles=roles, **fields))
    return api


def machine(kind: str = "HOSPITAL", **fields: Any) -> APIClient:
    return api_of(ApiClientFactory(kind=kind, scopes=["settlements:read", "settlements:write"], **fields))


def test_staff_of_the_tpa_see_and_pay_theirs_only(world: Settled) -> None:
    world.contract()
    world.claims(1, "2024")
    world.claims(1, "2026")
    tpa = world.tpa()
    assert [row.series for row in queries.waiting(tpa)] == ["2024"]
    assert {row.series for row in queries.waiting(world.actor("finance"))} == {"2024", "2026"}
    (own,) = runs.make(tpa, "PRI", date(2026, 9, 16), now=world.now)
    assert own.series == "2024"
    other = world.draft("2026")
    assert list(queries.statements_visible_to(tpa)) == [own]
    assert not queries.terms_visible_to(tpa).filter(series="2026").exists()
    with pytest.raises(NotFound):
        actions.check(world.tpa("payment_check"), other.number)
    with pytest.raises(NotAllowed):
        contracts.propose_terms(tpa, "PRI", TERMS)
    assert Statement.objects.get(pk=other.pk).state == "DRAFT"


@pytest.mark.parametrize("roles", [("intake",), ("first_review",), ("auditor",), ("service_specialist",)])
def test_other_roles_do_nothing(world: Settled, roles: tuple[str, ...]) -> None:
    api = person(*roles)
    answer = api.post(BASE, {"hospital": "PRI", "until": "2026-09-16"})
    assert (answer.status_code, answer.json()["code"]) == (403, "role")
    web = web_of(UserFactory(roles=roles, is_staff=True))
    assert web.get(reverse("admin:settlements")).status_code == (200 if roles == ("auditor",) else 403)


def test_a_hospital_reads_its_own_checked_statements_and_nothing_else(world: Settled) -> None:
    world.contract("2026")
    world.claims(1)
    draft = world.draft()
    own, stranger = machine(hospital="PRI"), machine(hospital="PUB")
    assert own.get(BASE).json()["results"] == []
    assert own.get(f"{BASE}{draft.number}/").status_code == 404
    actions.check(world.actor("checker"), draft.number, now=world.now)
    early = own.get(f"{BASE}{draft.number}/pdf/")
    assert (early.status_code, early.json()["code"]) == (409, "not_ready")
    render_settlement(draft.pk)
    (listed,) = own.get(BASE).json()["results"]
    assert (listed["number"], listed["account"]) == (draft.number, "1219*******3210")
    (line,) = own.get(f"{BASE}{draft.number}/").json()["lines"]
    assert line["child"] != "王小明"
    assert own.get(f"{BASE}{draft.number}/pdf/").content[:5] == b"%PDF-"
    assert own.get(f"{BASE}{draft.number}/xlsx/").content[:2] == b"PK"
    assert AccessLog.objects.filter(subject=f"settlement:{draft.number}").count() == 2
    for path in ("", "pdf/", "xlsx/"):
        assert stranger.get(f"{BASE}{draft.number}/{path}").status_code == 404
    refused = [
        own.post(BASE, {"hospital": "PRI", "until": "2026-09-16"}),
        own.post(f"{BASE}{draft.number}/stop/", {"version": 2, "reason": "nonsense"}),
        own.get("/api/v1/hospital-terms/"), own.get("/api/v1/hospital-accounts/"), own.get("/api/v1/hospital-differences/"),
        machine("PROVIDER", provider="P1").get(BASE), machine("MEMBER_APP").get(BASE),
    ]  # fmt: skip
    assert {answer.status_code for answer in refused} == {403}
    assert (
        api_of(ApiClientFactory(kind="HOSPITAL", hospital="PRI", scopes=["claims:read"]))
        .get(BASE)
        .status_code
        == 403
    )


def test_the_whole_day_over_the_api(world: Settled) -> None:
    maker, checker = person("finance", username="m"), person("payment_check", username="c")
    terms = maker.post("/api/v1/hospital-terms/?hospital=PRI", TERMS)
    assert terms.status_code == 201, terms.content
    assert maker.post(f"/api/v1/hospital-terms/{terms.json()['id']}/confirm/").status_code == 403
    assert (
        checker.post(f"/api/v1/hospital-terms/{terms.json()['id']}/confirm/").json()["contract_state"]
        == "IN_FORCE"
    )
    wrong = maker.post("/api/v1/hospital-terms/?hospital=PRI", TERMS | {"days": "x"})
    assert wrong.status_code == 400
    world.account()
    world.claims(2)
    (made,) = maker.post(BASE, {"hospital": "PRI", "until": "2026-09-16"}).json()
    number, version = made["number"], made["version"]
    dropped = maker.post(
        f"{BASE}{number}/drop/", {"version": version, "reason": "重新审核", "cases": ["D99-000001"]}
    )
    assert (dropped.status_code, dropped.json()["field"]) == (400, "cases")
    checked = checker.post(f"{BASE}{number}/check/", {"version": version})
    assert checked.json()["state"] == "ORDERED"
    assert checker.post(f"{BASE}{number}/check/", {"version": version}).status_code == 409
    again = person("finance", username="o").post(f"{BASE}{number}/order-again/", {"version": version + 1})
    assert again.status_code == 409
    file = workbook(["", "", "0042", "李小红", "2026-09-09", "abc"])
    file.name = "list.xlsx"  # type: ignore[attr-defined]
    errors = maker.post(f"{BASE}{number}/reconcile/", {"file": file}, format="multipart")
    assert errors.status_code == 400
    assert "3.应付金额" in errors.content.decode()
    file = workbook(["", "", "0042", "李小红", "2026-09-09", 12])
    file.name = "list.xlsx"  # type: ignore[attr-defined]
    read = maker.post(f"{BASE}{number}/reconcile/", {"file": file}, format="multipart")
    assert (read.status_code, len(read.json()["differences"])) == (201, 3)
    first = maker.get("/api/v1/hospital-differences/?outcome=OPEN").json()["results"][0]
    done = maker.post(
        f"/api/v1/hospital-differences/{first['id']}/resolve/", {"outcome": "NEXT", "reason": "下月结算"}
    )
    assert done.json()["difference_outcome"] == "NEXT"


def test_pages_show_and_do_what_the_role_may(world: Settled) -> None:
    world.contract("2026")
    world.claims(2)
    web = web_of(User.objects.get(pk=world.actor("finance").user_id))
    checker = web_of(User.objects.get(pk=world.actor("checker").user_id))
    for client in (web, checker):
        User.objects.update(is_staff=True)
        assert client.get(reverse("admin:settlements")).status_code == 200
    made = web.post(
        reverse("admin:settlements"), {"hospital": "PRI", "series": "2026", "until": "2026-09-16"}
    )
    statement = Statement.objects.get()
    page = reverse("admin:settlement", args=[statement.number])
    assert made["Location"] == page
    assert web.get(page).status_code == 200
    assert web.get(reverse("admin:settlements") + "?excel=1").content[:2] == b"PK"
    checker.post(page, {"check": "1", "version": statement.version})
    statement.refresh_from_db()
    assert statement.state == "ORDERED"
    file = workbook(["", "", "0042", "李小红", "2026-09-09", "abc"])
    file.name = "list.xlsx"  # type: ignore[attr-defined]
    wrong = web.post(page, {"reconcile": "1", "file": file})
    assert (wrong.status_code, "abc" in wrong.content.decode()) == (400, True)
    file = workbook(["", "", "0042", "李小红", "2026-09-09", 12])
    file.name = "list.xlsx"  # type: ignore[attr-defined]
    assert web.post(page, {"reconcile": "1", "file": file}).status_code == 302
    assert (
        web.get(reverse("admin:settlement-file", args=[statement.number, "differences"])).content[:2] == b"PK"
    )
    hospital = reverse("admin:settlement-hospital", args=["PRI"])
    assert "1219*******3210" in web.get(hospital).content.decode()
    account = HospitalAccount.objects.get()
    assert (
        ACCOUNT["account"]
        in web.post(hospital, {"reveal": account.pk, "reason": "核对账户"}).content.decode()
    )
    for name in ("statement", "difference", "paymentterms"):
        listed = web.get(reverse(f"admin:settlements_{name}_changelist"))
        assert listed.status_code == 200
        found = web.get(reverse(f"admin:settlements_{name}_changelist") + "?q=PRI")
        assert found.status_code == 200
    bad = web.post(hospital, {"terms": "1", "series": "2026"})
    assert bad.status_code == 400


def test_every_refusal_leaves_everything_as_it_was(world: Settled) -> None:
    world.contract("2026")
    statement = world.ordered(1)
    before = Statement.objects.values().get(pk=statement.pk)
    finance, number = world.actor("finance"), statement.number
    for attempt in (
        lambda: actions.cancel(finance, number, reason="不可以的"),
        lambda: actions.drop(finance, number, ["D26-000001"], reason="不可以的"),
        lambda: actions.order_again(finance, number, reason="不可以的"),
    ):
        with pytest.raises(DomainError):
            attempt()
    assert Statement.objects.values().get(pk=statement.pk) == before
