"""What intake makes of a report: routes, holds, refusals, and bills seen before."""

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.cases.engine import available
from apps.claims.models import Claim, Override, Visit
from apps.claims.tests.world import World, events
from apps.core.errors import Blocked, InvalidInputs, NotAllowed
from apps.documents.models import BillRegister, Letter
from apps.members.models import Policy
from apps.messaging.models import Message


def routes_of(world: World, *reports: tuple[str, dict[str, Any]]) -> list[str]:
    return [world.claim(visit, series=series).claim.route for series, visit in reports]


def test_s25_route_by_type_in_2024_by_amount_in_2026(world: World) -> None:
    outpatient = world.visit([world.bill("50000.00")])
    assert routes_of(world, ("2024", outpatient)) == ["ONLINE"]
    assert routes_of(world, ("2024", world.stay([world.bill("800.00")]))) == ["MAIL"]
    assert routes_of(world, ("2026", world.stay([world.bill("8000.00")]))) == ["ONLINE"]


@pytest.mark.parametrize(("amount", "route"), [("10000.00", "ONLINE"), ("10000.01", "MAIL")])
def test_s22_the_threshold_is_included(world: World, amount: str, route: str) -> None:
    case = world.claim(world.visit([world.bill(amount)]))
    assert case.claim.route == route
    assert case.state == ("ONLINE_SUBMITTED" if route == "ONLINE" else "AWAITING_ORIGINALS")


def test_rmb20_third_party_settlement_comes_off_first(world: World) -> None:
    bill = world.bill("12000.00", pooled_fund="2000.00")
    assert world.claim(world.visit([bill])).claim.route == "ONLINE"


def test_s24_same_day_pair_is_flagged_the_next_day_is_not(world: World) -> None:
    first = world.claim(world.visit([world.bill("6000.00")]))
    second = world.claim(world.visit([world.bill("6000.00")], hospital="CHC"))
    third = world.claim(world.visit([world.bill("6000.00")], started_on="2026-09-11"))
    splits = [split_flags(case) for case in (first, second, third)]
    assert [case.claim.route for case in (first, second, third)] == ["ONLINE"] * 3
    assert splits == [True, True, False]


def split_flags(case: Any) -> bool:
    from apps.claims.assess import assess

    found = assess(case, case.opened_at)
    return any(finding.code == "SUSPECTED_SPLIT" for finding in found.findings)


def test_pr13_two_bills_of_one_visit_are_one_visit(world: World) -> None:
    case = world.claim(world.visit([world.bill("6000.00"), world.bill("6000.00")]))
    assert case.claim.route == "MAIL"


def test_s27_private_hospital_is_refused_and_a_person_confirms(world: World) -> None:
    case = world.claim(world.visit(hospital="PRI"))
    assert case.state == "REFUSAL_PENDING"
    assert not Letter.objects.filter(case=case).exists()
    case = world.do(case, "confirm_refusal", by="intake", text="")
    assert case.state == "REJECTED_INTAKE"
    assert not case.open
    letter = Letter.objects.get(case=case)
    assert letter.kind == "REFUSAL"
    assert letter.context["reasons"]
    assert not BillRegister.objects.filter(case=case, released_at=None).exists()
    assert world.clock(case, "law.refusal").state == "RUNNING"


def test_law04_the_clock_stops_when_the_refusal_was_delivered(world: World) -> None:
    case = world.do(world.claim(world.visit(hospital="PRI")), "confirm_refusal", by="intake")
    world.do(case, "refusal_delivered", by="system", at=world.later(hours=2), evidence="EMAIL")
    clock = world.clock(case, "law.refusal")
    assert clock.state == "STOPPED"
    assert not clock.breached


def test_s27_private_emergency_waits_for_a_senior(world: World) -> None:
    case = world.claim(world.visit(hospital="PRI", emergency=True))
    assert case.state == "EMERGENCY_HOLD"
    assert world.clock(case, "claim.emergency_hold").state == "RUNNING"
    with pytest.raises(NotAllowed):
        world.do(case, "decide_hold", by="adjuster", accept=True, reason="Notfall")
    case = world.do(case, "decide_hold", by="senior", accept=True, reason="确为急诊")
    assert case.state == "ONLINE_SUBMITTED"
    assert Override.objects.get(claim=case.pk).accept
    assert world.clock(case, "claim.emergency_hold").state == "STOPPED"


def test_law07_a_senior_may_refuse_the_emergency(world: World) -> None:
    case = world.claim(world.visit(hospital="PRI", emergency=True))
    case = world.do(case, "decide_hold", by="senior", accept=False, reason="并非急诊情形")
    assert case.state == "REJECTED_INTAKE"
    assert Letter.objects.get(case=case).kind == "REFUSAL"


def test_a_printed_prohibition_cannot_be_overruled(world: World) -> None:
    case = world.claim(world.visit(hospital="PRI"))
    with pytest.raises(Blocked) as caught:
        world.do(case, "overrule_refusal", by="supervisor", reason="kind member")
    assert caught.value.code == "no_discretion"
    assert caught.value.rule


def test_a_refusal_whose_ground_was_corrected_is_taken_in(world: World) -> None:
    case = world.claim(world.visit(hospital="PRI"))
    changes = [{"place": "1", "field": "hospital", "value": "PUB"}]
    case = world.do(case, "correct_facts", by="intake", reason="wrong hospital chosen", changes=changes)
    with pytest.raises(Blocked) as caught:
        world.do(case, "confirm_refusal", by="intake")
    assert caught.value.code == "no_ground"
    case = world.do(case, "overrule_refusal", by="supervisor", reason="corrected")
    assert case.state == "ONLINE_SUBMITTED"


