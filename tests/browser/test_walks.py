"""The daily work, clicked through in Chromium by the people who do it; all texts in Chinese.

Every test sits down at `desk`, a browser of one person at a time: no console error, no failed script and
no unexpected answer of the server may occur on the way, whatever the test is about.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from PIL import Image, ImageDraw
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, expect

from apps.accounts.models import User
from apps.accounts.tests.factories import PASSWORD, UserFactory
from apps.cases.models import CaseFile
from apps.claims.tests.world import NOW, PEOPLE, World
from apps.core.import_models import ImportJob
from apps.core.imports.tasks import run_import
from apps.documents.models import Paper
from apps.documents.tasks import render_due_letters
from apps.members.models import Member, Policy
from apps.members.tests.factories import roster, row
from apps.payments.models import PaymentFile, PaymentOrder

pytestmark = pytest.mark.browser

NARROW = {"width": 800, "height": 900}
CHINESE = re.compile("[一-鿿]")
WIDE = {"width": 1440, "height": 900}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Desk:
    """One browser, at which one person after another sits down."""

    def __init__(self, page: Page, context: BrowserContext, address: str) -> None:
        self.page, self.context, self.address = page, context, address
        self.wrong: list[str] = []
        self.expected: set[int] = set()  # answers a test provokes on purpose
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.wrong.append(f"script: {error}"))
        page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        answers = [str(status) for status in self.expected]
        if message.type == "error" and not any(f"status of {status}" in message.text for status in answers):
            self.wrong.append(f"console: {message.text} {message.location.get('url', '')}")

    def _response(self, response: Any) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self.wrong.append(f"{response.status}: {response.url}")

    def sit(self, username: str) -> Page:
        """The next person, logged in already; the first walk goes through the form."""
        client = Client()
        client.force_login(User.objects.get(username=username))
        self.context.clear_cookies()
        cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": self.address}
        self.context.add_cookies([cookie])
        self.open("/admin/")
        return self.page

    def open(self, path: str) -> Page:
        self.page.goto(f"{self.address}{path}")
        return self.page

    def case(self, number: str) -> Page:
        return self.open(f"/admin/case/{number}/")

    def act(self, name: str, words: str) -> Locator:
        """Click an action of the case; returns its form."""
        button = self.page.locator(f"[data-action={name}]")
        expect(button).to_have_text(words)
        button.click()
        form = self.page.locator("#action form")
        expect(form.locator("h3")).to_have_text(words)
        return form

    def state(self, words: str) -> None:
        expect(self.page.locator(".c-head .c-state")).to_have_text(words)

    def says(self, words: str) -> None:
        expect(self.page.get_by_text(words).first).to_be_visible()

    def fits(self) -> None:
        """Nothing sticks out to the right of a narrow screen."""
        self.page.set_viewport_size(NARROW)
        width = self.page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
        assert width[0] <= width[1], f"{self.page.url} is {width[0]} px wide on a screen of {width[1]}"
        self.page.set_viewport_size(WIDE)


@pytest.fixture
def house(transactional_db: None, settings: Any, tmp_path: Path) -> Iterator[World]:
    """The world of the claims' tests, committed, so that the server sees it too."""
    settings.MEDIA_ROOT = tmp_path / "media"
    cache.clear()
    with time_machine.travel(NOW, tick=True):
        world = World()
        for name, roles in PEOPLE.items():
            UserFactory(username=name, roles=roles, name={"adjuster": "陈审核"}.get(name, name))
        yield world


@pytest.fixture
def desk(house: World, live_server: Any, context: BrowserContext, page: Page) -> Iterator[Desk]:
    page.set_viewport_size(WIDE)
    page.set_default_timeout(10_000)
    sitting = Desk(page, context, live_server.url)
    yield sitting
    assert sitting.wrong == []


