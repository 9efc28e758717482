"""The morning's mail, clicked through in Chromium: read, look at the files, file, report, answer, put aside."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from apps.cases.models import CaseFile
from apps.claims.tests.world import World
from apps.documents.models import Paper
from apps.mailroom.inbox.filing import file_waiting
from apps.mailroom.inbox.polling import take_in
from apps.mailroom.models import Email
from apps.mailroom.tests.letters import STRANGER, box, letter
from apps.messaging.models import Message
from tests.browser.test_walks import Desk, desk, house, scan

__all__ = ["desk", "house"]
pytestmark = pytest.mark.browser


def test_the_mails_of_a_morning(desk: Desk, house: World) -> None:
    world: Any = house
    case = world.do(world.claim(), "check_materials", by="intake")
    assert case.state == "MATERIALS_PENDING"
    evil = "<script>document.title='hacked'</script><img src='http://spy.example/x.png'>"
    files = {"病历.jpg": scan("record"), "清单.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"}
    take_in(box(), letter(f"案件 {case.number} 的材料", sender=STRANGER, text=f"请查收 {evil}", files=files))
    take_in(box(), letter("限时优惠", sender="ads@promo.example", message_id="<ads@x>"))
    file_waiting()

    page = desk.sit("mail")
    page.get_by_role("link", name="邮件收件箱").first.click()
    expect(page.locator("#result_list")).to_contain_text("案件")
    expect(page.locator("#result_list")).to_contain_text("s***@elsewhere.example")
    expect(page.locator("#result_list")).to_contain_text("待归案")
    desk.fits()

    # A message from somebody nobody knows: it names the case, and yet a person decides.
    page.get_by_role("link", name=f"案件 {case.number} 的材料").click()
    desk.says("发件地址与本案人员不符")
    desk.says("Office 文件可能带宏")
    expect(page.locator(".m-text")).to_contain_text("<script>document.title='hacked'</script>")
    assert "hacked" not in page.title()
    page.locator(".c-thumb", has_text="病历.jpg").click()
    expect(page.locator("[data-sheet]")).to_be_visible()
    page.wait_for_function("document.querySelector('[data-sheet]').naturalWidth > 100")
    desk.fits()

    # Answered first, then filed: the papers wake the case.
    page.locator("#step-answer summary").click()
    page.fill("#step-answer [name=text]", "费用清单请发 PDF。")
    page.locator("#step-answer button.c-button--primary").click()
    desk.says("邮件回复：已完成")
    message = Message.objects.get(template="mail_files")
    assert (message.recipient, "费用清单请发 PDF。" in message.body) == (STRANGER, True)
    expect(page.locator("#mail-case")).to_have_value(case.number)
    page.get_by_role("button", name="归入").click()
    expect(page.locator(".c-head__number")).to_have_text(case.number)
    desk.state("资料审核")
    paper = Paper.objects.get(case=case, note__startswith="e-mail")
    assert paper.kind == "MEDICAL_RECORD"
    expect(page.locator(".c-timeline")).to_contain_text("来信")

    # Advertising goes aside with its reason.
    desk.open("/admin/mail/")
    page.get_by_role("link", name="限时优惠").click()
    page.locator("#step-dismiss summary").click()
    page.select_option("#step-dismiss [name=reason]", "SPAM")
    page.locator("#step-dismiss button.c-button--danger").click()
    desk.says("已搁置")
    desk.says("垃圾邮件或广告")
    assert Email.objects.filter(state="NEW").count() == 0
    assert CaseFile.objects.get(pk=case.pk).state == "MATERIALS_CHECK"


def test_a_claim_reported_from_an_e_mail(desk: Desk, house: World) -> None:
    from apps.mailroom.tests.letters import CLAIMS_2024

    text = "被保险人：王小明，9月10日在市儿童医院就诊。"
    email, _fresh = take_in(box(CLAIMS_2024), letter("报案", text=text, files={"发票.jpg": scan("invoice")}))
    file_waiting()
    page = desk.sit("mail")
    desk.open(f"/admin/mail/{email.pk}/")
    page.get_by_role("link", name="由此邮件报案").click()
    expect(page.locator("[name='member.number']")).to_have_value("M2024")
    expect(page.locator("[name=channel]")).to_have_value("EMAIL")
    expect(page.locator("[name='reporter.name']")).to_have_value("王建国")
    page.locator(".c-thumb", has_text="发票.jpg").click()
    page.wait_for_function("document.querySelector('[data-sheet]').naturalWidth > 100")
    desk.fits()
    values = {
        "department": "儿科", "started_on": "2026-09-10", "bills.0.code": "01020304", "bills.0.number": "0000000088",
        "bills.0.issued_on": "2026-09-10", "bills.0.amount": "300.00", "bills.0.lines.0.name": "血常规",
        "bills.0.lines.0.amount": "300.00",
    }  # fmt: skip
    page.select_option("[name='visits.0.visit_type']", "OUTPATIENT")
    page.select_option("[name='visits.0.bills.0.bill_type']", "FISCAL_PAPER")
    page.select_option("[name='visits.0.bills.0.lines.0.kind']", "EXAM")
    page.locator("[data-suggest$='find-hospital/'] [data-suggest-text]").first.fill("市儿童")
    page.locator(".c-suggest__item", has_text="市儿童医院").first.click()
    for name, value in values.items():
        page.fill(f"[name='visits.0.{name}']", value)
    page.get_by_role("button", name="报案").last.click()
    expect(page.locator(".c-head__number")).to_have_text(Email.objects.get(pk=email.pk).case.number)
    assert Email.objects.get(pk=email.pk).state == "FILED"