def test_c9_no_policy_in_force_is_a_registered_refusal(world: World) -> None:
    case = world.claim(world.visit([world.bill(issued_on="2025-03-01")], started_on="2025-03-01"))
    assert case.state == "REFUSAL_PENDING"


def test_c9_several_policies_are_named(world: World) -> None:
    first = world.policy_of("2026")
    Policy.objects.create(
        number="P-SECOND", member=first.member, plan=first.plan, series="2026", effective_on=date(2026, 6, 1),
        expires_on=date(2027, 5, 31), continuous_since=date(2026, 6, 1), status="IN_FORCE",
    )  # fmt: skip
    with pytest.raises(InvalidInputs) as caught:
        world.claim()
    [error] = caught.value.errors
    assert (error.code, error.field, error.rule) == ("several_policies", "member.policy", "C9")
    assert set(error.data["policies"]) == {"P-M2026", "P-SECOND"}
    case = world.claim(member={"number": "M2026", "policy": "P-SECOND"})
    assert case.policy.number == "P-SECOND"


def test_law11_a_bill_is_claimed_once_and_the_whole_report_is_refused(world: World) -> None:
    bill = world.bill()
    first = world.claim(world.visit([bill]))
    before = Claim.objects.count(), Visit.objects.count(), Message.objects.count()
    with pytest.raises(Blocked) as caught:
        world.claim(world.visit([world.bill(), bill]))
    assert (caught.value.code, caught.value.rule, caught.value.field) == (
        "BILL_SEEN",
        "LAW-11",
        "visits.0.bills.1",
    )
    assert first.number in str(caught.value.message)
    assert (Claim.objects.count(), Visit.objects.count(), Message.objects.count()) == before


def test_law11_an_exchanged_bill_is_the_same_bill(world: World) -> None:
    bill = world.bill(bill_type="FISCAL_E", check_code="AB12CD")
    world.claim(world.visit([bill]))
    with pytest.raises(Blocked):
        world.claim(
            world.visit([bill | {"bill_type": "FISCAL_PAPER", "check_code": "", "state": "EXCHANGED"}])
        )


def test_a_withdrawn_claim_frees_its_bills(world: World) -> None:
    bill = world.bill()
    case = world.do(world.claim(world.visit([bill])), "withdraw", by="intake", reason="member asked")
    assert case.state == "WITHDRAWN"
    assert world.claim(world.visit([bill])).state == "ONLINE_SUBMITTED"


def test_inside_one_report_a_bill_stands_once(world: World) -> None:
    bill = world.bill()
    with pytest.raises(Blocked) as caught:
        world.claim(world.visit([bill, bill]))
    assert (caught.value.code, caught.value.rule) == ("BILL_SEEN", "LAW-11")


def test_pr21_the_small_claim_has_its_clock(world: World) -> None:
    small = world.claim(world.visit([world.bill("3000.00")]))
    large = world.claim(world.visit([world.bill("3000.01")]))
    assert small.clocks.filter(key="claim.small_notice").exists()
    assert not large.clocks.filter(key="claim.small_notice").exists()


def test_law02_the_statutory_clock_starts_with_the_first_papers(world: World) -> None:
    case = world.claim()
    assert not case.clocks.filter(key="law.decision").exists()
    case = world.claim(papers=[{"kind": "MEDICAL_RECORD", "form": "DATA"}])
    assert case.clocks.filter(key="law.decision").exists()


def test_2024_internet_hospital_follow_up(world: World) -> None:
    earlier = world.claim(series="2024")
    private = world.visit(hospital="PRI", visit_type="INTERNET", follow_up=True, prior_claim=earlier.number)
    world.list_hospital("PRI", "2024")
    taken = world.claim(private, series="2024", category="INTERNET")
    assert taken.state == "ONLINE_SUBMITTED"
    first = world.visit(hospital="PRI", visit_type="INTERNET")
    assert world.claim(first, series="2024", category="INTERNET").state == "REFUSAL_PENDING"
    assert (
        world.claim(private | {"bills": [world.bill()], "prior_claim": ""}, category="INTERNET").state
        == "REFUSAL_PENDING"
    )


def test_vac06_and_vac23_community_health_center(world: World) -> None:
    def shot() -> dict[str, Any]:
        line = world.line("300.00", kind="VACCINE", name="疫苗")
        return world.visit([world.bill(lines=[line])], hospital="CHC", benefit="VACCINE")

    Policy.objects.filter(series="2026").update(riders=["VACCINE"])
    assert world.claim(shot(), category="VACCINE").state == "ONLINE_SUBMITTED"
    assert world.claim(shot(), series="2024", category="VACCINE").state == "REFUSAL_PENDING"


@pytest.mark.parametrize("benefit", ["DENTAL", "EYE"])
def test_vac06_dental_and_eye_are_billed_directly_only(world: World, benefit: str) -> None:
    Policy.objects.filter(series="2026").update(riders=["DENTAL", "EYE"])
    assert world.claim(world.visit(benefit=benefit)).state == "REFUSAL_PENDING"


def test_the_refusal_shows_only_to_those_who_may(world: World) -> None:
    case = world.see(world.claim(world.visit(hospital="PRI")))
    names = {found.action.name for found in available(case, world.actor("intake"), now=world.now)}
    assert "confirm_refusal" in names
    assert "overrule_refusal" not in names


def test_the_story_is_told_event_by_event(world: World) -> None:
    case = world.claim(world.visit(hospital="PRI"))
    assert events(case) == ["reported", "refusal_proposed"]


def test_report_costs_a_constant_number_of_statements(world: World) -> None:
    counts = []
    world.claim()
    for bills in (1, 12):
        visit = world.visit([world.bill(lines=[world.line("10.00") for _ in range(5)]) for _ in range(bills)])
        with CaptureQueriesContext(connection) as captured:
            world.claim(visit)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 40