def scan(words: str) -> bytes:
    """A photo of a paper, large enough to be read."""
    image = Image.new("RGB", (900, 1200), "#fdfcf7")
    ImageDraw.Draw(image).text((60, 60), words, fill="#243", font_size=48)
    out = io.BytesIO()
    image.save(out, "JPEG")
    return out.getvalue()


def fill_report(page: Page, *, amount: str = "800.00") -> None:
    """The report form as a clerk at the phone fills it, look-ups included."""
    page.wait_for_load_state()  # before that nobody hears what is typed
    page.locator("#child-finder").fill("wxm")
    page.locator(".c-suggest__item", has_text="M2026").click()
    expect(page.locator("[name='member.number']")).to_have_value("M2026")
    page.fill("[name='reporter.name']", "王建国")
    page.fill("[name='reporter.phone']", "13800138000")
    page.check("[name=e_signed]")
    visit, bill = "visits.0", "visits.0.bills.0"
    page.select_option(f"[name='{visit}.visit_type']", "OUTPATIENT")
    hospital = page.locator("[data-visit] [data-suggest] [data-suggest-text]")
    hospital.fill("儿童")
    page.locator(".c-suggest__item", has_text="市儿童医院").click()
    page.fill(f"[name='{visit}.department']", "儿科")
    page.fill(f"[name='{visit}.started_on']", "2026-09-10")
    page.fill(f"[name='{visit}.diagnoses.0.code']", "J20.900")
    page.fill(f"[name='{visit}.diagnoses.0.name']", "急性支气管炎")
    page.select_option(f"[name='{bill}.bill_type']", "FISCAL_PAPER")
    page.fill(f"[name='{bill}.code']", "01020304")
    page.fill(f"[name='{bill}.number']", "0000880001")
    page.fill(f"[name='{bill}.issued_on']", "2026-09-10")
    page.fill(f"[name='{bill}.lines.0.name']", "血常规")
    page.select_option(f"[name='{bill}.lines.0.kind']", "EXAM")
    page.fill(f"[name='{bill}.lines.0.amount']", amount)


def fill_payee(page: Page) -> None:
    page.locator("summary", has_text="领款人").click()
    page.fill("[name='payee.name']", "王建国")
    relation = page.locator("[name='payee.relation']")
    relation.select_option("FATHER") if relation.evaluate("e => e.tagName") == "SELECT" else relation.fill(
        "FATHER"
    )
    page.fill("[name='payee.bank']", "工商银行")
    page.fill("[name='payee.branch']", "上海徐汇支行")
    page.fill("[name='payee.account']", "6222021001098550830")


# --- (a) From the telephone to the bank ---------------------------------------------------------------


