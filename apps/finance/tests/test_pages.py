"""The pages of finance: every number opens its cases, files open again, strangers are refused."""

from __future__ import annotations

import io
import re
from datetime import date, datetime
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from apps.accounts.models import AccessLog, User
from apps.accounts.tests.factories import make_actor, web_of
from apps.cases.models import CaseFile
from apps.claims.tests.world import SHANGHAI, World
from apps.finance.models import MonthClose, Statement, Voucher, VoucherBatch
from apps.finance.vouchers import prepare, release
from apps.payments.models import PaymentOrder

SEPTEMBER = date(2026, 9, 1)
MONTH, RETURNS, VOUCHERS = "/admin/finance/month/", "/admin/finance/returns/", "/admin/finance/vouchers/"
STATEMENTS = "/admin/finance/statements/"


def enter(*roles: str, **fields: Any) -> Client:
    name = fields.pop("username", f"page-{'-'.join(roles) or 'nobody'}")
    make_actor(*roles, username=name, is_staff=True, **fields)
    return web_of(User.objects.get(username=name))


def sheet(response: Any) -> list[tuple[Any, ...]]:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return list(load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True))


@pytest.fixture
def came_back(world: World) -> CaseFile:
    case = world.closed()
    order = PaymentOrder.objects.get(case=case)
    return world.do(case, "payment_returned", by="finance", order=order.number, reason="AC04 账号与户名不符")


# --- The month -------------------------------------------------------------------------------------


def numbers_of_the_month(client: Client) -> list[tuple[str, str]]:
    """Each number on the page that is a link: its address and its figures."""
    page = client.get(MONTH + "?month=2026-09").content.decode()
    found = re.findall(r'href="(/admin/finance/month/cases/\?[^"]+)"[^>]*>([^<]*)</a>', page)
    return [(link.replace("&amp;", "&"), re.sub(r"[^\d.-]", "", shown)) for link, shown in found]


def test_every_measure_of_the_month_opens_its_cases(world: World, closed: CaseFile) -> None:
    world.claim(series="2024")
    client = enter("manager")
    numbers = numbers_of_the_month(client)
    assert len(numbers) > 30
    by_measure = {re.search(r"measure=(\w+)", link)[1]: link for link, _ in sorted(numbers)}  # type: ignore[index]
    for link in by_measure.values():
        assert client.get(link).status_code == 200
    paid = client.get("/admin/finance/month/cases/?month=2026-09&measure=paid&series=2026")
    assert [row["case__number"] for row in paid.context["rows"]] == [closed.number]
    assert paid.context["sum"] == closed.claim.decided_fen
    rows = sheet(client.get("/admin/finance/month/cases/?month=2026-09&measure=paid&series=2026&excel=1"))
    assert (rows[1][0], rows[1][2], rows[1][4]) == (closed.number, closed.policy.plan.label, "已结案")
    assert rows[1][5] == pytest.approx(closed.claim.decided_fen / 100)


@pytest.mark.slow
def test_every_number_of_the_month_is_the_sum_of_the_cases_it_opens(world: World, closed: CaseFile) -> None:
    world.claim(series="2024")
    client = enter("manager")
    for link, shown in numbers_of_the_month(client):
        found = client.get(link).context
        expected = found["sum"] / 100 if found["money"] else found["sum"]
        assert float(shown) == pytest.approx(expected), link


def test_the_month_closes_by_a_button_and_its_excel_stays(world: World, closed: CaseFile) -> None:
    with time_machine.travel(datetime(2026, 10, 2, 9, tzinfo=SHANGHAI), tick=False):
        client = enter("finance_lead")
        assert client.get(MONTH + "?month=2026-09").context["may_close"]
        live = sheet(client.get("/admin/finance/month/file/?month=2026-09"))
        assert client.post(MONTH, {"month": "2026-09"}).status_code == 302
        page = client.get(MONTH + "?month=2026-09")
        assert page.context["report"].close
        assert page.context["intact"]
        assert not page.context["may_close"]
        first = client.get("/admin/finance/month/file/?month=2026-09").content
        assert client.get("/admin/finance/month/file/?month=2026-09").content == first
        assert list(load_workbook(io.BytesIO(first)).active.iter_rows(values_only=True)) == live
        again = client.post(MONTH, {"month": "2026-09"})
        assert again.status_code == 409
    assert MonthClose.objects.count() == 1


