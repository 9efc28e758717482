"""Eight defects that claims systems of this field were seen to have; each must be impossible here.

Every test goes the whole way: report, papers, decision, ledger, money. What concurrent work may
break is done by real processes with connections of their own.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from apps.accounts.actors import SYSTEM
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.claims.actions import report_claim
from apps.claims.models import Decision
from apps.claims.tests.world import World
from apps.core.errors import DomainError
from apps.documents.models import BillRegister
from apps.ledger.models import LimitAccount, LimitEntry, MoneyAccount
from apps.members.models import Policy
from apps.payments.models import PaymentOrder
from apps.products.actions import publish_plan
from tests.concurrency import in_processes

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db]
SERIES = pytest.mark.parametrize("series", ["2024", "2026"])
EVERYTHING = """
[plan]
code = "{code}"
series = "{series}"
version = "{version}"
title = {{ zh = "测试", en = "Test" }}
sample = true
annual_maximum = "{annual}"

[[benefits]]
code = "OUTPATIENT"
limits = [{limits}]
"""


def agree(world: World, series: str, *, limits: str = "", annual: str = "100000.00") -> Policy:
    """The child's policy under a plan of one benefit, paid in full up to these limits."""
    policy = world.policy_of(series)
    text = EVERYTHING.format(
        code=f"T{series}", series=series, version=policy.plan.version, annual=annual, limits=limits
    )
    policy.plan = publish_plan(text, SYSTEM)[0]
    policy.save(update_fields=["plan"])
    return policy


def decide(world: World, case: CaseFile) -> Decision:
    world.do(case, "decide", by="final")
    return Decision.objects.filter(claim=case.pk).latest("version")


def account(policy: Policy, key: str) -> LimitAccount:
    return LimitAccount.objects.get(policy=policy, key=key)


def lines(world: World, *amounts: str, **fields: Any) -> list[dict[str, Any]]:
    return [world.line(amount, **fields) for amount in amounts]


@SERIES
def test_a_ceiling_of_150_pays_150_of_1000(world: World, series: str) -> None:
    policy = agree(world, series, limits='{ per = "YEAR", value = "150.00" }')
    decision = decide(world, world.review(world.visit([world.bill("1000.00")]), series=series))
    assert decision.insurer_fen == 15_000
    assert PaymentOrder.objects.get().amount_fen == 15_000
    limit = account(policy, "benefit:OUTPATIENT:year")
    assert (limit.ceiling, limit.used, limit.left) == (15_000, 15_000, 0)
    assert abs(MoneyAccount.objects.get().balance) == 15_000


@SERIES
def test_fen_are_accumulated_to_the_last(world: World, series: str) -> None:
    policy = agree(world, series)
    for times in (1, 2, 3):
        visit = world.visit([world.bill("99.99")], department=f"科{times}")
        assert decide(world, world.review(visit, series=series)).insurer_fen == 9_999
        assert account(policy, "annual").used == times * 9_999


@SERIES
def test_three_services_and_two_items_of_100_are_500(world: World, series: str) -> None:
    policy = agree(world, series)
    services = lines(world, "100.00", "100.00", "100.00", quantity="2", unit_price="50.00")
    items = lines(world, "100.00", "100.00", kind="DRUG", quantity="5", unit_price="20.00")
    decision = decide(
        world, world.review(world.visit([world.bill(lines=[*services, *items])]), series=series)
    )
    assert decision.insurer_fen == 50_000
    assert list(decision.lines.values_list("insurer_fen", flat=True)) == [10_000] * 5
    assert account(policy, "annual").used == 50_000


@SERIES
def test_the_visit_above_the_cap_is_declined_in_words(world: World, series: str) -> None:
    policy = agree(world, series, limits='{ per = "COUNT_YEAR", value = "1" }')
    first = decide(world, world.review(series=series))
    second = decide(world, world.review(world.visit(department="眼科"), series=series))
    assert (first.outcome, second.outcome) == ("APPROVE", "DENY")
    assert second.insurer_fen == 0
    assert second.reason
    limit = account(policy, "benefit:OUTPATIENT:count")
    assert (limit.ceiling, limit.used) == (1, 1)


@SERIES
def test_law_11_an_exact_duplicate_is_refused(world: World, series: str) -> None:
    data = world.report(series=series)
    report_claim(world.actor("intake"), data=data, now=world.now)
    with pytest.raises(DomainError) as refused:
        report_claim(world.actor("intake"), data=data, now=world.now)
    assert "LAW-11" in {error.rule for error in getattr(refused.value, "errors", [refused.value])}
    assert (CaseFile.objects.count(), BillRegister.objects.count()) == (1, 1)


@SERIES
def test_an_exclusion_concerns_only_whose_it_is(world: World, series: str) -> None:
    """Two children of one family under one plan; what one contract excludes the other pays."""
    policy = agree(world, series)
    world.child("SIBLING", series, index=7)
    Policy.objects.filter(number="P-SIBLING").update(plan=policy.plan)
    policy.exclusions = ["J20"]
    policy.save(update_fields=["exclusions"])
    own = decide(world, world.review(series=series))
    sibling = decide(world, world.review(series=series, member={"number": "SIBLING"}))
    assert (own.outcome, own.insurer_fen) == ("DENY", 0)
    assert (sibling.outcome, sibling.insurer_fen) == ("APPROVE", 80_000)


@SERIES
def test_a_claim_decided_again_counts_once(world: World, series: str) -> None:
    policy = agree(world, series)
    case = world.pay(world.do(world.review(series=series), "decide", by="final"))
    for version in (2, 3):
        case = world.do(case, "reopen", by="supervisor", reason="补充材料")
        decision = decide(world, case)
        case = world.see(case)
        assert (decision.version, decision.insurer_fen, case.state) == (version, 80_000, "CLOSED")
        assert account(policy, "annual").used == 80_000
    assert sum(PaymentOrder.objects.values_list("amount_fen", flat=True)) == 80_000
    booked = LimitEntry.objects.filter(account__policy=policy, account__key="annual")
    assert sum(booked.values_list("used", flat=True)) == 80_000


@pytest.mark.django_db(transaction=True)
@SERIES
def test_two_claims_at_once_share_a_ceiling_of_150(world: World, series: str) -> None:
    policy = agree(world, series, limits='{ per = "YEAR", value = "150.00" }')
    cases = [
        world.review(world.visit([world.bill("100.00")], department=f"科{index}"), series=series)
        for index in range(2)
    ]
    final = world.actor("final")

    def work(index: int) -> str:
        try:
            perform(cases[index], "decide", final, now=world.now)
        except DomainError as error:
            return error.code
        return "done"

    assert Counter(in_processes(work, 2)) == {"done": 2}
    assert sorted(Decision.objects.values_list("insurer_fen", flat=True)) == [5_000, 10_000]
    limit = account(policy, "benefit:OUTPATIENT:year")
    assert limit.used == 15_000 == sum(limit.entries.values_list("used", flat=True))
    assert limit.left == 0
