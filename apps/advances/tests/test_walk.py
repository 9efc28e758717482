"""An advance from the call to the hospital's money: guards with their rules, clocks, letters, four eyes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from apps.accounts.models import User
from apps.accounts.tests.factories import make_actor, make_machine
from apps.advances.actions import apply_for_advance
from apps.advances.tests.world import REVIEW, Advances
from apps.cases.engine import available
from apps.cases.models import CaseFile, Clock
from apps.core.errors import Blocked, InvalidInput, InvalidInputs, NotAllowed
from apps.documents.models import Letter, Paper
from apps.documents.rendering import render_html
from apps.hospitals.models import NetworkEntry
from apps.messaging.models import CallTask, Message

SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(day: str, hour: int = 10) -> datetime:
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), SHANGHAI).replace(hour=hour)


def last_message(case: CaseFile) -> Message:
    return Message.objects.filter(case=case).latest("pk")


# --- Applying ---------------------------------------------------------------------------------------


def test_adv22_a_series_without_advances_refuses_and_says_the_other_way(world: Advances) -> None:
    before = CaseFile.objects.count()
    with pytest.raises(InvalidInputs) as refused:
        world.apply(series="2024")
    (error,) = refused.value.errors
    assert (error.rule, "事后理赔" in str(error.message), error.data["redirect"]) == (
        "ADV-22",
        True,
        "REIMBURSEMENT",
    )
    assert CaseFile.objects.count() == before


def test_adv04_it_comes_by_the_service_line_with_the_familys_word(world: Advances) -> None:
    with pytest.raises(InvalidInputs) as refused:
        world.apply(channel="MINIPROGRAM", need=False)
    assert {(error.field, error.rule) for error in refused.value.errors} == {
        ("channel", "ADV-04"),
        ("need", "ADV-02"),
    }
    family = make_machine("MEMBER_APP", member="M2026")
    with pytest.raises(NotAllowed) as not_here:
        apply_for_advance(family, data=world.told())
    assert not_here.value.rule == "ADV-04"
    with pytest.raises(NotAllowed):
        world.apply(by="auditor")


def test_everything_wrong_is_named_at_once(world: Advances) -> None:
    with pytest.raises(InvalidInputs) as refused:
        world.apply(hospital="NIX", expected="50000.00", admitted_on="2026-09-20", campus="")
    assert {error.field for error in refused.value.errors} == {"hospital", "expected", "admitted_on"}
    with pytest.raises(InvalidInputs) as nobody:
        world.apply(member="M9999")
    assert [error.code for error in nobody.value.errors] == ["unknown_member"]


# --- Entitlement --------------------------------------------------------------------------------------

OBJECTIONS = {
    "ADV-20": ({"hospital": "PRI"}, "AUTHORIZATION"),
    "ADV-18": ({"cost": "DEPOSIT"}, "REIMBURSEMENT"),
    "ADV-02": ({"visit_type": "OUTPATIENT", "diagnosis": ""}, "REIMBURSEMENT"),
    "C9": ({"admitted_on": "2027-01-05", "admitted": False}, "NONE"),
}


@pytest.mark.parametrize("rule", OBJECTIONS)
def test_what_rules_it_out_is_said_with_its_rule_and_the_other_way(world: Advances, rule: str) -> None:
    told, redirect = OBJECTIONS[rule]
    case = world.apply(**told)
    with pytest.raises(Blocked) as refused:
        world.do(case, "verify", by="specialist")
    assert refused.value.rule == rule or rule == "C9"
    case = world.do(case, "find_ineligible", by="specialist")
    assert (case.state, case.open, world.row(case).redirect) == ("INELIGIBLE", False, redirect)
    assert str(refused.value.message)[:8] in last_message(case).body
    assert not Clock.objects.filter(case=case, state="RUNNING").exists()


def test_adv01_a_private_hospital_without_direct_billing(world: Advances) -> None:
    NetworkEntry.objects.filter(campus__hospital__code="PRI").delete()
    case = world.apply(hospital="PRI")
    with pytest.raises(Blocked) as refused:
        world.do(case, "verify", by="specialist")
    assert refused.value.rule == "ADV-01"
    assert world.row(world.do(case, "find_ineligible", by="specialist")).redirect == "NONE"


def test_adv21_outside_the_providers_network(world: Advances, rulebook: Any) -> None:
    case = world.do(world.apply(), "record_network", by="specialist", inside=False, note="安伴 李 09-16")
    with pytest.raises(Blocked) as refused:
        world.do(case, "verify", by="specialist")
    assert refused.value.rule == "ADV-21"
    case = world.do(case, "find_ineligible", by="specialist")
    assert world.row(case).redirect == "REIMBURSEMENT"
    rulebook.read_back("ADV-21", world.row(case).network_note)
    assert "先到社保中心报销" in last_message(case).body
    rulebook.read_back("ADV-17", last_message(case).body)


def test_pr18_a_supervisor_may_allow_it_beside_direct_billing(world: Advances) -> None:
    world.list_hospital("PUB", "2026", "INPATIENT", direct_billing=["INPATIENT"])
    case = world.apply()
    with pytest.raises(NotAllowed):
        world.do(case, "allow_exception", by="specialist", reason="系统故障")
    case = world.do(case, "allow_exception", by="supervisor", reason="医院直付系统停用至月底")
    assert world.do(case, "verify", by="specialist").state == "VERIFIED"
    plain = world.apply(hospital="CHC")
    with pytest.raises(Blocked) as needless:
        world.do(plain, "allow_exception", by="supervisor", reason="不适用")
    assert needless.value.rule == "PR-18"


def test_nothing_against_it_cannot_be_found_ineligible(world: Advances) -> None:
    with pytest.raises(Blocked):
        world.do(world.apply(), "find_ineligible", by="specialist")


# --- Call and papers -----------------------------------------------------------------------------------


def test_adv05_the_call_is_due_a_working_day_after_the_verification(world: Advances, rulebook: Any) -> None:
    case = world.apply(now=at("2026-10-08"))
    assert world.clock(case, "advance.verification").day == date(2026, 10, 9)
    assert not Clock.objects.filter(case=case, key="advance.first_call").exists()
    rulebook.fired("DL-49")
    for rule in ("DL-28", "ADV-05"):
        rulebook.fired(rule, fired=False)
    case = world.do(case, "verify", by="specialist", now=at("2026-10-09"))
    assert world.clock(case, "advance.verification").state == "STOPPED"
    assert world.clock(case, "advance.first_call").day == date(2026, 10, 10)  # a Saturday made a working day
    rulebook.fired("DL-49", fired=False)
    for rule in ("DL-28", "ADV-05"):
        rulebook.fired(rule)
    task = CallTask.objects.get(case=case)
    assert "权益验证已通过" in task.script
    said = {"task": task.pk, "note": "无人接听"}
    case = world.do(
        case, "record_call", by="specialist", now=at("2026-10-09", 11), outcome="UNANSWERED", **said
    )
    assert case.state == "VERIFIED"
    said = {"task": CallTask.objects.get(case=case, outcome="OPEN").pk, "note": "预计住院十天"}
    case = world.do(case, "record_call", by="specialist", now=at("2026-10-10"), outcome="ANSWERED", **said)
    assert case.state == "CONTACTED"
    assert world.clock(case, "advance.first_call").breached is False


def test_adv06_the_clock_runs_from_the_last_good_paper_and_stops_with_a_useless_one(
    world: Advances, rulebook: Any
) -> None:
    case = world.called(cause="ACCIDENT", consent=False)
    case = world.give(case, *REVIEW)
    assert case.state == "MATERIALS_PENDING"
    assert not Clock.objects.filter(case=case, key="advance.review").exists()
    rulebook.fired("DL-29", fired=False)
    case = world.do(case, "ask_papers", by="specialist")
    body = last_message(case).body
    assert "意外事故佐证资料" in body
    assert "同意书" in body
    case = world.give(case, "ACCIDENT_EVIDENCE", "PAPER_CONSENT")
    assert case.state == "MATERIALS_COMPLETE"
    clock = world.clock(case, "advance.review")
    assert clock.day == date(2026, 9, 18)
    rulebook.fired("DL-29")
    paper = Paper.objects.get(case=case, kind="EXAM_REPORT")
    case = world.do(case, "tick_paper", by="senior", papers=[paper.pk], usable=False, note="字迹不清")
    clock.refresh_from_db()
    assert (case.state, clock.state, world.row(case).complete_at) == ("MATERIALS_PENDING", "STOPPED", None)
    case = world.give(case, "EXAM_REPORT")
    assert (case.state, Clock.objects.filter(case=case, key="advance.review").count()) == (
        "MATERIALS_COMPLETE",
        2,
    )


def test_s35_an_investigation_replaces_the_two_days_from_the_same_start(
    world: Advances, rulebook: Any
) -> None:
    case = world.called()
    for kind in REVIEW[:-1]:
        case = world.give(case, kind)
    paper = world.do(case, "attach_paper", by="specialist", kind=REVIEW[-1], form="ORIGINAL")
    pk = Paper.objects.filter(case=paper).latest("pk").pk
    ticks = {"papers": [pk], "legible": True, "color": True}
    case = world.do(case, "tick_paper", by="specialist", now=at("2026-09-18"), **ticks)
    assert world.clock(case, "advance.review").day == date(2026, 9, 21)
    assert not Clock.objects.filter(case=case, key="advance.investigation").exists()
    for rule in ("DL-30", "ADV-19"):
        rulebook.fired(rule, fired=False)
    with pytest.raises(NotAllowed):
        world.do(case, "open_investigation", by="adjuster", reason="事故经过不清")
    case = world.do(case, "open_investigation", by="supervisor", now=at("2026-09-21"), reason="事故经过不清")
    clock = world.clock(case, "advance.investigation")
    assert (case.state, clock.day) == ("INVESTIGATING", date(2026, 10, 15))
    warned = next(step for step in clock.schedule if step["key"] == "warn")
    assert warned["at"].startswith("2026-09-30T00:00")  # the end of the seventh day, 29 September
    review = world.clock(case, "advance.review")
    assert (review.state, review.breached) == ("STOPPED", False)
    case = world.do(case, "close_investigation", by="investigator", now=at("2026-09-28"), finding="事故属实")
    assert (case.state, world.clock(case, "advance.investigation").state) == ("MATERIALS_COMPLETE", "RUNNING")
    assert "7 至 15 个工作日" in Message.objects.filter(case=case, body__contains="查勘").first().body  # type: ignore[union-attr]
    rulebook.fired("DL-30")


# --- Review -----------------------------------------------------------------------------------------------

FOUND = {
    "ADV-12": {"third_party_funds": True},
    "ADV-11": {"suspicion": "NON_DISCLOSURE"},
    "ADV-16": {"no_real_time": True, "ratio_unknown": True, "no_hand_over": True},
}


@pytest.mark.parametrize("rule", FOUND)
def test_what_the_review_finds_rules_the_advance_out(world: Advances, rule: str) -> None:
    case = world.checked(**FOUND[rule])
    with pytest.raises(Blocked) as refused:
        world.do(case, "approve", by="supervisor", amount="1000.00")
    assert refused.value.rule == rule


def test_adv16_with_two_conditions_a_supervisor_decides(world: Advances) -> None:
    case = world.checked(no_real_time=True, ratio_unknown=True)
    with pytest.raises(Blocked) as refused:
        world.do(case, "approve", by="senior", amount="1000.00")
    assert refused.value.rule == "ADV-16"
    assert world.do(case, "approve", by="supervisor", amount="1000.00").state == "APPROVED"


def test_nothing_is_approved_before_findings_and_network(world: Advances) -> None:
    case = world.reviewed()
    with pytest.raises(Blocked) as unchecked:
        world.do(case, "approve", by="senior", amount="1000.00")
    assert unchecked.value.rule == "ADV-12"
    case = world.do(case, "record_checks", by="senior", third_party_funds=False, litigation=False)
    with pytest.raises(Blocked) as unknown:
        world.do(case, "approve", by="senior", amount="1000.00")
    assert unknown.value.rule == "ADV-20"


def test_adv03_not_more_than_is_covered_and_above_authority_a_second_person(world: Advances) -> None:
    case = world.checked()
    with pytest.raises(InvalidInput) as above:
        world.do(case, "approve", by="senior", amount="40000.01")
    assert (above.value.rule, above.value.data["most_fen"]) == ("ADV-03", 4_000_000)
    with pytest.raises(Blocked, match="5,000"):
        world.do(case, "approve", by="adjuster", amount="30000.00")
    case = world.do(case, "propose", by="senior", amount="30000.00")
    with pytest.raises(NotAllowed):
        world.do(case, "sign_off", by="senior")
    case = world.do(case, "send_back", by="final", reason="先核对费用")
    case = world.do(case, "propose", by="adjuster", amount="20000.00")
    case = world.do(case, "sign_off", by="final")
    assert (case.state, world.row(case).approved_fen, case.amount_fen) == ("APPROVED", 2_000_000, 2_000_000)


def test_adv07_a_refusal_is_final_and_told_by_letter(world: Advances, rulebook: Any) -> None:
    case = world.checked(litigation=True)
    assert not Letter.objects.filter(case=case, kind="ADVANCE_END").exists()
    rulebook.fired("ADV-07", fired=False)
    with pytest.raises(InvalidInputs):
        world.do(case, "terminate", by="senior", because="LITIGATION")
    case = world.do(case, "terminate", by="senior", because="LITIGATION", reason="家长与肇事方已起诉")
    letter = Letter.objects.get(case=case, kind="ADVANCE_END")
    assert (case.state, case.open, letter.context["rule"]) == ("TERMINATED", False, "ADV-12")
    assert "家长与肇事方已起诉" in render_html(letter)
    message = last_message(case)
    assert (message.letter_token, "终止" in message.subject) == (letter.token, True)
    assert not [
        one for one in available(case, world.actor("senior")) if one.action.name in ("approve", "terminate")
    ]


def test_outside_the_review_only_what_the_provider_may_refuse_for_ends_it(
    world: Advances, rulebook: Any
) -> None:
    case = world.signed()
    with pytest.raises(InvalidInput) as refused:
        world.do(case, "terminate", by="senior", because="NETWORK", reason="不在网络内")
    assert refused.value.rule == "ADV-21"
    User.objects.filter(pk=make_actor("compliance", username="siu").user_id).update(email="siu@example.com")
    case = world.do(case, "terminate", by="senior", because="FRAUD", reason="住院记录系伪造")
    assert Message.objects.filter(case=case, template="advance_staff").exists()
    rulebook.read_back("ADV-11", Letter.objects.get(case=case, kind="ADVANCE_END").context["rule"])
