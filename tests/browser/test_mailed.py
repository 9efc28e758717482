"""A mailed claim through the browser: awaited, announced, logged paper by paper, checked, decided (RMB-22 … RMB-26)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from apps.claims.models import Original, Parcel
from apps.claims.tests.world import World
from tests.browser.test_walks import WIDE, Desk, house

pytestmark = pytest.mark.browser
__all__ = ["house"]  # the fixture, found by its name


@pytest.fixture
def desk(house: World, live_server: Any, context: BrowserContext, page: Page) -> Iterator[Desk]:
    page.set_viewport_size(WIDE)
    page.set_default_timeout(10_000)
    sitting = Desk(page, context, live_server.url)
    yield sitting
    assert sitting.wrong == []


def test_a_mailed_claim_from_the_report_to_the_decision(house: World, desk: Desk) -> None:
    case = house.claim(house.stay([house.bill("6400.00")]), series="2024")
    desk.sit("intake")
    desk.case(case.number)
    desk.state("待收原件")
    for words in ("上海徐汇区龙华中路596号1201室", "风石健康理赔部", "缺 1 份原件", "RMB-39"):
        desk.says(words)
    form = desk.act("record_tracking", "登记快递单号")
    form.locator("[name=tracking_number]").fill("SF7788990011")
    form.locator("[name=sent_on]").fill("2026-09-15")
    form.locator("button.c-button--primary").click()
    panel = desk.page.locator("#panel-originals")
    expect(panel.locator("[data-parcel]")).to_contain_text("SF7788990011")
    expect(panel.locator("[data-parcel]")).to_contain_text("在途")

    house.papers(case, "CLAIM_FORM", "MEDICAL_RECORD", form="IMAGE")
    desk.sit("mail")
    desk.case(case.number)
    form = desk.act("log_originals", "登记原件")
    expect(form.locator("[name=tracking_number]")).to_have_value("SF7788990011")  # nothing to type
    expect(form.locator("[name='items.0.kind']")).to_have_value("INVOICE")
    expect(form.locator("[name='items.0.place']")).to_have_value("bill:1.1")
    form.locator("[name=shelf]").fill("A-07")
    form.locator("button.c-button--primary").click()
    desk.state("已收原件")
    expect(panel).to_contain_text("原件齐全")
    expect(panel).to_contain_text("A-07")
    assert Parcel.objects.get(claim=case.pk).state == "RECEIVED"
    assert Original.objects.get(claim=case.pk).is_original

    house.papers(case)  # the copies that came on line
    desk.sit("intake")
    desk.case(case.number)
    desk.act("check_materials", "审核单证").get_by_role("button", name="审核单证").click()
    desk.state("资料齐全")
    desk.page.locator("[data-count='law.decision'] summary").click()
    desk.says("起算事件，当日为第 0 日")

    desk.sit("senior")
    desk.case(case.number)
    desk.act("start_review", "开始审核").get_by_role("button", name="开始审核").click()
    desk.state("审核中")
    desk.act("decide", "作出决定").get_by_role("button", name="作出决定").click()
    desk.state("待支付")
    desk.fits()
