"""The whole way of a recovery, through every state of machine (j), in both series."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import time_machine

from apps.accounts.models import User
from apps.accounts.tests.factories import UserFactory
from apps.cards.models import Card
from apps.cases.models import Clock
from apps.claims.tests.world import events
from apps.core.errors import Blocked, Conflict, DomainError, InvalidInputs, NotAllowed
from apps.documents.models import Letter
from apps.ledger.models import LimitAccount, MoneyEntry
from apps.messaging.admin import timeline
from apps.messaging.models import CallTask, Message
from apps.payments.models import PaymentOrder
from apps.payments.queries import payable_fen
from apps.recoveries.actions import open_recovery
from apps.recoveries.models import Recovery, Refund
from apps.recoveries.queries import uncontacted_numbers
from apps.recoveries.tasks import escalate_overdue
from apps.recoveries.tests.world import Recoveries, sums


@pytest.mark.both_databases
@pytest.mark.parametrize("series", ["2024", "2026"])
def test_from_the_lower_decision_to_the_last_refund(db: None, now: Any, series: str, rulebook: Any) -> None:
    world = Recoveries(series)
    case = world.overpaid(series=series)
    row = case.recovery
    assert (case.state, sums(case)) == ("OPENED", (500, 0, 0, 500))
    assert (row.reason, row.rule) == ("OVERPAID", {"2024": "REC-05", "2026": "REC-03"}[series])
    assert row.payment == PaymentOrder.objects.get(case=row.origin).number
    assert row.contact_by == date(2026, 9, 17)  # the next working day
    rulebook.read_back(row.rule, row.rule)

    case = world.act(case, "notify")
    clock = Clock.objects.get(case=case.pk, key="recovery.refund")
    assert (case.state, case.recovery.due_on, clock.day) == (
        "NOTIFIED",
        date(2026, 10, 16),
        date(2026, 10, 16),
    )
    assert Letter.objects.get(case=case.pk).kind == "RECOVERY"
    assert CallTask.objects.get(case=case.pk).script.count("500.00") >= 2

    case = world.refund(case, "200.00", "B100")
    assert (case.state, sums(case)) == ("PARTIALLY_REFUNDED", (500, 200, 0, 300))
    case = world.refund(case, "300.00", "B101", by="finance")
    assert (case.state, case.open, sums(case)) == ("REFUNDED", False, (500, 500, 0, 0))
    assert payable_fen(row.origin) == 0
    clock.refresh_from_db()
    assert (clock.state, clock.breached) == ("STOPPED", False)
    assert events(case)[-1] == "refund_recorded"


def test_letter_message_and_call_tell_the_family_at_once(world: Recoveries) -> None:
    case = world.act(world.overpaid(), "notify", text="详情请来电")
    letter = Letter.objects.get(case=case.pk)
    told = letter.context
    assert (told["amount_fen"], told["open_fen"], told["due_on"]) == (50_000, 50_000, "2026-10-16")
    assert sum(line["amount_fen"] for line in told["lines"]) == 50_000
    assert told["payee"]["account"].startswith("1001")
    assert told["text"] == "详情请来电"
    assert told["source"].endswith("第九百八十五条")
    message = Message.objects.get(case=case.pk)
    assert (message.template, message.letter_token) == ("recovery", letter.token)
    task = CallTask.objects.get(case=case.pk)
    case = world.act(case, "record_call", task=task.pk, outcome="ANSWERED", note="母亲承诺周五转账")
    task.refresh_from_db()
    assert (task.outcome, task.note) == ("ANSWERED", "母亲承诺周五转账")
    world.act(case, "remind")
    assert Letter.objects.filter(case=case.pk).count() == 2


def test_a_first_contact_that_is_late_is_told_to_the_lead_once(world: Recoveries) -> None:
    UserFactory(roles=("recovery_lead",), email="lead@example.com")
    case = world.overpaid()
    with pytest.raises(Blocked):
        world.system(case, "remind_of_contact")  # the last day is in time
    assert (uncontacted_numbers(case.recovery.contact_by), escalate_overdue()) == ([], 0)
    after = case.recovery.contact_by + timedelta(days=1)
    assert uncontacted_numbers(after) == [case.number]
    case = world.system(case, "remind_of_contact", now=world.now + (after - world.now.date()))
    assert (case.state, case.priority, uncontacted_numbers(after)) == ("OPENED", 1, [])
    told = Message.objects.get(case=case.pk, template="recovery_contact_late")
    assert (told.recipient, str(case.recovery.contact_by) in told.body) == ("lead@example.com", True)
    case = world.act(case, "notify")
    titles = [entry.title for entry in timeline(case) if entry.kind == "call"]
    assert [title.endswith("退还通知") for title in titles] == [True]


def test_overdue_it_goes_to_the_manager_and_the_card_stays_as_it_is(world: Recoveries, rulebook: Any) -> None:
    before = list(Card.objects.values())
    assert [card["greyed_at"] for card in before] == [None]
    User.objects.filter(pk=world.actor("manager").user_id).update(email="manager@example.com")
    case = world.notified()
    assert escalate_overdue() == 0
    with pytest.raises(Blocked) as early:
        world.act(case, "escalate", now=world.now + timedelta(days=30))  # the thirtieth day is in time
    assert (early.value.code, early.value.rule) == ("not_overdue", "REC-03")
    case = world.act(case, "escalate", now=world.now + timedelta(days=31))
    assert (case.state, case.priority) == ("ESCALATED", 1)
    assert Message.objects.filter(case=case.pk, template="recovery_escalated").count() == 1
    case = world.act(case, "give_time", by="manager", reason="家长已联系", now=world.now + timedelta(days=32))
    assert (case.state, case.recovery.due_on) == ("NOTIFIED", date(2026, 11, 17))
    running = Clock.objects.get(case=case.pk, key="recovery.refund", state="RUNNING")
    assert running.day == date(2026, 11, 17)
    assert list(Card.objects.values()) == before
    rulebook.read_back("REC-03", "no greying")


def test_a_write_off_asks_for_reason_a_second_person_and_authority(world: Recoveries) -> None:
    case = world.escalated()
    with pytest.raises(Blocked):
        world.act(case, "write_off", by="approver", reason="没人提议")
    case = world.act(case, "propose_write_off", by="manager", reason="家庭已移居国外")
    with pytest.raises(Blocked) as own:
        world.act(case, "write_off", by="manager", reason="我自己同意")
    assert own.value.code == "four_eyes"
    world.authority("supervisor", 499)
    with pytest.raises(Blocked) as low:
        world.act(case, "write_off", by="approver", reason="同意核销")
    assert low.value.code == "authority"
    assert "1000000.00" in str(low.value.message).replace(",", "")  # who can sign, and up to how much
    case = world.act(case, "decline_write_off", by="approver", reason="再联系一次")
    world.authority("supervisor", 500)
    case = world.act(case, "propose_write_off", by="clerk", reason="再次联系无果")
    case = world.act(case, "write_off", by="approver", reason="同意核销")
    assert (case.state, case.open, sums(case)) == ("WRITTEN_OFF", False, (500, 0, 500, 0))
    assert world.balance(f"written-off:{case.number}:MEMBER") == 50_000
    assert payable_fen(case.recovery.origin) == -50_000  # the debt stands beside its contra account


def test_late_money_lowers_what_was_written_off(world: Recoveries) -> None:
    case = world.refund(world.written_off(), "200.00", "BK-L1")
    assert (case.state, sums(case)) == ("WRITTEN_OFF", (500, 200, 300, 0))
    case = world.refund(case, "300.00", "BK-L2")
    assert (case.state, sums(case)) == ("REFUNDED", (500, 500, 0, 0))
    assert world.balance(f"written-off:{case.number}:MEMBER") == 0


# --- Instalments -------------------------------------------------------------------------------------


def plan(*parts: tuple[str, str]) -> dict[str, Any]:
    rows = [{"due_on": day, "amount": amount} for day, amount in parts]
    return {"agreed_with": "母亲", "instalments": rows}


def test_instalments_take_the_place_of_the_thirty_days(world: Recoveries) -> None:
    case = world.act(
        world.notified(), "agree_plan", **plan(("2026-10-01", "166.67"), ("2026-12-01", "333.33"))
    )
    assert case.recovery.due_on == date(2026, 10, 1)
    said = Message.objects.filter(case=case.pk, template="recovery", channel="EMAIL").latest("pk").body
    assert "按商定的 2 期退还 500.00 元，最近一期在 2026-10-01 前" in said
    assert not Clock.objects.filter(case=case.pk, key="recovery.refund").exclude(state="STOPPED").exists()
    case = world.refund(case, "200.00", "BK-P1")
    assert case.recovery.due_on == date(2026, 12, 1)
    running = case.recovery.plans.get()
    assert [part.paid_fen for part in running.instalments.all()] == [16_667, 3_333]
    case = world.refund(case, "300.00", "BK-P2")
    assert (case.state, case.recovery.plans.get().state) == ("REFUNDED", "KEPT")


def test_a_missed_instalment_breaks_the_plan_and_the_rest_is_due(world: Recoveries, now: Any) -> None:
    case = world.act(
        world.notified(), "agree_plan", **plan(("2026-10-01", "200.00"), ("2026-12-01", "300.00"))
    )
    with time_machine.travel(world.now + timedelta(days=15), tick=False):  # the first of October
        assert escalate_overdue() == 0
    with time_machine.travel(world.now + timedelta(days=16), tick=False):
        assert escalate_overdue() == 1
        assert escalate_overdue() == 0
    case = world.fresh(case)
    assert (case.state, case.recovery.plans.get().state) == ("ESCALATED", "BROKEN")
    assert case.recovery.due_on == date(2026, 10, 1)


@pytest.mark.parametrize(
    ("parts", "codes"),
    [
        ([("2026-10-01", "499.99")], {"sum"}),
        ([("2026-09-15", "500.00")], {"order"}),
        ([("2026-11-01", "200.00"), ("2026-10-01", "300.00")], {"order"}),
        ([("2030-01-01", "500.00")], {"too_late"}),
        ([("2026-10-01", "0.00"), ("2026-10-02", "1.00")], {"too_small", "sum"}),
        ([], {"required"}),
    ],
)
def test_every_mistake_of_a_plan_is_named(
    plans_world: tuple[Recoveries, Any], parts: list[tuple[str, str]], codes: set[str]
) -> None:
    world, case = plans_world
    with pytest.raises(DomainError) as caught:
        world.act(case, "agree_plan", **plan(*parts))
    found = caught.value.errors if isinstance(caught.value, InvalidInputs) else [caught.value]
    assert {error.code for error in found} == codes
    assert all(error.field.startswith("instalments") for error in found)


@pytest.fixture
def plans_world(world: Recoveries) -> tuple[Recoveries, Any]:
    return world, world.notified()


# --- Refunds -----------------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_a_bank_reference_counts_once_and_never_too_much(world: Recoveries) -> None:
    case = world.refund(world.notified(), "100.00", "BK-B7")
    with pytest.raises(Conflict) as twice:
        world.refund(case, "100.00", "BK-B7")
    assert (twice.value.code, twice.value.field) == ("recorded_twice", "bank_reference")
    for data, code in (
        ({"amount": "400.01", "bank_reference": "BK-B8"}, "too_large"),
        ({"amount": "0.00", "bank_reference": "BK-B8"}, "too_small"),
        ({"amount": "1.00", "bank_reference": "BK-B8", "received_on": "2026-09-17"}, "future"),
    ):
        with pytest.raises(DomainError) as caught:
            world.act(case, "record_refund", **({"received_on": "2026-09-16"} | data))
        assert caught.value.code == code
    assert (sums(case), Refund.objects.count()) == ((500, 100, 0, 400), 1)


def test_a_refund_recorded_by_mistake_is_undone_by_somebody_else(world: Recoveries) -> None:
    case = world.refund(world.notified(), "500.00", "BK-B9")
    mistake = Refund.objects.get()
    with pytest.raises(NotAllowed) as own:
        world.act(case, "undo_refund", refund=mistake.pk, reason="记错案件")
    assert own.value.code == "four_eyes"
    case = world.act(case, "undo_refund", by="leader", refund=mistake.pk, reason="记错案件")
    assert (case.state, case.open, sums(case)) == ("NOTIFIED", True, (500, 0, 0, 500))
    assert payable_fen(case.recovery.origin) == -50_000
    case = world.refund(case, "500.00", "BK-B9")  # the reference is free again
    assert case.state == "REFUNDED"


def test_money_that_comes_before_the_letter_is_taken(world: Recoveries) -> None:
    case = world.refund(world.overpaid(), "100.00", "BK-E1")
    assert (case.state, case.recovery.due_on) == ("PARTIALLY_REFUNDED", date(2026, 10, 16))


# --- Later decisions ---------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_an_overturned_decision_cancels_and_gives_back_what_was_refunded(world: Recoveries) -> None:
    case = world.refund(world.notified(), "200.00", "BK-B1")
    origin = world.decide_again(case.recovery.origin, "800.00")
    case = world.fresh(case)
    assert (case.state, case.open, sums(case)) == ("CANCELLED", False, (0, 0, 0, 0))
    assert case.recovery.given_back_fen == 20_000
    back = PaymentOrder.objects.get(case=origin.pk, state="ORDERED")
    assert back.amount_fen == 20_000  # exactly what the family paid, by the claim's own order
    origin = world.pay(origin)
    assert (origin.state, payable_fen(origin)) == ("CLOSED", 0)
    assert Message.objects.filter(case=case.pk, template="recovery_canceled").count() == 1
    assert not Clock.objects.filter(case=case.pk).exclude(state="STOPPED").exists()


def test_a_decision_that_pays_a_part_again_lowers_the_amount(world: Recoveries) -> None:
    case = world.refund(world.notified(), "200.00", "BK-B1")
    world.decide_again(case.recovery.origin, "500.00")
    case = world.fresh(case)
    assert (case.state, sums(case)) == ("PARTIALLY_REFUNDED", (300, 200, 0, 100))
    world.decide_again(case.recovery.origin, "650.00")
    case = world.fresh(case)
    assert (case.state, sums(case), case.recovery.given_back_fen) == ("REFUNDED", (150, 150, 0, 0), 5_000)


def test_a_decision_that_pays_still_less_raises_it_or_opens_another(world: Recoveries) -> None:
    case = world.notified()
    world.decide_again(case.recovery.origin, "100.00")
    case = world.fresh(case)
    assert sums(case) == (700, 0, 0, 700)
    assert Letter.objects.filter(case=case.pk).latest("version").context["open_fen"] == 70_000
    world.refund(case, "700.00", "BK-B1")
    world.decide_again(case.recovery.origin, "50.00")
    assert Recovery.objects.filter(origin=case.recovery.origin).count() == 2
    assert sums(world.recovery_of(case.recovery.origin)) == (50, 0, 0, 50)


def test_what_was_written_off_is_not_paid_a_second_time(world: Recoveries) -> None:
    case = world.written_off()
    origin = world.decide_again(case.recovery.origin, "800.00")
    assert world.fresh(case).state == "CANCELLED"
    assert not PaymentOrder.objects.filter(case=origin.pk, state="ORDERED").exists()
    assert payable_fen(origin) == 0
    assert world.balance(f"written-off:{case.number}:MEMBER") == 0


# --- REC-04 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("series", "rule"), [("2024", "REC-05"), ("2026", "REC-04")])
def test_nothing_paid_nothing_asked_back(db: None, now: Any, series: str, rule: str, rulebook: Any) -> None:
    world = Recoveries(series)
    case = world.do(world.review(series=series), "decide")  # ordered, not paid
    with pytest.raises(Blocked) as caught:
        open_recovery(world.actor("clerk"), case.number)
    assert (caught.value.code, caught.value.rule, caught.value.field) == ("not_paid", rule, "case")
    assert not Recovery.objects.exists()
    rulebook.fired(rule)


def test_asked_back_once_and_only_by_the_desk(world: Recoveries) -> None:
    case = world.overpaid()
    with pytest.raises(Blocked) as caught:
        open_recovery(world.actor("clerk"), case.recovery.origin.number)
    assert caught.value.code == "asked_already"
    with pytest.raises(NotAllowed):
        open_recovery(world.actor("adjuster"), case.recovery.origin.number)


def test_the_limits_hold_what_the_decision_uses_before_and_after_the_refund(world: Recoveries) -> None:
    """Machine (j), full refund: the accumulators are right, because each decision books its own use."""
    case = world.overpaid()
    limit = LimitAccount.objects.get(policy=case.policy_id, key="annual")
    assert limit.used == 30_000
    world.refund(case, "500.00", "BK-B1")
    limit.refresh_from_db()
    assert limit.used == 30_000
    assert MoneyEntry.objects.filter(kind="REFUND").count() == 1
