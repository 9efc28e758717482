"""The book of limits: append-only, never beyond a ceiling, corrected by reversals."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.core import triggers
from apps.core.errors import Conflict
from apps.ledger.actions import LimitSpec, Use, lock_limits, lock_limits_many, reverse_limits, use_limits
from apps.ledger.models import LimitAccount, LimitEntry
from apps.ledger.queries import limits_of
from apps.members.models import Policy
from apps.members.tests.factories import make_member, make_policy
from apps.products.tests.helpers import load
from tests.concurrency import in_processes, in_threads

pytestmark = pytest.mark.both_databases
ANNUAL, VISITS = LimitSpec("annual", "FEN", 100_000), LimitSpec("visits", "COUNT", 3)
DAY = date(2026, 9, 10)


@pytest.fixture
def policy(db: None) -> Policy:
    load("2026", plans=True)
    return make_policy(make_member())


def use(policy: Policy, key: str, amount: int, reference: str) -> list[LimitEntry]:
    with transaction.atomic():
        return use_limits(
            lock_limits(policy.pk, [ANNUAL, VISITS]),
            [Use(key, amount)],
            reference=reference,
            service_date=DAY,
        )


def balance(policy: Policy, key: str = "annual") -> tuple[int, int]:
    account = LimitAccount.objects.get(policy=policy, key=key)
    return account.used, sum(account.entries.values_list("used", flat=True))


# --- Opening and locking ---------------------------------------------------------------------


def test_accounts_are_opened_on_first_use_and_found_again(policy: Policy) -> None:
    first, again = lock_limits(policy.pk, [ANNUAL, VISITS]), lock_limits(policy.pk, [ANNUAL, VISITS])
    assert {key: account.pk for key, account in first.items()} == {
        key: account.pk for key, account in again.items()
    }
    assert [(row.key, row.unit, row.ceiling, row.left) for row in limits_of(policy.pk)] == [
        ("annual", "FEN", 100_000, 100_000), ("visits", "COUNT", 3, 3),
    ]  # fmt: skip


def test_many_policies_are_locked_with_one_statement(policy: Policy) -> None:
    policies = [make_policy(make_member()) for _ in range(20)]
    with CaptureQueriesContext(connection) as captured:
        found = lock_limits_many({one.pk: [ANNUAL, VISITS] for one in policies})
    assert len(captured) == 1
    assert all(set(accounts) == {"annual", "visits"} for accounts in found.values())


def test_nothing_wanted_nothing_locked(policy: Policy) -> None:
    assert lock_limits_many({policy.pk: []}) == {policy.pk: {}}
    assert lock_limits_many({}) == {}


def test_a_ceiling_follows_the_plan_but_never_below_what_is_used(policy: Policy) -> None:
    use(policy, "annual", 60_000, "C1/1")
    for asked, kept in ((150_000, 150_000), (60_000, 60_000), (10_000, 60_000), (100_000, 100_000)):
        account = lock_limits(policy.pk, [LimitSpec("annual", "FEN", asked)])["annual"]
        assert (account.ceiling, account.used) == (kept, 60_000)


# --- Using -----------------------------------------------------------------------------------


def test_a_use_moves_the_balance_and_leaves_an_entry(policy: Policy) -> None:
    [entry] = use(policy, "annual", 12_345, "C1/1")
    entry.refresh_from_db()
    assert (entry.kind, entry.used, entry.reserved, entry.reference, entry.service_date) == (
        "USE",
        12_345,
        0,
        "C1/1",
        DAY,
    )
    assert balance(policy) == (12_345, 12_345)


def test_a_use_of_nothing_leaves_nothing(policy: Policy) -> None:
    assert use(policy, "annual", 0, "C1/1") == []
    assert not LimitEntry.objects.exists()


def test_exactly_what_is_left_can_be_used_and_not_a_fen_more(policy: Policy) -> None:
    use(policy, "annual", 100_000, "C1/1")
    with pytest.raises(Conflict) as refusal:
        use(policy, "annual", 1, "C2/1")
    assert (refusal.value.code, refusal.value.data) == ("limit_race", {"key": "annual"})
    assert balance(policy) == (100_000, 100_000)


def test_one_limit_too_many_books_none_of_the_others(policy: Policy) -> None:
    def use_both() -> None:
        limits = lock_limits(policy.pk, [ANNUAL, VISITS])
        use_limits(limits, [Use("annual", 5_000), Use("visits", 4)], reference="C1/1", service_date=DAY)

    with pytest.raises(Conflict), transaction.atomic():
        use_both()
    assert not LimitEntry.objects.exists()
    assert not LimitAccount.objects.filter(used__gt=0).exists()


def test_the_same_decision_is_booked_once(policy: Policy) -> None:
    use(policy, "annual", 100, "C1/1")
    with pytest.raises(IntegrityError), transaction.atomic():
        use(policy, "annual", 100, "C1/1")
    assert balance(policy) == (100, 100)


# --- Reversing -------------------------------------------------------------------------------


def test_a_reversal_gives_back_what_a_decision_used_and_keeps_both(policy: Policy) -> None:
    use(policy, "annual", 70_000, "C1/1")
    use(policy, "annual", 20_000, "C2/1")
    with transaction.atomic():
        [entry] = reverse_limits("C1/1", new_reference="C1/2")
    assert (entry.kind, entry.used, entry.reverses.reference) == ("REVERSAL", -70_000, "C1/1")
    assert balance(policy) == (20_000, 20_000)
    assert LimitEntry.objects.count() == 3
    use(policy, "annual", 80_000, "C1/2")
    assert balance(policy) == (100_000, 100_000)


def test_what_was_reversed_is_not_reversed_again(policy: Policy) -> None:
    use(policy, "annual", 70_000, "C1/1")
    with transaction.atomic():
        assert len(reverse_limits("C1/1", new_reference="C1/2")) == 1
        assert reverse_limits("C1/1", new_reference="C1/3") == []
        assert reverse_limits("C9/1", new_reference="C9/2") == []
    original = LimitEntry.objects.get(kind="USE")
    with pytest.raises(IntegrityError), transaction.atomic():
        LimitEntry.objects.create(
            account=original.account, kind="REVERSAL", used=-1, reference="x", reverses=original
        )
    assert balance(policy) == (0, 0)


def test_a_reversal_leaves_the_ceiling_alone(policy: Policy) -> None:
    use(policy, "annual", 70_000, "C1/1")
    lock_limits(policy.pk, [LimitSpec("annual", "FEN", 90_000)])
    with transaction.atomic():
        reverse_limits("C1/1", new_reference="C1/2")
    assert LimitAccount.objects.get(key="annual").ceiling == 90_000


# --- What the database itself refuses --------------------------------------------------------


@pytest.mark.parametrize("table", ["ledger_limitentry", "ledger_moneyentry"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET reference = 'x'", "DELETE FROM {}"])
def test_entries_are_append_only_in_the_database(policy: Policy, table: str, statement: str) -> None:
    assert table in triggers.APPEND_ONLY
    use(policy, "annual", 100, "C1/1")
    from apps.ledger.actions import money_account, post_money

    post_money(
        money_account("k", party="MEMBER", reference="C1", series="2026", tpa=""), "DUE", 1, reference="C1/1"
    )
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format(table))
    assert LimitEntry.objects.get().reference == "C1/1"


def test_rows_refuse_before_the_database_is_asked(policy: Policy) -> None:
    [entry] = use(policy, "annual", 100, "C1/1")
    for change in (entry.save, entry.delete):
        with pytest.raises(Conflict):
            change()


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"used": 100_001}, "limit_not_exceeded"),
        ({"used": 60_000, "reserved": 40_001}, "limit_not_exceeded"),
        ({"used": -1}, "limit_not_negative"),
        ({"reserved": -1}, "limit_not_negative"),
    ],
)
def test_a_balance_beyond_its_ceiling_cannot_be_stored(
    policy: Policy, values: dict[str, int], constraint: str
) -> None:
    lock_limits(policy.pk, [ANNUAL])
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        LimitAccount.objects.update(**values)
    LimitAccount.objects.update(used=60_000, reserved=40_000)
    assert LimitAccount.objects.get().left == 0


def test_integers_have_no_rounding_at_the_ceiling(policy: Policy) -> None:
    """SQLite compares decimals as floats: 0.10 + 0.20 <= 0.30 is refused there. Fen are integers."""
    spec = LimitSpec("item", "FEN", 30)
    for amount, reference in ((10, "C1/1"), (20, "C2/1")):
        with transaction.atomic():
            use_limits(
                lock_limits(policy.pk, [spec]), [Use("item", amount)], reference=reference, service_date=DAY
            )
    assert balance(policy, "item") == (30, 30)


# --- Any order, any race ---------------------------------------------------------------------

steps = st.lists(st.tuples(st.integers(1, 6), st.integers(0, 60_000)), max_size=25)


@pytest.mark.django_db
@settings(max_examples=30)
@given(steps=steps)
def test_in_any_order_of_uses_and_reversals_the_entries_add_up_and_the_ceiling_holds(
    steps: list[tuple[int, int]],
) -> None:
    """Each claim is decided again and again: the former version is reversed, a new one used, or refused."""
    policy = _policy()  # the same for all examples
    with transaction.atomic():
        versions: dict[int, int] = {}
        kept: dict[int, int] = {}
        for claim, amount in steps:
            version = versions.get(claim, 0)
            try:
                with transaction.atomic():
                    limits = lock_limits(policy.pk, [ANNUAL])
                    reverse_limits(f"C{claim}/{version}", new_reference=f"C{claim}/{version + 1}")
                    limits = lock_limits(policy.pk, [ANNUAL])
                    use_limits(
                        limits, [Use("annual", amount)], reference=f"C{claim}/{version + 1}", service_date=DAY
                    )
            except Conflict:
                assert sum(kept.values()) - kept.get(claim, 0) + amount > ANNUAL.ceiling
                continue
            versions[claim], kept[claim] = version + 1, amount
            assert balance(policy) == (sum(kept.values()), sum(kept.values()))
            assert sum(kept.values()) <= ANNUAL.ceiling
        transaction.set_rollback(True)


def _policy() -> Policy:
    if not Policy.objects.exists():
        load("2026", plans=True)
        return make_policy(make_member())
    return Policy.objects.get()


def race(policy: Policy, index: int, amount: int) -> int:
    """Five decisions of one worker; returns how many were booked."""
    booked = 0
    for turn in range(5):
        try:
            use(policy, "annual", amount, f"C{index}-{turn}/1")
            booked += 1
        except Conflict:
            pass
    return booked


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("run", [in_threads, in_processes])
def test_no_race_drives_a_limit_over_its_ceiling(policy: Policy, run: Any) -> None:
    """Twenty decisions of 90.00 against 1,000.00: eleven fit."""
    assert sum(run(lambda index: race(policy, index, 9_000), 4)) == 11
    assert balance(policy) == (99_000, 99_000)


@pytest.mark.django_db(transaction=True)
def test_counts_are_raced_for_like_money(policy: Policy) -> None:
    def visit(index: int) -> bool:
        try:
            return bool(use(policy, "visits", 1, f"C{index}/1"))
        except Conflict:
            return False

    assert sum(in_threads(visit, 6)) == 3
    assert balance(policy, "visits") == (3, 3)


@pytest.mark.django_db(transaction=True)
def test_accounts_opened_at_the_same_time_are_opened_once(policy: Policy) -> None:
    def opened(index: int) -> int:
        with transaction.atomic():
            return lock_limits(policy.pk, [ANNUAL])["annual"].pk

    assert len(set(in_threads(opened, 6))) == 1


@pytest.mark.django_db(transaction=True)
def test_limits_named_in_opposite_orders_do_not_deadlock(policy: Policy) -> None:
    other = make_policy(make_member())

    def work(index: int) -> int:
        order = [policy.pk, other.pk][:: 1 if index % 2 else -1]
        for _turn in range(8):
            with transaction.atomic():
                lock_limits_many({pk: [VISITS, ANNUAL][:: 1 if index % 3 else -1] for pk in order})
        return 1

    assert sum(in_threads(work, 4)) == 4


@pytest.mark.django_db(transaction=True)
def test_a_reversal_beside_uses_never_loses_either(policy: Policy) -> None:
    use(policy, "annual", 50_000, "C1/1")

    def work(index: int) -> None:
        if index == 0:
            with transaction.atomic():
                reverse_limits("C1/1", new_reference="C1/2")
        else:
            use(policy, "annual", 10_000, f"C{index + 1}/1")

    in_threads(work, 4)
    assert balance(policy) == (30_000, 30_000)