def test_a_claim_from_the_phone_call_to_the_bank(house: World, desk: Desk) -> None:
    page = desk.page
    # The clerk logs in and reports what she hears.
    desk.open("/admin/")
    page.fill("[name=login]", "intake")
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page).to_have_title(re.compile("我的工作"))
    page.get_by_role("link", name="报案登记").click()
    fill_report(page)
    fill_payee(page)
    expect(page.locator("[data-sum=claimed]")).to_have_text("800.00")
    page.locator("[data-run-check]").click()  # what to tell the caller; nothing is saved
    expect(page.locator("[data-expected-body]")).to_contain_text("单证")
    assert not CaseFile.objects.exists()
    page.get_by_role("button", name="提交报案").click()
    expect(page).to_have_url(re.compile(r"/admin/case/C26-\d+/"))
    case = CaseFile.objects.get()
    desk.says(f"{case.number}")
    desk.state("已线上提交")
    desk.fits()

    # A photo comes in; it is attached, looked at and ticked.
    panel = page.locator("#panel-checklist")
    panel.locator("summary", has_text="添加单证").click()
    panel.locator("select[name=kind]").select_option("INVOICE")
    photo = {"name": "发票.jpg", "mimeType": "image/jpeg", "buffer": scan("发票 0000880001")}
    panel.locator("input[type=file]").set_input_files([photo])
    expect(panel.locator("[data-names]")).to_contain_text("发票.jpg")
    panel.get_by_role("button", name="添加", exact=True).click()
    expect(panel.locator("[data-paper]")).to_have_count(1)
    expect(panel.locator("[data-sheet]")).to_be_visible()
    ticks = panel.locator("form.c-ticks:visible")
    for name in ("legible", "color", "annotated"):
        ticks.locator(f"[data-tick={name}] label").first.click()
        expect(ticks.locator(f"[name={name}]").first).to_be_checked()
    ticks.get_by_role("button", name="保存").click()
    expect(panel.locator("[data-paper]")).to_contain_text("✓")
    assert Paper.objects.get(case=case).legible is True
    house.papers(case)  # the rest of the pile

    desk.case(case.number)
    expect(panel).to_contain_text("资料齐全")
    desk.act("check_materials", "审核单证").get_by_role("button", name="审核单证").click()
    desk.state("资料齐全")

    # The adjuster reviews and decides within the authority.
    desk.sit("adjuster")
    desk.case(case.number)
    desk.act("start_review", "开始审核").get_by_role("button", name="开始审核").click()
    desk.state("审核中")
    expect(page.locator("#panel-findings")).to_contain_text("800.00")
    form = desk.act("decide", "作出决定")
    expect(form).to_contain_text("在您的审批权限")
    expect(form.locator("[name=outcome]")).to_have_value("APPROVE")
    form.locator("[name=member_text]").fill("祝孩子早日康复。")
    form.get_by_role("button", name="预览函件").click()
    expect(page.frame_locator("iframe[name=letter-preview]").locator("body")).to_contain_text("早日康复")
    form.get_by_role("button", name="作出决定").click()
    desk.state("待支付")

    # The letter is there, as a PDF.
    render_due_letters()
    desk.case(case.number)
    letter = page.locator("#panel-letters a", has_text="结算通知书")
    expect(letter).to_be_visible()
    answer = page.request.get(f"{desk.address}{letter.get_attribute('href')}")
    assert answer.ok
    assert answer.body().startswith(b"%PDF")

    # Finance makes the file and may not release it.
    order = PaymentOrder.objects.get(case=case)
    desk.sit("finance")
    desk.open("/admin/payments/paymentorder/")
    page.locator(f"input.action-select[value='{order.pk}']").check()
    page.locator("select[name=action]").select_option("make_payment_file")
    page.locator("#changelist-actions button[name=index]").click()
    file = PaymentFile.objects.get()
    expect(page).to_have_url(re.compile(f"{file.number}/desk/"))
    expect(page.get_by_role("button", name="放行")).to_have_count(0)
    desk.says("该文件由您本人制作，须由他人放行。")

    # Somebody else releases it.
    desk.sit("checker")
    desk.open(f"/admin/payments/paymentfile/{file.number}/desk/")
    page.get_by_role("button", name="放行").click()
    desk.says("已放行，请将文件交付银行。")

    # The bank answers: first a file with a mistake, which books nothing, then the right one.
    desk.sit("finance")
    desk.open(f"/admin/payments/paymentfile/{file.number}/desk/")
    desk.expected.add(400)
    for result in ("也许", "成功"):
        table = [["支付单号", "结果", "银行流水号", "退票原因"], [order.number, result, "ICBC0001", ""]]
        page.set_input_files(
            "input[type=file]", [{"name": "回盘.csv", "mimeType": "text/csv", "buffer": as_csv(table)}]
        )
        page.get_by_role("button", name="回盘入账").click()
        if result == "也许":
            expect(page.get_by_role("alert")).to_contain_text("也许")
            assert PaymentOrder.objects.get(case=case).state != "PAID"
    expect(page.locator("tr", has_text=order.number)).to_contain_text("ICBC0001")
    desk.sit("adjuster")
    desk.case(case.number)
    desk.state("已结案")


