"""From the request to the visit, and every way out: who may, when, and who hears of it (machine (a))."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.actors import SYSTEM
from apps.appointments.actions.bans import lift_ban
from apps.appointments.models import Appointment, HospitalBan
from apps.appointments.queries import appointment_missing, arrivals, completed_visit, missed
from apps.appointments.tasks import remind_of_appointments, sweep_appointments
from apps.appointments.tests.world import Rooms, at, days
from apps.appointments.timing import cutoff_of
from apps.authorizations.models import Authorization
from apps.authorizations.workflow import AuthorizationFlow
from apps.cards.actions import grey, restore
from apps.cases.engine import perform
from apps.cases.models import CaseFile, Clock
from apps.claims.tests.world import SHANGHAI
from apps.core.errors import Blocked, DomainError, InvalidInput, InvalidInputs, NotAllowed
from apps.hospitals.models import Hospital
from apps.members.models import Policy
from apps.products.calendars import working_calendar

# --- To the confirmation ------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_confirmed_once_with_one_message(world: Rooms) -> None:
    """APT-21: 2024 by SMS, once a confirmation; 2026 a notice of our own with the advised arrival (VIS-02, DL-24)."""
    for series, channel in (("2024", "SMS"), ("2026", "EMAIL")):
        case = world.confirmed(series)
        with pytest.raises(Blocked):
            world.do(case, "confirm", by="specialist", time="09:30")
        told = world.told(case)
        assert [(message.channel, message.idempotency_key) for message in told] == [
            (channel, f"{case.number}:confirmed:1")
        ]
        assert "09:30" in told[0].body
        assert ("09:20" in told[0].body) is (series == "2026")
        assert "¥" not in told[0].body


def test_rules_that_only_record_are_read_back(world: Rooms, rulebook: Any) -> None:
    old, new = world.confirmed("2024"), world.confirmed()
    rulebook.read_back("APT-21", world.told(old)[0].body)
    rulebook.read_back("VIS-02", "09:20" in world.told(new)[0].body)
    rulebook.read_back("APP-01", new.appointment.visit_type)
    rulebook.read_back("DL-24", "09:20" in world.told(new)[0].body)
    case = world.do(
        new, "cancel", by="specialist", reason="x1", channel="HOTLINE", now=at("2026-10-12 15:00")
    )
    rulebook.read_back("APT-12", [row.count for row in missed(world.actor("boss"))])
    assert case.state == "CANCELLED_LATE"


def test_the_arrangement_clock_of_2024_stops_with_the_answer(world: Rooms) -> None:
    """DL-04."""
    case = world.ask("2024", hospital="PUB")
    assert Clock.objects.get(case=case.pk).day == date(2026, 9, 18)
    world.do(case, "accept", by="specialist")
    world.do(case, "confirm", by="specialist", time="09:30", now=at("2026-09-18 23:59:59"))
    clock = Clock.objects.get(case=case.pk)
    assert (clock.state, clock.breached) == ("STOPPED", False)


def test_a_stay_is_confirmed_on_an_authorization_or_in_an_emergency(world: Rooms) -> None:
    case = world.do(world.ask(visit_type="INPATIENT"), "accept", by="specialist")
    with pytest.raises(Blocked) as refused:
        world.do(case, "confirm", by="specialist", time="09:30")
    assert (refused.value.code, refused.value.rule) == ("authorization", "PA-01")
    promise = AuthorizationFlow.objects.create(
        number="A26-000901", kind="authorization", state="LETTER_SENT", series="2026", handbook=case.handbook,
        member=case.member, policy=case.policy, hospital=case.hospital, opened_at=world.now,
    )  # fmt: skip
    Authorization.objects.create(
        case=promise, channel="HOTLINE", submitter="STAFF", department="儿外科", visit_type="INPATIENT",
        benefit="INPATIENT", diagnosis="K35", diagnosis_name="阑尾炎", treatment="手术", planned_on=date(2026, 10, 13),
        valid_from=date(2026, 10, 12), valid_until=date(2026, 10, 13),
    )  # fmt: skip
    case = world.do(case, "confirm", by="specialist", time="09:30")
    assert (case.state, case.appointment.authorization) == ("CONFIRMED", "A26-000901")
    urgent = world.do(
        world.ask(visit_type="INPATIENT", emergency=True, hospital="OTH"), "accept", by="specialist"
    )
    assert world.do(urgent, "confirm", by="specialist", time="09:30").state == "CONFIRMED"


def test_unavailable_offers_where_it_is_billed_directly_that_day(world: Rooms) -> None:
    case = world.do(world.ask(), "accept", by="specialist")
    case = world.do(case, "unavailable", by="specialist", reason="当日无号")
    assert case.appointment.alternatives[0] == "PR2"  # the same brand first
    assert set(case.appointment.alternatives) == {"PR2", "OTH", "PUB", "POP"}
    assert "悦安二店" in world.told(case)[-1].body
    assert (case.state, case.open) == ("UNAVAILABLE", False)


# --- Cut-off (DL-05, DL-23) ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("series", "visit_on", "moment", "state", "rule"),
    [
        ("2026", "2026-10-12", "2026-10-10 13:59:59", "CANCELLED_ON_TIME", "APT-11"),  # S04: not Friday
        ("2026", "2026-10-12", "2026-10-10 14:00:00", "CANCELLED_LATE", "APT-11"),
        ("2024", "2026-10-12", "2026-10-10 15:59:59", "CANCELLED_ON_TIME", "APT-24"),
        ("2024", "2026-10-12", "2026-10-10 16:00:00", "CANCELLED_LATE", "APT-24"),
    ],
)
def test_canceled_to_the_second(
    world: Rooms, series: str, visit_on: str, moment: str, state: str, rule: str
) -> None:
    case = world.confirmed(series, hospital="PUB", visit_on=visit_on)
    case = world.do(case, "cancel", by="specialist", reason="孩子已好转", channel="HOTLINE", now=at(moment))
    late = state == "CANCELLED_LATE"
    event = case.events.get(name="canceled")  # type: ignore[attr-defined]
    assert (case.state, case.open, case.appointment.flagged) == (state, False, late)
    assert (event.data["late"], event.data["rule"]) == (late, rule)
    assert len(world.calls(case)) == 1  # the hospital is called
    assert ("自行承担" in world.told(case)[-1].body) is late
    assert [row.count for row in missed(world.actor("boss"))] == ([1] if late else [])


def test_the_series_decides_not_the_year(world: Rooms) -> None:
    """S08: the visit is on Wed 2026-05-06, canceled on Thu 2026-04-30 at 15:00."""
    for series, state in (("2024", "CANCELLED_ON_TIME"), ("2026", "CANCELLED_LATE")):
        case = world.confirmed(series, hospital="PUB", visit_on="2026-05-06", now=at("2026-04-20 09:00"))
        moment = at("2026-04-30 15:00")
        assert (
            world.do(case, "cancel", by="specialist", reason="改期", channel="HOTLINE", now=moment).state
            == state
        )


def test_2024_takes_it_by_the_hotline_and_binds_public_houses_only(world: Rooms) -> None:
    """APT-24: validated at public hospitals; at private ones it is advice."""
    public = world.confirmed("2024", hospital="PUB")
    with pytest.raises(Blocked) as refused:
        world.do(public, "cancel", by="specialist", reason="改期", channel="ONLINE")
    assert (refused.value.field, refused.value.rule) == ("channel", "APT-24")
    private = world.confirmed("2024")
    late = at("2026-10-12 23:00")
    assert world.do(private, "cancel", by="specialist", reason="改期", channel="ONLINE", now=late).state == (
        "CANCELLED_ON_TIME"
    )


def test_what_is_not_booked_yet_goes_without_consequences(world: Rooms) -> None:
    case = world.ask()
    case = world.do(
        case, "cancel", by="specialist", reason="改期", channel="HOTLINE", now=at("2026-10-12 23:00")
    )
    assert (case.state, world.calls(case)) == ("CANCELLED_ON_TIME", [])


def plain_cutoff(day: date, hour: int, off: set[date], work: set[date]) -> datetime:
    """The obvious model: go back day by day until somebody works."""
    day -= days(1)
    while not (day in work or (day.weekday() < 5 and day not in off)):
        day -= days(1)
    return datetime(day.year, day.month, day.day, hour, tzinfo=SHANGHAI)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])  # only read
@given(data=st.data())
def test_the_cutoff_is_the_hour_of_the_last_working_day_before(
    cutoffs: tuple[Any, Any, Any, Any], data: Any
) -> None:
    """APT-11, APT-24 against the obvious model, to the second on both sides."""
    handbooks, hospital, calendar, _world = cutoffs
    visit = data.draw(st.dates(date(2026, 1, 8), date(2026, 12, 30)))
    series, hour = data.draw(st.sampled_from([("2024", 16), ("2026", 14)]))
    found = cutoff_of(handbooks[series], hospital, visit, calendar)
    assert found is not None
    assert found.at == plain_cutoff(visit, hour, set(calendar.off), set(calendar.work))
    seconds = data.draw(st.integers(-86_400, 86_400))
    assert found.passed(found.at + timedelta(seconds=seconds)) is (seconds >= 0)


@pytest.fixture
def cutoffs(world: Rooms) -> Any:
    handbooks = {name: world.handbook(name).handbook for name in ("2024", "2026")}
    return handbooks, Hospital.objects.get(code="PUB"), working_calendar(), world


# --- Another day --------------------------------------------------------------------------------------


def test_2024_is_moved_before_the_cutoff_and_arranged_again(world: Rooms) -> None:
    case = world.confirmed("2024", hospital="PUB")
    move = {"visit_on": "2026-10-20", "reason": "上学", "channel": "HOTLINE"}
    with pytest.raises(Blocked) as late:
        world.do(case, "reschedule", by="specialist", now=at("2026-10-12 16:00:00"), **move)
    assert (late.value.code, late.value.rule) == ("cutoff", "APT-24")
    case = world.do(case, "reschedule", by="specialist", now=at("2026-10-12 15:59:59"), **move)
    assert (case.state, case.appointment.visit_on, case.appointment.visit_time) == (
        "ARRANGING",
        date(2026, 10, 20),
        None,
    )
    assert Clock.objects.filter(case=case.pk, state="RUNNING", key="appointment.arrange").count() == 1
    case = world.do(case, "confirm", by="specialist", time="10:00", now=at("2026-10-13 09:00"))
    keys = [message.idempotency_key.split(":", 1)[1] for message in world.told(case)]
    assert [key for key in keys if key.startswith("confirmed")] == ["confirmed:1", "confirmed:2"]


def test_2026_is_canceled_and_asked_for_anew(world: Rooms) -> None:
    case = world.confirmed()
    move = {"visit_on": "2026-10-20", "reason": "上学", "channel": "HOTLINE"}
    old = world.do(case, "reschedule", by="specialist", now=at("2026-10-12 13:59:59"), **move)
    new = world.see(old.replaced_by.case)  # type: ignore[attr-defined]
    assert (old.state, new.state, new.appointment.visit_on) == (
        "CANCELLED_ON_TIME",
        "REQUESTED",
        date(2026, 10, 20),
    )
    assert new.appointment.complaint == old.appointment.complaint
    late = world.confirmed(hospital="OTH")
    old = world.do(late, "reschedule", by="specialist", now=at("2026-10-12 14:00:00"), **move)
    assert old.state == "CANCELLED_LATE"


def test_a_new_day_that_a_rule_refuses_leaves_the_old_one(world: Rooms) -> None:
    case = world.confirmed()
    tries = [
        ({"visit_on": "2027-03-01"}, "NO_POLICY", "C9"),
        ({"visit_on": "2026-09-18"}, "LATE", "APT-07"),
        ({"visit_on": "2026-10-20", "channel": "EMAIL"}, "CHANNEL", "APT-04"),
    ]
    for fields, code, rule in tries:
        move = {"reason": "上学", "channel": "HOTLINE"} | fields
        with pytest.raises(Blocked) as refused:
            world.do(case, "reschedule", by="specialist", **move)
        assert (refused.value.code, refused.value.rule) == (code, rule)
    assert world.see(case).state == "CONFIRMED"
    assert CaseFile.objects.filter(kind="appointment").count() == 1


# --- The visit ----------------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_the_visit_is_made_and_told_upwards(world: Rooms) -> None:
    case = world.visited(benefit="VACCINE")
    assert (case.state, case.open) == ("COMPLETED", False)
    visit = completed_visit(case)
    assert (visit.benefit, visit.hospital.code, visit.shown_id_type, visit.id_photo) == (
        "VACCINE",
        "PRI",
        "PASSPORT",
        True,
    )
    assert visit.form_signed
    assert visit.receipt_signed
    assert visit.card_number == world.card(case).number
    assert case.events.filter(name="visit_completed").count() == 1  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="no visit"):
        completed_visit(world.confirmed(hospital="OTH"))


def test_card_and_identity_are_checked_on_the_day(world: Rooms) -> None:
    """VIS-01, VIS-04, APT-05, CRD-02: the patient's own card, on its day, with a photo paper as enrolled."""
    case = world.confirmed()
    with pytest.raises(Blocked) as early:
        world.do(
            case, "check_in", by="specialist", card=world.card(case).number, id_type="PASSPORT", photo=True
        )
    assert (early.value.code, early.value.rule) == ("other_day", "APT-05")
    other = world.policy_of("2024").card.number  # type: ignore[attr-defined]
    tries: list[tuple[dict[str, Any], str, str]] = [
        ({"card": other}, "other_card", "VIS-04"),
        ({"id_type": "BIRTH_CERTIFICATE"}, "identity", "VIS-01"),
        ({"photo": False}, "identity", "VIS-01"),
    ]
    for shown, code, rule in tries:
        with pytest.raises(Blocked) as refused:
            world.here(case, **shown)
        assert (refused.value.code, refused.value.rule) == (code, rule)
    with pytest.raises(InvalidInput):
        world.here(case, card="123")
    with pytest.raises(NotAllowed):
        world.here(case, photo=False, override_reason="新生儿，仅有出生证")
    case = world.here(case, by="lead", photo=False, override_reason="新生儿，仅有出生证")
    assert (case.state, case.appointment.id_override) == ("CHECKED_IN", "新生儿，仅有出生证")
    assert world.here(world.confirmed("2024"), id_type="BIRTH_CERTIFICATE", photo=False).state == "CHECKED_IN"


