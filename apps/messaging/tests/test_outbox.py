"""Messages are written with their event; without an address a person calls instead."""

import pytest
from django.db import connection

from apps.accounts.actors import SYSTEM
from apps.cases.engine import perform_many
from apps.core.errors import Blocked
from apps.documents.tests.factories import Do, make_case, make_guardian, make_member, within
from apps.messaging.models import CallTask, Message
from apps.messaging.outbox import notify_member, queue_message
from apps.messaging.texts import words_for

pytestmark = pytest.mark.django_db
MISSING = {"missing": ["发票原件", "出院小结"]}


def send(case, recipient="zhang@example.com", channel="EMAIL", key="k1", **values):
    given = {"template": "supplement", "context": MISSING} | values
    return within(
        case,
        lambda ctx: queue_message(ctx, case=case, channel=channel, recipient=recipient, key=key, **given),
    )


def test_message_is_written_with_its_event_in_words_and_masked():
    case = make_case()
    message = send(case)
    assert message.pk
    assert (message.state, message.recipient_masked) == ("QUEUED", "z***@example.com")
    assert message.subject == f"请补充理赔资料 {case.number}"
    for expected in ("1. 发票原件", "2. 出院小结", "950610 转 8", "ext.jdazcservice1@jd.com", case.number):
        assert expected in message.body
    assert case.member.name not in message.body


def test_recipient_is_encrypted_at_rest_law_09():
    send(make_case())
    with connection.cursor() as cursor:
        cursor.execute("SELECT recipient FROM messaging_message")
        assert "zhang" not in cursor.fetchone()[0]
    assert Message.objects.get().recipient == "zhang@example.com"


def test_refused_action_leaves_no_message():
    case = make_case()

    def work(ctx):
        queue_message(ctx, case=case, channel="SMS", template="refusal", recipient="138", context={}, key="k")
        raise Blocked("no")

    with pytest.raises(Blocked):
        within(case, work)
    assert Message.objects.count() == 0


def test_without_a_recipient_a_person_calls_with_the_same_words():
    case = make_case()
    task = send(case, recipient="")
    assert isinstance(task, CallTask)
    assert "发票原件、出院小结" in task.script
    assert "950610 转 8" in task.script
    assert Message.objects.count() == 0


def test_key_used_before_is_left_alone_outside_an_action():
    case = make_case()
    rows = {
        queue_message(
            None, case=case, channel="SMS", template="refusal", recipient=number, context={}, key="once"
        ).pk
        for number in ("13800000001", "13800000002")
    }
    assert len(rows) == 1
    assert Message.objects.get().recipient == "13800000001"


@pytest.mark.parametrize(
    ("guardian", "channel", "recipient"),
    [
        ({"email": "a@example.com", "mobile": "13800000001"}, "EMAIL", "a@example.com"),
        ({"mobile": "13800000001"}, "SMS", "13800000001"),
    ],
)
def test_policyholder_is_told_by_e_mail_else_by_sms(guardian, channel, recipient):
    case = make_case()
    make_guardian(
        case.member, name="李四", relation="FATHER", is_policyholder=False, email="other@example.com"
    )
    if channel == "SMS":
        case.member.guardians.all().delete()
    make_guardian(case.member, **guardian)
    message = within(
        case, lambda ctx: notify_member(ctx, template="decision", context={"amount": "1.00"}, key="k")
    )
    assert (message.channel, message.recipient) == (channel, recipient)


def test_nobody_s_address_becomes_a_call():
    case = make_case()
    made = within(
        case, lambda ctx: notify_member(ctx, template="decision", context={"amount": "1.00"}, key="k")
    )
    assert isinstance(made, CallTask)


def test_telling_five_members_costs_as_many_queries_as_telling_one():
    from django.test.utils import CaptureQueriesContext

    cases = [make_case(member=make_member(f"M30000{n}")) for n in range(6)]
    for case in cases:
        make_guardian(case.member, email=f"{case.number}@example.com")
    Do.work = staticmethod(
        lambda ctx: notify_member(
            ctx, template="decision", context={"amount": "1"}, key=f"d:{ctx.case.number}"
        )
    )

    def cost(some):
        with CaptureQueriesContext(connection) as captured:
            perform_many([case.number for case in some], "do", SYSTEM)
        return sum(
            'FROM "members_guardian"' in query["sql"] or "messaging_" in query["sql"] for query in captured
        )

    assert cost(cases[:1]) == cost(cases[1:]) == 2


TEMPLATES = {
    "report_received": {"papers_needed": ["发票"]},
    "originals_wanted": {},
    "supplement": MISSING,
    "decision": {"amount": "6,130.00"},
    "refusal": {},
    "payment_done": {"amount": "6,130.00", "account_tail": "8812"},
    "payment_returned": {"amount": "6,130.00", "reason": "户名不符"},
    "papers_reminder": MISSING,
}


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("series", ["2024", "2026"])
def test_every_template_speaks_both_languages_on_every_channel_with_the_series_contacts(
    template, language, series
):
    case = make_case(series)
    hotline = {"2024": "021-80209058", "2026": "950610 ext. 8" if language == "en" else "950610 转 8"}[series]
    for channel in ("EMAIL", "SMS", "CALL"):
        words = words_for(template, channel, language, case, TEMPLATES[template])
        assert case.number in words.body
        assert "{{" not in words.body
        assert hotline in words.body or (channel == "SMS" and "address" not in words.body.lower())
        assert case.member.name not in words.body
        if channel == "EMAIL":
            assert case.number in words.subject
        if language == "en" and channel != "EMAIL" and template not in ("supplement", "papers_reminder"):
            assert "请" not in words.body