def as_csv(rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8-sig")


# --- (b) Four eyes ------------------------------------------------------------------------------------


def test_above_the_authority_somebody_else_signs(house: World, desk: Desk) -> None:
    house.authority("second_review", 500)
    case = house.review()
    page = desk.sit("second")
    desk.case(case.number)
    form = desk.act("decide", "作出决定")
    expect(form).to_contain_text("由他人签批")
    form.locator("[name=reason]").fill("费用合理，建议赔付")
    form.get_by_role("button", name="作出决定").click()
    desk.state("复核")

    # The proposer, though with authority by now, reads why not; trying all the same changes nothing.
    house.authority("second_review", 50_000)
    desk.case(case.number)
    blocked = page.locator(".c-why", has_text="签批")
    blocked.hover()
    expect(blocked.locator("[role=tooltip]")).to_be_visible()
    expect(blocked.locator("[role=tooltip]")).to_contain_text("双人复核")
    desk.expected |= {403, 409}
    desk.open(f"/admin/case/{case.number}/do/sign/")
    page.locator("#action form").get_by_role("button", name="签批").click()
    expect(page.locator("#action [role=alert]")).to_contain_text("双人复核")
    expect(page.locator("#action [role=alert]")).to_contain_text("由您本人办理")
    assert house.see(case).state == "SECOND_REVIEW"

    desk.sit("senior")
    desk.case(case.number)
    desk.act("sign", "签批").get_by_role("button", name="签批").click()
    desk.state("待支付")
    expect(page.locator("#panel-findings")).to_contain_text("senior")


# --- (c) My work --------------------------------------------------------------------------------------


def test_my_work_by_filter_keyboard_and_search(house: World, desk: Desk) -> None:
    claims = [house.claim(), house.review(series="2024"), house.review()]
    numbers = {case.number for case in claims}
    page = desk.sit("supervisor")
    rows = page.locator("[data-row]")
    expect(rows).to_have_count(3)
    assert set(rows.evaluate_all("all => all.map(one => one.dataset.number)")) == numbers
    desk.fits()

    # Filters submit themselves and stand in the address.
    page.select_option("[name=state]", "UNDER_REVIEW")
    expect(rows).to_have_count(2)
    expect(page).to_have_url(re.compile("state=UNDER_REVIEW"))
    expect(rows.first).to_contain_text("审核中")
    desk.open("/admin/?scope=all&series=2024")
    expect(rows).to_have_count(1)

    # j j k o: the first of the list; u: back to it; n: on.
    desk.open("/admin/?scope=all")
    shown = rows.evaluate_all("all => all.map(one => one.dataset.number)")
    for key in "jjk":
        page.keyboard.press(key)
    expect(page.locator("[data-row].is-current")).to_have_attribute("data-number", shown[0])
    page.keyboard.press("o")
    expect(page.locator(".c-head__number")).to_have_text(shown[0])
    expect(page.locator(".c-actions [data-place]")).to_have_text("1 / 3")
    page.keyboard.press("n")
    expect(page.locator(".c-head__number")).to_have_text(shown[1])
    expect(page.locator(".c-actions [data-place]")).to_have_text("2 / 3")
    page.keyboard.press("u")
    expect(rows).to_have_count(3)
    page.wait_for_load_state()
    page.keyboard.press("?")
    expect(page.locator("dialog#help")).to_be_visible()
    page.keyboard.press("Escape")

    # Search: / and the first letters of the name, the whole pinyin, the number; and nothing.
    for text, found in (("wxm", 3), ("wangxiaoming", 3), ("王小明", 3), ("13800138000", 3), ("zzz", 0)):
        desk.open("/admin/?scope=all")
        page.keyboard.press("/")
        expect(page.locator("[data-search]")).to_be_focused()
        page.keyboard.type(text)
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("/admin/find/"))
        expect(rows).to_have_count(found)
    desk.says("未找到“zzz”")
    page.locator("[data-search]").fill(shown[0].lower())
    page.keyboard.press("Enter")
    expect(page.locator(".c-head__number")).to_have_text(shown[0])

    # Chosen cases are given to a person.
    desk.open("/admin/?scope=all")
    for key in ["j", "a"]:
        page.keyboard.press(key)
    expect(page.locator("[data-picked]")).to_have_text("1")
    page.select_option(
        "[data-bulk] select", label=page.locator("[data-bulk] option", has_text="陈审核").inner_text()
    )
    page.locator("[data-bulk] button").click()
    expect(rows.first).to_contain_text("陈审核")