def test_form_and_receipt_are_signed(world: Rooms) -> None:
    """APT-06 (VAC-03 for the bill of a vaccination); 2024: DBO-02, VAC-21."""
    for series, rules in (("2026", {"APT-06", "VAC-03"}), ("2024", {"DBO-02", "VAC-21"})):
        case = world.here(world.confirmed(series, benefit="VACCINE"))
        with pytest.raises(InvalidInputs) as unsigned:
            world.do(case, "complete", by="specialist", now=world.morning(case), signed_by="王建国")
        assert {error.rule for error in unsigned.value.errors} == rules
    assert world.do(case, "undo_check_in", by="specialist", reason="登记错人").appointment.card is None


def test_hospitals_do_what_is_theirs_and_nothing_else(world: Rooms) -> None:
    own, other = world.machine(hospital="PRI"), world.machine(hospital="OTH")
    case = world.do(world.ask(), "accept", by="specialist")
    with pytest.raises(DomainError):
        perform(case.number, "confirm", other, time="09:30")
    perform(case.number, "confirm", own, time="09:30")
    with pytest.raises(NotAllowed):
        perform(case.number, "reject", own, reason="没有号")
    morning = world.morning(case)
    card = world.card(case).number
    perform(case.number, "check_in", own, now=morning, card=card, id_type="PASSPORT", photo=True)
    perform(
        case.number, "complete", own, now=morning, form_signed=True, receipt_signed=True, signed_by="王建国"
    )
    assert world.see(case).state == "COMPLETED"


