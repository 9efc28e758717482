"""Home tests: who may order, how often, and what becomes of an order (TST-01 to TST-12, machine k)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from apps.care.entitlement import entitlement_of
from apps.care.models import HomeTest
from apps.care.tests.world import PROVIDER, Care, at
from apps.cases.models import CaseFile, Clock
from apps.core.errors import Blocked, InvalidInput, NotAllowed
from apps.ledger.models import LimitAccount
from apps.members.models import Member, Policy
from apps.messaging.models import Message

BOTH = pytest.mark.both_databases


def counts() -> tuple[int, int]:
    account = LimitAccount.objects.get(key="home_test:count")
    return account.used, account.reserved


def refused(world: Care, series: str = "2026", **fields: Any) -> tuple[str, str]:
    before = CaseFile.objects.count()
    with pytest.raises(Blocked) as error:
        world.order(series, **fields)
    assert CaseFile.objects.count() == before
    return error.value.rule, error.value.field


@BOTH
def test_an_order_walks_to_its_end(world: Care, rulebook: Any) -> None:
    case = world.order()
    row = HomeTest.objects.get(pk=case.pk)
    assert (case.state, case.provider, row.month, row.slot, row.city) == (
        "ORDERED",
        PROVIDER,
        "2026-09",
        1,
        "北京",
    )
    assert counts() == (0, 1)
    world.act(case, "confirm_address")
    case = world.act(case, "sample")
    assert (case.state, counts()) == ("SAMPLED", (1, 0))
    case = world.act(case, "report", result="阴性")
    assert case.state == "REPORTED"
    with pytest.raises(Blocked) as error:
        world.act(case, "advise", outcome="NO_PRESCRIPTION", advice="多休息", advised_by="李医生")
    assert error.value.rule == "TST-07"
    world.act(case, "share")
    clock = Clock.objects.get(case=case.pk)
    assert (clock.spec_id, clock.due_at) == ("DL-39", at("2026-09-17 10:00"))
    rulebook.read_back("DL-39", clock.due_at)
    case = world.act(
        case, "advise", by="doctor", outcome="NO_PRESCRIPTION", advice="多休息", advised_by="李医生"
    )
    row.refresh_from_db()
    clock.refresh_from_db()
    assert (case.state, row.outcome, clock.state, clock.breached) == (
        "ADVISED",
        "NO_PRESCRIPTION",
        "STOPPED",
        False,
    )
    rulebook.read_back("TST-08", row.outcome)
    rulebook.read_back("TST-07", row.advice)
    case = world.act(case, "close")
    assert (case.state, case.open, counts()) == ("CLOSED", False, (1, 0))
    rulebook.read_back("TST-12", [*case.events.order_by("seq").values_list("to_state", flat=True)])
    told = Message.objects.filter(case=case.pk).order_by("pk").values_list("template", flat=True)
    assert list(told) == ["home_test", "home_test"]


@pytest.mark.parametrize(
    ("fields", "rule", "field"),
    [
        ({"id_type": "PASSPORT"}, "TST-06", "id_type"),
        ({"id_number": "110101201905040028"}, "TST-01", "id_number"),
        ({"address": "湖南省长沙市北京路1号"}, "TST-09", "address"),
        ({"recognized": "NOT_COVERED"}, "TST-10", "address"),
        ({"provider": "OTHER_LAB"}, "TST-11", "provider"),
        ({"now": at("2025-12-31 10:00")}, "TST-01", "member"),
        ({"now": at("2027-01-01 00:00")}, "TST-02", "member"),
    ],
)
def test_the_rule_that_refuses_an_order_is_named(
    world: Care, fields: dict[str, Any], rule: str, field: str
) -> None:
    assert refused(world, **fields) == (rule, field)
    assert not LimitAccount.objects.filter(key="home_test:count").exclude(reserved=0).exists()


def test_a_series_without_the_service_refuses_it(world: Care) -> None:
    """GEN-04, D45."""
    assert refused(world, "2024") == ("GEN-04", "member")
    assert entitlement_of(world.policy_of("2024")).state == "NOT_OFFERED"


def test_a_child_insured_by_passport_cannot_use_it(world: Care) -> None:
    Member.objects.filter(number="M2026").update(id_type="PASSPORT")
    assert refused(world) == ("TST-06", "member")


@BOTH
def test_one_a_calendar_month_of_shanghai_and_five_a_period(world: Care, rulebook: Any) -> None:
    """S44: the evening of the 31st in Greenwich is the first of February."""
    first = world.order(now=at("2026-01-31 23:59:59"))
    world.order(now=at("2026-02-01 00:00:01"))
    assert refused(world, now=at("2026-02-28 12:00")) == ("TST-05", "member")
    rulebook.read_back("DL-38", HomeTest.objects.get(pk=first.pk).month)
    for month in ("03", "04", "05"):
        world.order(now=at(f"2026-{month}-15 12:00"))
    assert refused(world, now=at("2026-06-15 12:00")) == ("TST-04", "member")
    found = entitlement_of(world.policy_of("2026"), at("2026-06-15 12:00"))
    assert (found.state, found.left, found.ordered, found.this_month) == ("EXHAUSTED", 0, 5, 0)


@BOTH
def test_canceled_before_the_sample_gives_back_the_month_and_the_use(world: Care) -> None:
    case = world.act(world.order(), "cancel", reason="孩子已好转")
    assert (case.state, case.open, counts()) == ("CANCELLED", False, (0, 0))
    case = world.act(world.order(), "reject_address", reason="小区无法上门")
    assert (case.state, HomeTest.objects.get(pk=case.pk).recognized) == ("REJECTED", "NOT_COVERED")
    case = world.sampled()
    with pytest.raises(Blocked):
        world.act(case, "cancel", reason="太晚了")
    assert refused(world) == ("TST-05", "member")
    assert counts() == (1, 0)


def test_what_is_left_at_the_end_is_forfeited_and_a_renewal_begins_anew(world: Care) -> None:
    world.order(now=at("2026-12-31 23:00"))
    old = world.policy_of("2026")
    assert entitlement_of(old, at("2026-12-31 23:30")).left == 4
    ended = entitlement_of(old, at("2027-01-01 00:00"))
    assert (ended.state, ended.rule) == ("FORFEITED", "TST-02")
    old.pk, old.number, old.effective_on, old.expires_on = None, "P-NEW", date(2027, 1, 1), date(2027, 12, 31)
    old.save(force_insert=True)
    assert entitlement_of(old, at("2027-01-01 10:00")).left == 5


def test_a_month_is_the_childs_and_not_the_policys(world: Care) -> None:
    """Two policies in one month: the constraint holds what the ledger of one policy cannot see."""
    old = world.policy_of("2026")
    world.order(now=at("2026-09-10 10:00"))
    Policy.objects.filter(pk=old.pk).update(ended_on=date(2026, 9, 14))
    old.pk, old.number, old.effective_on, old.expires_on = None, "P-NEW", date(2026, 9, 15), date(2027, 9, 14)
    old.save(force_insert=True)
    assert refused(world) == ("TST-05", "member")


def test_recognition_has_the_last_word(world: Care) -> None:
    case = world.order(address="湖南省长沙市岳麓区1号", recognized="COVERED")
    row = HomeTest.objects.get(pk=case.pk)
    assert (row.city, row.flags) == ("", [{"rule": "TST-10", "code": "outside_the_cities"}])


def test_a_sample_after_the_end_is_remarked_on(world: Care) -> None:
    case = world.order(now=at("2026-12-30 10:00"), visit_on="2027-01-02")
    assert HomeTest.objects.get(pk=case.pk).flags[0]["code"] == "sample_after_end"
    with pytest.raises(InvalidInput):
        world.order(visit_on="2026-09-01")


def test_who_orders_and_who_reports(world: Care) -> None:
    with pytest.raises(NotAllowed):
        world.order(by="auditor")
    case = world.order()
    with pytest.raises(NotAllowed):
        world.act(case, "sample", by="adjuster")
    with pytest.raises(InvalidInput):
        world.act(case, "sample", sampled_at="2026-09-17T10:00")


@pytest.mark.parametrize(("when", "late"), [("2026-09-17 10:00:00", []), ("2026-09-17 10:00:01", ["DL-39"])])
def test_advice_after_its_time_is_told_in_the_event(world: Care, when: str, late: list[str]) -> None:
    case = world.act(world.reported(), "share")
    advice = {"outcome": "PRESCRIPTION", "advice": "奥司他韦", "advised_by": "李医生"}
    world.act(case, "advise", by="doctor", now=at(when), **advice)
    assert case.events.get(name="advice_given").data["late"] == late


def test_a_claim_is_decided_beside_the_count_of_tests(world: Care) -> None:
    """The account of the tests is no limit of a benefit: facts and decision of a claim leave it alone."""
    world.order()
    world.do(world.review(series="2026"), "decide", by="senior")
    assert counts() == (0, 1)
