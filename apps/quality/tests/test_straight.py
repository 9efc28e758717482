"""Decisions without a person: only what is clean, only up to the amount, only where a manager said so."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from apps.accounts.actors import SYSTEM
from apps.accounts.tests.factories import UserFactory, make_actor, web_of
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.claims.models import Decision
from apps.claims.tests.world import World, events
from apps.core.errors import Blocked, InvalidInput, InvalidInputs, NotAllowed
from apps.ledger.models import LimitAccount, LimitEntry
from apps.payments.models import PaymentOrder
from apps.quality.actions.straight import BATCH, Run, rules_in_force, run_straight, set_rule
from apps.quality.models import QualityRule, StraightLook

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def rule(series: str = "2026", ceiling: str = "1000", **changes: Any) -> QualityRule:
    data = {"series": series, "straight": True, "ceiling": ceiling, "reason": "小额直通"} | changes
    return set_rule(make_actor("manager"), data)


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_a_clean_claim_is_decided_paid_and_booked(world: World, series: str) -> None:
    case = world.complete(series=series)
    assert run_straight() == Run(0, 0)  # nobody said so yet
    rule(series)
    assert run_straight() == Run(1, 0)
    case = world.see(case)
    assert case.state == "PAYMENT_PENDING"
    decision = Decision.objects.get(claim=case.pk)
    assert (decision.proposed_by, decision.signed_by) == (None, None)
    assert decision.insurer_fen == decision.computed_fen > 0
    assert PaymentOrder.objects.get(case=case).amount_fen == decision.insurer_fen
    assert LimitEntry.objects.filter(reference=f"{case.number}/1").exists()
    assert {"start_review", "decide"} <= set(events(case))
    assert run_straight() == Run(0, 0)


def test_what_is_not_clean_is_left_to_people_and_looked_at_once(world: World) -> None:
    dear = world.complete(world.visit([world.bill("5000.00")]), series="2026")
    rule(ceiling="1000")
    assert run_straight() == Run(0, 1)
    assert run_straight() == Run(0, 0)  # it has not changed
    look = StraightLook.objects.get(case=dear)
    assert "1,000.00" in look.reason
    rule(ceiling="10000")  # a new rule looks again
    assert run_straight() == Run(1, 0)


def test_pr15_a_suspected_split_keeps_both_claims_with_people(world: World) -> None:
    """The flag is only a warning; a warning asks for eyes, so nobody is nobody's decision."""
    cases = [
        world.complete(world.visit([world.bill("6000.00")], hospital=place), series="2026")
        for place in ("PUB", "CHC")
    ]
    alone = world.complete(world.visit([world.bill("6000.00")], started_on="2026-09-09"), series="2026")
    rule(ceiling="100000")
    assert run_straight() == Run(1, 2)
    assert world.see(alone).state == "PAYMENT_PENDING"
    assert [world.see(case).state for case in cases] == ["COMPLETE", "COMPLETE"]
    assert {"PR-15" in look.reason for look in StraightLook.objects.all()} == {True}


def test_a_reopened_claim_is_decided_by_people(world: World) -> None:
    case = world.do(world.closed(series="2026"), "reopen", by="supervisor", reason="补充材料")
    rule()
    assert run_straight() == Run(0, 0)
    with pytest.raises(Blocked):
        perform(case.number, "straight_through", SYSTEM, ceiling="100000")
    assert Decision.objects.filter(claim=case.pk).count() == 1


def test_a_limit_used_up_within_the_batch_stops_only_the_claim_it_concerns(world: World) -> None:
    """Both look clean beforehand; on the locked limits the first takes all that is left of the year."""
    first, second = (world.complete(world.visit(department=f"科{n}"), series="2026") for n in range(2))
    other = world.complete(series="2024")
    account = LimitAccount.objects.get(policy=first.policy, key="annual")
    LimitAccount.objects.filter(pk=account.pk).update(reserved=account.ceiling - 80_000)
    for series in ("2024", "2026"):
        rule(series)
    assert run_straight() == Run(2, 1)
    assert [world.see(case).state for case in (first, second, other)] == [
        "PAYMENT_PENDING", "COMPLETE", "PAYMENT_PENDING",
    ]  # fmt: skip
    account.refresh_from_db()
    assert (account.used, account.left) == (80_000, 0)


def test_no_account_no_straight_decision(world: World) -> None:
    case = world.complete(series="2026")
    case.claim.payee.screening = "HIT"
    case.claim.payee.save(update_fields=["screening"])
    rule()
    assert run_straight() == Run(0, 1)


def test_a_rule_needs_a_manager_of_all_series_and_an_inspection(world: World) -> None:
    data = {"series": "2026", "straight": True, "ceiling": "1000", "reason": "小额直通"}
    for actor in (make_actor("first_review"), make_actor("manager", series=["2026"])):
        with pytest.raises(NotAllowed):
            set_rule(actor, data)
    manager = make_actor("manager")
    with pytest.raises(InvalidInput) as refused:
        set_rule(manager, data | {"straight_percent": 0})
    assert refused.value.field == "straight_percent"
    with pytest.raises(InvalidInput):
        set_rule(manager, data | {"series": "1999"})
    with pytest.raises(InvalidInputs):
        set_rule(manager, data | {"ceiling": "-1"})
    assert rules_in_force() == {}


def test_a_batch_costs_two_statements_a_claim(
    world: World, django_assert_max_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "apps.products.calendars.RECHECK_SECONDS", 600
    )  # read a moment ago, as outside of tests
    for _number in range(24):
        world.complete(world.visit([world.bill("10.00")]), series="2026")
    rule()
    assert CaseFile.objects.filter(state="COMPLETE").count() == 24 < BATCH
    with django_assert_max_num_queries(48):
        assert run_straight() == Run(24, 0)


def test_the_page_shows_rules_and_sets_one(world: World) -> None:
    web = web_of(UserFactory(roles=["manager"]))
    page = web.get(reverse("admin:quality-straight"))
    assert page.status_code == 200
    sent = {
        "series": "2026",
        "straight": "on",
        "ceiling": "500",
        "straight_percent": "20",
        "manual_percent": "5",
        "reason": "试行",
    }
    assert web.post(reverse("admin:quality-straight"), sent).status_code == 302
    assert rules_in_force()["2026"].ceiling_fen == 50_000
    wrong = web.post(reverse("admin:quality-straight"), sent | {"straight_percent": "0"})
    assert wrong.status_code == 400
    assert rules_in_force()["2026"].straight_percent == 20
    world.complete(series="2026")
    assert web.post(reverse("admin:quality-straight-run")).status_code == 302
    reader = web_of(UserFactory(roles=["auditor"]))
    assert reader.get(reverse("admin:quality-straight")).status_code == 200
    assert reader.post(reverse("admin:quality-straight"), sent).status_code == 403
    assert (
        web_of(UserFactory(roles=["first_review"])).get(reverse("admin:quality-straight")).status_code == 403
    )