def test_the_month_page_costs_a_constant_number_of_queries(world: World, closed: CaseFile) -> None:
    client = enter("manager")
    client.get(MONTH)
    with CaptureQueriesContext(connection) as before:
        client.get(MONTH + "?month=2026-09")
    for n in range(5):
        world.claim(world.visit(department=f"科{n}"))
    with CaptureQueriesContext(connection) as after:
        client.get(MONTH + "?month=2026-09")
    assert len(after) == len(before)


@pytest.mark.parametrize("query", ["?month=2026-13", "?month=x", "cases/?month=2026-09&measure=y"])
def test_a_wrong_address_is_answered_in_words(world: World, query: str) -> None:
    response = enter("manager").get(MONTH + query)
    assert response.status_code == 400
    assert b"c-" in response.content


# --- Who ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", [MONTH, "/admin/finance/month/cases/?month=2026-09", "/admin/finance/month/file/", VOUCHERS]
)
def test_the_books_are_closed_to_others(world: World, closed: CaseFile, path: str) -> None:
    assert enter("manager", username="a").get(path).status_code == 200
    for roles, scope in (
        (("first_review",), {}),
        (("tpa_manager",), {"tpa": "WINDSTONE"}),
        (("finance",), {"tpa": "WINDSTONE"}),
        ((), {}),
    ):
        client = enter(*roles, username=f"x{len(User.objects.all())}", **scope)
        response = client.get(path)
        assert response.status_code in (302, 403), (roles, scope)


def test_the_reserve_panel_is_for_the_house(world: World) -> None:
    case = world.claim(series="2024")
    inside = enter("manager").get(f"/admin/case/{case.number}/").content.decode()
    assert "680.00" in inside.split('id="panel-reserve"')[1].split("</section>")[0]
    outside = enter("tpa_manager", tpa=case.tpa).get(f"/admin/case/{case.number}/").content.decode()
    assert case.number in outside
    assert "680.00" not in outside
    assert "panel-reserve" not in outside


def test_the_journal_lists_and_exports(world: World, closed: CaseFile) -> None:
    client = enter("auditor")
    page = client.get("/admin/finance/movement/")
    assert page.status_code == 200
    assert closed.number in page.content.decode()
    ids = list(closed.reserve_movements.values_list("pk", flat=True))
    rows = sheet(client.post("/admin/finance/movement/", {"action": "export_excel", "_selected_action": ids}))
    assert len(rows) == len(ids) + 1
    assert {row[rows[0].index("会计期间")] for row in rows[1:]} == {"2026-09"}
    assert enter("first_review").get("/admin/finance/movement/").status_code == 403


# --- Bank returns ------------------------------------------------------------------------------------


def test_returns_say_what_the_bank_means_and_what_comes_next(world: World, came_back: CaseFile) -> None:
    client = enter("finance")
    page = client.get(RETURNS)
    (row,) = page.context["rows"]
    assert (row.meaning.key, row.next, row.days, row.times_asked) == ("NAME_MISMATCH", "ACCOUNT", 0, 1)
    assert f"/admin/case/{came_back.number}/do/new_account/" in page.content.decode()
    (line,) = sheet(client.get(RETURNS + "?excel=1"))[1:]
    assert line[1] == came_back.number
    assert line[8] == 1
    assert client.get(RETURNS + "?meaning=CLOSED").context["rows"] == []
    assert client.get(RETURNS + "?band=4").context["rows"] == []
    assert len(client.get(RETURNS + "?band=0&series=2026").context["rows"]) == 1


def test_a_settled_return_leaves_the_list(world: World, came_back: CaseFile) -> None:
    payee = {
        "name": "王建国",
        "relation": "FATHER",
        "bank": "招商银行",
        "branch": "上海分行",
        "account": "6225880230001175",
    }
    world.do(came_back, "new_account", **payee)
    client = enter("finance")
    assert client.get(RETURNS).context["rows"] == []
    (row,) = client.get(RETURNS + "?state=all").context["rows"]
    assert row.next == ""


