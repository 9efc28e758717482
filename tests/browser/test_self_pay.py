"""A self-pay bill in Chromium: the call is answered, the third reminder passes, the card is grey, and paid it
serves again; a family pays on the gateway's page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.core.cache import cache
from playwright.sync_api import expect

from apps.accounts.tests.factories import UserFactory, api_of
from apps.billing.tests.world import NOW, Bills
from tests.browser.test_walks import Desk, desk

__all__ = ["desk"]
pytestmark = pytest.mark.browser


@pytest.fixture
def house(transactional_db: None, settings: Any, tmp_path: Path) -> Iterator[Bills]:
    settings.MEDIA_ROOT, settings.VAR_DIR = tmp_path / "media", tmp_path
    cache.clear()
    with time_machine.travel(NOW, tick=True) as clock:
        world = Bills("2024", "2026").under(clock)
        world.no_address()
        UserFactory(username="caller", roles=("collections",), name="caller")
        yield world


def test_from_the_call_to_the_grey_card_and_back(desk: Desk, house: Bills) -> None:
    case = house.bill("350.00")
    card = f"/admin/cards/card/{house.card().pk}/change/"
    page = desk.sit("caller")
    desk.case(case.number)
    form = desk.act("record_call", "登记通话")
    form.locator("[name=outcome]").select_option("ANSWERED")
    form.locator("[name=note]").fill("母亲接听，周五支付")
    form.get_by_role("button", name="登记通话").click()
    desk.state("已提醒一次")

    for day in ("2026-09-21 09:30", "2026-09-28 09:30"):
        house.at(day)
        house.answer(case)
    house.at("2026-10-09 09:00")
    desk.sit("caller")
    desk.open(card)
    expect(page.locator("body")).to_contain_text(case.number)
    expect(page.locator("body")).to_contain_text("BIL-03")
    desk.case(case.number)
    desk.state("提醒用尽，电子卡已置灰")

    form = desk.act("record_payment", "登记付款")
    expect(form.locator("[name=amount]")).to_have_value("350.00")
    form.locator("[name=reference]").fill("SJ-20501")
    form.get_by_role("button", name="登记付款").click()
    desk.state("已付清")
    desk.open(card)
    expect(page.locator("body")).to_contain_text("已恢复")
    assert house.card().greyed_at is None
    desk.fits()


def test_a_family_pays_on_the_page_of_the_sandbox_gateway(desk: Desk, house: Bills) -> None:
    case, front = house.epay(12000), api_of(house.front_end("wx-father"))
    started = front.post(f"/api/v1/visit-records/{case.number}/pay/", {"account": "wx-father"}).json()
    page = desk.sit("caller")
    page.set_viewport_size({"width": 390, "height": 844})
    desk.open(urlsplit(started["page"]).path)
    desk.fits()
    page.get_by_role("button", name="支付", exact=True).click()
    expect(page.locator("body")).to_contain_text("已支付")
    assert house.state(case) == "PAID"
