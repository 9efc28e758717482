"""A message goes into a case by itself only when case and sender are certain; a stranger's never does."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from apps.accounts.tests.factories import UserFactory
from apps.cases.models import CaseEvent, Clock
from apps.claims.tests.world import World
from apps.documents.models import Paper
from apps.mailroom.actions.emails import act
from apps.mailroom.inbox.filing import file_waiting
from apps.mailroom.inbox.matching import courier_number, unproven
from apps.mailroom.inbox.polling import take_in
from apps.mailroom.models import Email
from apps.mailroom.tests.letters import CLAIMS_2024, INVOICE, RECORD, STRANGER, box, letter
from apps.mailroom.tests.test_polling import waiting
from apps.members.models import Guardian
from apps.messaging.headers import message_id, message_of
from apps.messaging.models import CallTask, Message

FILES = {"发票.jpg": INVOICE, "IMG_1.pdf": RECORD}


def came(raw: bytes, *, address: str = "", at: datetime | None = None) -> Email:
    email, _fresh = take_in(box(address) if address else box(), raw, arrived_at=at)
    file_waiting()
    email.refresh_from_db()
    return email


# --- Certain ----------------------------------------------------------------------------------


def test_the_guardians_papers_wake_the_case_from_their_arrival(world: World) -> None:
    case = waiting(world)
    Message.objects.filter(template="supplement").update(state="DELIVERED")
    world.do(case, "supplement_delivered", by="system", at=world.now - timedelta(hours=20))
    arrived = world.now - timedelta(hours=14)  # at 20:00 the evening before
    email = came(letter(f"Re: 补件 {case.number}", files=FILES), at=arrived)
    assert (email.state, email.case_id, email.why, email.reason) == ("MATCHED", case.pk, "NUMBER", "")
    papers = Paper.objects.filter(case=case, note=f"e-mail #{email.pk}").order_by("pk")
    assert {paper.kind for paper in papers} == {"INVOICE", "OTHER"}
    assert {paper.received_at for paper in papers} == {arrived}
    assert {paper.legible for paper in papers} == {None}  # a person looks at every one (RMB-20)
    assert world.see(case).state == "MATERIALS_CHECK"
    first = Clock.objects.get(case=case, key=_first(case))
    assert first.started_at == arrived
    spans = [span for clock in case.clocks.all() for span in clock.pauses.all()]
    assert {span.ended_at for span in spans} <= {arrived}


def _first(case: Any) -> str:
    """The key of the clock that counts from the first papers (LAW-02)."""
    specs = [spec for spec in case.handbook.handbook.clocks if spec.start == "first_received"]
    keys = {spec.key for spec in specs}
    return str(Clock.objects.filter(case=case, key__in=keys).values_list("key", flat=True)[0])


def test_papers_that_came_before_the_notice_end_no_pause_before_it_began(world: World) -> None:
    case = waiting(world)
    world.do(case, "supplement_delivered", by="system", at=world.now - timedelta(hours=1))
    came(letter(f"补件 {case.number}", files=FILES), at=world.now - timedelta(hours=30))
    assert world.see(case).state == "MATERIALS_CHECK"


def test_an_answer_to_our_message_is_joined_by_its_id(world: World) -> None:
    case = waiting(world)
    notice = Message.objects.filter(case=case).first()
    email = came(letter("回复：请补充材料", files=FILES, In_Reply_To=message_id(notice)))
    assert (email.state, email.case_id, email.why) == ("MATCHED", case.pk, "REPLY")


def test_an_answer_to_our_answer_is_joined_where_its_e_mail_was_filed_since(world: World) -> None:
    case = waiting(world)
    first = came(letter("材料问题", sender=STRANGER))
    answer = act(first.pk, "answer", world.actor("mail"), version=first.version, template="mail_who")
    assert came(letter("回复", message_id="<two@x>", In_Reply_To=message_id(answer.result))).case is None
    act(first.pk, "file", world.actor("mail"), version=first.version + 1, case=case.number)
    email = came(letter("回复", message_id="<three@x>", In_Reply_To=message_id(answer.result)))
    assert (email.state, email.case_id, email.why) == ("MATCHED", case.pk, "REPLY")


def test_a_thread_goes_on_without_the_number(world: World) -> None:
    case = waiting(world)
    came(letter(f"补件 {case.number}", files=FILES))
    email = came(
        letter("还有一张", message_id="<two@x.cn>", References="<x@y> <one@example.com>", text="another")
    )
    assert (email.state, email.case_id, email.why) == ("MATCHED", case.pk, "THREAD")


def test_staff_of_the_hospital_and_of_the_administrator_belong_to_their_cases(world: World) -> None:
    UserFactory(email="records@PUB.example", hospital="PUB")
    UserFactory(email="desk@windstone.example", tpa="WINDSTONE")
    case = waiting(world)
    assert came(letter(case.number, sender="records@pub.example")).state == "MATCHED"
    assert came(letter(case.number, sender="desk@windstone.example", message_id="<2@x>")).reason == "STRANGER"
    theirs = waiting(world, series="2024")
    email = came(
        letter(theirs.number, sender="desk@windstone.example", message_id="<3@x>"), address=CLAIMS_2024
    )
    assert (email.state, email.tpa) == ("MATCHED", "WINDSTONE")


# --- Doubtful ---------------------------------------------------------------------------------


def nothing_happened(case: Any, email: Email, doubt: str) -> None:
    assert (email.state, email.reason, email.case_id) == ("NEW", doubt, None)
    assert email.suggested_id == case.pk
    assert not Paper.objects.filter(case=case, note__startswith="e-mail").exists()
    assert case.events.latest("seq").name != "attach_paper"


@pytest.mark.parametrize("how", ["number", "thread", "reply"])
def test_a_stranger_who_knows_number_or_id_attaches_nothing(world: World, how: str) -> None:
    case = waiting(world)
    came(letter(f"补件 {case.number}"))
    notice = Message.objects.filter(case=case).first()
    headers = {
        "number": {},
        "thread": {"References": "<one@example.com>"},
        "reply": {"In_Reply_To": message_id(notice)},
    }
    subject = case.number if how == "number" else "你好"
    email = came(letter(subject, sender=STRANGER, files=FILES, message_id="<evil@x>", **headers[how]))
    nothing_happened(case, email, "STRANGER")


def test_a_guardian_of_another_child_is_a_stranger_here(world: World) -> None:
    other = world.child("M9", "2026", 9)
    Guardian.objects.filter(member=other).update(email="li@example.com")
    case = waiting(world)
    nothing_happened(case, came(letter(case.number, sender="li@example.com", files=FILES)), "STRANGER")


def test_the_wrong_mailbox_needs_a_person(world: World) -> None:
    case = waiting(world)
    nothing_happened(case, came(letter(case.number, files=FILES), address=CLAIMS_2024), "OTHER_SERIES")


def test_a_sender_the_server_could_not_prove_needs_a_person(world: World, settings: Any) -> None:
    case = waiting(world)
    forged = "mx.jd.com; spf=fail smtp.mailfrom=x; dmarc=fail header.from=example.com"
    email = came(letter(case.number, files=FILES, Authentication_Results=forged))
    nothing_happened(case, email, "UNPROVEN")
    settings.MAIL_AUTHENTICATION_SERVER = "mx.jd.com"
    assert not unproven("mx.jd.com; dmarc=pass header.from=example.com")
    assert unproven("evil.example; dmarc=pass")
    assert unproven("")


def test_several_numbers_and_several_senders_need_a_person(world: World) -> None:
    one, two = waiting(world), world.claim()
    nothing_happened(one, came(letter(f"{one.number} {two.number}", files=FILES)), "ONLY_SUGGESTED")
    raw = letter(one.number, message_id="<3@x>").replace(b"From: ", b"From: other@x.cn, ")
    nothing_happened(one, came(raw), "NO_SENDER")


def test_a_number_in_the_text_and_a_waiting_case_are_only_suggestions(world: World) -> None:
    case = waiting(world)
    email = came(letter("补充材料", text=f"案件 {case.number}", files=FILES))
    nothing_happened(case, email, "ONLY_SUGGESTED")
    assert email.why == "WAITING"


def test_a_closed_case_takes_no_papers_by_itself(world: World) -> None:
    case = world.do(world.claim(), "withdraw", by="intake", reason="twice")
    events = CaseEvent.objects.filter(case=case).count()
    nothing_happened(case, came(letter(case.number, files=FILES)), "NOT_NOW")
    assert CaseEvent.objects.filter(case=case).count() == events


def test_a_forged_id_of_ours_is_nobodys(world: World) -> None:
    notice = Message.objects.filter(case=waiting(world)).first()
    real = message_id(notice)
    assert message_of(real) == notice
    digit = "0" if real[-30] != "0" else "1"
    forged = f"<claims.{notice.pk}.{digit * 24}@claims.example>"
    assert message_of(forged) is None
    assert message_of("<claims.1@x> <a@b>") is None


# --- Machines ---------------------------------------------------------------------------------


def test_automatic_replies_are_kept_and_file_nothing(world: World) -> None:
    case = waiting(world)
    email = came(letter(f"自动回复 {case.number}", files=FILES, Auto_Submitted="auto-replied"))
    assert (email.state, email.reason, email.automatic) == ("DISMISSED", "AUTOMATIC", "REPLY")
    assert Paper.objects.filter(case=case, note__startswith="e-mail").count() == 0
    assert world.see(case).state == "MATERIALS_PENDING"


def test_a_message_that_came_back_asks_somebody_to_call_once(world: World) -> None:
    case = waiting(world)
    notice = Message.objects.filter(case=case).first()
    raw = (
        f"From: MAILER-DAEMON@mx.cn\nReturn-Path: <>\nMessage-ID: <%s@mx>\n"
        f"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nunknown user\n"
        f"--b\nContent-Type: message/rfc822\n\nMessage-ID: {message_id(notice)}\nSubject: x\n\nhello\n--b--\n"
    )
    for index in range(2):
        email = came((raw % index).encode())
        assert (email.automatic, email.case_id, email.state) == ("BOUNCE", case.pk, "DISMISSED")
    task = CallTask.objects.get(case=case, purpose="delivery_failed")
    assert notice.body[:20] in task.script


# --- Who it is about --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["被保险人：王小明，请查收", "保单号 P-M2026", "会员号M2026", "护照 EM20261 见附件"]
)
def test_the_child_is_found_by_what_the_text_names(world: World, text: str) -> None:
    email = came(letter("报案", sender=STRANGER, text=text))
    assert email.member is not None
    assert email.member.number == "M2026"
    assert (email.state, email.suggested) == ("NEW", None)


def test_a_child_of_another_series_is_not_named_to_this_mailbox(world: World) -> None:
    assert came(letter("报案", sender=STRANGER, text="保单号 P-M2024")).member is None


def test_rmb_25_the_courier_number_is_found_when_there_is_one() -> None:
    assert courier_number("已寄出，顺丰 SF1234567890123，请查收") == "SF1234567890123"
    assert courier_number("单号：jdva12345678901 京东") == "JDVA12345678901"
    assert courier_number("电话 13800138000，日期 20260916") == ""
    assert courier_number("SF1234567890123 和 SF9876543210987") == ""