def test_an_empty_list_says_what_comes_next(house: World, desk: Desk) -> None:
    page = desk.sit("adjuster")
    desk.says("没有待办")
    case = house.claim()
    desk.open("/admin/?state=SECOND_REVIEW")
    desk.says("没有符合筛选的案件")
    expect(page.locator(".c-empty")).to_contain_text(case.number)
    desk.fits()


# --- (d) Wrong input ----------------------------------------------------------------------------------


def test_wrong_input_of_a_report_is_shown_at_its_field(house: World, desk: Desk) -> None:
    desk.expected |= {400, 422}
    page = desk.sit("intake")
    desk.open("/admin/claims/report/")
    fill_report(page, amount="800.00")
    page.fill("[name='visits.0.bills.0.amount']", "900.00")  # the lines make 800
    expect(page.locator("[data-sum=wrong]")).to_be_visible()
    page.fill("[name='visits.0.started_on']", "2031-01-01")
    page.fill("[name='reporter.name']", "")
    page.get_by_role("button", name="提交报案").click()
    expect(page.get_by_role("alert").first).to_contain_text("处")
    for name in ("reporter.name", "visits.0.started_on", "visits.0.bills.0.amount"):
        field = page.locator(f".c-field.has-error:has([name='{name}'])").last
        expect(field.locator(".c-error").first, name).to_contain_text(CHINESE)
    # What was right stays as it was typed.
    expect(page.locator("[name='member.number']")).to_have_value("M2026")
    expect(page.locator("[name='visits.0.department']")).to_have_value("儿科")
    expect(page.locator("[data-visit] [data-suggest-text]")).to_have_value("市儿童医院")
    assert not CaseFile.objects.exists()
    desk.fits()
    # A cell of a table has its error, too.
    page.fill("[name='visits.0.diagnoses.0.code']", "J")
    page.get_by_role("button", name="提交报案").click()
    cell = page.locator("td.has-error:has([name='visits.0.diagnoses.0.code'])")
    expect(cell.locator(".c-error")).to_contain_text(CHINESE)
    # Put right, it goes through.
    page.fill("[name='reporter.name']", "王建国")
    page.fill("[name='visits.0.started_on']", "2026-09-10")
    page.fill("[name='visits.0.diagnoses.0.code']", "J20.900")
    page.fill("[name='visits.0.bills.0.amount']", "800.00")
    page.get_by_role("button", name="提交报案").click()
    expect(page).to_have_url(re.compile(r"/admin/case/C26-\d+/"))
    assert CaseFile.objects.count() == 1


# --- (e) The manager ----------------------------------------------------------------------------------


def test_the_manager_reads_both_handbooks_and_their_differences(house: World, desk: Desk) -> None:
    UserFactory(username="boss", roles=["manager"])
    page = desk.sit("boss")
    for series in ("2024", "2026"):
        desk.open(f"/admin/products/handbookversion/current/{series}/")
        expect(page.locator(".hb-versions [aria-current=page]")).to_contain_text(series)
        assert page.locator("article.hb-row").count() > 100
        page.fill("input[name=q]", "PR-06")
        page.get_by_role("button", name="搜索").last.click()
        expect(page.locator("article.hb-row").first).to_contain_text("PR-06")
    page.get_by_role("link", name="并排对比差异").click()
    expect(page.locator(".hb-table tbody tr").first).to_be_visible()
    expect(page.locator(".hb-table th", has_text="2024 v1").first).to_be_visible()
    expect(page.locator(".hb-table th", has_text="2026 v1").first).to_be_visible()
    page.wait_for_load_state()
    everything = page.locator(".hb-table tbody tr").count()
    page.select_option("select[name=kind]", "CHANGED")
    page.get_by_role("button", name="显示").click()
    expect(page).to_have_url(re.compile("kind=CHANGED"))
    page.wait_for_load_state()
    assert 0 < page.locator(".hb-table tbody tr").count() < everything


