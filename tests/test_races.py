"""What must happen once happens once, and no limit is exceeded, whoever is at work at the same time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.tests.factories import ApiClientFactory, api_of
from apps.cases.engine import perform, perform_many
from apps.cases.models import CaseEvent, CaseFile
from apps.claims.actions import report_claim
from apps.claims.models import Claim, Decision
from apps.claims.tests.world import World
from apps.core.errors import DomainError
from apps.documents.models import BillRegister, Paper
from apps.ledger.models import LimitAccount, MoneyAccount, MoneyEntry
from apps.payments.actions import BankResult, book_results, make_file, release_file
from apps.payments.models import PaymentFile, PaymentOrder
from tests.api import SCOPES
from tests.concurrency import in_processes, in_threads

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db(transaction=True)]
CLAIMS = "/api/v1/claims/"


def said(work: Callable[[], Any]) -> str:
    try:
        work()
    except DomainError as error:
        return error.code
    return "done"


def books_agree() -> None:
    """Balances are the sums of their entries, and nothing is over its ceiling."""
    for limit in LimitAccount.objects.prefetch_related("entries"):
        assert limit.used == sum(entry.used for entry in limit.entries.all())
        assert 0 <= limit.used + limit.reserved <= limit.ceiling
    for account in MoneyAccount.objects.prefetch_related("entries"):
        assert account.balance == sum(entry.amount for entry in account.entries.all())


# --- Reports ---------------------------------------------------------------------------------


@pytest.mark.parametrize("run", [in_threads, in_processes])
def test_law_11_one_bill_reported_four_times_at_once_is_one_claim(world: World, run: Any) -> None:
    clerks = [world.actor(name) for name in ("intake", "mail", "adjuster", "second")]
    body = world.report()
    found = Counter(run(lambda index: said(lambda: report_claim(clerks[index], data=body, now=world.now)), 4))
    assert found == {"done": 1, "BILL_SEEN": 3}
    assert (Claim.objects.count(), BillRegister.objects.count(), CaseEvent.objects.count()) == (1, 1, 2)


def test_one_keyed_request_sent_four_times_at_once_is_one_claim(world: World) -> None:
    client = ApiClientFactory(kind="MEMBER_APP", scopes=SCOPES)
    body = world.report()

    def post(index: int) -> tuple[int, bytes]:
        response = api_of(client).post(CLAIMS, body, format="json", HTTP_IDEMPOTENCY_KEY="the-same")
        return response.status_code, response.content

    answers = in_threads(post, 4)
    assert {status for status, _content in answers} == {201}
    assert len({content for _status, content in answers}) == 1
    assert Claim.objects.count() == 1


def test_a_keyed_action_sent_four_times_at_once_is_done_once(world: World) -> None:
    case = world.claim()
    client = ApiClientFactory(kind="MEMBER_APP", scopes=SCOPES)
    body = {"version": world.see(case).version, "input": {"reason": "reported twice"}}

    def post(index: int) -> int:
        address = f"/api/v1/cases/{case.number}/actions/withdraw/"
        return int(api_of(client).post(address, body, format="json", HTTP_IDEMPOTENCY_KEY="k").status_code)

    assert in_threads(post, 4) == [200] * 4
    assert CaseEvent.objects.filter(case=case, name="withdrawn").count() == 1


# --- Decisions -------------------------------------------------------------------------------


def scarce(world: World, fen: int) -> None:
    """Only this much is left of the year."""
    policy = world.policy_of("2026")
    account = LimitAccount.objects.get(policy=policy, key="annual")
    LimitAccount.objects.filter(pk=account.pk).update(used=0, reserved=account.ceiling - fen)


@pytest.mark.parametrize("run", [in_threads, in_processes])
def test_claims_decided_at_once_never_pay_more_than_is_left(world: World, run: Any) -> None:
    """Four claims of 800.00 for one child with 2,000.00 left of the year: 800, 800, 400, 0 in any order."""
    cases = [world.review(world.visit(department=f"科{index}")) for index in range(4)]
    scarce(world, 200_000)
    adjuster = world.actor("adjuster")

    def decide(index: int) -> str:
        return said(lambda: perform(cases[index], "decide", adjuster, now=world.now))

    assert run(decide, 4) == ["done"] * 4
    paid = sorted(Decision.objects.values_list("insurer_fen", flat=True))
    assert paid == [0, 40_000, 80_000, 80_000]
    annual = LimitAccount.objects.get(policy=world.policy_of("2026"), key="annual")
    assert (annual.used, annual.left) == (200_000, 0)
    books_agree()


def test_a_batch_and_single_decisions_at_once_agree_with_their_books(world: World) -> None:
    cases = [world.review(world.visit(department=f"科{index}")) for index in range(6)]
    scarce(world, 250_000)
    adjuster, senior = world.actor("adjuster"), world.actor("senior")

    def work(index: int) -> str:
        if index == 0:
            return said(
                lambda: perform_many([case.number for case in cases[:3]], "decide", senior, now=world.now)
            )
        return said(lambda: perform(cases[2 + index], "decide", adjuster, now=world.now))

    assert in_threads(work, 4) == ["done"] * 4
    assert sum(Decision.objects.values_list("insurer_fen", flat=True)) == 250_000
    books_agree()


def test_a_decision_and_a_withdrawal_at_once_are_one_of_the_two(world: World) -> None:
    cases = [world.review(world.visit(department=f"科{index}")) for index in range(4)]
    adjuster, clerk = world.actor("adjuster"), world.actor("intake")

    def work(index: int) -> list[str]:
        if index:
            return [
                said(lambda case=case: perform(case, "decide", adjuster, now=world.now)) for case in cases
            ]  # type: ignore[misc]
        return [said(lambda case=case: perform(case, "withdraw", clerk, reason="twice")) for case in cases]  # type: ignore[misc]

    withdrawn, decided = in_threads(work, 2)
    for case, one, other in zip(cases, withdrawn, decided, strict=True):
        assert sorted([one, other]) == ["done", "state"]
        expected = "WITHDRAWN" if one == "done" else "PAYMENT_PENDING"
        assert world.see(case).state == expected
        assert Decision.objects.filter(claim=case.pk).count() == (other == "done")
        assert BillRegister.objects.filter(case=case, released_at=None).count() == (other == "done")
    books_agree()


@pytest.mark.parametrize("run", [in_threads, in_processes])
def test_a_decision_while_papers_change_rests_on_papers_that_were_there(world: World, run: Any) -> None:
    """The clerk finds a paper unusable while the adjuster decides: either the claim is decided on all its papers, or
    the decision comes too late for what was seen. Never is it decided by one version and filed under another."""
    case = world.review()
    paper = Paper.objects.filter(case=case).order_by("pk").first()
    adjuster, clerk = world.actor("adjuster"), world.actor("intake")
    tick = {"papers": [paper.pk], "usable": False, "note": "another child's"}

    def work(index: int) -> str:
        if index:
            return said(
                lambda: perform(case, "tick_paper", clerk, version=case.version, now=world.now, **tick)
            )
        return said(lambda: perform(case, "decide", adjuster, version=case.version, now=world.now))

    decided, ticked = run(work, 2)
    assert sorted([decided, ticked]) in (["done", "stale"], ["done", "state"])
    paper.refresh_from_db()
    assert (paper.usable, Decision.objects.count()) == ((True, 1) if decided == "done" else (False, 0))
    books_agree()


def test_two_second_signatures_at_once_are_one(world: World) -> None:
    world.authority("first_review", 1)
    case = world.do(world.review(), "decide")
    signers = [world.actor(name) for name in ("senior", "final", "second", "supervisor")]

    def sign(index: int) -> str:
        return said(lambda: perform(case, "sign", signers[index], now=world.now))

    assert Counter(in_threads(sign, 4)) == {"done": 1, "state": 3}
    assert (Decision.objects.count(), PaymentOrder.objects.count()) == (1, 1)
    books_agree()


def test_of_processes_that_saw_the_same_version_one_wins_and_the_others_are_told(world: World) -> None:
    case = world.review()
    actor = world.actor("adjuster")

    def work(index: int) -> str:
        given = {"text": f"note {index}"}
        return said(lambda: perform(case, "note", actor, version=case.version, now=world.now, **given))

    assert Counter(in_processes(work, 4)) == {"done": 1, "stale": 3}
    assert world.see(case).version == case.version + 1


def test_two_people_who_decide_one_claim_at_once_pay_it_once(world: World) -> None:
    case = world.review()
    people = [world.actor("adjuster"), world.actor("senior")]

    def decide(index: int) -> str:
        return said(lambda: perform(case, "decide", people[index], version=case.version, now=world.now))

    assert Counter(in_threads(decide, 2)) == {"done": 1, "stale": 1}
    assert Decision.objects.count() == PaymentOrder.objects.count() == MoneyAccount.objects.count() == 1
    books_agree()


# --- Payments --------------------------------------------------------------------------------


def test_one_answer_of_the_bank_booked_by_four_processes_pays_once(world: World) -> None:
    case = world.do(world.review(), "decide")
    number, finance = PaymentOrder.objects.get(case=case).number, world.actor("finance")
    file = make_file(finance, [number], now=world.now)
    release_file(world.actor("checker"), file.number, now=world.now)

    def work(index: int) -> str:
        answer = BankResult(number, paid=True, reference=f"B{index}", row=2)
        return said(lambda: book_results(finance, [answer]))

    assert Counter(in_processes(work, 4))["done"] == 1
    assert MoneyEntry.objects.filter(kind="PAID").count() == 1
    assert set(MoneyAccount.objects.values_list("balance", flat=True)) == {0}
    books_agree()


def test_one_order_put_into_files_by_four_processes_is_in_one(world: World) -> None:
    case = world.do(world.review(), "decide")
    number, finance = PaymentOrder.objects.get(case=case).number, world.actor("finance")
    found = Counter(in_processes(lambda index: said(lambda: make_file(finance, [number], now=world.now)), 4))
    assert found == {"done": 1, "not_pending": 3}
    assert PaymentFile.objects.count() == 1


# --- Everything at once ----------------------------------------------------------------------


def test_a_busy_hour_ends_with_books_that_agree(world: World) -> None:
    """Four people take claims from the report to the bank beside each other, for the same child."""
    for name in ("intake", "mail", "adjuster", "senior", "finance", "checker"):
        world.actor(name)

    def work(index: int) -> int:
        done = 0
        for turn in range(2):
            visit = world.visit([world.bill("100.00")], department=f"科{index}.{turn}")
            done += int(world.closed(visit).state == "CLOSED")
        return done

    assert in_threads(work, 4) == [2] * 4
    assert set(CaseFile.objects.values_list("state", flat=True)) == {"CLOSED"}
    assert (
        MoneyEntry.objects.filter(kind="PAID").count()
        == PaymentOrder.objects.filter(state="PAID").count()
        == 8
    )
    assert set(MoneyAccount.objects.values_list("balance", flat=True)) == {0}
    books_agree()
