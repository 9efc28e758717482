"""Reminders that count, reminders that do not, and when the card is greyed (BIL-02, BIL-03, BIL-20, BIL-21)."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from apps.accounts.actors import SYSTEM
from apps.accounts.models import AccessLog
from apps.accounts.tests.factories import web_of
from apps.billing.models import BillReminder
from apps.billing.queries import ageing, with_manager
from apps.billing.tasks import sweep
from apps.billing.tests.world import Bills
from apps.cards.models import Card, CardEvent, CardState
from apps.cases.engine import perform
from apps.core.errors import Blocked, InvalidInputs
from apps.members.models import Guardian
from apps.messaging.models import CallTask, Message


@pytest.mark.both_databases
def test_bil03_the_third_reminder_on_28_september_greys_the_card_from_9_october(
    world: Bills, rulebook: Any
) -> None:
    """DL-36: 29 and 30 September and 8 October are the three working days of grace."""
    case = world.bill()
    assert world.state(case) == "OPEN"
    world.deliver()
    assert world.state(case) == "REMINDED_1"
    assert world.at("2026-09-20 12:00") == 0  # six days are no interval
    assert world.at("2026-09-21 08:59") == 0  # nobody is written to before nine
    for day, state in (("2026-09-21 09:00", "REMINDED_2"), ("2026-09-28 10:00", "REMINDED_3")):
        assert world.at(day) == 1
        world.deliver()
        assert world.state(case) == state
    assert world.card().state_on(world.now.date()) == CardState.ACTIVE
    assert world.at("2026-10-08 23:59") == 0
    assert (world.state(case), world.card().greyed_at) == ("REMINDED_3", None)
    assert world.at("2026-10-09 00:00") == 1
    card = world.card()
    assert world.state(case) == "EXHAUSTED"
    assert (card.greyed_rule, case.number in card.greyed_for) == ("BIL-03", True)
    assert card.state_on(world.now.date()) == CardState.GREYED
    told = Message.objects.get(case=case.pk, template="card_greyed")
    assert "350.00" in told.body
    assert world.at("2026-10-30 10:00") == 0  # and nothing more comes of it
    rulebook.read_back("DL-36", str(card.greyed_at))


@pytest.mark.both_databases
def test_bil21_in_2024_one_notice_and_seven_days_grey_the_card(world: Bills, rulebook: Any) -> None:
    case = world.bill(series="2024")
    world.deliver()
    assert world.state(case) == "REMINDED_1"
    assert "最后一次" in Message.objects.get(case=case.pk).body
    assert world.at("2026-09-21 23:59") == 0  # no second reminder, and the seventh day counts whole
    with pytest.raises(Blocked) as early:
        perform(case.number, "exhaust", SYSTEM, now=world.now)
    assert (early.value.code, early.value.rule) == ("not_over", "BIL-21")
    assert world.at("2026-09-22 00:00") == 1
    assert (world.state(case), world.card("2024").greyed_rule) == ("EXHAUSTED", "BIL-21")
    rulebook.read_back("DL-13", case.number)


def test_s40_a_call_and_an_email_count_an_sms_does_not_and_the_third_call_starts_the_grace(
    world: Bills,
) -> None:
    world.no_address()
    case = world.answer(world.bill(), note="会在周五前支付")
    assert world.state(case) == "REMINDED_1"
    world.at("2026-09-21 10:00")
    world.act(case, "record_reminder", channel="EMAIL", result="DELIVERED")
    case = world.act(case, "record_reminder", channel="SMS", result="DELIVERED")
    assert (world.state(case), world.row(case).reminders) == ("REMINDED_2", 2)
    noted = BillReminder.objects.get(bill=case.pk, channel="SMS")
    assert (noted.result, noted.counted_as, noted.rule) == ("NOTED", None, "BIL-02")
    world.at("2026-09-28 10:00")
    case = world.answer(case)
    assert (world.state(case), world.row(case).reminders) == ("REMINDED_3", 3)
    world.at("2026-10-08 22:00")
    world.pay(case, "350.00")
    assert world.at("2026-10-09 00:01") == 0
    assert (world.state(case), world.card().greyed_at) == ("PAID", None)


@pytest.mark.parametrize("outcome", ["UNANSWERED", "UNREACHABLE", "WRONG_NUMBER"])
def test_bil02_a_call_that_reached_nobody_is_repeated_by_email(world: Bills, outcome: str) -> None:
    world.no_address()
    case = world.bill()
    world.policy_of("2026").member.guardians.update(email="wang@example.com")
    world.answer(case, outcome)
    assert world.state(case) == "OPEN"
    assert world.reminders(case) == [("PHONE", outcome, None), ("EMAIL", "WAITING", None)]
    world.deliver()
    assert (world.state(case), world.reminders(case)[1]) == ("REMINDED_1", ("EMAIL", "DELIVERED", 1))


def test_bil02_an_email_the_outbox_gives_up_becomes_the_call_it_asked_for(
    world: Bills, settings: Any
) -> None:
    case = world.bill()
    settings.EMAIL_BACKEND = "apps.billing.tests.test_reminders.NobodyThere"
    for minute in range(8):
        Message.objects.filter(case=case.pk).update(next_attempt_at=world.now)
        world.deliver()
        assert world.state(case) == "OPEN", minute
    assert (sweep(world.now), sweep(world.now)) == (1, 0)
    assert world.reminders(case) == [("EMAIL", "BOUNCED", None), ("PHONE", "WAITING", None)]
    assert CallTask.objects.filter(case=case.pk).count() == 1  # the one the outbox queued, not a second
    assert world.state(world.answer(case)) == "REMINDED_1"


def NobodyThere(*args: Any, **kwargs: Any) -> Any:
    raise ConnectionError("550 no such user")


def test_an_email_that_comes_back_later_no_longer_counts_and_the_card_is_restored(world: Bills) -> None:
    case = world.exhausted()
    assert world.card().greyed_at
    case = world.act(case, "record_bounce", reason="550 5.1.1 no such user")
    assert (world.state(case), world.row(case).reminders, world.card().greyed_at) == ("REMINDED_2", 2, None)
    assert world.reminders(case)[2:] == [("EMAIL", "BOUNCED", None), ("PHONE", "WAITING", None)]
    assert not case.clocks.filter(state="RUNNING").exists()
    case = world.answer(case)  # Fri 2026-10-09: a new grace begins
    assert world.state(case) == "REMINDED_3"
    assert world.at("2026-10-13 23:59") == 0
    assert world.at("2026-10-14 00:00") == 1


def test_a_reminder_before_the_interval_has_passed_is_kept_and_not_counted(world: Bills) -> None:
    case = world.bill()
    world.deliver()
    world.at("2026-09-18 10:00")
    case = world.act(case, "record_reminder", channel="PHONE", result="ANSWERED", note="来电询问")
    kept = BillReminder.objects.filter(bill=case.pk).latest("number")
    assert (world.row(case).reminders, kept.result, kept.rule) == (1, "NOTED", "BIL-02")
    assert "2026-09-21" in kept.why_not
    with pytest.raises(Blocked) as refused:
        world.act(case, "remind")
    assert (refused.value.code, refused.value.rule) == ("too_early", "BIL-02")


@pytest.mark.parametrize(
    ("channel", "result"), [("PHONE", "DELIVERED"), ("EMAIL", "ANSWERED"), ("FAX", "DELIVERED")]
)
def test_a_result_that_cannot_be_is_refused_with_its_field(world: Bills, channel: str, result: str) -> None:
    case = world.bill()
    with pytest.raises((Blocked, InvalidInputs, Exception)) as refused:
        world.act(case, "record_reminder", channel=channel, result=result)
    assert getattr(refused.value, "rule", "") == "BIL-02"
    assert len(world.reminders(case)) == 1


@pytest.mark.both_databases
def test_a_stopped_week_and_several_sweepers_give_each_reminder_once(world: Bills) -> None:
    case = world.bill()
    world.deliver()
    assert world.at("2026-10-12 10:00", sweeps=3) == 1  # three weeks late: the second reminder, once
    assert [row[2] for row in world.reminders(case)] == [1, None]
    world.deliver()
    assert world.at("2026-10-13 10:00", sweeps=3) == 0  # counted from the second, not from the plan
    assert world.at("2026-10-19 10:00", sweeps=3) == 1
    world.deliver()
    assert world.at("2026-10-23 00:01", sweeps=3) == 1
    assert CardEvent.objects.filter(kind="GREYED").count() == 1


def test_unanswered_families_without_an_address_are_called_again_and_never_greyed_for_it(
    world: Bills,
) -> None:
    world.no_address()
    boss = world.user("manager")
    boss.email = "boss@example.com"
    boss.save()
    case = world.bill()
    for _attempt in range(4):
        world.answer(case, "UNANSWERED")
    assert world.at("2026-09-28 09:59") == 0
    assert world.at("2026-09-28 10:00", sweeps=2) == 1  # after a fortnight the manager hears of it, once
    told = Message.objects.get(template="bill_unreached")
    assert (told.recipient, "联系不上" in told.subject) == (boss.email, True)
    assert world.at("2026-12-30 10:00") == 0
    assert (world.state(case), world.card().greyed_at) == ("OPEN", None)
    assert world.call(case).attempt == 5
    bands = ageing(world.actor("boss"), world.now.date())
    assert [(band.first, band.unreached) for band in bands if band.bills] == [(91, 1)]
    assert [found.number for found in with_manager(world.actor("boss"))] == [case.number]
    world.answer(case)  # reached at last
    assert (world.state(case), world.row(case).handed_over_at) == ("REMINDED_1", None)


def test_brothers_and_sisters_keep_their_cards(world: Bills) -> None:
    world.child("M2", "2026", 7)
    world.exhausted()
    assert world.card(member="M2").greyed_at is None


def test_a_card_greyed_by_a_person_stays_grey_when_the_bill_is_paid(world: Bills) -> None:
    from apps.cards.actions import grey

    grey(world.actor("caller"), world.card(), reason="冒用就诊，待调查")
    case = world.exhausted()
    world.pay(case, "350.00")
    assert world.card().greyed_for == "冒用就诊，待调查"


@pytest.mark.both_databases
def test_bil03_a_renewal_does_not_pay(world: Bills) -> None:
    """The card of the next period is issued grey while a bill is exhausted, and restored with the old one."""
    world.child("M2", "2026", 7)
    exhausted = world.exhausted()
    renewed = world.renewed("M2026"), world.renewed("M2")
    mine, other = (Card.objects.get(policy=policy) for policy in renewed)
    assert (mine.greyed_for, mine.greyed_rule) == (world.old_card("M2026").greyed_for, "BIL-03")
    assert exhausted.number in mine.greyed_for
    assert other.greyed_at is None  # a brother's
    world.pay(exhausted, "350.00")
    assert Card.objects.filter(member__number="M2026", greyed_at=None).count() == 2
    assert Message.objects.filter(template="card_restored").count() == 1


def test_who_calls_finds_the_number_on_the_bill_and_says_why(world: Bills) -> None:
    world.no_address()
    parent = Guardian.objects.get(member__number="M2026")
    parent.mobile = "13911112222"
    parent.save()
    case = world.bill()
    caller, page = web_of(world.user("collections")), reverse("admin:case", args=[case.number])
    shown = caller.get(page).content.decode()
    assert ("contact_mobile" in shown, "13911112222" in shown) == (True, False)
    ask = reverse("admin:case-reveal", args=[case.number])
    assert "13911112222" not in caller.post(ask, {"what": "contact_mobile"}).content.decode()
    told = caller.post(ask, {"what": "contact_mobile", "reason": "拨打催缴电话"})
    assert "13911112222" in told.content.decode()
    assert AccessLog.objects.get(what="contact_mobile").reason == "拨打催缴电话"
