"""Intake: what is refused, held or taken in, and on which rule."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from apps.adjudication.facts import Facts, PolicyFacts
from apps.adjudication.handbook import NetworkBenefit, Version
from apps.adjudication.intake import ACCEPT, HOLD, REFUSE, assess_intake, intake_outcome, is_small_claim
from apps.adjudication.tests.builders import (
    CALENDAR,
    DAY,
    HANDBOOK,
    SPECIAL,
    TITLE,
    at,
    benefit,
    hospital,
    make_clock,
    make_facts,
    make_handbook,
    make_plan,
    make_service,
    paid,
    policy,
    printed,
    visit,
)

PRIVATE = hospital("HP", "PRIVATE")
ALL = make_handbook(without=())


def found(facts: Facts) -> list[tuple[str, str]]:
    return [(finding.code, finding.rule) for finding in assess_intake(facts, CALENDAR)]


def outcome(facts: Facts) -> str:
    return intake_outcome(assess_intake(facts, CALENDAR))


def printed_facts(series: str, *visits: Any, **more: Any) -> Facts:
    version = {"2024": "GROWTH_PLUS", "2026": "NATIONAL"}[series]
    channel = {"2024": "ONLINE", "2026": "MINIPROGRAM"}[series]
    plan = more.pop("plan", None) or make_plan(series=series, version=version)
    return make_facts(*visits, handbook=printed(series), plan=plan, **({"channel": channel} | more))


def test_an_ordinary_public_visit_is_taken_in() -> None:
    facts = make_facts(paid(100))
    assert found(facts) == []
    assert outcome(facts) == ACCEPT


# --- S27: private hospitals -------------------------------------------------------------------


@pytest.mark.parametrize(("series", "rule"), [("2026", "APT-02"), ("2024", "DBO-03")])
def test_s27_private_hospitals_accept_no_post_claim(series: str, rule: str) -> None:
    facts = printed_facts(series, paid(1200, hospital=PRIVATE))
    findings = assess_intake(facts, CALENDAR)
    assert [(one.code, one.rule) for one in findings] == [("PRIVATE_NO_REIMB", rule)]
    assert intake_outcome(findings) == REFUSE
    assert "私立" in findings[0].message_zh
    assert findings[0].remedy_zh
    assert findings[0].also


@pytest.mark.parametrize("change", [{"emergency": True}, {"visit_type": "EMERGENCY"}])
@pytest.mark.parametrize("series", ["2024", "2026"])
def test_s27_law07_an_emergency_waits_for_a_senior(series: str, change: dict[str, Any]) -> None:
    facts = printed_facts(series, paid(1200, hospital=PRIVATE, **change))
    findings = assess_intake(facts, CALENDAR)
    assert [(one.code, one.rule) for one in findings] == [("EMERGENCY_HOLD", "LAW-07")]
    assert intake_outcome(findings) == HOLD


@pytest.mark.parametrize(("accept", "expected"), [(True, ACCEPT), (False, REFUSE)])
def test_pr20_a_person_ends_the_hold(accept: bool, expected: str) -> None:
    held = paid(1200, hospital=PRIVATE, emergency=True, ref="V1")
    assert outcome(make_facts(held, answers={"EMERGENCY_HOLD@visit:V1": accept})) == expected


def test_nobody_overrides_a_block() -> None:
    visit = paid(1200, hospital=PRIVATE, ref="V1")
    assert outcome(make_facts(visit, answers={"PRIVATE_NO_REIMB@visit:V1": True})) == REFUSE


def test_a_series_without_the_rule_accepts_private_hospitals() -> None:
    open_handbook = make_handbook(without=(*SPECIAL, "intake.public_only", "intake.private_refused"))
    assert outcome(make_facts(paid(1, hospital=PRIVATE), handbook=open_handbook)) == ACCEPT


# --- scope ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy_facts", "ok"),
    [
        (policy(), True),
        (policy(effective_on=DAY, continuous_since=DAY), True),
        (policy(expires_on=DAY), True),
        (policy(expires_on=date(2026, 9, 15)), False),
        (policy(effective_on=date(2026, 9, 17)), False),
        (policy(status="PENDING"), False),
        (policy(status="LAPSED"), False),
        (policy(status="TERMINATED", ended_on=DAY), True),
        (policy(status="TERMINATED", ended_on=date(2026, 9, 15)), False),
    ],
)
def test_c9_in_force_on_the_date_of_service(policy_facts: PolicyFacts, ok: bool) -> None:
    facts = make_facts(paid(1), policy=policy_facts)
    assert (found(facts) == []) is ok
    assert outcome(facts) == (ACCEPT if ok else REFUSE)


def test_pr14_a_stay_counts_by_its_admission() -> None:
    stay = paid(1, visit_type="INPATIENT", until=date(2026, 9, 30))
    assert outcome(make_facts(stay, policy=policy(expires_on=DAY))) == ACCEPT


def test_gen01_gen02_the_version_belongs_to_the_series() -> None:
    facts = printed_facts("2026", paid(1), plan=make_plan(series="2026", version="SHANGHAI"))
    assert found(facts) == [("VERSION_UNKNOWN", "GEN-01")]
    other = printed_facts("2024", paid(1), plan=make_plan(series="2024", version="NATIONAL"))
    assert found(other) == [("VERSION_UNKNOWN", "GEN-02")]


def test_gen03_a_plan_has_a_network_group() -> None:
    bare = replace(ALL, versions={"NATIONAL": Version("NATIONAL", TITLE, "", "x")})
    assert ("PLAN_NO_GROUP", "intake.plan_group") in found(make_facts(paid(1), handbook=bare))


def test_c9_another_series_is_refused() -> None:
    facts = make_facts(paid(1), plan=make_plan(series="1999"))
    assert ("SERIES_MISMATCH", "decide.series_of_service") in found(facts)


# --- services ---------------------------------------------------------------------------------


def test_gen04_a_closed_service_is_refused_with_its_own_rule() -> None:
    handbook = make_handbook(without=(), services=[make_service("reimbursement", offered=False)])
    findings = assess_intake(make_facts(paid(1), handbook=handbook))
    assert findings[0].code == "SERVICE_CLOSED"
    assert findings[0].rule == "service.reimbursement"
    assert "intake.service_closed" in findings[0].also


@pytest.mark.parametrize(
    ("ownership", "code", "expected"),
    [("PRIVATE", "SERVICE_CLOSED", REFUSE), ("PUBLIC", "INTERNET_PUBLIC", HOLD)],
)
def test_int06_no_internet_claim_in_2026(ownership: str, code: str, expected: str) -> None:
    at_home = paid(80, visit_type="INTERNET", hospital=hospital("HI", ownership, internet_licensed=True))
    facts = printed_facts("2026", at_home, category="INTERNET")
    assert (code, "INT-06") in found(facts)
    assert outcome(facts) == expected


def test_int06_a_hidden_internet_visit_is_seen() -> None:
    at_home = paid(80, visit_type="INTERNET", hospital=PRIVATE)
    assert ("SERVICE_CLOSED", "INT-06") in found(printed_facts("2026", at_home))


@pytest.mark.parametrize(("series", "rule"), [("2026", "VAC-06"), ("2024", "NET-05")])
@pytest.mark.parametrize("code", ["DENTAL", "EYE"])
def test_vac06_net05_dental_and_eye_are_direct_billing_only(series: str, rule: str, code: str) -> None:
    plan = make_plan(benefit(code), series=series, version={"2024": "GROWTH", "2026": "NATIONAL"}[series])
    facts = printed_facts(series, paid(100, benefit=code), plan=plan)
    assert found(facts) == [("DIRECT_ONLY", rule)]
    assert outcome(facts) == REFUSE


def test_pr10_an_eye_department_is_not_the_eye_benefit() -> None:
    facts = printed_facts("2026", paid(100, department="眼科", benefit="OUTPATIENT"))
    assert outcome(facts) == ACCEPT


def test_vac06_also_where_no_service_is_listed() -> None:
    facts = make_facts(paid(100, benefit="EYE"), plan=make_plan(benefit("EYE")))
    assert found(facts) == [("DIRECT_ONLY", "intake.direct_only")]


def test_gen07_the_contract_prevails_over_a_handbook_without_counselling() -> None:
    agreed = make_plan(benefit("MENTAL_HEALTH"), series="2026")
    visit = paid(100, "COUNSELING", benefit="MENTAL_HEALTH")
    facts = printed_facts("2026", visit, plan=agreed)
    assert (found(facts), outcome(facts)) == ([("CONTRACT_BENEFIT", "D46")], HOLD)
    assert outcome(printed_facts("2026", visit)) == REFUSE


@pytest.mark.parametrize(
    ("series", "channel", "ok"),
    [
        ("2024", "EMAIL", True),
        ("2024", "ONLINE", True),
        ("2026", "EMAIL", False),  # D31: e-mail is a way only in 2024
        ("2026", "HOTLINE", True),
        ("2024", "MINIPROGRAM", False),
    ],
)
def test_rmb20_rmb38_channels(series: str, channel: str, ok: bool) -> None:
    facts = printed_facts(series, paid(1), channel=channel)
    assert outcome(facts) == (ACCEPT if ok else HOLD)
    answered = replace(facts, overrides=make_facts(answers={"CHANNEL_NOT_OFFERED": True}).overrides)
    assert outcome(answered) == ACCEPT


def test_gen08_vaccine_claims_use_the_general_channels() -> None:
    services = [
        make_service("reimbursement", channels=("HOTLINE",)),
        make_service("vaccine_claim", channels=("FAX",)),
    ]
    plan = make_plan(benefit("VACCINE"))
    reused = make_facts(
        paid(1, "VACCINE", benefit="VACCINE"), category="VACCINE", channel="HOTLINE", plan=plan
    )
    assert outcome(replace(reused, handbook=make_handbook(services=services))) == ACCEPT
    own = make_handbook(without=(*SPECIAL, "intake.vaccine_channel"), services=services)
    assert outcome(replace(reused, handbook=own)) == HOLD


# --- direct billing ---------------------------------------------------------------------------


def test_app03_a_direct_billed_visit_is_checked_for_a_duplicate() -> None:
    facts = printed_facts("2026", paid(100, direct_billed=True))
    assert (found(facts), outcome(facts)) == ([("ALREADY_DIRECT_BILLED", "APP-03")], HOLD)


def test_dbo03_2024_a_direct_billed_visit_is_never_claimed_again() -> None:
    facts = printed_facts("2024", paid(100, direct_billed=True))
    assert (found(facts), outcome(facts)) == ([("ALREADY_DIRECT_BILLED", "DBO-03")], REFUSE)


def test_dbo03_2024_a_direct_billing_public_visit_paid_in_cash_is_held() -> None:
    listed = hospital("HS", department_group="SPECIAL", networks=("OUTPATIENT",))
    facts = printed_facts("2024", paid(100, hospital=listed))
    assert (found(facts), outcome(facts)) == ([("DIRECT_BILLING_UNUSED", "DBO-03")], HOLD)
    assert outcome(printed_facts("2024", paid(100))) == ACCEPT
    assert outcome(printed_facts("2026", paid(100, hospital=listed))) == ACCEPT


@pytest.mark.parametrize(
    ("networks", "change", "expected"),
    [
        (("OUTPATIENT",), {}, ACCEPT),
        ((), {}, REFUSE),
        (("VACCINE",), {}, REFUSE),
        (("OUTPATIENT",), {"benefit": "EMERGENCY"}, ACCEPT),
        ((), {"emergency": True}, HOLD),
    ],
)
def test_net01_direct_billing_in_the_members_network(
    networks: tuple[str, ...], change: dict[str, Any], expected: str
) -> None:
    there = hospital("HP", "PRIVATE", networks=networks)
    facts = make_facts(paid(100, hospital=there, **change), category="DIRECT")
    assert outcome(facts) == expected


# --- riders, vaccine, internet ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("riders", "planned", "ok"),
    [
        (("VACCINE",), benefit("VACCINE", rider="VACCINE"), True),
        ((), benefit("VACCINE", rider="VACCINE"), False),
        ((), benefit("VACCINE"), True),
    ],
)
def test_net03_an_optional_benefit_needs_its_rider(riders: tuple[str, ...], planned: Any, ok: bool) -> None:
    facts = make_facts(
        paid(100, "VACCINE", benefit="VACCINE"),
        category="VACCINE",
        plan=make_plan(planned),
        policy=policy(riders=riders),
    )
    assert found(facts) == ([] if ok else [("NO_RIDER", "intake.rider")])


def test_net03_a_benefit_that_only_the_handbook_knows_as_optional() -> None:
    networks = [NetworkBenefit("NATIONAL", "VACCINE", True, "x", "27:9")]
    facts = make_facts(
        paid(1, benefit="VACCINE"), category="VACCINE", handbook=make_handbook(networks=networks)
    )
    assert ("NO_RIDER", "intake.rider") in found(facts)


@pytest.mark.parametrize(
    ("series", "where", "codes"),
    [
        ("2026", hospital(grade=1), []),  # community health centre: open in 2026 …
        ("2024", hospital(grade=1), ["VACCINE_GRADE"]),  # … closed in 2024
        ("2024", hospital(grade=None), ["VACCINE_GRADE"]),
        ("2024", hospital(grade=2), []),
        ("2026", hospital(department_group="SPECIAL"), ["VACCINE_DEPARTMENT"]),
        ("2026", hospital(department_group="INTERNATIONAL"), ["VACCINE_DEPARTMENT"]),
        ("2026", PRIVATE, ["PRIVATE_NO_REIMB", "VACCINE_DEPARTMENT"]),
    ],
)
def test_vac06_vac23_where_a_vaccine_may_be_claimed(series: str, where: Any, codes: list[str]) -> None:
    plan = make_plan(
        benefit("VACCINE"), series=series, version={"2024": "GROWTH", "2026": "NATIONAL"}[series]
    )
    shot = paid(500, "VACCINE", benefit="VACCINE", hospital=where)
    facts = printed_facts(series, shot, category="VACCINE", plan=plan, policy=policy(riders=("VACCINE",)))
    assert [code for code, _ in found(facts)] == codes


def test_vac24_a_vaccine_claim_is_filed_after_the_visit() -> None:
    shot = paid(500, "VACCINE", benefit="VACCINE")
    early = make_facts(
        shot, category="VACCINE", plan=make_plan(benefit("VACCINE")), reported_at=at("2026-09-15 10:00")
    )
    assert found(early) == [("VACCINE_BEFORE_VISIT", "intake.vaccine_after_visit")]


LICENSED = hospital("HI", "PRIVATE", internet_licensed=True)
NETWORK = hospital("HI", "PRIVATE", internet_network=True)


@pytest.mark.parametrize(
    ("where", "change", "codes"),
    [
        (LICENSED, {"follow_up": True, "prior_visit_ref": "V0"}, []),
        (NETWORK, {"follow_up": True, "prior_visit_ref": "V0"}, []),
        (LICENSED, {"follow_up": True}, ["INTERNET_NOT_FOLLOW_UP"]),
        (LICENSED, {}, ["INTERNET_NOT_FOLLOW_UP"]),
        (PRIVATE, {"follow_up": True, "prior_visit_ref": "V0"}, ["INTERNET_NOT_LICENSED"]),
        (PRIVATE, {}, ["INTERNET_NOT_FOLLOW_UP", "INTERNET_NOT_LICENSED"]),
    ],
)
def test_int01_follow_up_at_a_licensed_internet_hospital(
    where: Any, change: dict[str, Any], codes: list[str]
) -> None:
    consult = paid(80, "CONSULT", visit_type="INTERNET", hospital=where, **change)
    facts = printed_facts("2024", consult, category="INTERNET")
    assert [code for code, _ in found(facts)] == codes
    assert outcome(facts) == (REFUSE if codes else ACCEPT)


@pytest.mark.parametrize(("reported", "late"), [("2024-10-12 23:59", False), ("2024-10-13 00:00", True)])
def test_int03_sent_within_one_working_day(reported: str, late: bool) -> None:
    """Friday 2024-10-11 → Saturday the 12th, a make-up day; late is accepted with a warning."""
    consult = paid(
        80,
        visit_type="INTERNET",
        hospital=LICENSED,
        follow_up=True,
        prior_visit_ref="V0",
        on=date(2024, 10, 11),
    )
    cover = policy(
        effective_on=date(2024, 1, 1), expires_on=date(2024, 12, 31), continuous_since=date(2024, 1, 1)
    )
    facts = printed_facts("2024", consult, category="INTERNET", policy=cover, reported_at=at(reported))
    assert found(facts) == ([("INTERNET_LATE", "INT-03")] if late else [])
    assert outcome(facts) == ACCEPT


def test_int03_needs_the_clock_of_the_series() -> None:
    clock = make_clock("intake.internet_late", 1, "workdays")
    consult = paid(80, visit_type="INTERNET", hospital=LICENSED, follow_up=True, prior_visit_ref="V0")
    late = make_facts(consult, category="INTERNET", reported_at=at("2026-09-30 10:00"))
    assert found(late) == []
    assert found(replace(late, handbook=make_handbook(clocks=[clock])))[0][0] == "INTERNET_LATE"


@pytest.mark.parametrize(("reported", "late"), [("2028-09-16 10:00", False), ("2028-09-17 00:00", True)])
def test_law06_two_years(reported: str, late: bool) -> None:
    facts = make_facts(paid(1), reported_at=at(reported))
    assert found(facts) == ([("LIMITATION", "intake.limitation")] if late else [])
    assert outcome(facts) == ACCEPT


@pytest.mark.parametrize(("amount", "small"), [("3000.00", True), ("3000.01", False)])
def test_pr21_small_claims(amount: str, small: bool) -> None:
    assert is_small_claim(make_facts(paid(amount))) is small


def test_every_finding_is_useful_to_the_reader() -> None:
    facts = make_facts(
        paid(1, hospital=PRIVATE, benefit="EYE"), handbook=HANDBOOK, policy=policy(status="PENDING")
    )
    for finding in assess_intake(facts):
        assert finding.message_zh
        assert finding.message_en
        assert finding.remedy_zh
        assert finding.remedy_en
        assert "{" not in finding.message_zh + finding.message_en + finding.remedy_zh
        assert finding.source


def test_a_claim_without_visits_has_nothing_to_refuse() -> None:
    assert outcome(make_facts()) == ACCEPT
    assert visit().claimed == 0