# --- Brands (S48) -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("series", "rule"), [("2026", "VAC-04"), ("2024", "VAC-22")])
def test_the_first_visit_made_ties_the_brand(world: Rooms, series: str, rule: str) -> None:
    """S48: not the booking; a branch of the same brand serves."""
    booked = world.ask(series, benefit="VACCINE", hospital="OTH")
    elsewhere = world.confirmed(series, benefit="VACCINE", hospital="OTH", visit_on="2026-10-20")
    world.do(booked, "cancel", by="specialist", reason="改约", channel="HOTLINE")
    case = world.visited(series, benefit="VACCINE", visit_on="2026-10-14")
    lock = case.policy.brand_locks.get()  # type: ignore[attr-defined]
    assert (lock.brand, lock.benefit, lock.visit) == ("悦安", "VACCINE", case.number)
    later = {"visit_on": "2026-11-10", "benefit": "VACCINE"}
    assert world.reasons(world.ask(series, hospital="OTH", **later)) == {"BRAND": rule}
    assert world.ask(series, hospital="PR2", **later).state == "REQUESTED"
    assert world.ask(series, hospital="OTH", visit_on="2026-11-11").state == "REQUESTED"  # another benefit
    with pytest.raises(Blocked) as refused:  # booked before the lock
        world.here(elsewhere)
    assert refused.value.rule == rule