def work_off_the_queue() -> None:
    """With a queue the web server hands imports to a worker, and none runs here: the test is the worker."""
    for job in ImportJob.objects.filter(state=ImportJob.State.QUEUED):
        run_import(job.pk)


def test_the_manager_tries_a_roster_and_reads_its_errors(house: World, desk: Desk) -> None:
    UserFactory(username="boss", roles=["manager"])
    before = Member.objects.count()
    page = desk.sit("boss")

    def upload(name: str, *rows: dict[str, Any]) -> None:
        desk.open("/admin/core/importjob/upload/roster/")
        content = roster(list(rows)).getvalue()
        page.set_input_files("input[type=file]", [{"name": name, "mimeType": XLSX, "buffer": content}])
        page.get_by_role("button", name="试运行").click()
        expect(page.locator("#import-job")).to_be_visible()
        work_off_the_queue()
        expect(page.locator("#import-job")).not_to_have_attribute("hx-trigger", "every 1s", timeout=20_000)

    upload("坏名单.xlsx", row() | {"birth": "三月四日"}, row() | {"sex": "未知"}, row(name="王小红"))
    expect(page.locator("#import-job")).to_contain_text("错误 2")
    with page.expect_download() as download:
        page.get_by_role("link", name="下载错误清单").click()
    assert download.value.suggested_filename.startswith("错误")
    assert download.value.suggested_filename.endswith(".xlsx")
    expect(page.get_by_role("button", name="应用")).to_have_count(0)
    assert Member.objects.count() == before

    upload("名单.xlsx", row(name="刘新生"), row(name="赵新生"))
    desk.says("试运行：不作任何更改")
    expect(page.locator("#import-job")).to_contain_text("错误 0")
    assert Member.objects.count() == before
    page.get_by_role("button", name="应用").click()
    page.wait_for_load_state()
    work_off_the_queue()
    expect(page.locator("#import-job")).to_contain_text("已导入", timeout=20_000)
    assert Member.objects.count() == before + 2


# --- (f) The administrator of 2024 ---------------------------------------------------------------------


def test_the_tpa_of_2024_sees_no_case_of_2026(house: World, desk: Desk) -> None:
    own, foreign = house.review(series="2024"), house.review(series="2026")
    tpa = Policy.objects.get(number="P-M2024").tpa
    assert tpa
    UserFactory(username="tpa", roles=["first_review"], tpa=tpa)
    page = desk.sit("tpa")
    desk.open("/admin/?scope=all")
    rows = page.locator("[data-row]")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(own.number)
    desk.case(own.number)
    desk.state("审核中")
    desk.expected |= {403, 404}
    desk.case(foreign.number)
    expect(page.locator(".c-empty")).to_be_visible()
    expect(page.locator("body")).not_to_contain_text("市儿童医院")
    desk.open(f"/admin/case/{foreign.number}/do/decide/")
    expect(page.locator("#action")).to_have_count(0)
    for text in (foreign.number, "M2026"):
        desk.open(f"/admin/find/?q={text}")
        expect(rows).to_have_count(0)
    desk.open("/admin/claims/find-child/?q=wxm")
    expect(page.locator("body")).to_contain_text("M2024")
    expect(page.locator("body")).not_to_contain_text("M2026")
