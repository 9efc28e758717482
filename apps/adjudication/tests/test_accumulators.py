"""Keys of limits: the contract with the ledger."""

from decimal import Decimal

from apps.adjudication.accumulators import (
    COUNT,
    YUAN,
    Accounts,
    describe,
    kind_of,
    limit_accounts,
    opening_balances,
    policy_period,
)
from apps.adjudication.facts import Balance
from apps.adjudication.tests.builders import (
    benefit,
    make_facts,
    make_handbook,
    make_plan,
    member,
    paid,
    policy,
    yuan,
)

PERIOD = policy_period(policy(), member())
PLAN = make_plan(
    benefit(
        limits=[("YEAR", 20000), ("VISIT", 500), ("DAY", 600)], deductible_year=yuan(100), full_pay_visits=6,
        items=[("DME", "YEAR", 10000), ("BED", "DAY", 800), ("DRUG", "COUNT_YEAR", 4)],
    ),
    benefit("EMERGENCY", deductible_year=yuan(100), shares_deductible_with="OUTPATIENT"),
    benefit("HEALTH_CHECK"),
    annual=500000,
)  # fmt: skip


def test_the_accounts_of_a_policy_period() -> None:
    accounts = limit_accounts(PLAN, PERIOD, make_handbook())
    assert [(describe(one.key), one.kind, one.limit) for one in accounts] == [
        ("annual", YUAN, yuan(500000)),
        ("benefit:OUTPATIENT:year", YUAN, Decimal(20000)),
        ("item:OUTPATIENT:DME:year", YUAN, Decimal(10000)),
        ("item:OUTPATIENT:DRUG:count", COUNT, Decimal(4)),
        ("deductible:OUTPATIENT:year", YUAN, yuan(100)),
        ("full:OUTPATIENT", COUNT, Decimal(6)),
        ("benefit:HEALTH_CHECK:count", COUNT, Decimal(8)),
    ]


def test_the_handbook_counts_health_checks_and_the_plan_may_count_fewer() -> None:
    fewer = make_plan(benefit("HEALTH_CHECK", limits=[("COUNT_YEAR", 3)]))
    assert limit_accounts(fewer, PERIOD, make_handbook())[1].limit == 3
    assert len(limit_accounts(make_plan(benefit("HEALTH_CHECK")), PERIOD)) == 1


def test_opening_balances_are_unused_and_in_one_period() -> None:
    balances = opening_balances(PLAN, PERIOD)
    assert all(balance.left == balance.limit for balance in balances)
    assert {balance.key.partition("|")[0] for balance in balances} == {PERIOD}
    assert PERIOD == "P1:M1:2026-01-01"


def test_kinds_of_keys() -> None:
    assert kind_of(f"{PERIOD}|benefit:OUTPATIENT:day:2026-09-16") == YUAN
    assert kind_of(f"{PERIOD}|full:OUTPATIENT") == COUNT
    assert kind_of("benefit:HEALTH_CHECK:count") == COUNT


def test_what_is_left_counts_reservations_and_what_this_claim_used() -> None:
    key = f"{PERIOD}|annual"
    accounts = Accounts(make_facts(paid(1), balances=(Balance(key, yuan(100), yuan(20), yuan(30)),)))
    accounts.use("annual", yuan(999), yuan(40))
    assert accounts.left("annual", yuan(999)) == yuan(10)
    accounts.use("annual", yuan(999), yuan(0))
    assert [(one.amount, one.limit, one.before, one.after) for one in accounts.movements()] == [
        (yuan(40), yuan(100), yuan(50), yuan(10))
    ]


def test_an_overdrawn_account_has_nothing_left() -> None:
    accounts = Accounts(make_facts(paid(1), balances=(Balance(f"{PERIOD}|annual", yuan(10), yuan(20)),)))
    assert accounts.left("annual", yuan(10)) == 0
