"""What banks say and what we do about it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.tests.factories import make_actor
from apps.cases.engine import available
from apps.cases.models import CaseFile
from apps.claims.tests.world import World
from apps.core.errors import Blocked, NotAllowed
from apps.finance.config import meaning_of, return_meanings
from apps.finance.returns import BANDS, Filters, aging, band_of, filters_of, worklist
from apps.messaging.models import Message
from apps.payments.models import PaymentOrder


def send_back(world: World, case: CaseFile, reason: str) -> CaseFile:
    order = PaymentOrder.objects.filter(case=case).latest("pk")
    return world.do(case, "payment_returned", by="finance", order=order.number, reason=reason)


@pytest.mark.parametrize(
    ("reason", "key"),
    [
        ("账号与户名不符", "NAME_MISMATCH"),
        ("AC04", "NAME_MISMATCH"),
        ("E1002: 户名错", "NAME_MISMATCH"),
        ("1001-账号错误", "NO_SUCH_ACCOUNT"),
        ("ac05 closed by holder", "CLOSED"),
        ("账户已冻结", "FROZEN"),
        ("Ⅲ类户超限", "CLASS_LIMIT"),
        ("联行号有误", "BRANCH"),
        ("清算系统超时", "BANK_SYSTEM"),
        ("付款账户余额不足", "FUNDS"),
        ("10012345", "UNKNOWN"),
        ("", "UNKNOWN"),
    ],
)
def test_the_words_of_banks_have_a_meaning(reason: str, key: str) -> None:
    assert meaning_of(reason).key == key


def test_every_meaning_is_said_in_both_languages_and_names_a_step() -> None:
    for one in return_meanings():
        assert one.zh
        assert one.en
        assert one.next in ("ACCOUNT", "RETRY", "ASK")


def test_days_fall_into_bands_without_a_hole() -> None:
    assert [band_of(days) for days in (0, 2, 3, 7, 8, 14, 15, 30, 31, 400)] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert len(BANDS) == 5


def test_the_list_is_oldest_first_with_its_age(world: World) -> None:
    first = send_back(world, world.closed(), "已销户")
    later = world.now + timedelta(days=9)
    world.now = later
    second = send_back(world, world.closed(world.visit(department="外科")), "超时")
    rows = worklist(make_actor("finance", username="f"), Filters(), now=later)
    assert [(row.order.case.number, row.days, row.next) for row in rows] == [
        (first.number, 9, "ACCOUNT"),
        (second.number, 0, "RETRY"),
    ]
    assert [band.orders for band in aging(rows)] == [1, 0, 1, 0, 0]
    with pytest.raises(NotAllowed):
        worklist(make_actor("mailroom", username="m"), Filters())


def test_filters_forgive_what_they_do_not_know() -> None:
    assert filters_of({"band": "99", "state": "x", "assignee": "1"}) == Filters(assignee="1")
    assert filters_of({"band": "2", "state": "all"}) == Filters("all", 2)


def test_the_same_account_is_paid_again_when_the_bank_failed(world: World) -> None:
    case = send_back(world, world.closed(), "清算系统超时")
    case = world.do(case, "retry_payment", by="finance", reason="银行确认系统已恢复")
    order = PaymentOrder.objects.filter(case=case).latest("pk")
    assert (case.state, order.state, order.attempt) == ("PAYMENT_PENDING", "ORDERED", 2)
    assert order.payee_id == case.claim.payee_id
    assert world.pay(case).state == "CLOSED"


def test_an_account_the_bank_refuses_is_not_paid_again(world: World) -> None:
    case = send_back(world, world.closed(), "AC05 已销户")
    with pytest.raises(Blocked) as refusal:
        world.do(case, "retry_payment", by="finance", reason="再试一次看看")
    assert refusal.value.code == "account_refused"
    assert PaymentOrder.objects.filter(case=case).count() == 1
    with pytest.raises(NotAllowed):
        world.do(case, "retry_payment", by="adjuster", reason="再试一次看看")
    (found,) = [one for one in available(case, world.actor("finance")) if one.action.name == "retry_payment"]
    assert not found.allowed


def test_the_member_is_asked_again_with_the_meaning(world: World) -> None:
    case = send_back(world, world.closed(), "AC05")
    before = Message.objects.filter(template="payment_returned").count()
    world.do(case, "ask_account", by="finance")
    world.do(case, "ask_account", by="adjuster", note="电话无人接听")
    sent = Message.objects.filter(template="payment_returned").order_by("pk")
    assert sent.count() == before + 2
    assert "账户已销户" in sent.last().body
    (row,) = worklist(make_actor("finance", username="f"), Filters())
    assert row.times_asked == 3


def test_a_paid_claim_has_nothing_to_ask(world: World) -> None:
    case = world.closed()
    for name in ("ask_account", "retry_payment"):
        with pytest.raises(Blocked):
            world.do(
                case, name, by="finance", **({"reason": "银行恢复了"} if name == "retry_payment" else {})
            )


def test_reading_the_list_costs_two_queries(world: World, django_assert_num_queries: Any) -> None:
    for n in range(4):
        send_back(world, world.closed(world.visit(department=f"科{n}")), "已销户")
    actor = make_actor("finance", username="f")
    with django_assert_num_queries(2):
        assert len(worklist(actor, Filters())) == 4