# --- By itself ----------------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_nobody_came(world: Rooms) -> None:
    """NO_SHOW by the sweep after the day; counted, shown to a manager, not a ban; a mistake is taken back."""
    case = world.confirmed()
    with time_machine.travel(at("2026-10-13 23:59:59"), tick=False):
        assert sweep_appointments() == 0
    with time_machine.travel(at("2026-10-14 00:00:10"), tick=False):
        assert sweep_appointments() == 1
        assert sweep_appointments() == 0
    case = world.see(case)
    assert (case.state, case.appointment.flagged) == ("NO_SHOW", True)
    again = world.ask(visit_on="2026-10-27")
    assert [(one["code"], one["rule"]) for one in again.appointment.warnings] == [("MISSED", "APT-12")]
    with pytest.raises(NotAllowed):
        world.do(case, "review_missed", by="specialist", decision="BAN", reason="多次爽约")
    world.do(case, "review_missed", by="boss", decision="BAN", reason="多次爽约")
    assert world.reasons(world.ask(visit_on="2026-10-28")) == {"BANNED": "APT-12"}
    assert missed(world.actor("boss")) == []
    case = world.do(case, "found_present", by="boss", reason="医院补交签到记录")
    assert (case.state, case.open) == ("CHECKED_IN", True)


def test_a_ban_is_the_hospitals_in_2024(world: Rooms) -> None:
    """APT-25: recorded when the hospital tells, never by counting; one open ban a child and house."""
    case = world.confirmed("2024", hospital="PUB")
    told = {"since": "2026-09-10", "reason": "医院来函：两次爽约"}
    case = world.do(case, "record_ban", by="specialist", **told)
    assert HospitalBan.objects.get().source == "HOSPITAL"
    with pytest.raises(Blocked):
        world.do(case, "record_ban", by="specialist", **told)
    assert world.reasons(world.ask("2024", hospital="PUB", visit_on="2026-11-03")) == {"BANNED": "APT-25"}
    assert world.ask("2024", hospital="POP", visit_on="2026-11-03").state == "REQUESTED"
    with pytest.raises(NotAllowed):
        lift_ban(world.actor("specialist"), HospitalBan.objects.get(), reason="已和解")
    lift_ban(world.actor("lead"), HospitalBan.objects.get(), reason="已和解")
    assert world.ask("2024", hospital="PUB", visit_on="2026-11-03").state == "REQUESTED"
    with pytest.raises(Blocked) as refused:
        world.do(world.confirmed(hospital="OTH"), "record_ban", by="specialist", **told)
    assert refused.value.code == "no_list"


