"""Vaccines, health checks, dental and eye visits that a hospital bills directly, in both series."""

from __future__ import annotations

from typing import Any

import pytest

from apps.cases.engine import perform_many
from apps.cases.models import CaseFile
from apps.claims.models import Decision
from apps.direct.queries import self_pay
from apps.direct.tests.world import Direct
from apps.ledger.actions import LimitSpec, Use, lock_limits, use_limits
from apps.ledger.models import LimitAccount

pytestmark = pytest.mark.django_db
COUNT = "benefit:HEALTH_CHECK:count"
SIGNED_BILL = {"kind": "SIGNED_BILL", "form": "E_SIGNED", "signed": True}


def list_benefit(world: Direct, series: str, benefit: str) -> None:
    """The clinic bills the benefit directly; where the series sells it as a rider, the child has it."""
    world.list_hospital("PRI", series, benefit, direct_billing=[benefit])
    policy = world.policy_of(series)
    policy.riders = [benefit]
    policy.save()


def visit_of(world: Direct, series: str, benefit: str, *lines: dict[str, Any], **fields: Any) -> CaseFile:
    visit = world.visit([world.bill(lines=list(lines))], hospital="PRI", benefit=benefit, **fields)
    kit = world.kit(series)
    return world.send(visit, series=series, papers=kit if SIGNED_BILL in kit else [SIGNED_BILL, *kit])


def findings(case: CaseFile) -> dict[str, str]:
    return {row["code"]: row["rule"] for row in Decision.objects.get(claim=case.pk).result["findings"]}


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("series", "limit", "place", "above"),
    [("2024", 2000_00, "VAC-20", "VAC-21"), ("2026", 3000_00, "VAC-01", "VAC-03")],
)
def test_vac21_a_vaccination_is_billed_directly_up_to_its_limit_and_signed(
    world: Direct, series: str, limit: int, place: str, above: str, rulebook: Any
) -> None:
    list_benefit(world, series, "VACCINE")
    shot = world.line("3600.00", name="13价肺炎疫苗", kind="VACCINE", collected="100.00")
    unsigned = [
        paper for paper in world.kit(series) if paper["kind"] not in ("SIGNED_BILL", "SIGNED_RECEIPT")
    ]
    waits = world.send(
        world.visit([world.bill(lines=[shot])], hospital="PRI", benefit="VACCINE"), series=series, papers=unsigned
    )  # fmt: skip
    assert waits.state == "INTAKE_INCOMPLETE"  # the bill must be signed
    world.do(waits, "withdraw", by="intake", reason="重新提交")
    case = world.seen(visit_of(world, series, "VACCINE", shot))
    case = world.do(case, "decide", by="senior")
    share = self_pay(case)
    assert (case.claim.decided_fen, share.total_fen) == (limit, 3600_00 - limit)
    assert findings(case)["BENEFIT_LIMIT"] == above
    assert (dict(share.breakdown), share.open_fen) == (
        {"OVER_LIMIT": share.total_fen},
        share.total_fen - 100_00,
    )
    account = LimitAccount.objects.get(policy=case.policy, key="benefit:VACCINE:year")
    assert account.used == limit
    rulebook.read_back(place, case.claim.visits.get().benefit)
    rulebook.read_back(above, share.total_fen)
    case = world.seen(visit_of(world, series, "VACCINE", shot, started_on="2026-09-12"))
    case = world.do(case, "decide", by="senior")
    assert (case.state, self_pay(case).open_fen) == ("DENIED", 3500_00)  # nothing is left of the year


@pytest.mark.both_databases
@pytest.mark.parametrize("series", ["2024", "2026"])
def test_hlc01_the_ninth_health_check_is_not_paid_whoever_bills_it(world: Direct, series: str) -> None:
    world.list_hospital("PRI", series, "HEALTH_CHECK", direct_billing=["HEALTH_CHECK"])
    policy = world.policy_of(series)
    policy.riders = ["VACCINE"]  # PR-17: printed with the vaccine benefit
    policy.save()
    seven = LimitSpec(COUNT, "COUNT", 8)
    use_limits(
        lock_limits(policy.pk, [seven]),
        [Use(COUNT, 7)],
        reference="C26-000001/1",
        service_date=world.now.date(),
    )
    checks = []
    for day in (8, 9):  # decided in one batch: the eighth is the last
        line = world.line("300.00", name="儿童健康检查", kind="HEALTH_CHECK")
        checks.append(
            world.seen(visit_of(world, series, "HEALTH_CHECK", line, started_on=f"2026-09-{day:02d}"))
        )
    assert {case.state for case in checks} == {"UNDER_REVIEW"}
    perform_many([case.number for case in checks], "decide", world.actor("senior"), now=world.now)
    eighth, ninth = [world.look(case) for case in checks]
    assert (eighth.state, eighth.claim.decided_fen) == ("ADJUDICATED", 300_00)
    assert (ninth.state, ninth.claim.decided_fen) == ("DENIED", 0)
    assert LimitAccount.objects.get(policy=policy, key=COUNT).used == 8
    assert findings(ninth)["HEALTH_CHECK_COUNT"] == "HLC-01"
    assert dict(self_pay(ninth).breakdown) == {"OVER_LIMIT": 300_00}


@pytest.mark.parametrize("benefit", ["DENTAL", "EYE"])
def test_vac01_dental_and_eye_are_billed_directly_where_the_series_has_them(
    world: Direct, benefit: str
) -> None:
    list_benefit(world, "2026", benefit)
    line = world.line("1000.00", name="检查治疗", kind="TREATMENT")
    case = world.do(world.seen(visit_of(world, "2026", benefit, line)), "decide", by="senior")
    assert (case.state, case.claim.decided_fen) == ("ADJUDICATED", 800_00)
    assert dict(self_pay(case).breakdown) == {"COINSURANCE": 200_00}
    case = world.do(world.seen(visit_of(world, "2024", benefit, line)), "decide", by="senior")
    assert (case.state, case.claim.decided_fen) == ("DENIED", 0)
    assert findings(case)["SERVICE_CLOSED"] == "NET-05"


def test_vac01_without_the_rider_nothing_of_a_dental_visit_is_paid(world: Direct) -> None:
    world.list_hospital("PRI", "2026", "DENTAL", direct_billing=["DENTAL"])
    line = world.line("1000.00", name="补牙", kind="TREATMENT")
    case = world.do(world.seen(visit_of(world, "2026", "DENTAL", line)), "decide", by="senior")
    assert (case.state, case.claim.decided_fen) == ("DENIED", 0)
    assert findings(case) == {"NO_RIDER": "NET-03"}


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_pr10_an_illness_at_the_eye_department_is_an_outpatient_visit(world: Direct, series: str) -> None:
    line = world.line("500.00", name="结膜炎治疗", kind="TREATMENT")
    diagnosis = [{"code": "H10.900", "name": "结膜炎"}]
    case = world.seen(visit_of(world, series, "OUTPATIENT", line, department="眼科", diagnoses=diagnosis))
    case = world.do(case, "decide", by="senior")
    assert case.state == "ADJUDICATED"
    assert case.claim.decided_fen > 0
