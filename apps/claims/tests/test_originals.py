"""Mailed originals: routed, announced, logged one by one, chased, closed, opened again, sent back (RMB-22 … RMB-26, RMB-39, RMB-40)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.accounts.tests.factories import UserFactory, make_actor
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.claims.assess import assessment_of
from apps.claims.models import Original, Parcel
from apps.claims.originals import mailing, missing_originals, outstanding
from apps.claims.panels import originals
from apps.claims.tasks import close_without_papers, remind_of_papers
from apps.claims.tests.world import World, events
from apps.core.errors import Blocked, InvalidInput, InvalidInputs, NotAllowed, NotFound
from apps.documents.models import Letter, Paper
from apps.documents.tests.factories import pdf
from apps.messaging.models import Message

INVOICE = {"kind": "INVOICE", "place": "bill:1.1"}


def mailed(world: World, series: str = "2026", **fields: Any) -> CaseFile:
    visit = world.visit([world.bill("12000.00")]) if series == "2026" else world.stay()
    return world.claim(visit, series=series, **fields)


def log(world: World, case: CaseFile, *items: dict[str, Any], **fields: Any) -> CaseFile:
    return world.do(case, "log_originals", by="mail", items=list(items), **fields)


def expected(world: World, case: CaseFile) -> list[dict[str, Any]]:
    """What the form of the clerk starts with."""
    lacking = assessment_of(world.see(case)).lacking
    items = [(entry.key, entry.place, entry.pages) for entry in lacking if entry.key != "INVOICE_ANNOTATION"]
    if any(key == "PHOTO_ID" for key, _place, _pages in items):
        items.append(("GUARDIAN_ID", "", 2))  # of the parent who is paid (PR-02)
    return [
        {"kind": key, "place": place, "sheets": pages, "signed": True, "has_photo": True}
        for key, place, pages in items
    ]


# --- How to send them ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("series", "address", "recipient", "phone", "rules"),
    [
        ("2026", "北京市亦庄经济开发区科创十一街18号院京东集团1号楼SSC大厅", "备注：高端医疗理赔资料", "010-89110563", ("RMB-22", "RMB-24", "RMB-23", "RMB-25", "RMB-26")),
        ("2024", "上海徐汇区龙华中路596号1201室", "风石健康理赔部", "021-80209058", ("RMB-39",)),
    ],
)  # fmt: skip
def test_rmb24_rmb26_rmb39_the_instructions_as_printed(
    world: World, rulebook: Any, series: str, address: str, recipient: str, phone: str, rules: tuple[str, ...]
) -> None:
    case = mailed(world, series)
    how = mailing(assessment_of(world.see(case)))
    assert how is not None
    assert (how.address, how.phone, how.mark, how.rules) == (address, phone, case.number, rules)
    assert recipient in how.recipient
    assert any("发票" in title for title in how.originals)
    message = Message.objects.get(case=case, template="report_received")
    for words in (address, recipient, phone, case.number):
        assert words in message.body
    assert Letter.objects.get(case=case, kind="ACCEPTANCE").context["originals"] == list(how.originals)
    if series == "2026":
        assert (how.postcode, how.tracking_to) == ("100176", "ext.jdazcservice1@jd.com")
        assert "到付" in message.body
        rulebook.read_back("RMB-24", how.recipient)
        rulebook.read_back("RMB-26", how.tracking_to)
    else:
        assert (how.own_postage, how.tracking_to) == (False, "")
        assert "到付" not in message.body
        rulebook.read_back("RMB-39", how.address)


def test_an_online_claim_is_not_told_to_mail(world: World) -> None:
    case = world.claim()
    assert "邮寄" not in Message.objects.get(case=case, template="report_received").body
    assert originals(world.see(case), world.actor("mail"))["mailed"] is False


def test_pr05_the_one_notice_carries_the_instructions(world: World) -> None:
    case = log(world, mailed(world))
    case = world.do(case, "check_materials", by="intake")
    letter = Letter.objects.get(case=case, kind="SUPPLEMENT")
    assert letter.context["originals_by_mail"] is True
    assert any(entry["original"] for entry in letter.context["missing"])


# --- Announced ---------------------------------------------------------------------------------------


def test_rmb25_the_number_fed_back_is_shown_and_found(world: World, rulebook: Any) -> None:
    case = world.do(
        mailed(world), "record_tracking", by="intake", tracking_number="SF100200300", sent_on="2026-09-15"
    )
    parcel = Parcel.objects.get(claim=case.pk)
    assert (parcel.state, parcel.tracking_number, str(parcel.sent_on), parcel.announced_by) == (
        "ANNOUNCED", "SF100200300", "2026-09-15", world.actor("intake").label,
    )  # fmt: skip
    rulebook.read_back("RMB-25", parcel.tracking_number)
    case = log(world, case, tracking_number="SF100200300")
    parcel.refresh_from_db()
    assert (parcel.state, parcel.logged_by) == ("RECEIVED", world.actor("mail").label)
    assert Parcel.objects.filter(claim=case.pk).count() == 1


def test_rmb25_dl44_sent_without_a_number_is_asked_for_it(world: World, rulebook: Any) -> None:
    case = world.do(mailed(world), "record_sending", by="intake", sent_on="2026-09-15")
    clock = world.clock(case, "claim.tracking")
    assert (clock.state, str(clock.day)) == ("RUNNING", "2026-09-18")
    rulebook.fired("DL-44")
    other = world.do(mailed(world), "record_tracking", by="intake", tracking_number="SF400200300")
    assert not other.clocks.filter(key="claim.tracking").exists()
    rulebook.fired("DL-44", False)
    case = world.do(case, "record_tracking", by="intake", tracking_number="SF100200300")
    assert world.clock(case, "claim.tracking").state == "STOPPED"
    assert Parcel.objects.get(claim=case.pk).tracking_number == "SF100200300"


def test_rmb25_nothing_was_sent_tomorrow(world: World) -> None:
    with pytest.raises(InvalidInput) as caught:
        world.do(mailed(world), "record_sending", by="intake", sent_on="2026-09-17")
    assert (caught.value.field, caught.value.rule) == ("sent_on", "RMB-25")


def test_rmb25_another_parcel_than_announced_must_be_said(world: World) -> None:
    case = world.do(mailed(world), "record_tracking", by="intake", tracking_number="SF111111")
    with pytest.raises(InvalidInput) as caught:
        log(world, case, tracking_number="SF222222")
    assert (caught.value.code, caught.value.rule) == ("other_parcel", "RMB-25")
    log(world, case, tracking_number="SF222222", other_parcel=True, more_expected=True)
    states = dict(Parcel.objects.filter(claim=case.pk).values_list("tracking_number", "state"))
    assert states == {"SF111111": "ANNOUNCED", "SF222222": "RECEIVED"}


def test_the_same_parcel_is_logged_once_however_its_number_was_typed(world: World) -> None:
    case = world.do(mailed(world), "record_tracking", by="intake", tracking_number="sf 3333 ３３")
    case = log(world, case, tracking_number="SF333333", more_expected=True)
    assert Parcel.objects.get(claim=case.pk).state == "RECEIVED"
    with pytest.raises(InvalidInput) as caught:
        log(world, case, tracking_number="SF333333 ")
    assert caught.value.code == "parcel_twice"


# --- Logged --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_rmb22_rmb39_logged_originals_complete_the_claim(world: World, series: str) -> None:
    case = mailed(world, series)
    assert case.state == "AWAITING_ORIGINALS"
    with pytest.raises(Blocked):  # no review before the originals are logged
        world.do(case, "check_materials", by="intake")
    case = log(world, case, *expected(world, case), tracking_number="SF900", shelf="A-12")
    row = Original.objects.get(claim=case.pk, kind="INVOICE")
    assert (row.is_original, row.place, row.shelf, row.logged_by) == (
        True, "bill:1.1", "A-12", world.actor("mail").label,
    )  # fmt: skip
    assert row.paper.form == "ORIGINAL"
    case = world.do(case, "check_materials", by="intake")
    assert case.state == "COMPLETE"


def test_rmb40_dl10_the_clock_of_a_stay_starts_when_originals_are_complete(
    world: World, rulebook: Any
) -> None:
    case = mailed(world, "2024")
    assert not case.clocks.filter(key="claim.decision").exists()  # not from the report
    case = log(world, case, *expected(world, case))
    assert not case.clocks.filter(key="claim.decision").exists()  # nor from the parcel: somebody has to look
    assert case.clocks.filter(key="law.decision").exists()  # the law counts from the first papers (LAW-02)
    case = world.do(case, "check_materials", by="intake")
    clock = world.clock(case, "claim.decision")
    assert (clock.spec_id, str(clock.day)) == (
        "DL-10",
        "2026-09-30",
    )  # Sunday 20 September is worked, the 25th is off
    other = world.complete(series="2024")
    for rule in ("RMB-40", "DL-10"):
        rulebook.fired(rule, clock.spec_id == "DL-10")
        rulebook.fired(rule, world.clock(other, "claim.decision").spec_id == "DL-10")
    assert world.clock(other, "claim.decision").spec_id == "DL-14"


def test_rmb15_a_copy_of_the_invoice_is_still_missing(world: World) -> None:
    case = mailed(world)
    items = [item for item in expected(world, case) if item["kind"] != "INVOICE"]
    case = log(world, case, *items, INVOICE | {"form": "COPY"})
    assert case.events.get(name="log_originals").data["missing"] == ["INVOICE@bill:1.1"]
    case = world.do(case, "check_materials", by="intake")
    [missing] = list(Letter.objects.get(case=case, kind="SUPPLEMENT").context["missing"])
    assert missing["original"] is True
    assert case.state == "MATERIALS_PENDING"


def test_an_unreadable_original_counts_as_nothing(world: World) -> None:
    case = log(world, mailed(world), INVOICE | {"condition": "UNREADABLE", "note": "浸水"})
    assert "INVOICE@bill:1.1" in case.events.get(name="log_originals").data["missing"]
    assert Paper.objects.get(case=case).legible is False


def test_a_second_parcel_wakes_a_claim_that_waits(world: World) -> None:
    case = log(world, mailed(world), tracking_number="SF1")
    case = world.do(case, "check_materials", by="intake")
    reached = world.later(days=1)
    world.do(case, "supplement_delivered", by="system", at=reached, evidence="E-mail #1", now=reached)
    assert world.clock(case, "law.decision").state == "PAUSED"
    back = world.later(days=4)
    case = world.do(
        case, "log_more_originals", by="mail", items=expected(world, case), tracking_number="SF2", now=back
    )
    assert case.state == "MATERIALS_CHECK"
    [span] = world.clock(case, "law.decision").pauses.all()
    assert (span.ended_at, span.end_evidence) == (back, "SF2")
    assert world.do(case, "check_materials", by="intake", now=back).state == "COMPLETE"


def test_more_expected_goes_on_waiting(world: World) -> None:
    case = log(world, mailed(world), INVOICE, more_expected=True)
    assert case.state == "AWAITING_ORIGINALS"
    assert log(world, case).state == "ORIGINALS_RECEIVED"


def test_law11_the_one_original_of_a_bill_lies_on_the_shelf_once(world: World) -> None:
    case = log(world, mailed(world), INVOICE, more_expected=True)
    with pytest.raises(InvalidInputs) as caught:
        log(world, case, INVOICE)
    [error] = caught.value.errors
    assert (error.code, error.field, error.rule) == ("original_twice", "items.0.place", "RMB-15")


def test_wrong_items_are_all_named_and_nothing_is_kept(world: World) -> None:
    case = mailed(world)
    with pytest.raises(InvalidInputs) as caught:
        log(world, case, {"kind": "POEM"}, {"kind": "INVOICE", "place": "bill:9.9"}, tracking_number="SF1")
    assert {error.field for error in caught.value.errors} == {"items.0.kind", "items.1.place"}
    assert not Parcel.objects.exists()
    assert world.see(case).state == "AWAITING_ORIGINALS"


def test_rmb23_a_parcel_refused_at_the_door_was_not_received(world: World) -> None:
    case = log(world, mailed(world), INVOICE, collect_on_delivery=True, tracking_number="SF7")
    assert Parcel.objects.get(claim=case.pk).state == "REFUSED"
    assert not Original.objects.exists()
    assert not case.clocks.filter(key="law.decision").exists()
    message = Message.objects.get(case=case, template="originals_wanted")
    assert "到付件" in message.body
    assert "100176" in message.body
    assert log(world, case, INVOICE, tracking_number="SF7").state == "ORIGINALS_RECEIVED"


# --- Chased, closed, opened again --------------------------------------------------------------------------


def test_waiting_claims_are_reminded_closed_and_opened_again(world: World) -> None:
    case, online = mailed(world), world.claim()
    told = []
    for day in (6, 7, 8, 14, 30, 60, 120, 179):
        with time_machine.travel(world.later(days=day), tick=False):
            told.append(remind_of_papers())
            assert close_without_papers() == 0
    assert told == [0, 1, 0, 1, 1, 1, 1, 0]  # after 7, 14, 28, 56 and 112 days
    assert world.see(case).claim.reminders == 5
    body = Message.objects.filter(case=case, template="papers_reminder").latest("pk").body
    assert "发票" in body
    assert "2027" in body  # until when
    assert not Message.objects.filter(case=online, template="papers_reminder").exists()
    late = world.later(days=181)
    with time_machine.travel(late, tick=False):
        assert close_without_papers() == 1
    assert world.see(case).state == "CLOSED_NO_PAPERS"
    assert "不是拒赔" in Message.objects.get(case=case, template="papers_closed").body
    case = world.do(case, "log_more_originals", by="mail", items=[INVOICE], now=late + timedelta(days=3))
    assert (case.state, case.open) == ("MATERIALS_CHECK", True)
    assert "reopened" in events(case)


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_a_reminder_does_not_ask_for_pictures_that_wait_for_our_eyes(world: World, series: str) -> None:
    """They are here, though not as the original that is to be mailed (RMB-20, RMB-22, RMB-39)."""
    case = mailed(world, series)
    found = assessment_of(case)
    by_mail = {entry.ref for entry in missing_originals(found)}
    here, missing = {entry.key for entry in found.lacking}, len(found.lacking)
    for key in sorted(here - {"INVOICE_ANNOTATION"}):
        scan = SimpleUploadedFile(f"{key}.pdf", pdf(1), "application/pdf")
        case = world.do(case, "attach_paper", by="intake", kind=key, form="IMAGE", files=[scan])
    asked = {entry.ref for entry in outstanding(assessment_of(world.see(case)))}
    assert by_mail <= asked <= by_mail | {ref for ref in asked if ref.startswith("INVOICE_ANNOTATION")}
    assert len(asked) < missing
    case = world.do(case, "remind_papers", by="intake")
    assert set(case.events.get(name="papers_reminded").data["missing"]) == asked
    assert not originals(world.see(case), make_actor("intake"))["unusable"]


def test_a_new_notice_starts_the_reminders_anew(world: World) -> None:
    case = world.do(world.claim(), "check_materials", by="intake")
    world.do(case, "remind_papers", by="intake")
    case = world.do(case, "papers_arrived", by="intake")
    case = world.do(case, "request_supplement", by="supervisor", reason="first notice was lost")
    assert case.claim.reminders == 0


# --- Sent back ---------------------------------------------------------------------------------------------


def shelved(world: World, case: CaseFile, kind: str = "INVOICE") -> Original:
    return Original.objects.get(claim=case.pk, kind=kind)


def test_originals_of_a_withdrawn_claim_go_back(world: World) -> None:
    case = log(world, mailed(world), INVOICE)
    case = world.do(case, "withdraw", by="intake", reason="家长撤回")
    row = shelved(world, case)
    given = {"originals": [row.pk], "tracking_number": "SF555555", "reason": "已撤案"}
    world.do(case, "return_originals", by="mail", **given)
    row.refresh_from_db()
    assert (row.returned_with, row.returned_by) == ("SF555555", world.actor("mail").label)
    assert "SF555555" in Message.objects.get(case=case, template="originals_returned").body
    with pytest.raises(InvalidInput) as caught:
        world.do(case, "return_originals", by="mail", **given)
    assert caught.value.code == "returned_already"


def test_law08_the_vouchers_of_a_payment_stay(world: World) -> None:
    case = mailed(world)
    case = log(world, case, *expected(world, case))
    case = world.do(world.do(case, "check_materials", by="intake"), "start_review")
    case = world.do(case, "decide", by="senior")
    given = {"originals": [shelved(world, case).pk], "tracking_number": "SF555555", "reason": "社保需要"}
    with pytest.raises(Blocked) as caught:
        world.do(case, "return_originals", by="mail", **given)
    assert (caught.value.code, caught.value.rule) == ("voucher_kept", "LAW-08")
    world.do(case, "return_originals", by="supervisor", **given)


def test_originals_of_another_claim_stay_where_they_are(world: World) -> None:
    mine, other = log(world, mailed(world), INVOICE), log(world, mailed(world), INVOICE)
    with pytest.raises(InvalidInput) as caught:
        world.do(
            mine,
            "return_originals",
            by="mail",
            originals=[shelved(world, other).pk],
            tracking_number="SF1234",
            reason="xx",
        )
    assert caught.value.code == "unknown_original"


# --- Who may, and what they see ------------------------------------------------------------------------------


def test_who_may_log(world: World) -> None:
    case = mailed(world)
    with pytest.raises(NotAllowed):
        world.do(case, "log_originals", by="finance")
    tpa = world.handbook("2024").handbook.tpa
    clerk = make_actor("mailroom", username="tpa", tpa=tpa)
    with pytest.raises(NotFound):  # the administrator's mailroom knows its own series only (GEN-04)
        perform(case.number, "log_originals", clerk)
    own = mailed(world, "2024")
    perform(own.number, "log_originals", clerk, now=world.now)
    assert world.see(own).state == "ORIGINALS_RECEIVED"


def test_the_api_tells_how_and_what(world: World, client: Any) -> None:
    case = log(world, mailed(world), INVOICE | {"sheets": 2}, tracking_number="SF1")
    client.force_login(UserFactory(username="reader", roles=("mailroom",)))
    body = client.get(f"/api/v1/claims/{case.number}/originals/").json()
    assert body["mailing"]["postcode"] == "100176"
    assert [(row["kind"], row["sheets"]) for row in body["originals"]] == [("INVOICE", 2)]
    assert body["parcels"][0]["tracking_number"] == "SF1"
    assert "INVOICE@bill:1.1" not in {row["ref"] for row in body["missing"]}
    tpa = world.handbook("2024").handbook.tpa
    client.force_login(UserFactory(username="stranger", roles=("mailroom",), tpa=tpa))
    assert client.get(f"/api/v1/claims/{case.number}/originals/").status_code == 404


@pytest.mark.parametrize("path", ["parcel", "original", "inquiry"])
def test_the_lists_open(world: World, client: Any, path: str) -> None:
    case = log(world, mailed(world), INVOICE, tracking_number="SF1")
    client.force_login(UserFactory(username="reader", roles=("mailroom",)))
    page = client.get(f"/admin/claims/{path}/")
    assert page.status_code == 200
    if path != "inquiry":
        assert case.number in page.content.decode()


def test_a_scanned_label_finds_the_claim(world: World, client: Any) -> None:
    case = world.do(mailed(world), "record_tracking", by="intake", tracking_number="SF100200300")
    client.force_login(UserFactory(username="reader", roles=("mailroom",)))
    page = client.get("/admin/find/", {"q": "sf100200300"}, follow=True)
    assert case.number in page.content.decode()


def test_the_page_shows_parcel_and_shelf(world: World, client: Any) -> None:
    case = log(world, mailed(world), INVOICE | {"sheets": 3}, tracking_number="SF8877", shelf="B-7")
    client.force_login(UserFactory(username="reader", roles=("mailroom",)))
    page = client.get(f"/admin/case/{case.number}/").content.decode()
    for words in ("SF8877", "B-7", "panel-originals", "return-originals"):
        assert words in page
