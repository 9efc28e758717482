"""The payment desk: what each role sees and does there."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from apps.accounts.models import AccessLog, User
from apps.accounts.tests.factories import UserFactory, web_of
from apps.cases.models import CaseFile
from apps.claims.tests.world import PAYEE, World
from apps.core.money import format_yuan
from apps.payments.models import Payee, PaymentFile, PaymentOrder
from apps.payments.tests.test_results import HEADER, text, xlsx

ORDERS, FILES = "admin:payments_paymentorder_changelist", "admin:payments_paymentfile_changelist"


@pytest.fixture
def case(world: World) -> CaseFile:
    return world.do(world.review(), "decide")


@pytest.fixture
def maker(case: CaseFile) -> Client:
    return web_of(UserFactory(roles=["finance"], username="maker"))


@pytest.fixture
def checker(case: CaseFile) -> Client:
    return web_of(UserFactory(roles=["payment_check"]))


def make(client: Client) -> str:
    """Tick all orders and make a file of them; returns its address."""
    picked = {
        "action": "make_payment_file",
        "_selected_action": list(PaymentOrder.objects.filter(state="ORDERED").values_list("pk", flat=True)),
    }
    response = client.post(reverse(ORDERS), picked)
    assert response.status_code == 302, response.content.decode()[:2000]
    return response["Location"]


def answer(client: Client, page: str, *rows: list[Any], kind: str = "xlsx") -> Any:
    content = (xlsx if kind == "xlsx" else text)(HEADER, *rows)
    return client.post(page, {"results": "1", "file": SimpleUploadedFile(f"answer.{kind}", content)})


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_the_whole_day_at_the_desk(
    world: World, case: CaseFile, maker: Client, checker: Client, kind: str
) -> None:
    listed = maker.get(reverse(ORDERS))
    assert listed.status_code == 200
    assert case.number in listed.content.decode()
    page = make(maker)
    assert maker.get(page).status_code == 200
    refused = maker.post(page, {"release": "1"})
    assert refused.status_code in (400, 403)
    assert PaymentFile.objects.get().state == "DRAFT"
    assert checker.post(page, {"release": "1"}).status_code == 302
    number = PaymentOrder.objects.get().number
    assert answer(maker, page, [number, "成功", "B1", None], kind=kind).status_code == 302
    assert world.see(case).state == "CLOSED"
    assert maker.get(page).status_code == 200
    assert maker.get(reverse(FILES)).status_code == 200


def test_a_wrong_answer_is_refused_whole_and_says_where(
    world: World, case: CaseFile, maker: Client, checker: Client
) -> None:
    page = make(maker)
    checker.post(page, {"release": "1"})
    number = PaymentOrder.objects.get().number
    response = answer(maker, page, [number, "成功", "B1", None], ["P26-999999", "成功", "B2", None])
    assert response.status_code == 400
    assert "第 3 行" in response.content.decode()
    assert "P26-999999" in response.content.decode()
    response = answer(maker, page, [number, "也许", "B1", None])
    assert response.status_code == 400
    assert "也许" in response.content.decode()
    assert maker.post(page, {"results": "1"}).status_code == 400
    assert (world.see(case).state, PaymentOrder.objects.get().state) == ("PAYMENT_PENDING", "IN_FILE")


def test_answers_of_another_file_and_answers_booked_before_are_named(
    world: World, case: CaseFile, maker: Client, checker: Client
) -> None:
    page, number = make(maker), PaymentOrder.objects.get().number
    checker.post(page, {"release": "1"})
    world.do(world.review(), "decide")
    other = make(maker)
    checker.post(other, {"release": "1"})

    def refused(page: str, *rows: list[Any], client: Client = maker) -> str:
        response = answer(client, page, *rows)
        assert response.status_code == 400
        return str(response.content.decode())

    paid = [number, "成功", "B1", None]
    assert f"支付单 {number} 不在支付文件" in refused(other, paid)
    assert f"第 3 行 · 支付单 {number} 在回盘文件中出现两次" in refused(page, paid, paid)
    assert "第 2 行“退票原因”列" in refused(page, [number, "退票", None, None])
    assert "无权执行此操作" in refused(page, paid, client=checker)
    assert world.see(case).state == "PAYMENT_PENDING"
    assert answer(maker, page, paid).status_code == 302
    assert f"支付单 {number} 此前已入账为“已支付”" in refused(page, paid)


def test_the_list_and_its_excel_have_one_filter_and_go_by_amount(
    world: World, case: CaseFile, maker: Client
) -> None:
    less = world.do(world.review(world.visit([world.bill("300.00")], department="外科")), "decide")
    other = world.do(world.review(series="2024"), "decide")

    def listed(query: str) -> list[str]:
        rows = maker.get(reverse(ORDERS) + query).context["cl"].result_list
        return [row.case.number for row in rows]

    place = maker.get(reverse(ORDERS)).context["cl"].list_display.index("amount")
    assert listed(f"?series__exact=2026&o={place}") == [less.number, case.number]
    assert listed(f"?series__exact=2026&o=-{place}") == [case.number, less.number]
    assert listed("?series__exact=2024") == [other.number]
    book = maker.get(reverse("admin:payments_paymentorder_export") + "?series__exact=2024")
    values = list(load_workbook(io.BytesIO(book.content)).active.iter_rows(values_only=True))
    assert [other.number in row and "2024" in row for row in values[1:]] == [True]


def test_paid_without_a_reference_is_booked_with_a_warning_and_a_returned_order_says_so(
    world: World, case: CaseFile, maker: Client, checker: Client
) -> None:
    page, first = make(maker), PaymentOrder.objects.get()
    world.do(world.review(world.visit(department="外科")), "decide")
    other = PaymentOrder.objects.exclude(pk=first.pk).get()
    checker.post(page, {"release": "1"})
    assert answer(maker, page, [first.number, "退票", None, "户名不符"]).status_code == 302
    late = answer(maker, page, [first.number, "成功", "B1", None])
    assert late.status_code == 400
    assert f"支付单 {first.number} 已按“银行退票”入账，回盘却为“已支付”" in late.content.decode()
    page = make(maker)
    checker.post(page, {"release": "1"})
    answer(maker, page, [other.number, "成功", None, None])
    assert f"没有银行流水号：{other.number}" in maker.get(page).content.decode()
    other.refresh_from_db()
    assert (other.state, other.bank_reference) == ("PAID", "")


@pytest.mark.parametrize(
    ("role", "offered"),
    [("finance", {"results", "csv/download"}), ("payment_check", {"csv/download"}), ("auditor", set())],
)
def test_a_released_file_offers_only_what_the_person_may_do(
    case: CaseFile, maker: Client, checker: Client, role: str, offered: set[str]
) -> None:
    page = make(maker)
    checker.post(page, {"release": "1"})
    text = web_of(UserFactory(roles=[role])).get(page).content.decode()
    assert {
        word for word in ("results", "csv/download") if f'name="{word}"' in text or f"{word}/" in text
    } == offered


def test_the_file_holds_whole_accounts_as_text_and_reading_it_is_logged(
    case: CaseFile, maker: Client, checker: Client
) -> None:
    Payee.objects.update(name="=HYPERLINK(1)")
    page = make(maker)
    for kind in ("xlsx", "csv"):
        assert maker.get(page.replace("/desk/", f"/{kind}/download/")).status_code == 404  # not released yet
    checker.post(page, {"release": "1"})
    response = maker.get(page.replace("/desk/", "/xlsx/download/"))
    sheet = load_workbook(io.BytesIO(response.content)).active
    row = [cell.value for cell in sheet[4]]
    assert row[2:4] == ["'=HYPERLINK(1)", PAYEE["account"]]
    assert sheet["D4"].data_type == "s"
    listed = maker.get(page.replace("/desk/", "/csv/download/")).content.decode("utf-8-sig")
    assert PAYEE["account"] in listed
    file = PaymentFile.objects.get()
    reader = User.objects.get(username="maker")
    logged = AccessLog.objects.filter(subject=f"payment_file:{file.number}", user=reader)
    assert sorted(logged.values_list("what", flat=True)) == ["csv", "xlsx"]


def test_an_auditor_looks_but_gets_no_whole_accounts(case: CaseFile, maker: Client, checker: Client) -> None:
    page = make(maker)
    checker.post(page, {"release": "1"})
    auditor = web_of(UserFactory(roles=["auditor"]))
    shown = auditor.get(page)
    assert shown.status_code == 200
    assert PAYEE["account"] not in shown.content.decode()
    for kind in ("xlsx", "csv"):
        assert auditor.get(page.replace("/desk/", f"/{kind}/download/")).status_code == 404
    for what in ("release", "cancel", "results"):
        assert auditor.post(page, {what: "1"}).status_code in (400, 403)
    assert PaymentFile.objects.get().state == "RELEASED"
    assert not AccessLog.objects.filter(subject__startswith="payment_file").exists()


@pytest.mark.parametrize("roles", [["first_review"], ["mailroom"], []])
def test_the_desk_is_closed_to_others(case: CaseFile, maker: Client, roles: list[str]) -> None:
    page = make(maker)
    other = web_of(UserFactory(roles=roles))
    for address in (reverse(ORDERS), reverse(FILES), page, page.replace("/desk/", "/xlsx/download/")):
        assert other.get(address).status_code in (403, 404)
        assert other.post(address, {"release": "1"}).status_code in (403, 404, 405)


def test_another_administrator_sees_neither_orders_nor_files(case: CaseFile, maker: Client) -> None:
    page = make(maker)
    other = web_of(UserFactory(roles=["finance", "finance_lead"], tpa="ELSEWHERE"))
    order, file = PaymentOrder.objects.get(), PaymentFile.objects.get()
    for listing in (ORDERS, FILES):
        shown = other.get(reverse(listing))
        assert shown.status_code == 200
        for secret in (order.number, file.number, case.number):
            assert secret not in shown.content.decode()
    assert other.get(page).status_code == 404
    assert other.post(page, {"release": "1"}).status_code == 404
    for name, row in (("paymentorder", order), ("paymentfile", file)):
        response = other.get(reverse(f"admin:payments_{name}_change", args=[row.pk]))
        assert response.status_code in (302, 404)
    assert PaymentFile.objects.get().state == "DRAFT"


def test_lists_cost_the_same_for_one_row_and_for_three(
    world: World, maker: Client, django_assert_max_num_queries: Any
) -> None:
    def cost() -> int:
        with django_assert_max_num_queries(60) as captured:
            assert maker.get(reverse(ORDERS)).status_code == 200
        return len(captured)

    cost()
    one = cost()
    for _ in range(2):
        world.do(world.review(), "decide")
    assert cost() == one


def test_the_page_of_an_order_speaks_in_yuan_and_words(case: CaseFile, maker: Client) -> None:
    order = PaymentOrder.objects.get(case=case)
    page = maker.get(reverse("admin:payments_paymentorder_change", args=[order.pk])).content.decode()
    assert format_yuan(order.amount_fen) in page
    assert "退票时间" in page
    for left in (str(order.amount_fen), "Decision version", "Attempt", order.payee.account):
        assert left not in page.partition('id="content"')[2]
