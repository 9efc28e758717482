"""A greyed card (BIL-03, BIL-21): no new letter, no new stay; the letter of a child in hospital is honored."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from apps.accounts.actors import SYSTEM
from apps.accounts.tests.factories import UserFactory, web_of
from apps.authorizations.queries import in_hospital
from apps.authorizations.subscriptions import letter_follows
from apps.authorizations.tasks import expire_letters, follow_cards
from apps.authorizations.tests.world import MAIL, Rooms
from apps.cards.actions import grey, restore
from apps.cards.models import Card
from apps.core.errors import Blocked
from apps.documents.models import Letter
from apps.ledger.models import LimitAccount
from apps.messaging.models import Message

SERIES = [("2026", "BIL-03"), ("2024", "BIL-21")]
WHY = "自付账单逾期未付"


def card_of(world: Rooms, series: str) -> Card:
    return Card.objects.select_related("policy").get(policy=world.policy_of(series))


def greyed(world: Rooms, series: str, rule: str, **when: Any) -> Card:
    return grey(SYSTEM, card_of(world, series), reason=WHY, rule=rule, **when)


def held(world: Rooms, series: str) -> int:
    return LimitAccount.objects.get(policy=world.policy_of(series), key="annual").reserved


@pytest.mark.both_databases
@pytest.mark.parametrize(("series", "rule"), SERIES)
def test_an_approval_waits_for_the_card_and_its_letter_follows_by_itself(
    world: Rooms, series: str, rule: str, rulebook: Any, django_capture_on_commit_callbacks: Any
) -> None:
    card = greyed(world, series, rule)
    case = world.approved(series=series)
    assert (case.state, case.open, held(world, series)) == ("APPROVED", True, 10_000_00)
    assert not Letter.objects.exists()
    assert "置灰" in Message.objects.get(case=case.pk, template="authorization").body
    with pytest.raises(Blocked) as refused:
        world.do(case, "issue_letter", by="intake")
    assert (refused.value.code, refused.value.rule) == ("greyed", rule)
    assert WHY in str(refused.value.message)
    page = web_of(UserFactory(roles=["senior_adjuster"])).get(f"/admin/case/{case.number}/").content.decode()
    assert WHY in page
    assert rule in page
    with django_capture_on_commit_callbacks(execute=True):
        restore(SYSTEM, card, reason="账单已付清", rule=rule)
    assert world.see(case).state == "LETTER_ISSUED"
    assert Letter.objects.get(case=case.pk).version == 1
    rulebook.read_back(rule, case.number)


def test_a_waiting_approval_is_withdrawn_or_expires_and_the_money_goes_back(world: Rooms) -> None:
    greyed(world, "2026", "BIL-03")
    first, second = world.approved(), world.approved()
    assert held(world, "2026") == 20_000_00
    assert world.do(first, "withdraw", by="intake", reason="家长改期").state == "WITHDRAWN"
    assert held(world, "2026") == 10_000_00
    with time_machine.travel("2026-11-01T00:30:00+08:00", tick=False):
        assert expire_letters() == 1
    assert (world.see(second).state, held(world, "2026")) == ("EXPIRED", 0)
    told = Message.objects.filter(case=second.pk, template="authorization").latest("pk")
    assert "担保函未出具" in told.body


def test_an_issued_letter_is_neither_sent_again_nor_issued_anew(world: Rooms) -> None:
    case = world.sent()
    greyed(world, "2026", "BIL-03")
    for action, data in (
        ("send_letter", {"by": "intake"}),
        ("reissue", {"by": "senior", "valid_until": "2026-11-15", "reason": "改期"}),
    ):
        with pytest.raises(Blocked) as refused:
            world.do(case, action, **data)
        assert (refused.value.code, refused.value.rule) == ("greyed", "BIL-03")
    assert Letter.objects.filter(case=case.pk).count() == 1


@pytest.mark.parametrize(("series", "rule"), SERIES)
def test_the_hospital_hears_that_a_letter_is_suspended_and_serves_again(
    world: Rooms, series: str, rule: str, client: Any, django_capture_on_commit_callbacks: Any,
    django_assert_num_queries: Any,
) -> None:  # fmt: skip
    """The page behind its code says so in the same one statement, and nothing of the child or why."""
    case, admitted = world.sent(series=series), world.admitted(series=series)

    def said(letter: Letter) -> str:
        with django_assert_num_queries(1):
            return str(client.get(f"/v/{letter.token}/").content.decode())

    assert "有效" in said(world.letter(case))
    with django_capture_on_commit_callbacks(execute=True):
        greyed(world, series, rule)
    assert case.events.get(name="letter_suspended").data["rule"] == rule
    told = Message.objects.get(case=case.pk, template="guarantee_suspended")
    assert (told.recipient, WHY in told.body) == (MAIL, False)
    page = said(world.letter(case))
    assert "暂停使用" in page
    assert not [word for word in ("王", "置灰", "账单", case.number) if word in page]
    assert "目前有效" in said(world.letter(admitted))  # honored: it had come before
    assert not admitted.events.filter(name="letter_suspended").exists()
    with django_capture_on_commit_callbacks(execute=True):
        card = restore(SYSTEM, card_of(world, series), reason="账单已付清", rule=rule)
    letter_follows(None, card)  # told once, however often it is heard
    assert "目前有效" in said(world.letter(case))
    assert Message.objects.filter(case=case.pk, template="guarantee_resumed").count() == 1


@pytest.mark.parametrize(("series", "rule"), SERIES)
def test_what_a_killed_process_did_not_tell_the_sweep_tells_once(
    world: Rooms, series: str, rule: str
) -> None:
    """In a test that rolls back nothing is done after the commit, as when the process died in between."""
    out = world.sent(series=series)
    card = greyed(world, series, rule)
    waiting = world.approved(series=series, planned_on="2026-10-12")
    assert (follow_cards(), follow_cards()) == (1, 0)
    assert Message.objects.get(case=out.pk, template="guarantee_suspended")
    restore(SYSTEM, card, reason="账单已付清", rule=rule)
    assert (follow_cards(), follow_cards()) == (2, 0)
    assert Message.objects.get(case=out.pk, template="guarantee_resumed")
    assert world.see(waiting).state == "LETTER_ISSUED"


@pytest.mark.parametrize(("series", "rule"), SERIES)
def test_a_stay_that_begins_later_is_not_admitted_on_the_letter(world: Rooms, series: str, rule: str) -> None:
    case = world.sent(series=series)
    greyed(world, series, rule)
    later = world.now + timedelta(days=1)
    with pytest.raises(Blocked) as refused:
        world.do(case, "admit", by="intake", now=later, admitted_on=later.date())
    assert (refused.value.code, refused.value.field, refused.value.rule) == ("greyed", "admitted_on", rule)
    # It began before the card was greyed and was only told later: honored, and flagged.
    case = world.do(case, "admit", by="intake", now=later, admitted_on=world.now.date())
    assert case.events.get(name="admitted").data["card_greyed"] == rule


def test_in_hospital_the_letter_is_honored_and_flagged(world: Rooms, django_assert_num_queries: Any) -> None:
    case = world.admitted()
    greyed(world, "2026", "")  # by a person: the series' own rule is cited
    case = world.do(case, "send_letter", by="intake")
    case = world.do(case, "ask_supplement", by="lead", reason="延长", until="2026-11-10")
    case = world.do(case, "grant_supplement", by="senior", amount="0.00", valid_until="2026-11-10")
    assert case.events.get(name="supplement_granted").data["card_greyed"] == "BIL-03"
    assert world.letter(case).version == 2
    actor = world.actor("intake")
    with django_assert_num_queries(1):
        (row,) = in_hospital(actor, world.now.date())
    assert (row.card is not None and row.card.greyed_for, row.level) == (WHY, "warn")
    page = web_of(UserFactory(roles=["intake"])).get("/admin/authorizations/in-hospital/").content.decode()
    assert WHY in page
