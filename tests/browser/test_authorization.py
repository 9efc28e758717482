"""A guarantee letter, clicked through in Chromium: is it needed, filed, approved, sent, verified by its code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from playwright.sync_api import expect

from apps.accounts.tests.factories import UserFactory
from apps.authorizations.tests.world import MAIL, Rooms
from apps.cases.models import CaseFile
from apps.claims.tests.world import NOW, PEOPLE
from apps.documents.models import Letter, Paper
from apps.messaging.models import Message
from tests.browser.test_walks import Desk, desk

__all__ = ["desk"]
pytestmark = pytest.mark.browser


@pytest.fixture
def house(transactional_db: None, settings: Any, tmp_path: Path) -> Iterator[Rooms]:
    settings.MEDIA_ROOT = tmp_path / "media"
    cache.clear()
    with time_machine.travel(NOW, tick=True):
        rooms = Rooms("2026")
        for name in ("intake", "senior"):
            UserFactory(username=name, roles=PEOPLE[name], name=name)
        yield rooms


def test_from_the_question_to_the_letter_at_the_hospital(desk: Desk, house: Rooms) -> None:
    page = desk.sit("intake")
    page.get_by_role("link", name="申请事先授权").first.click()
    page.wait_for_url("**/authorizations/new/*")  # loaded: before that nobody hears what is typed
    page.locator("#child-finder").fill("wxm")
    page.locator(".c-suggest__item", has_text="M2026").click()
    page.locator("[data-suggest]:has([name=hospital]) [data-suggest-text]").fill("悦安")
    page.locator(".c-suggest__item", has_text="悦安诊所").click()
    for name, value in {
        "department": "普外科", "contact_name": "国际部", "contact_email": MAIL, "planned_on": "2026-09-28",
        "planned_days": "5", "diagnosis": "K35.800", "diagnosis_name": "急性阑尾炎", "treatment": "腹腔镜阑尾切除",
        "lines.0.name": "阑尾切除术", "lines.0.amount": "12000",
    }.items():  # fmt: skip
        page.fill(f"[name='{name}']", value)
    page.select_option("[name='lines.0.kind']", "SURGERY")

    page.get_by_role("button", name="是否需要").click()
    expect(page.locator("[data-expected-body]")).to_contain_text("PA-07")
    expect(page.locator("[data-expected-body]")).to_contain_text("最迟 2026-09-21")
    assert not CaseFile.objects.exists()
    desk.fits()
    page.get_by_role("button", name="提交申请").click()
    desk.state("已提交")

    case = CaseFile.objects.get(kind="authorization")
    for kind in ("MEDICAL_RECORD", "COST_ESTIMATE", "PASSPORT"):
        Paper.objects.create(
            case=case, kind=kind, form="ORIGINAL", received_at=NOW, legible=True, color=True, has_photo=True,
            subject="INSURED" if kind == "PASSPORT" else "",
        )  # fmt: skip
    desk.case(case.number)
    desk.act("complete", "资料齐全").get_by_role("button", name="资料齐全").click()
    desk.state("审核中")

    desk.sit("senior")
    desk.case(case.number)
    form = desk.act("approve", "批准")
    form.locator("[name=amount]").fill("10000")
    form.get_by_role("button", name="批准").click()
    desk.state("担保函已出具")
    house.deliver()
    desk.case(case.number)
    desk.state("担保函已发送")
    assert Message.objects.get(template="guarantee").state == "DELIVERED"
    desk.fits()

    page.goto(f"{desk.address}/v/{Letter.objects.get().token}/")
    desk.says("有效")
    assert "王" not in page.locator("body").inner_text()