def test_a_greyed_card_suspends_and_payment_restores(
    world: Rooms, django_capture_on_commit_callbacks: Any
) -> None:
    """At once, by what the card tells; the sweep makes up for what a crash left (below)."""
    case = world.confirmed()
    with django_capture_on_commit_callbacks(execute=True):
        card = grey(SYSTEM, world.card(case), reason="自付账单未付", rule="BIL-03")
    case = world.see(case)
    assert (case.state, case.appointment.remind_at) == ("SUSPENDED", None)
    assert "已暂停" in world.told(case)[-1].subject
    with pytest.raises(Blocked):
        world.do(case, "restore", by="lead")
    with django_capture_on_commit_callbacks(execute=True):
        restore(SYSTEM, card, reason="账单已付清")
    case = world.see(case)
    assert (case.state, case.appointment.remind_at) == ("CONFIRMED", at("2026-10-12 10:00"))
    assert "已恢复" in world.told(case)[-1].subject


def test_a_suspended_one_ends_when_its_slot_must_be_given_back(world: Rooms) -> None:
    case = world.confirmed()
    grey(SYSTEM, world.card(case), reason="自付账单未付", rule="BIL-03")
    sweep_appointments()
    for moment, state in (("2026-10-12 13:59:59", "SUSPENDED"), ("2026-10-12 14:00:00", "CANCELLED_SYSTEM")):
        with time_machine.travel(at(moment), tick=False):
            sweep_appointments()
        assert world.see(case).state == state
    assert len(world.calls(case)) == 1


