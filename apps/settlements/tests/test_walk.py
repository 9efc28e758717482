"""A hospital's claims from the run to the bank's answer (PR-25)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.cases.models import CaseFile
from apps.claims.tests.world import events
from apps.core.errors import Blocked, Conflict, InvalidInput, InvalidInputs, NotAllowed, NotFound
from apps.finance import months, vouchers
from apps.finance.models import Movement
from apps.ledger.models import MoneyAccount
from apps.messaging.models import Message
from apps.payments.models import PaymentOrder
from apps.settlements import actions, due, runs
from apps.settlements.models import Statement, StatementLine
from apps.settlements.tests.world import ACCOUNT, Settled


def balances(cases: list[CaseFile]) -> list[tuple[int, int]]:
    keys = [f"payable:{case.number}:HOSPITAL" for case in cases]
    found = {row.key: (row.balance, row.settled) for row in MoneyAccount.objects.filter(key__in=keys)}
    return [found[key] for key in keys]


@pytest.mark.both_databases
@pytest.mark.parametrize("series", ["2024", "2026"])
def test_pr25_from_the_run_to_every_claim_paid_and_booked(world: Settled, series: str, rulebook: Any) -> None:
    world.contract()
    cases = world.claims(3, series)
    decided = [case.claim.decided_fen for case in cases]
    draft = world.draft(series)
    assert (draft.state, draft.claims, draft.total_fen) == ("DRAFT", 3, sum(decided))
    assert (draft.series, draft.tpa) == (series, world.handbook(series).handbook.tpa)
    assert draft.due_on == date(2026, 10, 16)  # 30 calendar days after the complete claim
    ordered = actions.check(world.actor("checker"), draft.number, now=world.now)
    order = PaymentOrder.objects.get(reference=draft.number)
    assert (order.case, order.amount_fen, order.series) == (None, draft.total_fen, series)
    world.answer(world.to_bank(ordered))
    ordered.refresh_from_db()
    assert ordered.state == "PAID"
    for case, fen in zip(cases, decided, strict=True):
        seen = world.look(case)
        assert (seen.state, seen.direct.paid_fen) == ("PAID_TO_HOSPITAL", fen)
        assert events(seen)[-1] == "settled"
    assert balances(cases) == [(0, fen) for fen in decided]
    assert sum(Movement.objects.filter(payment=order.number).values_list("paid_fen", flat=True)) == sum(
        decided
    )
    batch = vouchers.prepare(world.actor("finance"), series, date(2026, 9, 1), now=world.now)
    (paid,) = [one for one in vouchers.preview(batch) if one.aspect == "PAID"]
    assert (paid.key, paid.debit_fen) == (f"PAID:{order.number}", sum(decided))  # one transfer, one voucher
    assert {line.account for line in paid.lines} == {
        "2024": {"2241.08", "1002.02"}, "2026": {"2241.07", "1002.01"},
    }[series]  # fmt: skip
    assert months.differences() == []  # the journal of reserves and the ledger
    rulebook.read_back("PR-25", draft.number)


def test_two_people_and_nothing_that_changed_since(world: Settled) -> None:
    world.contract("2026")
    first, second = world.claims(2)
    lead = world._people["lead"]
    draft = runs.make(lead, "PRI", date(2026, 9, 16), now=world.now)[0]
    with pytest.raises(NotAllowed) as own:
        actions.check(lead, draft.number)
    assert (own.value.code, own.value.rule) == ("four_eyes", "PR-25")
    with pytest.raises(NotAllowed) as role:
        actions.check(world.actor("finance"), draft.number)
    assert role.value.code == "role"
    with pytest.raises(Conflict) as stale:
        actions.check(world.actor("checker"), draft.number, version=7)
    assert stale.value.code == "stale"
    world.do(first, "reopen", by="supervisor", reason="新的病历")
    with pytest.raises(Conflict) as changed:
        actions.check(world.actor("checker"), draft.number)
    assert changed.value.data == {"cases": [first.number]}
    with pytest.raises(InvalidInput):
        actions.drop(lead, draft.number, ["D26-999999"], reason="重新审核")
    actions.drop(lead, draft.number, [first.number], reason="重新审核")
    with pytest.raises(Blocked):
        actions.drop(lead, draft.number, [second.number], reason="重新审核")
    done = actions.check(world.actor("checker"), draft.number, now=world.now)
    assert (done.claims, done.total_fen) == (1, second.claim.decided_fen)
    assert [event.name for event in done.events.all()] == ["made", "dropped", "checked"]


def test_nothing_waits_no_terms_no_account_no_hospital(world: Settled) -> None:
    finance, until = world.actor("finance"), date(2026, 9, 16)
    with pytest.raises(Blocked) as nothing:
        runs.make(finance, "PRI", until, now=world.now)
    assert nothing.value.code == "nothing"
    world.claims(1)
    with pytest.raises(Blocked) as terms:
        runs.make(finance, "PRI", until, now=world.now)
    assert (terms.value.code, terms.value.rule) == ("no_terms", "PR-25")
    world.terms()
    with pytest.raises(InvalidInput) as later:
        runs.make(finance, "PRI", until + timedelta(days=1), now=world.now)
    assert later.value.field == "until"
    with pytest.raises(NotFound):
        runs.make(finance, "NOWHERE", until, now=world.now)
    with pytest.raises(Blocked):
        runs.make(finance, "PRI", date(2026, 9, 15), now=world.now)  # complete only on the 16th
    draft = world.draft()
    with pytest.raises(Blocked) as account:
        actions.check(world.actor("checker"), draft.number)
    assert account.value.code == "no_account"
    assert Statement.objects.get().state == "DRAFT"


@pytest.mark.both_databases
def test_returned_to_a_corrected_account_and_returned_after_it_was_paid(world: Settled) -> None:
    world.contract("2026")
    statement = world.ordered(2)
    cases = [line.case for line in statement.lines.all()]
    world.answer(world.to_bank(statement), paid=False)
    statement.refresh_from_db()
    assert statement.state == "RETURNED"
    assert world.look(cases[0]).state == "ADJUDICATED"
    finance = world.actor("finance")
    with pytest.raises(Blocked) as same:
        actions.order_again(finance, statement.number)
    assert same.value.code == "same_account"
    world.account(**ACCOUNT | {"account": "6001200340056007"})
    again = actions.order_again(finance, statement.number, now=world.now)
    assert again.order is not None
    assert (again.order.attempt, again.order.payee.account_masked[-4:]) == (2, "6007")
    assert again.letter_version == 2
    first_paid = world.to_bank(again)
    world.answer(first_paid)
    assert world.look(cases[0]).state == "PAID_TO_HOSPITAL"
    world.answer(first_paid, paid=False, now=world.later(days=2))  # the bank takes it back
    statement.refresh_from_db()
    assert statement.state == "RETURNED"
    assert [world.look(case).state for case in cases] == ["ADJUDICATED"] * 2
    owed = [case.claim.decided_fen for case in map(world.look, cases)]
    assert balances(cases) == [(fen, 0) for fen in owed]
    third = actions.order_again(finance, statement.number, reason="开户行已恢复入账", now=world.later(days=3))
    world.answer(world.to_bank(third), now=world.later(days=3))
    assert balances(cases) == [(0, fen) for fen in owed]
    assert [world.look(case).direct.paid_fen for case in cases] == owed
    paid = Movement.objects.filter(case__in=cases).values_list("paid_fen", flat=True)
    assert sum(paid) == sum(owed)


def test_stopped_before_the_file_its_claims_are_free_again(world: Settled) -> None:
    world.contract("2026")
    statement = world.ordered(1)
    with pytest.raises(InvalidInput):
        actions.stop(world.actor("checker"), statement.number, reason="")
    stopped = actions.stop(world.actor("checker"), statement.number, reason="医院要求重开", now=world.now)
    assert (stopped.state, PaymentOrder.objects.get().state) == ("STOPPED", "STOPPED")
    again = world.draft()
    assert again.total_fen == statement.total_fen
    actions.cancel(world.actor("finance"), again.number, reason="医院要求重开")
    third = actions.check(world.actor("checker"), world.draft().number, now=world.now)
    world.to_bank(third)
    with pytest.raises(Blocked) as late:
        actions.stop(world.actor("checker"), third.number, reason="已在付款文件中")
    assert late.value.code == "too_late"


def test_pr25_paid_on_receipt_and_decided_lower_afterwards(world: Settled) -> None:
    """REC-03: the hospital has the money before the decision; the rest is what it was paid in vain."""
    world.terms(kind="ON_RECEIPT", days=5)
    world.account()
    case = world.review(world.visit(hospital="PRI"))
    draft = world.draft()
    line = StatementLine.objects.get(statement=draft)
    assert (line.decision_version, draft.total_fen) == (0, case.claim.claimed_fen)
    assert draft.due_on == date(2026, 9, 21)
    ordered = actions.check(world.actor("checker"), draft.number, now=world.now)
    order = world.to_bank(ordered)
    case = world.do(case, "decide", by="senior")  # while the bank has it
    world.answer(order)
    case = world.look(case)
    assert (case.state, case.direct.paid_fen) == ("PAID_TO_HOSPITAL", case.claim.claimed_fen)
    assert balances([case]) == [(case.claim.decided_fen - case.claim.claimed_fen, case.claim.claimed_fen)]
    with pytest.raises(Blocked):
        world.draft()


@pytest.mark.both_databases
def test_a_statement_of_nine_costs_what_one_of_three_does(world: Settled) -> None:
    """The run, the check and the bank's answer: the number of statements does not grow with the claims."""
    world.contract("2026")
    costs = []
    for count in (3, 9):
        world.claims(count)
        for_run, for_check, for_answer = (CaptureQueriesContext(connection) for _ in range(3))
        with for_run:
            draft = world.draft()
        with for_check:
            ordered = actions.check(world.actor("checker"), draft.number, now=world.now)
        order = world.to_bank(ordered)
        with for_answer:
            world.answer(order)
        assert ordered.claims == count
        costs.append([len(one) for one in (for_run, for_check, for_answer)])
    for few, many in zip(*costs, strict=True):
        assert many - few <= 2  # what a process reads again now and then, such as its calendar
        assert few < 40