def test_the_tpa_sees_the_returns_of_its_series_only(world: World) -> None:
    own, other = world.closed(series="2024"), world.closed(world.visit(department="外科"))
    for case in (own, other):
        order = PaymentOrder.objects.get(case=case)
        world.do(case, "payment_returned", by="finance", order=order.number, reason="已销户")
    rows = enter("tpa_manager", tpa=own.tpa, series=["2024"]).get(RETURNS).context["rows"]
    assert [row.order.case.number for row in rows] == [own.number]
    assert enter("mailroom").get(RETURNS).status_code == 403


# --- Vouchers ----------------------------------------------------------------------------------------


def test_from_preparing_to_the_file(world: World, closed: CaseFile) -> None:
    maker, checker = enter("finance"), enter("payment_check")
    (waiting,) = maker.get(VOUCHERS).context["waiting"]
    assert waiting["paid"] == closed.claim.decided_fen
    response = maker.post(VOUCHERS, {"series": "2026", "month": "2026-09"})
    page = response["Location"]
    assert maker.get(page).context["draft"]
    maker.post(page, {"release": "1"})
    assert VoucherBatch.objects.get().state == "DRAFT"  # one's own
    checker.post(page, {"release": "1"})
    batch = VoucherBatch.objects.get()
    assert batch.state == "RELEASED"
    files = [checker.get(f"{page}{kind}/").content for kind in ("xlsx", "csv", "xlsx", "csv")]
    assert files[:2] == files[2:]
    assert AccessLog.objects.filter(subject=f"voucher_batch:{batch.number}").count() == 4
    voucher = Voucher.objects.filter(aspect="PAID").get()
    detail = checker.get(f"/admin/finance/voucher/{voucher.pk}/")
    assert closed.number in detail.content.decode()
    red = maker.post(page, {"reverse": "1", "month": "2026-10", "reason": "科目用错"})
    checker.post(red["Location"], {"release": "1"})
    assert VoucherBatch.objects.filter(state="RELEASED", reverses=batch).exists()
    assert checker.get(page).status_code == checker.get(red["Location"]).status_code == 200


def test_preparing_nothing_is_answered_in_words(world: World) -> None:
    assert enter("finance").post(VOUCHERS, {"series": "2026", "month": "2026-09"}).status_code == 409
    assert enter("manager").post(VOUCHERS, {"series": "2026", "month": "2026-09"}).status_code == 403


# --- Statements --------------------------------------------------------------------------------------


def test_a_statement_is_made_and_read(
    world: World, closed: CaseFile, django_capture_on_commit_callbacks: Any
) -> None:
    client = enter("service_specialist")
    with django_capture_on_commit_callbacks(execute=True):
        client.post(STATEMENTS, {"policy": "P-M2026", "since": "2026-01-01", "until": "2026-12-31"})
    made = Statement.objects.get()
    rows = sheet(client.get(f"{STATEMENTS}{made.number}/xlsx/"))
    assert rows[1][0] == closed.number
    assert client.get(STATEMENTS).status_code == 200
    wrong = client.post(STATEMENTS, {"policy": "P-M2026", "since": "2026-13-01", "until": "2026-12-31"})
    assert wrong.status_code == 400
    assert "2026-13-01" in wrong.content.decode()
    assert AccessLog.objects.filter(subject=f"statement:{made.number}").count() == 1
    stranger = enter("service_specialist", tpa="WINDSTONE", username="tpa")
    assert stranger.get(f"{STATEMENTS}{made.number}/xlsx/").status_code == 404
    assert enter("mailroom").get(STATEMENTS).status_code == 403


def test_pages_speak_english_too(world: World, came_back: CaseFile) -> None:
    client = enter("finance_lead")
    release(
        make_actor("payment_check", username="pc"),
        prepare(make_actor("finance", username="f"), "2026", SEPTEMBER).number,
    )
    for path in (MONTH, RETURNS, VOUCHERS, STATEMENTS):
        assert client.get(path, headers={"Accept-Language": "en"}).status_code == 200
