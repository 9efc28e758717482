"""From the order to the money in the account, never twice (RMB-12, RMB-33, LAW-03)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.accounts.tests.factories import make_actor
from apps.cases.context import Ctx
from apps.cases.engine import perform
from apps.cases.kinds import Action
from apps.cases.models import CaseFile
from apps.claims.actions import KIND
from apps.claims.tests.world import PAYEE, World, events
from apps.claims.workflow import STATES
from apps.core.errors import Blocked, Conflict, DomainError, InvalidInput, InvalidInputs, NotAllowed
from apps.ledger.models import MoneyAccount, MoneyEntry
from apps.payments.actions import BankResult, book_results, cancel_file, make_file, order, release_file, stop
from apps.payments.models import Payee, PaymentFile, PaymentOrder
from apps.payments.queries import files_visible_to, live_order, orders_visible_to, payable_fen
from tests.concurrency import in_threads

pytestmark = pytest.mark.both_databases
CARD = "6222021001116245702"


@pytest.fixture
def decided(world: World) -> CaseFile:
    return world.do(world.review(), "decide")


def order_of(case: CaseFile) -> PaymentOrder:
    return PaymentOrder.objects.filter(case=case).latest("pk")


def draft(world: World, *cases: CaseFile) -> PaymentFile:
    return make_file(world.actor("finance"), [order_of(case).number for case in cases], now=world.now)


def released(world: World, *cases: CaseFile) -> PaymentFile:
    return release_file(world.actor("checker"), draft(world, *cases).number, now=world.now)


def books(case: CaseFile) -> dict[str, Any]:
    """Everything that says whether money moved."""
    return {
        "orders": list(PaymentOrder.objects.order_by("pk").values_list("number", "state", "file")),
        "files": list(PaymentFile.objects.order_by("pk").values_list("number", "state")),
        "entries": MoneyEntry.objects.count(),
        "balance": MoneyAccount.objects.get(reference=case.number).balance,
        "events": events(case),
    }


# --- The order -------------------------------------------------------------------------------


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_a_decision_that_pays_orders_its_payment(world: World, series: str) -> None:
    case = world.do(world.review(series=series), "decide")
    row = order_of(case)
    assert (row.state, row.amount_fen, row.attempt, row.decision_version) == (
        "ORDERED",
        case.claim.decided_fen,
        1,
        1,
    )
    assert row.payee == case.claim.payee
    assert payable_fen(case) == row.amount_fen
    assert live_order(case) == row


@pytest.fixture
def pay_again(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """An action that orders what the test says, as a careless handler would."""

    def handler(ctx: Ctx[Any]) -> None:
        order(ctx, payee=ctx.case.claim.payee, amount_fen=1, decision_version=1)

    action: Action[Any] = Action(
        "pay_again", "pay again", frozenset({"finance"}), handler, states=frozenset(STATES)
    )
    monkeypatch.setitem(KIND.actions, "pay_again", action)
    return lambda case: perform(case, "pay_again", world.actor("finance"))


def test_a_second_live_order_for_one_decision_cannot_exist(decided: CaseFile, pay_again: Any) -> None:
    before = books(decided)
    with pytest.raises(Conflict) as refusal:
        pay_again(decided)
    assert refusal.value.code == "paid_twice"
    assert books(decided) == before


def test_the_database_refuses_a_second_live_order_by_itself(decided: CaseFile) -> None:
    row = order_of(decided)
    row.pk, row.number, row.attempt = None, "P26-999999", 2
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)
    row.state = "STOPPED"
    row.save(force_insert=True)


@pytest.mark.parametrize("amount", [0, -1])
def test_the_database_refuses_an_order_of_nothing(decided: CaseFile, amount: int) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        PaymentOrder.objects.update(amount_fen=amount)


def test_kyc_a_payee_on_a_list_is_not_paid(world: World, pay_again: Any) -> None:
    case = world.review()
    Payee.objects.update(screening="HIT")
    case = world.do(case, "decide")
    assert case.state in ("APPROVED", "PARTIAL")
    assert not PaymentOrder.objects.exists()
    with pytest.raises(Blocked) as refusal:
        pay_again(case)
    assert refusal.value.code == "screening"


# --- The file: made by one, released by another ----------------------------------------------


def test_a_file_gathers_orders_and_their_total(world: World, decided: CaseFile) -> None:
    other = world.do(world.review(world.visit([world.bill("300.00")])), "decide")
    file = draft(world, decided, other)
    assert (file.state, file.orders, file.total_fen) == (
        "DRAFT",
        2,
        order_of(decided).amount_fen + order_of(other).amount_fen,
    )
    assert set(PaymentOrder.objects.values_list("state", "file")) == {("IN_FILE", file.pk)}


def test_four_eyes_the_maker_may_not_release_even_as_lead(world: World, decided: CaseFile) -> None:
    lead = make_actor("finance_lead")
    file = make_file(lead, [order_of(decided).number])
    with pytest.raises(NotAllowed) as refusal:
        release_file(lead, file.number)
    assert refusal.value.code == "four_eyes"
    assert release_file(make_actor("finance_lead"), file.number).state == "RELEASED"


def test_the_database_refuses_a_file_with_two_eyes(world: World, decided: CaseFile) -> None:
    draft(world, decided)
    maker = PaymentFile.objects.get().made_by
    with pytest.raises(IntegrityError, match="payment_file_four_eyes"), transaction.atomic():
        PaymentFile.objects.update(released_by=maker)


def test_who_makes_and_who_releases(world: World, decided: CaseFile) -> None:
    number = order_of(decided).number
    for role in ("first_review", "payment_check", "manager", "auditor", "api_tpa"):
        with pytest.raises(NotAllowed):
            make_file(make_actor(role), [number])
    file = draft(world, decided)
    for role in ("finance", "first_review", "manager", "auditor"):
        with pytest.raises(NotAllowed):
            release_file(make_actor(role), file.number)
        with pytest.raises(NotAllowed):
            book_results(make_actor("first_review"), [BankResult(number, paid=True)])


def test_an_order_goes_into_one_file_and_a_file_is_made_whole_or_not(world: World, decided: CaseFile) -> None:
    draft(world, decided)
    other = world.do(world.review(), "decide")
    before = books(decided)
    with pytest.raises(Conflict) as refusal:
        draft(world, other, decided)
    assert refusal.value.code == "not_pending"
    for numbers in ([], ["P26-999999"], [order_of(other).number, "P26-999999"]):
        with pytest.raises(InvalidInput):
            make_file(world.actor("finance"), numbers)
    assert books(decided) == before


def test_a_file_is_released_once_and_taken_back_only_before(world: World, decided: CaseFile) -> None:
    file = draft(world, decided)
    cancel_file(world.actor("finance"), file.number)
    assert order_of(decided).state == "ORDERED"
    again = released(world, decided)
    for change in (release_file, cancel_file):
        with pytest.raises(Conflict) as refusal:
            change(world.actor("checker"), again.number)
        assert refusal.value.code == "file_state"
    with pytest.raises(InvalidInput):
        release_file(world.actor("checker"), "F260101-000001")


# --- The bank's answer -----------------------------------------------------------------------


def test_paid_books_the_money_closes_the_claim_and_tells_the_member(world: World, decided: CaseFile) -> None:
    released(world, decided)
    number = order_of(decided).number
    [case] = book_results(
        world.actor("finance"), [BankResult(number, paid=True, reference="B-77")], now=world.now
    )
    assert (world.see(case).state, payable_fen(case)) == ("CLOSED", 0)
    row = order_of(case)
    assert (row.state, row.paid_at, row.bank_reference) == ("PAID", world.now, "B-77")
    assert case.messages.filter(template="payment_done").count() == 1


def test_only_orders_of_a_released_file_can_be_answered(world: World, decided: CaseFile) -> None:
    """An answer to a file nobody released would free the order while the file still carries it."""
    number, finance = order_of(decided).number, world.actor("finance")

    def refused(code: str) -> None:
        before = books(decided)
        for data in ({"bank_reference": "B"}, {"reason": "closed"}):
            action = "payment_done" if "bank_reference" in data else "payment_returned"
            with pytest.raises(Blocked) as refusal:
                perform(decided, action, finance, order=number, **data)
            assert refusal.value.code in ("not_released", "not_sent")
        assert books(decided) == before

    refused("ordered")
    draft(world, decided)
    refused("in a draft")


def test_returned_after_paid_owes_again_and_a_new_account_is_paid(world: World, decided: CaseFile) -> None:
    released(world, decided)
    first, finance = order_of(decided), world.actor("finance")
    book_results(finance, [BankResult(first.number, paid=True)])
    book_results(finance, [BankResult(first.number, paid=False, reason="account closed")])
    case = world.see(decided)
    assert (case.state, case.open, payable_fen(case)) == ("PAYMENT_FAILED", True, first.amount_fen)
    case = world.do(case, "new_account", by="intake", **{**PAYEE, "account": CARD})
    second = order_of(case)
    assert (case.state, second.attempt, second.decision_version) == ("PAYMENT_PENDING", 2, 1)
    assert (second.payee.account, first.payee.account) == (CARD, PAYEE["account"])
    case = world.pay(case)
    assert (case.state, payable_fen(case)) == ("CLOSED", 0)
    account = MoneyAccount.objects.get(reference=case.number)
    assert account.settled == first.amount_fen


def test_returned_before_it_was_confirmed_books_nothing(world: World, decided: CaseFile) -> None:
    released(world, decided)
    book_results(
        world.actor("finance"), [BankResult(order_of(decided).number, paid=False, reason="wrong name")]
    )
    assert order_of(decided).state == "RETURNED"
    assert payable_fen(decided) == order_of(decided).amount_fen
    assert not MoneyEntry.objects.exclude(kind="DUE").exists()


def test_a_wrong_corrected_account_is_named_and_orders_nothing(world: World, decided: CaseFile) -> None:
    released(world, decided)
    case = world.do(
        decided, "payment_returned", by="finance", order=order_of(decided).number, reason="closed"
    )
    before = books(case)
    with pytest.raises(InvalidInputs) as refusal:
        world.do(case, "new_account", by="intake", **{**PAYEE, "account": CARD[:-1] + "1"})
    assert [(error.field, error.code) for error in refusal.value.errors] == [("account", "check_digit")]
    assert books(case) == before


@pytest.mark.parametrize(
    ("results", "fields"),
    [
        ([("known", True, ""), ("P26-999999", True, "")], {"3.order"}),
        ([("known", True, ""), ("known", True, "")], {"3.order"}),
        ([("known", False, "")], {"2.reason"}),
        ([("P26-999999", True, ""), ("P26-999998", True, "")], {"2.order", "3.order"}),
    ],
    ids=["unknown", "twice", "no reason", "all wrong"],
)
def test_one_wrong_row_books_none(
    world: World, decided: CaseFile, results: list[Any], fields: set[str]
) -> None:
    released(world, decided)
    before, number = books(decided), order_of(decided).number
    rows = [
        BankResult(number if name == "known" else name, paid=paid, reason=reason, row=row)
        for row, (name, paid, reason) in enumerate(results, start=2)
    ]
    with pytest.raises(InvalidInputs) as refusal:
        book_results(world.actor("finance"), rows)
    assert {error.field for error in refusal.value.errors} == fields
    assert books(decided) == before


# --- Stopping --------------------------------------------------------------------------------


@pytest.fixture
def stopping(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[[CaseFile], Any]:
    def handler(ctx: Ctx[Any]) -> None:
        stop(ctx, order_of(ctx.case).number, reason="fraud suspected")

    action: Action[Any] = Action("stop", "stop", frozenset({"finance"}), handler, states=frozenset(STATES))
    monkeypatch.setitem(KIND.actions, "stop", action)
    return lambda case: perform(case, "stop", world.actor("finance"))


def test_a_pending_payment_can_be_stopped_and_goes_into_no_file(
    world: World, decided: CaseFile, stopping: Any
) -> None:
    stopping(decided)
    row = order_of(decided)
    assert (row.state, row.return_reason) == ("STOPPED", "fraud suspected")
    assert live_order(decided) is None
    with pytest.raises(Conflict):
        draft(world, decided)


def test_what_is_in_a_file_is_taken_out_of_it_first(world: World, decided: CaseFile, stopping: Any) -> None:
    file = draft(world, decided)
    with pytest.raises(Blocked) as refusal:
        stopping(decided)
    assert refusal.value.code == "too_late"
    cancel_file(world.actor("finance"), file.number)
    stopping(decided)
    assert order_of(decided).state == "STOPPED"


# --- Whose payments --------------------------------------------------------------------------


def test_orders_and_files_of_another_administrator_do_not_exist(world: World, decided: CaseFile) -> None:
    other = world.do(world.review(series="2024"), "decide")
    numbers = [order_of(decided).number, order_of(other).number]
    theirs = make_actor("finance", "finance_lead", tpa=other.tpa)
    assert other.tpa
    assert [row.case_id for row in orders_visible_to(theirs)] == [other.pk]
    with pytest.raises(InvalidInput):
        make_file(theirs, numbers)
    mixed = make_file(world.actor("finance"), numbers)
    assert not files_visible_to(theirs).exists()
    for change in (release_file, cancel_file):
        with pytest.raises(InvalidInput) as refusal:
            change(theirs, mixed.number)
        assert refusal.value.code == "unknown_file"
    release_file(world.actor("checker"), mixed.number)
    with pytest.raises(InvalidInputs):
        book_results(theirs, [BankResult(numbers[0], paid=True)])
    assert not files_visible_to(make_actor()).exists()


def test_a_file_of_ones_own_orders_is_visible(world: World, decided: CaseFile) -> None:
    other = world.do(world.review(series="2024"), "decide")
    draft(world, decided)
    mine = draft(world, other)
    theirs = make_actor("finance_lead", tpa=other.tpa)
    assert list(files_visible_to(theirs)) == [mine]
    assert release_file(theirs, mine.number).state == "RELEASED"


# --- Races -----------------------------------------------------------------------------------


def said(work: Callable[[], Any]) -> str:
    try:
        work()
    except DomainError as error:
        return error.code
    return "done"


@pytest.mark.django_db(transaction=True)
def test_two_files_made_at_once_never_share_an_order(world: World) -> None:
    cases = [world.do(world.review(), "decide") for _ in range(3)]
    numbers = [order_of(case).number for case in cases]
    makers = [make_actor("finance") for _ in range(4)]
    found = Counter(
        in_threads(
            lambda index: said(lambda: make_file(makers[index], numbers[:: 1 if index % 2 else -1])), 4
        )
    )
    assert found == {"done": 1, "not_pending": 3}
    assert PaymentFile.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_file_released_and_taken_back_at_once_is_one_of_the_two(world: World) -> None:
    case = world.do(world.review(), "decide")
    file = draft(world, case)
    actors = [make_actor("payment_check") for _ in range(4)]

    def work(index: int) -> str:
        change = release_file if index % 2 else cancel_file
        return said(lambda: change(actors[index], file.number))

    assert Counter(in_threads(work, 4)) == {"done": 1, "file_state": 3}
    state = {"RELEASED": "IN_FILE", "CANCELLED": "ORDERED"}
    assert order_of(case).state == state[PaymentFile.objects.get().state]


@pytest.mark.django_db(transaction=True)
def test_the_same_answer_booked_at_once_pays_once(world: World) -> None:
    case = world.do(world.review(), "decide")
    released(world, case)
    number, finance = order_of(case).number, world.actor("finance")

    def work(index: int) -> str:
        return said(
            lambda: book_results(finance, [BankResult(number, paid=True, reference=f"B{index}", row=2)])
        )

    found = Counter(in_threads(work, 4))
    assert found["done"] == 1
    assert MoneyEntry.objects.filter(kind="PAID").count() == 1
    assert MoneyAccount.objects.get(reference=case.number).balance == 0
    assert events(case).count("paid") == 1


def test_a_file_costs_the_same_for_one_order_and_for_ten(world: World) -> None:
    cases = [world.do(world.review(world.visit(department=f"科{index}")), "decide") for index in range(11)]
    costs = []
    for batch in (cases[:1], cases[1:]):
        numbers = [order_of(case).number for case in batch]
        with CaptureQueriesContext(connection) as captured:
            make_file(world.actor("finance"), numbers)
        costs.append(len([query for query in captured.captured_queries if "SAVEPOINT" not in query["sql"]]))
    assert costs[1] <= costs[0]