def test_pr25_due_soon_is_told_to_finance_and_overdue_to_its_lead_once(world: Settled, rulebook: Any) -> None:
    world.contract("2026")
    for name in ("finance", "lead"):
        user = world._people[name].user_id
        type(Statement.made_by.field.related_model.objects.get(pk=user)).objects.filter(pk=user).update(
            email=f"{name}@example.com"
        )
    world.claims(1)
    world.draft()
    assert due.remind(world.later(days=20)) == 0
    assert [due.remind(world.later(days=28)) for _ in range(2)] == [1, 0]
    assert [due.remind(world.later(days=31)) for _ in range(2)] == [1, 0]
    told = Message.objects.filter(template="settlement_due").order_by("pk")
    assert [message.recipient for message in told] == ["finance@example.com", "lead@example.com"]
    assert "超期 1 天" in told[1].body
    rulebook.read_back("PR-25", told[1].body)


def test_wrong_answers_of_the_bank_book_nothing(world: Settled) -> None:
    world.contract("2026")
    statement = world.ordered(1)
    assert statement.order is not None
    with pytest.raises(InvalidInputs) as refused:  # no released file carries it
        world.answer(statement.order.number)
    assert refused.value.errors[0].code == "not_released"
    order = world.to_bank(statement)
    world.answer(order)
    with pytest.raises(InvalidInputs):
        world.answer(order)  # twice
    assert Statement.objects.get().state == "PAID"
    assert len(set(balances([line.case for line in statement.lines.all()]))) == 1
