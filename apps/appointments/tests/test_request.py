"""Asking: every rule that forbids a booking, in time or late, and what is filed."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.actors import SYSTEM
from apps.appointments.actions import may_book, request_appointment
from apps.appointments.models import HospitalBan
from apps.appointments.tests.world import Rooms, at
from apps.cards.actions import grey
from apps.cases.models import CaseFile, Clock
from apps.core.errors import Blocked, InvalidInputs, NotAllowed
from apps.hospitals.models import Hospital, NetworkLookup
from apps.members.models import Policy
from tests.api import rows_of_every_table

# --- Lead time (DL-20 … DL-22) ------------------------------------------------------------------------


LEADS: list[Any] = [
    # Thu 2026-10-08 is the first working day after the holiday (1 to 7 October; make-up Sat 10 October).
    ("PRI", "2026-10-05 23:59:59", "ON_TIME", "APT-07", "2026-10-05"),
    ("PRI", "2026-10-06 00:00:00", "LATE", "APT-07", "2026-10-05"),
    ("PUB", "2026-09-29 23:59:59", "ON_TIME", "APT-08", "2026-09-29"),  # S02
    ("PUB", "2026-09-30 00:00:00", "LATE", "APT-08", "2026-09-29"),  # S02: eight days ahead and late
    ("POP", "2026-09-29 23:59:59", "ON_TIME", "APT-08", "2026-09-29"),
    ("POP", "2026-09-30 09:00:00", "LATE", "APT-08", "2026-09-29"),  # S05: popular does not relax
]


def test_lead_time_across_the_october_holiday(world: Rooms) -> None:
    for hospital, asked_at, lead, rule, latest in LEADS:
        _read, found = may_book(
            world.actor("specialist"), world.wish(hospital=hospital, visit_on="2026-10-08"), now=at(asked_at)
        )
        assert found.lead is not None
        assert (found.lead.late, found.lead.rule, found.lead.latest) == (
            lead == "LATE",
            rule,
            date.fromisoformat(latest),
        )


def test_a_popular_house_asks_for_a_week_in_ordinary_times(world: Rooms) -> None:
    """APT-09, DL-22: the earlier of seven days and two working days."""
    for moment, late in (("2026-09-15 23:59:59", False), ("2026-09-16 00:00:00", True)):
        wish = world.wish(hospital="POP", visit_on="2026-09-22")
        found = may_book(world.actor("specialist"), wish, now=at(moment))[1]
        assert found.lead is not None
        assert (found.late, found.lead.rule, found.lead.deadline) == (late, "APT-09", "DL-22")


def test_a_late_request_goes_on_with_permission_and_reason_only(world: Rooms) -> None:
    late = {"visit_on": "2026-09-18"}  # two days ahead
    refused = world.ask(**late)
    assert (refused.state, refused.open, world.reasons(refused)) == ("REJECTED", False, {"LATE": "APT-07"})
    with pytest.raises(NotAllowed) as wrong:
        world.ask(**late, override_reason="孩子发热")
    assert (wrong.value.code, wrong.value.field) == ("override", "override_reason")
    allowed = world.ask(**late, by="lead", override_reason="孩子发热")
    given = allowed.appointment
    assert (allowed.state, given.lead, given.override_reason, allowed.priority) == (
        "REQUESTED",
        "LATE",
        "孩子发热",
        1,
    )
    assert given.override_by


def test_lateness_alone_can_be_lifted_afterwards(world: Rooms) -> None:
    case = world.ask(visit_on="2026-09-18")
    with pytest.raises(NotAllowed):
        world.do(case, "permit_late", by="specialist", reason="孩子发热")
    case = world.do(case, "permit_late", by="lead", reason="孩子发热")
    assert (case.state, case.open, case.appointment.reasons) == ("REQUESTED", True, [])
    assert [message.subject.split(" ")[0] for message in world.told(case)] == [
        "就医预约未能受理",
        "就医预约已继续受理",
    ]
    other = world.ask(visit_on="2026-09-18", hospital="CHC")
    with pytest.raises(Blocked) as refused:
        world.do(other, "permit_late", by="lead", reason="孩子发热")
    assert refused.value.code == "refused"


def test_2024_prints_no_lead_time_and_a_promise_to_arrange(world: Rooms, rulebook: Any) -> None:
    """DL-04, APT-23, S09: received Mon 2024-09-30 17:00, arranged until Wed 2024-10-09 24:00."""
    Policy.objects.filter(series="2024").update(effective_on="2024-01-01", continuous_since="2024-01-01")
    case = world.ask("2024", hospital="PUB", visit_on="2024-10-15", now=at("2024-09-30 17:00:00"))
    assert (case.state, case.appointment.lead, case.appointment.latest_on) == ("REQUESTED", "", None)
    clock = Clock.objects.get(case=case.pk)
    assert (clock.key, clock.day, clock.due_at) == (
        "appointment.arrange",
        date(2024, 10, 9),
        at("2024-10-10 00:00:00"),
    )
    assert not Clock.objects.filter(case=world.ask().pk).exists()  # 2026 prints none
    for rule in ("APT-23", "DL-04"):
        rulebook.fired(rule)
        rulebook.fired(rule, fired=False)


# --- What forbids it ----------------------------------------------------------------------------------


def not_in_force(world: Rooms) -> None:
    Policy.objects.filter(series="2026").update(ended_on="2026-09-30", status="TERMINATED")


def waiting(world: Rooms) -> None:
    Policy.objects.filter(series="2026").update(renewed=False, continuous_since="2026-10-01")


def greyed(world: Rooms) -> None:
    card = world.policy_of("2026").card  # type: ignore[attr-defined]
    grey(SYSTEM, card, reason="自付账单未付", rule="BIL-03")


def without_rider(world: Rooms) -> None:
    Policy.objects.filter(series="2026").update(riders=[])


def banned(world: Rooms) -> None:
    HospitalBan.objects.create(
        member=world.policy_of("2026").member, hospital=Hospital.objects.get(code="PRI"), source="MANAGER",
        rule="APT-12", since=date(2026, 8, 1), reason="三次爽约", recorded_by="经理", recorded_at=world.now,
    )  # fmt: skip


def test_2026_refuses_what_is_asked_wrongly(world: Rooms) -> None:
    for fields, code, rule in (
        ({"hospital": "CHC"}, "NOT_LISTED", "DL-46"),
        ({"hospital": "PUB", "department_group": "SPECIAL"}, "OTHER_DEPARTMENT", "NET-01"),
        ({"expert": "张主任"}, "EXPERT", "APT-10"),
        ({"channel": "EMAIL"}, "CHANNEL", "APT-04"),
    ):
        case = world.ask(**fields)
        assert (case.state, world.reasons(case).get(code)) == ("REJECTED", rule)


@pytest.mark.parametrize(
    ("set_up", "fields", "code", "rule"),
    [
        (not_in_force, {}, "NO_POLICY", "C9"),
        (waiting, {}, "WAITING", "APT-01"),
        (greyed, {}, "GREYED", "BIL-03"),
        (without_rider, {"benefit": "VACCINE"}, "NO_RIDER", "NET-03"),
        (without_rider, {"benefit": "DENTAL"}, "NO_RIDER", "NET-03"),
        (banned, {}, "BANNED", "APT-12"),
    ],
)
def test_2026_refuses_by_rule(
    world: Rooms, set_up: Any, fields: dict[str, Any], code: str, rule: str
) -> None:
    if set_up:
        set_up(world)
    case = world.ask(**fields)
    assert (case.state, case.open) == ("REJECTED", False)
    reasons = world.reasons(case)
    assert code in reasons, reasons
    assert reasons[code].split(",")[0] == rule
    assert all(reason["zh"] and reason["en"] for reason in case.appointment.reasons)
    assert len(world.told(case)) == 1
    assert "未能受理" in world.told(case)[0].subject


REFUSED_2024: list[Any] = [
    ({"hospital": "PUB", "department_group": "GENERAL"}, "DEPARTMENT", "APT-22"),
    ({"hospital": "PUB", "visit_type": "INPATIENT"}, "VISIT_TYPE", "APT-22"),
    ({"benefit": "DENTAL"}, "NO_NETWORK", "NET-05"),
    ({"expert": "张主任"}, "EXPERT", "APT-10"),
    ({"channel": "EMAIL"}, "CHANNEL", "APT-26"),
]


def test_2024_refuses_by_rule(world: Rooms) -> None:
    for fields, code, rule in REFUSED_2024:
        case = world.ask("2024", **fields)
        assert (case.state, world.reasons(case).get(code)) == ("REJECTED", rule)


def test_the_waiting_period_ends_with_its_last_day(world: Rooms) -> None:
    """APT-01, DL-45: the day after the last one is served; an accident and a renewal do not wait (PR-16)."""
    policy = world.policy_of("2026")
    planned = policy.plan.terms.benefit("OUTPATIENT")
    assert planned is not None
    length = next(entry.days for entry in planned.waiting if entry.cause == "ILLNESS")
    Policy.objects.filter(pk=policy.pk).update(renewed=False, continuous_since="2026-09-30")
    last = date(2026, 9, 30).toordinal() + length - 1
    for day, refused in ((last, True), (last + 1, False)):
        wish = world.wish(visit_on=date.fromordinal(day).isoformat())
        found = may_book(world.actor("specialist"), wish, now=world.now)[1]
        assert ("WAITING" in {why.code for why in found.refused}) is refused
    wish = world.wish(visit_on=date.fromordinal(last).isoformat(), cause="ACCIDENT")
    assert not may_book(world.actor("specialist"), wish, now=world.now)[1].refused


def test_listed_is_not_billed_directly(world: Rooms) -> None:
    """APP-01: the house is in the network and pays nothing in advance for this kind of visit."""
    world.list_hospital("CHC", "2026", "OUTPATIENT", direct_billing=[])
    assert world.reasons(world.ask(hospital="CHC")) == {"OTHER_SCOPE": "APP-01"}


def test_everything_against_it_is_said_at_once(world: Rooms) -> None:
    without_rider(world)
    case = world.ask(hospital="CHC", benefit="EYE", expert="张主任", channel="EMAIL")
    assert {"NO_RIDER", "EXPERT", "CHANNEL"} <= set(world.reasons(case))


def test_other_ways_for_vaccine_dental_and_eye_are_taken_with_a_warning(world: Rooms) -> None:
    """VAC-02: printed by phone only, and the mini-program is a way of the series."""
    case = world.ask(benefit="VACCINE", channel="MINIPROGRAM")
    assert case.state == "REQUESTED"
    assert [(one["code"], one["rule"]) for one in case.appointment.warnings] == [("OTHER_CHANNEL", "VAC-02")]
    assert world.ask(benefit="VACCINE", visit_on="2026-10-14").appointment.warnings == []


def test_a_listed_campus_speaks_for_itself(world: Rooms) -> None:
    """PR-09: a hospital answers for all its campuses, a campus for itself."""
    from apps.hospitals.models import Campus

    Campus.objects.create(hospital=Hospital.objects.get(code="PRI"), code="WEST", name="西院")
    assert world.ask(campus="WEST").state == "REJECTED"
    assert world.ask(campus="MAIN").state == "REQUESTED"


def test_eight_check_ups_a_period_booked_ones_included(world: Rooms) -> None:
    """HLC-01 with PR-17: counted before the ninth is booked."""
    first = world.ask(benefit="HEALTH_CHECK", visit_on="2026-10-13")
    assert first.state == "REQUESTED", first.appointment.reasons
    for day in range(14, 21):
        assert world.ask(benefit="HEALTH_CHECK", visit_on=f"2026-10-{day}").state == "REQUESTED"
    ninth = world.ask(benefit="HEALTH_CHECK", visit_on="2026-10-21")
    assert (ninth.state, world.reasons(ninth)) == ("REJECTED", {"CHECK_UPS": "HLC-01"})
    world.do(first, "cancel", by="specialist", reason="不去了", channel="HOTLINE")
    assert world.ask(benefit="HEALTH_CHECK", visit_on="2026-10-22").state == "REQUESTED"


def test_the_same_visit_is_asked_for_once(world: Rooms) -> None:
    first = world.ask()
    assert "BOOKED" in world.reasons(world.ask())
    assert first.state == "REQUESTED"


# --- Bad input, permissions, cost ---------------------------------------------------------------------


WRONG: list[Any] = [
    ({"visit_on": "2026-09-15"}, "visit_on", "past"),
    ({"visit_on": "2027-12-15"}, "visit_on", "too_far"),
    ({"hospital": "NONE"}, "hospital", "unknown_hospital"),
    ({"campus": "NONE"}, "campus", "unknown_campus"),
    ({"member": "NONE"}, "member", "unknown_member"),
    ({"time": "25:00"}, "time", "time"),
    ({"channel": "PIGEON"}, "channel", "unknown_code"),
    ({"complaint": ""}, "complaint", "required"),
    ({"channel": "HOSPITAL_DIRECT"}, "time", "required"),
]


def test_bad_input_is_named_and_stores_nothing(world: Rooms) -> None:
    for fields, field, code in WRONG:
        before = rows_of_every_table()
        with pytest.raises(InvalidInputs) as wrong:
            request_appointment(SYSTEM, data=world.request(**fields))
        assert (field, code) in {(error.field, error.code) for error in wrong.value.errors}
        assert rows_of_every_table() == before


def test_who_may_ask(world: Rooms) -> None:
    for actor in (world.actor("finance"), world.actor("mail"), world.machine(hospital="PRI")):
        with pytest.raises(NotAllowed):
            request_appointment(actor, data=world.request())
    family = world.machine("MEMBER_APP", member="M2026")
    assert request_appointment(family, data=world.request(channel="MINIPROGRAM")).state == "REQUESTED"
    with pytest.raises(InvalidInputs):  # somebody else's child
        request_appointment(family, data=world.request("2024"))


@pytest.mark.both_databases
def test_the_question_stores_nothing_and_both_are_cheap(world: Rooms, rulebook: Any) -> None:
    actor, before = world.actor("specialist"), rows_of_every_table()
    may_book(actor, world.wish(), now=world.now)  # warm: texts and calendar
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert not may_book(actor, world.wish(), now=world.now)[1].refused
    assert rows_of_every_table() == before
    assert len(asked) <= 10
    with CaptureQueriesContext(connection) as filed:
        case = request_appointment(actor, data=world.request(), now=world.now)
    assert len(filed) <= 24, [query["sql"][:120] for query in filed.captured_queries]
    look_up = NetworkLookup.objects.get(member="M2026")
    assert look_up.names("PRI")
    rulebook.read_back("NET-04", look_up.result)
    rulebook.read_back("APT-03", look_up.channel)
    assert CaseFile.objects.get(pk=case.pk).number.startswith("P26-")


def test_a_visit_booked_by_the_family_is_only_kept(world: Rooms) -> None:
    """NET-07: no message of success and no arrangement clock."""
    case = world.ask("2024", channel="HOSPITAL_DIRECT", time="10:15")
    assert (case.state, f"{case.appointment.visit_time:%H:%M}") == ("CONFIRMED", "10:15")
    assert not world.told(case)
    assert not Clock.objects.filter(case=case.pk).exists()
    refused = world.ask(channel="HOSPITAL_DIRECT", time="10:15")
    assert world.reasons(refused) == {"CHANNEL": "APT-04"}