def test_a_policy_that_ends_takes_its_appointments_along(world: Rooms) -> None:
    booked, asked = world.confirmed(), world.ask(hospital="OTH", visit_on="2026-11-02")
    Policy.objects.filter(series="2026").update(ended_on="2026-10-01", status="TERMINATED")
    assert sweep_appointments() == 2
    assert (world.see(booked).state, world.see(asked).state) == ("CANCELLED_SYSTEM", "CANCELLED_SYSTEM")
    assert "保障" in world.told(booked)[-1].body or "cover" in world.told(booked)[-1].body
    assert world.see(booked).events.filter(name="suspended").exists()  # type: ignore[attr-defined]


def test_reminded_once_before_the_cutoff(world: Rooms) -> None:
    """Own addition: four hours before 14:00 of the working day before."""
    case = world.confirmed()
    assert case.appointment.remind_at == at("2026-10-12 10:00")
    for moment, sent in (("2026-10-12 09:59:59", 0), ("2026-10-12 10:00:00", 1), ("2026-10-12 10:05:00", 0)):
        with time_machine.travel(at(moment), tick=False):
            assert remind_of_appointments() == sent
    assert world.told(case)[-1].idempotency_key == f"{case.number}:reminder:20261013"
    Appointment.objects.filter(case=case.pk).update(remind_at=at("2026-10-12 10:00"))
    with time_machine.travel(at("2026-10-12 14:00:00"), tick=False):
        assert remind_of_appointments() == 0  # too late to help


# --- Reads --------------------------------------------------------------------------------------------


def test_a_public_house_of_2024_needs_the_appointment(world: Rooms) -> None:
    """APT-20, CRD-21."""
    policy, day = world.policy_of("2024"), date(2026, 10, 13)
    handbook = world.handbook("2024").handbook
    public, private = (Hospital.objects.get(code=code) for code in ("PUB", "PRI"))
    assert appointment_missing(handbook, policy.pk, public, day)
    assert not appointment_missing(handbook, policy.pk, private, day)
    world.confirmed("2024", hospital="PUB")
    assert not appointment_missing(handbook, policy.pk, public, day)
    assert not appointment_missing(world.handbook("2026").handbook, policy.pk, public, day)


def test_arrivals_of_a_day_by_time_and_house(world: Rooms) -> None:
    late = world.confirmed(hospital="OTH")
    early = world.do(
        world.do(world.ask(), "accept", by="specialist"), "confirm", by="specialist", time="08:00"
    )
    day = date(2026, 10, 13)
    assert [row.case.number for row in arrivals(world.actor("specialist"), day)] == [
        early.number,
        late.number,
    ]
    assert [row.case.number for row in arrivals(world.actor("specialist"), day, hospital="OTH")] == [
        late.number
    ]
    assert arrivals(world.actor("specialist"), day + days(1)) == []
    assert [row.pk for row in arrivals(world.machine(hospital="PRI"), day)] == [early.pk]
