"""Services: what each series offers, what each asks, their clocks, and what becomes of a request (machine l)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from apps.care.catalog import OFFERS
from apps.care.models import HealthManager, ServiceRequest
from apps.care.offered import services_of
from apps.care.tasks import mark_overdue_consults
from apps.care.tests.world import SITES, Care, at
from apps.cases.models import CaseFile, Clock
from apps.core.errors import Blocked, DomainError, InvalidInput, NotAllowed
from apps.members.models import Policy
from apps.messaging.models import Message

BOTH = pytest.mark.both_databases
OFFERED = {
    "2024": {"ASSISTANCE": "VAS-16", "VACCINATION": "VAS-14", "PHONE_CONSULT": "VAS-10", "TEXT_CONSULT": "VAS-12",
             "HOSPITAL_CONSULT": "APP-23", "TRIAGE": "VAS-13"},
    "2026": {"ASSISTANCE": "VAS-01", "VACCINATION": "VAS-03", "DOCTOR": "FD-01", "MANAGER": "FD-02", "GROWTH": "FD-04",
             "CHECK_UP": "FD-06"},
}  # fmt: skip
CLOSED = {
    "2024": dict.fromkeys(("DOCTOR", "MANAGER", "GROWTH", "CHECK_UP"), "GEN-04"),
    "2026": {"PHONE_CONSULT": "D44", "TEXT_CONSULT": "D47", "HOSPITAL_CONSULT": "D47", "TRIAGE": "D47"},
}


def row_of(case: CaseFile) -> ServiceRequest:
    return ServiceRequest.objects.get(pk=case.pk)


def fails(world: Care, service: str, series: str = "2026", **fields: Any) -> DomainError:
    before = CaseFile.objects.count()
    with pytest.raises(DomainError) as error:
        world.request(service, series, **fields)
    assert CaseFile.objects.count() == before
    return error.value


def codes(case: CaseFile) -> list[str]:
    return [flag["code"] for flag in row_of(case).flags]


@BOTH
@pytest.mark.parametrize("series", ["2024", "2026"])
def test_each_series_offers_its_services_and_refuses_the_others_by_rule(
    world: Care, series: str, rulebook: Any
) -> None:
    if series == "2024":
        world.list_hospital("PRI", series)
    for code, rule in OFFERED[series].items():
        case = world.request(code, series)
        assert (case.state, row_of(case).rule, case.open) == ("REQUESTED", rule, True), code
        assert case.provider == ("JD_HEALTH" if OFFERS[code].by_family_doctor else "")
        if OFFERS[code].rule or rule in ("VAS-12", "VAS-13", "VAS-14", "APP-23"):
            rulebook.read_back(rule, row_of(case).rule)
    for code, rule in CLOSED[series].items():
        refused = fails(world, code, series)
        assert (refused.code, refused.rule) == ("not_offered", rule), code
    assert OFFERED[series].keys() | CLOSED[series].keys() == OFFERS.keys()


@pytest.mark.parametrize(
    ("service", "series", "fields", "rule", "field"),
    [
        ("ASSISTANCE", "2024", {"site": SITES["2026"]}, "VAS-16", "site"),
        ("ASSISTANCE", "2026", {"visit_type": "INPATIENT"}, "VAS-01", "visit_type"),
        ("ASSISTANCE", "2026", {"site": ""}, "", "site"),
        ("ASSISTANCE", "2026", {"visit_on": "2027-03-01"}, "VAS-01", "member"),
        ("VACCINATION", "2026", {"channel": "MINIPROGRAM"}, "VAS-03", "channel"),
        ("HOSPITAL_CONSULT", "2024", {"hospital": "PUB"}, "APP-23", "hospital"),
        ("DOCTOR", "2026", {"channel": "HOTLINE"}, "FD-08", "channel"),
        ("MANAGER", "2026", {"topic": ""}, "FD-02", "topic"),
        ("GROWTH", "2026", {"topic": "GROWTH"}, "FD-04", "topic"),
        ("TRIAGE", "2024", {"visit_on": "2026-09-01"}, "", "visit_on"),
    ],
)
def test_what_is_wrong_with_a_request_is_named(
    world: Care, service: str, series: str, fields: dict[str, Any], rule: str, field: str
) -> None:
    error = fails(world, service, series, **fields)
    assert (error.rule, error.field) == (rule, field)


def test_vaccinations_are_arranged_in_one_series_for_holders_of_the_rider_only(world: Care) -> None:
    Policy.objects.update(riders=[])
    error = fails(world, "VACCINATION")
    assert (error.rule, error.code) == ("VAS-03", "no_rider")
    assert world.request("VACCINATION", "2024").state == "REQUESTED"  # VAS-14


def test_an_open_list_of_sites_takes_others_with_a_remark(world: Care) -> None:
    assert codes(world.request("ASSISTANCE", site="复旦大学附属儿科医院|国际部")) == ["site_not_listed"]
    assert codes(world.request("ASSISTANCE")) == []
    assert codes(world.request("ASSISTANCE", "2024", visit_type="INPATIENT")) == []  # no visit types printed


def test_assistance_without_a_limit_of_number_walks_to_its_end(world: Care) -> None:
    for _time in range(3):
        case = world.request("ASSISTANCE")
    world.act(case, "assign_specialist", specialist="赵敏")
    with pytest.raises(Blocked) as error:
        world.act(case, "respond", responder="赵敏", answer="到了")
    assert error.value.rule == "VAS-01"
    clock = Clock.objects.get(case=case.pk)
    assert (clock.key, clock.spec_id, clock.state) == ("service.target", "VAS-01", "RUNNING")
    case = world.act(case, "arrive")
    clock.refresh_from_db()
    assert (case.state, clock.state) == ("ON_SITE", "STOPPED")
    assert world.act(case, "finish").state == "DONE"


@BOTH
@pytest.mark.parametrize(
    ("received", "due", "spec", "remarks"),
    [
        ("2026-10-01 19:30", "2026-10-01 21:30", "DL-01", []),
        ("2026-10-01 20:00", "2026-10-02 11:00", "DL-02", []),
        ("2026-10-01 22:10", "2026-10-02 11:00", "DL-02", ["outside_hours"]),
        ("2026-10-02 00:30", "2026-10-02 10:00", "DL-01", ["outside_hours"]),
    ],
)
def test_a_phone_consult_is_answered_in_two_hours_or_the_next_morning(
    world: Care, rulebook: Any, received: str, due: str, spec: str, remarks: list[str]
) -> None:
    case = world.request("PHONE_CONSULT", "2024", now=at(received))
    clock = Clock.objects.get(case=case.pk)
    assert (clock.spec_id, clock.due_at, codes(case)) == (spec, at(due), remarks)
    rulebook.read_back("VAS-10" if spec == "DL-01" else "VAS-11", clock.due_at)
    rulebook.read_back(spec, clock.due_at)
    if remarks:
        rulebook.read_back("DL-03", codes(case))
    # Hours end with their last second, eleven is too late.
    for minutes, late in ((-1, False), (0, spec == "DL-02"), (1, True)):
        again = world.request("PHONE_CONSULT", "2024", now=at(received))
        when = at(due) + timedelta(minutes=minutes)
        world.act(again, "respond", responder="陈医生", answer="已指导", expert=True, now=when)
        assert ("answered_late" in codes(again)) == late


@BOTH
def test_a_late_consult_says_so_and_is_answered_all_the_same(world: Care, time_machine: Any) -> None:
    case, other = world.request("PHONE_CONSULT", "2024"), world.request("TRIAGE", "2024")
    time_machine.move_to(at("2026-09-16 12:00:00"), tick=False)
    assert mark_overdue_consults() == 0  # two hours, the last second included
    time_machine.move_to(at("2026-09-16 12:00:01"), tick=False)
    assert (mark_overdue_consults(), mark_overdue_consults()) == (1, 0)
    assert CaseFile.objects.get(pk=case.pk).state == "OVERDUE"
    assert CaseFile.objects.get(pk=other.pk).state == "REQUESTED"
    with pytest.raises(NotAllowed):
        world.act(other, "fall_due")
    case = world.act(
        case,
        "respond",
        responder="陈医生",
        answer="无人接听，已留言",
        reached=False,
        now=at("2026-09-16 12:30"),
    )
    assert (case.state, codes(case)) == ("RESPONDED", ["not_an_expert", "not_reached", "answered_late"])
    assert Clock.objects.get(case=case.pk).breached
    assert "无人接听" in Message.objects.get(case=case.pk).body


def test_a_triage_recommends_a_hospital_of_the_network(world: Care, rulebook: Any) -> None:
    case = world.request("TRIAGE", "2024")
    said = {"responder": "陈医生", "answer": "建议就诊呼吸科"}
    with pytest.raises(InvalidInput) as error:
        world.act(case, "respond", recommended="PRI", **said)
    assert error.value.rule == "VAS-13"
    world.list_hospital("PRI", "2024")
    case = world.act(case, "respond", recommended="PRI", **said)
    assert row_of(case).recommended.name == "悦安诊所"
    assert "悦安诊所" in Message.objects.get(case=case.pk).body


def test_the_health_manager_speaks_to_the_policyholder_by_three_ways(world: Care, rulebook: Any) -> None:
    case = world.request("MANAGER", entry="BENEFIT_LIST")
    row = row_of(case)
    for rule, value in (("FD-05", row.topic), ("FD-09", row.entry)):
        rulebook.read_back(rule, value)
    world.act(case, "assign_specialist", specialist="赵敏")
    assert HealthManager.objects.get(member__number="M2026").name == "赵敏"
    for wrong in ({"recipient": "INSURED", "channel": "SMS"}, {"channel": "PHONE_950610"}):
        with pytest.raises(Blocked) as error:
            world.act(case, "contact", text="约评估", **wrong)
        assert error.value.rule == "FD-10"
    for way in ("PHONE_950619", "WECOM", "SMS"):
        case = world.act(case, "contact", text="约评估", channel=way)
    assert case.events.filter(name="manager_contacted").count() == 3
    with pytest.raises(Blocked):
        world.act(world.request("VACCINATION"), "contact", text="约评估", channel="SMS")


@pytest.mark.parametrize(
    ("action", "service"),
    [("unavailable", "ASSISTANCE"), ("reject", "TEXT_CONSULT"), ("cancel", "PHONE_CONSULT")],
)
def test_what_cannot_be_done_ends_with_a_reason(world: Care, action: str, service: str) -> None:
    case = world.act(world.request(service, "2024"), action, reason="当日无驻点人员")
    assert (case.open, row_of(case).ended_why) == (False, "当日无驻点人员")
    assert Message.objects.filter(case=case.pk).exists() == (action != "cancel")
    assert Clock.objects.get(case=case.pk).state == "STOPPED"


def test_a_text_consult_is_a_message_with_its_time(world: Care, rulebook: Any) -> None:
    clock = Clock.objects.get(case=world.request("TEXT_CONSULT", "2024").pk)
    assert (clock.spec_id, clock.due_at) == ("DL-15", at("2026-09-18 00:00"))
    for when, late in (("2026-09-17 23:59", []), ("2026-09-18 00:00", ["answered_late"])):
        case = world.request("TEXT_CONSULT", "2024")
        world.act(case, "respond", responder="陈医生", answer="已指导", now=at(when))
        assert codes(case) == late
    rulebook.read_back("DL-15", clock.due_at)


@pytest.mark.parametrize(
    ("now", "closed"),
    [("2026-10-01 07:59:59", True), ("2026-10-01 08:00", False), ("2026-10-01 21:00", True)],
)
def test_the_services_of_a_series_at_a_moment(world: Care, rulebook: Any, now: str, closed: bool) -> None:
    moment: datetime = at(now)
    rows = {row.key: row for row in services_of(world.handbook("2024").handbook, moment)}
    for key in ("phone_consult", "online_consult", "triage", "vaccine_coordination"):
        assert (rows[key].opens, rows[key].closed_now) == ("08:00–21:00", closed), key
    assert (rows["hotline"].opens, rows["lectures"].offered, rows["home_test"].offered) == (
        "7×24",
        True,
        False,
    )
    rulebook.read_back("DL-47", rows["hotline"].opens)
    rulebook.read_back("VAS-15", rows["lectures"].title)
    other = {row.key: row for row in services_of(world.handbook("2026").handbook, moment)}
    assert (other["lectures"].rule, other["phone_consult"].rule) == ("D47", "D44")
    assert other["phone_consult"].redirect
    assert "FD-08" in [rule for _words, rule in other["family_doctor"].details]
    assert not other["triage"].parts
    rulebook.read_back("FD-08", other["family_doctor"].details)
