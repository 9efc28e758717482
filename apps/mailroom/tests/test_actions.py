"""What people do with a message: each step once, by who may, and the case's own rules hold."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, transaction

from apps.accounts.tests.factories import make_actor
from apps.claims.models import Claim
from apps.claims.tests.world import World
from apps.core.errors import Blocked, Conflict, InvalidInput, InvalidInputs, NotAllowed, NotFound
from apps.documents.models import Paper
from apps.mailroom.actions.emails import act, report_from
from apps.mailroom.inbox.filing import file_waiting
from apps.mailroom.models import Email, EmailEvent
from apps.mailroom.tests.letters import CLAIMS_2024, GUARDIAN, INVOICE, RECORD, STRANGER, letter
from apps.mailroom.tests.test_matching import came
from apps.mailroom.tests.test_polling import waiting
from apps.mailroom.threads import headers_of
from apps.messaging import delivery
from apps.messaging.models import Message
from tests.concurrency import in_threads

FILES = {"发票.jpg": INVOICE, "IMG_1.pdf": RECORD}


def stranger(world: World, **fields: Any) -> Email:
    return came(letter("材料", sender=STRANGER, files=FILES, message_id="<s@x>", **fields))


def step(world: World, email: Email, name: str, *, by: str = "mail", **data: Any) -> Email:
    version = data.pop("version", None) or Email.objects.get(pk=email.pk).version
    act(email.pk, name, world.actor(by), version=version, **data)
    return Email.objects.get(pk=email.pk)


# --- Filing -----------------------------------------------------------------------------------


def test_a_clerk_files_a_strangers_papers_and_chooses_their_kinds(world: World) -> None:
    case, email = waiting(world), stranger(world)
    invoice, record = email.files.order_by("position")
    chosen = [{"file": invoice.pk, "kind": "INVOICE"}, {"file": record.pk, "kind": "MEDICAL_RECORD"}]
    email = step(world, email, "file", case=case.number.lower(), files=chosen, note="电话确认")
    assert (email.state, email.case_id, email.why, email.note) == ("FILED", case.pk, "PERSON", "电话确认")
    papers = Paper.objects.filter(case=case, note=f"e-mail #{email.pk}")
    assert {(paper.kind, paper.received_at) for paper in papers} == {
        ("INVOICE", email.received_at), ("MEDICAL_RECORD", email.received_at),
    }  # fmt: skip
    assert world.see(case).state == "MATERIALS_CHECK"
    assert [row.paper_id for row in email.files.order_by("position")] == list(
        papers.order_by("pk").values_list("pk", flat=True)
    )
    event = EmailEvent.objects.get(email=email)
    assert (event.name, event.actor_label) == ("file", world.actor("mail").label)


def test_a_file_may_be_left_out_and_all_may(world: World) -> None:
    case, email = waiting(world), stranger(world)
    invoice, record = email.files.order_by("position")
    step(
        world,
        email,
        "file",
        case=case.number,
        files=[{"file": invoice.pk, "kind": ""}, {"file": record.pk, "kind": "OTHER"}],
    )
    assert Paper.objects.filter(case=case, note__startswith="e-mail").count() == 1


def test_what_cannot_be_filed_changes_nothing(world: World) -> None:
    case, email = waiting(world), stranger(world)
    closed = world.do(world.claim(), "withdraw", by="intake", reason="twice")
    other = came(letter("other", sender=STRANGER, files={"x.jpg": INVOICE}, message_id="<o@x>"))
    foreign = other.files.get().pk
    for data, error, field in (
        ({"case": "C26-999999"}, NotFound, "case"),
        ({"case": closed.number}, Blocked, ""),
        (
            {"case": case.number, "files": [{"file": foreign, "kind": "INVOICE"}]},
            InvalidInput,
            "files.0.file",
        ),
        (
            {"case": case.number, "files": [{"file": email.files.first().pk, "kind": "NONSENSE"}]},
            InvalidInput,
            "kind",
        ),
        ({}, InvalidInputs, "case"),
        ({"case": case.number, "color": "red"}, InvalidInputs, "color"),
    ):
        with pytest.raises(error) as caught:
            step(world, email, "file", **data)
        assert caught.value.field == field
        email.refresh_from_db()
        assert (email.state, email.version, email.case_id) == ("NEW", 1, None)
    assert not Paper.objects.filter(note__startswith="e-mail").exists()
    assert not EmailEvent.objects.exists()


def test_a_stale_screen_and_a_done_message_are_said(world: World) -> None:
    case, email = waiting(world), stranger(world)
    step(world, email, "dismiss", reason="SPAM")
    with pytest.raises(Conflict) as caught:
        step(world, email, "file", case=case.number, version=1)
    assert caught.value.code == "stale"
    with pytest.raises(Blocked):
        step(world, email, "dismiss", reason="SPAM")
    with pytest.raises(NotFound):
        step(world, email, "explode")


def test_put_aside_with_a_reason_and_taken_up_again(world: World) -> None:
    email = stranger(world)
    with pytest.raises(InvalidInputs):
        step(world, email, "dismiss", reason="BECAUSE")
    email = step(world, email, "dismiss", reason="SPAM", note="广告")
    assert (email.state, email.reason, email.note, email.handled_by) == (
        "DISMISSED", "SPAM", "广告", world.actor("mail").label,
    )  # fmt: skip
    email = step(world, email, "reopen", note="看错了")
    assert (email.state, email.reason, email.handled_by) == ("NEW", "", "")
    assert list(EmailEvent.objects.order_by("pk").values_list("name", "note")) == [
        ("dismiss", "广告"), ("reopen", "看错了"),
    ]  # fmt: skip


def test_events_are_written_once(world: World) -> None:
    step(world, stranger(world), "dismiss", reason="SPAM")
    with pytest.raises(DatabaseError), transaction.atomic():
        EmailEvent.objects.update(note="nobody was here")


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_four_clerks_at_once_file_a_message_once(transactional_db: None, now: Any) -> None:
    world = World()
    case, email = waiting(world), stranger(world)
    actors = [world.actor(name) for name in ("mail", "intake", "adjuster", "second")]

    def file(index: int) -> str:
        try:
            act(email.pk, "file", actors[index], version=1, case=case.number)
        except Conflict:
            return "stale"
        return "done"

    assert sorted(in_threads(file, 4)) == ["done", "stale", "stale", "stale"]
    assert Paper.objects.filter(case=case, note__startswith="e-mail").count() == 2


# --- Who --------------------------------------------------------------------------------------


def test_wrong_role_and_wrong_administrator_are_refused(world: World) -> None:
    case, email = waiting(world, series="2024"), came(letter("x", sender=STRANGER), address=CLAIMS_2024)
    for actor, error in (
        (make_actor("finance"), NotAllowed),
        (make_actor("auditor"), NotAllowed),
        (make_actor("mailroom", tpa="ELSEWHERE"), NotFound),
        (make_actor("mailroom", series=["2026"]), NotFound),
    ):
        for name, data in (("file", {"case": case.number}), ("dismiss", {"reason": "SPAM"})):
            with pytest.raises(error):
                act(email.pk, name, actor, version=1, **data)
    assert Email.objects.get(pk=email.pk).state == "NEW"
    act(email.pk, "dismiss", make_actor("mailroom", tpa="WINDSTONE"), version=1, reason="SPAM")


def test_an_administrators_clerk_files_only_into_cases_of_theirs(world: World) -> None:
    ours, theirs = waiting(world), waiting(world, series="2024")
    email = came(letter("x", sender=STRANGER, files=FILES), address=CLAIMS_2024)
    clerk = make_actor("mailroom", tpa="WINDSTONE")
    with pytest.raises(NotFound):
        act(email.pk, "file", clerk, version=1, case=ours.number)
    act(email.pk, "file", clerk, version=1, case=theirs.number)


def test_a_message_filed_elsewhere_is_seen_there(world: World) -> None:
    theirs = waiting(world, series="2024")
    email = step(world, stranger(world), "file", case=theirs.number)
    assert (email.series, email.tpa) == ("2024", "WINDSTONE")


# --- Reporting --------------------------------------------------------------------------------


def test_a_claim_is_reported_with_the_files_from_the_arrival_on(world: World) -> None:
    email = came(letter("报案", sender=GUARDIAN, files=FILES), address=CLAIMS_2024)
    data = world.report(series="2024", channel="EMAIL", external_numbers=[])
    case = report_from(email.pk, world.actor("mail"), version=1, **data)
    email.refresh_from_db()
    claim = Claim.objects.get(case=case)
    assert (email.state, email.case_id, email.why) == ("FILED", case.pk, "REPORT")
    assert (claim.channel, claim.reported_at, claim.first_received_at) == (
        "EMAIL",
        email.received_at,
        email.received_at,
    )
    assert {paper.kind for paper in case.papers.all()} >= {"INVOICE", "OTHER"}
    assert email.files.exclude(paper=None).count() == 2
    assert not any("RMB-38" in ref and "channel" in ref for ref in case.events.first().data["findings"])


def test_a_report_that_is_wrong_leaves_the_message_open(world: World) -> None:
    email = stranger(world)
    with pytest.raises(InvalidInputs):
        report_from(email.pk, world.actor("mail"), version=1, **world.report(member={"number": "M0"}))
    assert (Email.objects.get(pk=email.pk).state, Claim.objects.count()) == ("NEW", 0)


# --- Courier numbers, papers to sort ----------------------------------------------------------


def test_rmb_25_a_courier_number_goes_to_the_case(world: World, rulebook: Any) -> None:
    case = world.claim(world.visit([world.bill("12000.00")]))
    assert case.state == "AWAITING_ORIGINALS"
    email = came(letter(f"已寄出 {case.number}", text="顺丰单号 SF1234567890123"))
    assert email.state == "MATCHED"
    step(world, email, "tracking", tracking_number="SF1234567890123")
    claim = Claim.objects.get(case=case)
    rulebook.read_back("RMB-25", claim.tracking_number)
    assert claim.tracking_number == "SF1234567890123"
    assert case.events.latest("seq").name == "tracking_received"
    with pytest.raises(InvalidInput) as caught:
        step(world, stranger(world), "tracking", tracking_number="SF1234567890124")
    assert (caught.value.field, caught.value.rule) == ("case", "RMB-25")


def test_a_paper_that_came_unsorted_is_sorted(world: World) -> None:
    case = waiting(world)
    email = came(letter(case.number, files={"IMG_1.pdf": RECORD}))
    row = email.files.get()
    assert row.paper.kind == "OTHER"
    step(world, email, "sort", file=row.pk, kind="MEDICAL_RECORD")
    assert Paper.objects.get(pk=row.paper_id).kind == "MEDICAL_RECORD"
    with pytest.raises(InvalidInput):
        step(world, email, "sort", file=0, kind="INVOICE")


# --- Answers ----------------------------------------------------------------------------------


def test_an_answer_goes_to_the_sender_alone_and_into_the_thread(
    world: World, mailoutbox: list[Any], settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    files = {"清单.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", **FILES}
    raw = letter("材料", sender=STRANGER, files=files, Reply_To="evil@x.cn", References="<zero@x>")
    email = came(raw)
    step(world, email, "answer", template="mail_files", text="谢谢")
    message = Message.objects.get(template="mail_files")
    assert (message.case, message.recipient) == (None, STRANGER)
    delivery.deliver(message.pk)
    sent = mailoutbox[-1]
    assert sent.to == [STRANGER]
    assert sent.extra_headers["In-Reply-To"] == "<one@example.com>"
    assert sent.extra_headers["References"] == "<zero@x> <one@example.com>"
    assert sent.extra_headers["Reply-To"] == email.mailbox.address
    assert sent.extra_headers["Message-ID"].startswith(f"<claims.{message.pk}.")
    assert "清单.xls" in sent.body
    assert "谢谢" in sent.body
    assert "王小明" not in sent.body
    assert email.answers.get().by == world.actor("mail").label


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("template", ["mail_received", "mail_who", "mail_files", "mail_channel"])
def test_every_answer_reads_well_with_and_without_a_case(world: World, template: str, language: str) -> None:
    case = waiting(world)
    for email in (came(letter(case.number, files=FILES)), stranger(world)):
        step(world, email, "answer", template=template, language=language)
        message = Message.objects.filter(template=template).latest("pk")
        assert message.subject
        assert "950610" in message.body
        assert "  ，" not in message.body
        assert (case.number in message.body) == (email.case_id is not None)


def test_machines_and_the_nameless_are_not_answered(world: World) -> None:
    auto = came(letter("auto", Auto_Submitted="auto-replied"))
    nobody = came(letter("x", message_id="<n@x>").replace(b"From: ", b"From: a@b.cn, "))
    for email, code in ((auto, "automatic"), (nobody, "no_sender")):
        with pytest.raises(Blocked) as caught:
            step(world, email, "answer", template="mail_received")
        assert caught.value.code == code
    assert not Message.objects.filter(template__startswith="mail_").exists()
    file_waiting()


def test_rmb_26_members_answer_to_the_mailbox_of_their_series(world: World, rulebook: Any) -> None:
    for series, address in (("2026", "ext.jdazcservice1@jd.com"), ("2024", CLAIMS_2024)):
        message = Message.objects.filter(case=waiting(world, series=series), template="supplement").get()
        assert headers_of(message) == {"Reply-To": address}
        rulebook.read_back("RMB-26" if series == "2026" else "RMB-38", headers_of(message)["Reply-To"])
    message.template = "clock_reminder"
    assert headers_of(message) == {}
