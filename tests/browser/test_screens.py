"""What every screen owes its users: it fits, it speaks no error, it prints without its frame."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from apps.accounts.tests.factories import UserFactory
from apps.claims.tests.world import World
from tests.browser.test_walks import Desk, desk, house  # noqa: F401  (fixtures)

pytestmark = pytest.mark.browser

SCREENS = {
    "adjuster": [
        "/admin/", "/admin/?scope=all", "/admin/claims/report/", "/admin/claims/coverage/", "/admin/calculator/",
        "/admin/find/?q=wxm", "/admin/find/?q=nobody", "/admin/handbook/", "/admin/hospitals/hospital/directory/",
        "/admin/products/handbookversion/differences/",
    ],
    "boss": ["/admin/dashboard/", "/admin/core/importjob/upload/roster/", "/admin/cases/caseevent/", "/admin/cases/clock/"],
}  # fmt: skip
PRINTED = ["/admin/case/{number}/", "/admin/dashboard/", "/admin/handbook/"]


def too_wide(page: Page) -> int:
    """How many pixels stick out to the right."""
    sticking: int = page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
    return sticking


@pytest.mark.parametrize("width", [800, pytest.param(400, marks=pytest.mark.slow)])
def test_no_screen_sticks_out_to_the_right(house: World, desk: Desk, width: int) -> None:  # noqa: F811
    UserFactory(username="boss", roles=["manager"])
    case = house.review()
    desk.page.set_viewport_size({"width": width, "height": 900})
    paths = SCREENS | {"adjuster": [*SCREENS["adjuster"], f"/admin/case/{case.number}/",
                                    f"/admin/case/{case.number}/do/decide/",
                                    f"/admin/case/{case.number}/do/correct_facts/"]}  # fmt: skip
    for person, own in paths.items():
        page = desk.sit(person)
        for path in own:
            desk.open(path)
            assert too_wide(page) <= 0, f"{path} at {width} px"


@pytest.mark.parametrize("path", PRINTED)
def test_paper_shows_the_facts_and_not_the_frame(house: World, desk: Desk, path: str) -> None:  # noqa: F811
    """In the dark, too, it is black on white; the foot says who printed it and when."""
    UserFactory(username="boss", roles=["manager"], name="王经理")
    page = desk.sit("boss")
    desk.open(path.format(number=house.review().number))
    page.evaluate("document.documentElement.classList.add('dark')")
    page.emulate_media(media="print")
    for frame in ("#nav-sidebar", "#header-inner", ".c-actions", ".hb-search", "[data-print]"):
        for one in page.locator(frame).all():
            expect(one).to_be_hidden()
    expect(page.locator(".house-printed")).to_contain_text("王经理")
    colors: dict[str, Any] = page.evaluate(
        "(() => { const s = getComputedStyle(document.querySelector('#main')); return {ink: s.color, paper: s.backgroundColor} })()"
    )
    assert colors == {"ink": "rgb(0, 0, 0)", "paper": "rgb(255, 255, 255)"}
    page.emulate_media(media="screen")


def test_a_correction_shows_old_and_new_before_it_is_saved(house: World, desk: Desk) -> None:  # noqa: F811
    case = house.review()
    page = desk.sit("adjuster")
    desk.case(case.number)
    desk.act("correct_facts", "更正事实")
    page.locator("[data-place='1.1.1'][data-name=amount] input").fill("500.00")
    cell = page.locator("[data-place='1.1'][data-name=amount]")
    expect(cell.locator("small")).to_be_hidden()
    cell.locator("input").fill("500.00")
    expect(cell.locator("small")).to_contain_text("800.00")
    cell.locator("input:not([type=hidden])").blur()
    expect(page.locator("#correction-result table")).to_contain_text("500.00")
    case.refresh_from_db()
    assert case.amount_fen == 80000
    page.locator("#action [name=reason]").fill("票面为五百元")
    page.locator("#action").get_by_role("button", name="更正事实").click()
    expect(page.locator(".c-head")).to_contain_text("500.00")


def test_a_case_by_keyboard(house: World, desk: Desk) -> None:  # noqa: F811
    """Down, up, select, assign; open; back."""
    first, second = house.review(), house.review()
    UserFactory(username="zuzhang", roles=["adjuster_lead"], name="组长")
    page = desk.sit("zuzhang")
    desk.open("/admin/?scope=all")
    rows = page.locator("[data-row]")
    expect(rows).to_have_count(2)
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(rows.nth(1)).to_have_class("is-current")
    page.keyboard.press("k")
    expect(rows.nth(0)).to_have_class("is-current")
    page.keyboard.press("a")
    expect(page.locator("[data-picked]")).to_have_text("1")
    chosen = page.locator("[data-bulk] select")
    expect(chosen).to_be_focused()
    chosen.select_option(
        label=next(text for text in chosen.locator("option").all_text_contents() if "组长" in text)
    )
    page.locator("[data-bulk] button").click()
    desk.says("1 个案件")
    page.keyboard.press("j")
    page.keyboard.press("o")
    expect(page.locator("[data-page=case]")).to_be_visible()
    assert any(number in page.url for number in (first.number, second.number))


def test_what_was_typed_outlives_the_session(house: World, desk: Desk) -> None:  # noqa: F811
    """Logged out meanwhile: the form says so and keeps its words; logged in again, the same form is sent."""
    case = house.review()
    desk.page.clock.install()
    page = desk.sit("adjuster")
    desk.case(case.number)
    form = desk.act("note", "添加备注")
    form.locator("textarea").fill("家长来电，补充病史")
    session = next(one for one in desk.context.cookies() if one["name"] == "sessionid")
    desk.context.clear_cookies(name="sessionid")
    page.clock.fast_forward("06:00")
    form.locator("button.c-button--primary").click()
    expect(form.locator("[data-trouble]")).to_contain_text("您已退出登录")
    expect(form.locator("textarea")).to_have_value("家长来电，补充病史")
    desk.context.add_cookies([{"name": "sessionid", "value": session["value"], "url": desk.address}])
    form.locator("button.c-button--primary").click()
    expect(page.locator(".c-timeline")).to_contain_text("家长来电，补充病史")
