"""Delivery: at least once, with back-off, past poisoned rows, by several workers."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core import mail
from django.db import connection
from django.utils import timezone

from apps.documents.letters import queue_letter
from apps.documents.models import Letter
from apps.documents.tasks import render_letter
from apps.documents.tests import letters_data as data
from apps.documents.tests.factories import make_case, within
from apps.messaging import outbox
from apps.messaging.backends import FILE_BACKEND
from apps.messaging.delivery import GIVE_UP_AFTER, deliver_due, report_deliveries, resend
from apps.messaging.models import CallTask, Message
from apps.messaging.outbox import queue_message
from apps.messaging.tasks import deliver_outbox

pytestmark = pytest.mark.django_db


class DeadLine:
    """An SMS provider that never answers."""

    def send(self, recipient: str, text: str, *, key: str) -> None:
        raise ConnectionError("no route")


DEAD_LINE = f"{__name__}.DeadLine"


def message(case, key="k1", channel="EMAIL", recipient="zhang@example.com", letter=None):
    return queue_message(
        None, case=case, channel=channel, template="decision", recipient=recipient, context={"amount": "1"}, key=key,
        letter=letter,
    )  # fmt: skip


def due_now():
    Message.objects.filter(state="QUEUED").update(next_attempt_at=timezone.now())


def test_e_mail_goes_out_once():
    message(make_case())
    assert deliver_outbox() == 1
    assert deliver_outbox() == 0
    sent = mail.outbox[0]
    assert sent.to == ["zhang@example.com"]
    assert sent.extra_headers["X-Idempotency-Key"] == "k1"
    one = Message.objects.get()
    assert (one.state, one.attempts, one.error) == ("DELIVERED", 1, "")
    assert one.delivered_at


def test_embedded_default_writes_files_that_one_can_read(settings):
    settings.EMAIL_BACKEND = FILE_BACKEND
    case = make_case()
    message(case)
    message(case, key="k2", channel="SMS", recipient="13800000001")
    assert deliver_due() == 2
    texts = {path.name: path.read_text() for path in Path(settings.VAR_DIR).rglob("*.txt")}
    assert set(texts) == {"email-k1.txt", "sms-k2.txt"}
    assert "To: zhang@example.com" in texts["email-k1.txt"]
    assert case.number in texts["sms-k2.txt"]


def test_message_waits_for_its_letter_and_carries_it():
    case = make_case()
    letter = within(case, lambda ctx: queue_letter(ctx, data.eob()))
    message(case, letter=letter)
    assert deliver_due() == 0
    waiting = Message.objects.get()
    assert (waiting.state, waiting.attempts) == ("QUEUED", 0)
    assert "rendered" in waiting.error
    render_letter(letter.pk)
    assert deliver_due() == 1  # the rendered letter woke it
    name, content, kind = mail.outbox[0].attachments[0]
    assert (name, content[:5], kind) == (f"{letter.number}-1.pdf", b"%PDF-", "application/pdf")
    letter.refresh_from_db()
    assert letter.state == Letter.State.SENT
    assert letter.sent_at


def test_message_of_a_replaced_letter_is_cancelled():
    case = make_case()
    letter = within(case, lambda ctx: queue_letter(ctx, data.eob()))
    message(case, letter=letter)
    within(case, lambda ctx: queue_letter(ctx, data.eob()))
    assert deliver_due() == 0
    assert Message.objects.get().state == "CANCELLED"
    assert mail.outbox == []


def test_dead_provider_is_tried_later_each_time_then_a_person_calls(settings):
    settings.SMS_BACKEND = DEAD_LINE
    case = make_case()
    message(case, key="dead", channel="SMS", recipient="13800000001")
    message(case, key="good")
    assert deliver_due() == 1
    poisoned = Message.objects.get(idempotency_key="dead")
    assert (poisoned.state, poisoned.attempts) == ("QUEUED", 1)
    assert poisoned.next_attempt_at > timezone.now() + timedelta(seconds=30)
    assert "no route" in poisoned.error
    Message.objects.filter(pk=poisoned.pk).update(attempts=GIVE_UP_AFTER - 1)
    due_now()
    deliver_due()
    poisoned.refresh_from_db()
    assert (poisoned.state, poisoned.next_attempt_at) == ("FAILED", None)
    task = CallTask.objects.get()
    assert task.case == case
    assert poisoned.body in task.script
    assert deliver_due() == 0


def test_failed_message_is_sent_again_by_a_person(settings):
    settings.SMS_BACKEND = DEAD_LINE
    failed = message(make_case(), channel="SMS", recipient="13800000001")
    Message.objects.update(attempts=GIVE_UP_AFTER - 1)
    deliver_due()
    del settings.SMS_BACKEND
    resend(failed)
    assert deliver_due() == 1
    failed.refresh_from_db()
    assert (failed.state, failed.attempts) == ("DELIVERED", 1)


def test_message_of_a_dead_worker_is_delivered_after_its_lease():
    one = message(make_case())
    Message.objects.update(state="SENDING", attempts=1, next_attempt_at=timezone.now() + timedelta(minutes=5))
    assert deliver_due() == 0
    Message.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))
    assert deliver_due() == 1
    one.refresh_from_db()
    assert one.attempts == 2


@pytest.mark.django_db(transaction=True)
def test_several_workers_deliver_each_message_once():
    case = make_case()
    for number in range(12):
        message(case, key=f"k{number}")
    start, counts = threading.Barrier(4), []

    def work():
        start.wait()
        try:
            counts.append(deliver_due())
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 12
    assert sorted(sent.extra_headers["X-Idempotency-Key"] for sent in mail.outbox) == sorted(
        f"k{number}" for number in range(12)
    )


# --- Who waits for deliveries ---------------------------------------------------------------------------


@pytest.fixture
def heard():
    told: list[str] = []

    def handler(message: Message) -> None:
        if Message.objects.filter(idempotency_key="bad").exists():
            raise RuntimeError("handler is broken")
        told.append(message.idempotency_key)

    outbox.on_delivered(handler)
    yield told
    outbox.DELIVERED.remove(handler)


def test_delivery_is_reported_once_law_02(heard):
    message(make_case())
    deliver_due()
    deliver_due()
    assert heard == ["k1"]
    assert Message.objects.get().reported


def test_broken_handler_neither_sends_again_nor_loses_the_report(heard):
    case = make_case()
    message(case)
    bad = message(case, key="bad")
    assert deliver_due() == 2
    assert heard == []
    bad.delete()
    assert report_deliveries() == 1
    assert heard == ["k1"]
    assert len(mail.outbox) == 2


def test_looking_for_due_messages_reads_an_index(django_assert_num_queries):
    with django_assert_num_queries(2):
        assert deliver_due() == 0
    assert settings.VAR_DIR
