"""The book of money owed: what is due, paid and returned adds up, each posting once."""

from __future__ import annotations

from itertools import count

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.ledger.actions import Due, money_account, post_dues, post_money
from apps.ledger.models import MoneyAccount, MoneyEntry
from tests.concurrency import in_threads

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db]
KIND = MoneyEntry.Kind


def account(key: str = "payable:C26-000001:MEMBER") -> MoneyAccount:
    return money_account(key, party="MEMBER", reference="C26-000001", series="2026", tpa="")


def due(number: int, amount: int, version: int = 1) -> Due:
    case = f"C26-{number:06d}"
    return Due(f"payable:{case}:MEMBER", "MEMBER", case, "2026", "", amount, f"{case}/{version}")


def owe(*dues: Due) -> None:
    for entry in post_dues(dues):
        entry.save()


def test_an_account_is_opened_once_and_keeps_what_it_is_for() -> None:
    assert account().pk == account().pk
    row = MoneyAccount.objects.get()
    assert (row.party, row.reference, row.series, row.balance, row.settled) == (
        "MEMBER",
        "C26-000001",
        "2026",
        0,
        0,
    )


def test_due_paid_returned_paid_again() -> None:
    row = account()
    steps = [
        (KIND.DUE, 80_000, "C26-000001/1", 80_000, 0),
        (KIND.PAID, -80_000, "P26-000001", 0, 80_000),
        (KIND.RETURNED, 80_000, "P26-000001", 80_000, 0),
        (KIND.PAID, -80_000, "P26-000002", 0, 80_000),
        (KIND.DUE, -10_000, "C26-000001/2", -10_000, 80_000),  # decided again: the member was paid too much
    ]
    for kind, amount, reference, balance, settled in steps:
        post_money(row, kind, amount, reference=reference)
        row.refresh_from_db()
        assert (row.balance, row.settled) == (balance, settled)
    assert sum(MoneyEntry.objects.values_list("amount", flat=True)) == row.balance


def test_the_same_posting_happens_once() -> None:
    post_money(account(), KIND.PAID, -100, reference="P26-000001")
    with pytest.raises(IntegrityError), transaction.atomic():
        post_money(account(), KIND.PAID, -100, reference="P26-000001")
    assert MoneyAccount.objects.get().balance == -100


def test_dues_of_a_batch_cost_one_statement() -> None:
    with CaptureQueriesContext(connection) as captured:
        entries = post_dues([due(number, 100) for number in range(1, 31)])
    assert len(captured) == 1
    MoneyEntry.objects.bulk_create(entries)
    assert set(MoneyAccount.objects.values_list("balance", flat=True)) == {100}


def test_a_later_decision_posts_the_difference() -> None:
    owe(due(1, 80_000))
    owe(due(1, -30_000, version=2))
    row = MoneyAccount.objects.get()
    assert row.balance == 50_000 == sum(row.entries.values_list("amount", flat=True))


def test_nothing_due_nothing_written() -> None:
    assert post_dues([]) == []


postings = st.lists(st.tuples(st.sampled_from(KIND.values), st.integers(-(10**9), 10**9)), max_size=30)


@settings(max_examples=40)
@given(postings=postings)
def test_a_balance_is_always_the_sum_of_its_entries(postings: list[tuple[str, int]]) -> None:
    with transaction.atomic():
        row = account("property")
        for number, (kind, amount) in zip(count(1), postings, strict=False):
            post_money(row, kind, amount, reference=f"R{number}")
        row.refresh_from_db()
        entries = list(row.entries.values_list("kind", "amount"))
        assert (
            row.balance
            == sum(amount for _kind, amount in entries)
            == sum(amount for _kind, amount in postings)
        )
        assert row.settled == -sum(amount for kind, amount in entries if kind in (KIND.PAID, KIND.RETURNED))
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_postings_at_the_same_time_all_count() -> None:
    row = account()

    def work(index: int) -> None:
        for turn in range(10):
            post_money(row, KIND.DUE, 100 + index, reference=f"{index}.{turn}")

    in_threads(work, 4)
    row.refresh_from_db()
    assert row.balance == 10 * (100 + 101 + 102 + 103)


@pytest.mark.django_db(transaction=True)
def test_the_same_payment_confirmed_twice_at_once_is_booked_once() -> None:
    row = account()

    def work(index: int) -> int:
        try:
            with transaction.atomic():
                post_money(row, KIND.PAID, -500, reference="P26-000001")
        except IntegrityError:
            return 0
        return 1

    assert sum(in_threads(work, 4)) == 1
    row.refresh_from_db()
    assert (row.balance, row.settled) == (-500, 500)
