"""Deadlines: every worked example of sections 4 and 5, and a slow model beside the fast one."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.adjudication.clocks import (
    NEVER,
    Due,
    Pause,
    consult_due,
    due_at,
    earliest,
    in_time,
    last_day,
    local,
)
from apps.adjudication.errors import FactsError, HandbookError
from apps.adjudication.handbook import ClockSpec, Step
from apps.adjudication.tests.builders import CALENDAR, at, make_clock, make_handbook, printed


def clock(series: str, key: str, basis: int = 0) -> ClockSpec:
    return [spec for spec in printed(series).clocks if spec.key == key][basis]


# --- section 4: end of the day (24:00) --------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "series", "key", "which", "start", "day"),
    [
        ("DL-04 S09", "2024", "appointment.arrange", 0, "2024-09-30 17:00", "2024-10-09"),
        ("DL-07", "2024", "claim.internet_sending", 0, "2024-10-11 09:00", "2024-10-12"),
        ("DL-08", "2024", "claim.decision", 0, "2024-10-12 09:00", "2024-10-16"),
        ("DL-09", "2024", "claim.payment", 0, "2024-10-16 09:00", "2024-10-18"),
        ("DL-10 S30", "2024", "claim.decision", 2, "2024-09-27 10:00", "2024-10-16"),
        ("DL-11", "2024", "claim.decision", 1, "2024-09-27 10:00", "2024-10-08"),
        ("DL-12", "2024", "claim.payment", 1, "2024-10-08 10:00", "2024-10-10"),
        ("DL-28", "2026", "advance.first_call", 0, "2026-10-09 10:00", "2026-10-10"),
        ("DL-29", "2026", "advance.review", 0, "2026-09-30 10:00", "2026-10-09"),
        ("DL-30 S35", "2026", "advance.investigation", 0, "2026-09-18 10:00", "2026-10-15"),
        ("S35 before", "2026", "advance.review", 0, "2026-09-18 10:00", "2026-09-21"),
        ("DL-31 S34", "2026", "advance.payment", 0, "2026-10-09 16:00", "2026-10-10"),
        ("DL-33", "2026", "advance.settlement", 0, "2026-10-03 09:00", "2026-10-03"),
        ("DL-34", "2026", "claim.decision", 0, "2026-09-16 10:00", "2026-09-22"),
        ("S32 original", "2026", "claim.decision", 0, "2026-09-28 10:00", "2026-10-10"),
        ("DL-35", "2026", "claim.payment", 0, "2026-09-22 10:00", "2026-10-02"),
        ("DL-36 S40", "2026", "bill.grace", 0, "2026-09-28 10:00", "2026-10-08"),
        ("S56", "2026", "advance.review", 0, "2026-12-30 10:00", "2027-01-04"),
        ("LAW-04", "2026", "law.refusal", 0, "2026-09-28 10:00", "2026-10-01"),
        ("LAW-12", "2026", "law.rescission_bar", 0, "2024-02-29 10:00", "2026-02-28"),
    ],
)
def test_worked_examples_after(name: str, series: str, key: str, which: int, start: str, day: str) -> None:
    due = due_at(clock(series, key, which), at(start), CALENDAR)
    last = date.fromisoformat(day)
    assert due.day == last
    assert due.at == datetime.combine(last + timedelta(days=1), time(0), due.at.tzinfo)
    assert last_day(due.at) == last


@pytest.mark.parametrize(
    ("name", "series", "key", "visit", "due"),
    [
        ("DL-05", "2024", "appointment.cancel", "2024-10-14", "2024-10-12 16:00"),
        ("DL-06", "2024", "authorization.submission", "2026-10-12", "2026-10-10 00:00"),
        ("DL-20", "2026", "appointment.private_lead", "2026-10-08", "2026-10-06 00:00"),
        ("DL-21 S02", "2026", "appointment.public_lead", "2026-10-08", "2026-09-30 00:00"),
        ("DL-23 S04", "2026", "appointment.cancel", "2026-10-12", "2026-10-10 14:00"),
        ("S08 2024", "2024", "appointment.cancel", "2026-05-06", "2026-04-30 16:00"),
        ("S08 2026", "2026", "appointment.cancel", "2026-05-06", "2026-04-30 14:00"),
        ("DL-25 S12", "2026", "authorization.submission", "2026-10-08", "2026-09-24 00:00"),
        ("DL-25", "2026", "authorization.submission", "2026-10-12", "2026-09-30 00:00"),
        ("DL-32", "2026", "advance.discharge_notice", "2026-10-08", "2026-10-08 00:00"),
    ],
)
def test_worked_examples_before(name: str, series: str, key: str, visit: str, due: str) -> None:
    found = due_at(clock(series, key), date.fromisoformat(visit), CALENDAR)
    assert found.at == at(due)
    assert found.day == last_day(at(due))


@pytest.mark.parametrize(
    ("series", "key", "moment", "ok"),
    [
        ("2026", "appointment.public_lead", "2026-09-29 23:59", True),  # S02
        ("2026", "appointment.public_lead", "2026-09-30 09:00", False),  # S02
        ("2026", "appointment.cancel", "2026-10-10 13:59:59", True),  # S04
        ("2026", "appointment.cancel", "2026-10-10 14:00:00", False),  # S04
    ],
)
def test_in_time_before_a_visit(series: str, key: str, moment: str, ok: bool) -> None:
    visit = date(2026, 10, 8) if key.endswith("lead") else date(2026, 10, 12)
    spec = clock(series, key)
    assert in_time(spec, at(moment), due_at(spec, visit, CALENDAR)) is ok


@pytest.mark.parametrize(("series", "ok"), [("2024", True), ("2026", False)])
def test_s08_the_series_decides_the_cut_off_not_the_year(series: str, ok: bool) -> None:
    spec = clock(series, "appointment.cancel")
    assert in_time(spec, at("2026-04-30 15:00"), due_at(spec, date(2026, 5, 6), CALENDAR)) is ok


def test_s05_a_popular_hospital_never_relaxes_the_base_rule() -> None:
    visit = date(2026, 10, 8)
    base = due_at(clock("2026", "appointment.public_lead"), visit, CALENDAR)
    popular = due_at(clock("2026", "appointment.popular_lead"), visit, CALENDAR)
    assert popular.day == date(2026, 10, 1)
    assert earliest(base, popular).day == date(2026, 9, 29)


@pytest.mark.parametrize(("moment", "ok"), [("2026-10-03 22:15:00", True), ("2026-10-03 22:15:01", False)])
def test_s15_forty_eight_running_hours_include_the_end(moment: str, ok: bool) -> None:
    spec = clock("2026", "authorization.emergency_notice")
    due = due_at(spec, at("2026-10-01 22:15"), CALENDAR)
    assert due.inclusive
    assert in_time(spec, at(moment), due) is ok


def test_s40_the_card_stays_active_until_the_grace_is_over() -> None:
    spec = clock("2026", "bill.grace")
    due = due_at(spec, at("2026-09-28 10:00"), CALENDAR)
    assert due.at == at("2026-10-09 00:00")
    assert in_time(spec, at("2026-10-08 22:00"), due)


def test_s35_the_investigation_warns_on_day_seven() -> None:
    due = due_at(clock("2026", "advance.investigation"), at("2026-09-18 10:00"), CALENDAR)
    assert due.warn == at("2026-09-30 00:00")
    assert last_day(due.warn) == date(2026, 9, 29)


def test_dl35_target_and_due_of_the_payout() -> None:
    due = due_at(clock("2026", "claim.payment"), at("2026-09-22 10:00"), CALENDAR)
    assert due.target is not None
    assert last_day(due.target) == date(2026, 9, 24)
    assert due.day == date(2026, 10, 2)  # National Day: no roll-forward (C7)
    assert due.act_by == date(2026, 9, 30)  # PR-22


def test_pr22_no_act_by_on_a_working_day_or_for_working_day_clocks() -> None:
    assert due_at(clock("2026", "law.refusal"), at("2026-09-16 10:00"), CALENDAR).act_by == date(2026, 9, 18)
    assert due_at(clock("2026", "law.refusal"), at("2026-09-14 10:00"), CALENDAR).act_by is None
    assert due_at(clock("2026", "claim.decision"), at("2026-09-16 10:00"), CALENDAR).act_by is None


def test_s56_a_year_without_table_is_provisional_until_it_is_loaded() -> None:
    spec = clock("2026", "advance.review")
    due = due_at(spec, at("2026-12-30 10:00"), CALENDAR)
    assert due.provisional
    assert due.counted == (date(2026, 12, 31), date(2027, 1, 4))
    assert not due_at(spec, at("2026-12-29 10:00"), CALENDAR).provisional


def test_c3_the_day_of_the_event_is_day_zero_at_any_hour() -> None:
    spec = make_clock("k", 1, "workdays")
    early, late = (
        due_at(spec, at("2026-09-16 00:00"), CALENDAR),
        due_at(spec, at("2026-09-16 23:59"), CALENDAR),
    )
    assert early.at == late.at == at("2026-09-18 00:00")


def test_c1_instants_of_other_zones_count_in_shanghai() -> None:
    spec = make_clock("k", 1, "days")
    assert due_at(spec, datetime.fromisoformat("2026-01-31T16:00:01+00:00"), CALENDAR).day == date(2026, 2, 2)


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(FactsError):
        due_at(make_clock("k", 1, "days"), datetime(2026, 1, 1), CALENDAR)


def test_a_lead_of_months_and_of_nothing() -> None:
    assert due_at(make_clock("k", 1, "months", direction="before"), date(2026, 3, 31), CALENDAR).day == date(
        2026, 2, 28
    )
    assert due_at(make_clock("k", 0, "days", direction="before"), date(2026, 3, 31), CALENDAR).day == date(
        2026, 3, 31
    )


# --- the phone consult (VAS-10, VAS-11) -------------------------------------------------------


@pytest.mark.parametrize(
    ("received", "due", "key"),
    [
        ("2026-10-01 19:30", "2026-10-01 21:30", "consult.response"),  # DL-01: past closing, 2 h kept
        ("2026-10-01 19:59:59", "2026-10-01 21:59:59", "consult.response"),
        ("2026-10-01 20:00", "2026-10-02 11:00", "consult.late_response"),  # DL-02
        ("2026-10-01 23:10", "2026-10-02 11:00", "consult.late_response"),
        ("2026-10-01 00:30", "2026-10-01 10:00", "consult.response"),  # before opening
        ("2026-10-01 08:00", "2026-10-01 10:00", "consult.response"),
    ],
)
def test_vas11_consult(received: str, due: str, key: str) -> None:
    spec, found = consult_due(printed("2024"), at(received), CALENDAR)
    assert (spec.key, found.at) == (key, at(due))


def test_vas11_before_eleven_is_strict_and_two_hours_are_not() -> None:
    late, due = consult_due(printed("2024"), at("2026-10-01 20:00"), CALENDAR)
    assert not in_time(late, at("2026-10-02 11:00"), due)
    spec, due = consult_due(printed("2024"), at("2026-10-01 09:00"), CALENDAR)
    assert in_time(spec, at("2026-10-01 11:00"), due)


def test_a_series_without_phone_consult_says_so() -> None:
    with pytest.raises(HandbookError):
        consult_due(printed("2026"), at("2026-10-01 09:00"), CALENDAR)


# --- pauses (C12) -----------------------------------------------------------------------------


def pause(start: str, until: str | None = None) -> Pause:
    return Pause(at(start), at(until) if until else None)


def test_s32_a_dispute_uses_two_days_and_leaves_three() -> None:
    spec = clock("2026", "claim.decision")
    dispute = pause("2026-09-30 09:00", "2026-10-09 15:00")
    due = due_at(spec, at("2026-09-28 10:00"), CALENDAR, [dispute])
    assert due.day == date(2026, 10, 13)
    assert [day.isoformat() for day in due.counted] == [
        "2026-09-29", "2026-09-30", "2026-10-10", "2026-10-12", "2026-10-13",
    ]  # fmt: skip


def test_c12_an_open_pause_stands_still_and_tells_what_is_left() -> None:
    due = due_at(
        clock("2026", "claim.decision"), at("2026-09-28 10:00"), CALENDAR, [pause("2026-09-30 09:00")]
    )
    assert due.standing
    assert (due.left, due.at) == (3, NEVER)
    assert due.counted == (date(2026, 9, 29), date(2026, 9, 30))


def test_c12_a_pause_after_the_end_changes_nothing() -> None:
    spec = clock("2026", "claim.decision")
    due = due_at(spec, at("2026-09-16 10:00"), CALENDAR, [pause("2026-09-22 10:00")])
    assert (due.day, due.standing) == (date(2026, 9, 22), False)


@pytest.mark.parametrize(
    ("pauses", "day"),
    [
        ([("2026-09-17 09:00", "2026-09-17 18:00")], "2026-09-22"),  # within one day: nothing lost
        ([("2026-09-17 09:00", "2026-09-18 09:00")], "2026-09-23"),
        ([("2026-09-17 09:00", "2026-09-18 09:00"), ("2026-09-21 09:00", "2026-09-22 09:00")], "2026-09-24"),
        ([("2026-09-17 09:00", "2026-09-21 09:00"), ("2026-09-18 09:00", "2026-09-22 09:00")], "2026-09-29"),
        ([("2026-09-17 09:00", "2026-09-22 09:00"), ("2026-09-18 09:00", "2026-09-20 09:00")], "2026-09-29"),
    ],
)
def test_c12_several_and_overlapping_pauses(pauses: list[tuple[str, str]], day: str) -> None:
    due = due_at(
        clock("2026", "claim.decision"), at("2026-09-16 10:00"), CALENDAR, [pause(*one) for one in pauses]
    )
    assert due.day == date.fromisoformat(day)


def test_law02_the_statutory_clock_pauses_in_calendar_days() -> None:
    spec = clock("2026", "law.decision")
    due = due_at(spec, at("2026-09-01 10:00"), CALENDAR, [pause("2026-09-05 10:00", "2026-09-15 10:00")])
    assert due.day == date(2026, 10, 11)
    assert due_at(spec, at("2026-09-01 10:00"), CALENDAR).day == date(2026, 10, 1)


def test_a_pause_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(FactsError):
        due_at(
            make_clock("k", 5, "days"),
            at("2026-09-01 10:00"),
            CALENDAR,
            [pause("2026-09-05 10:00", "2026-09-04 10:00")],
        )


def test_hours_pause_by_the_minute() -> None:
    spec = make_clock("k", 4, "hours")
    pauses = [pause("2026-09-01 11:00", "2026-09-01 12:30"), pause("2026-09-01 12:00", "2026-09-01 13:00")]
    assert due_at(spec, at("2026-09-01 10:00"), CALENDAR, pauses).at == at("2026-09-01 16:00")
    assert due_at(spec, at("2026-09-01 10:00"), CALENDAR, [pause("2026-09-01 15:00")]).at == at(
        "2026-09-01 14:00"
    )
    standing = due_at(spec, at("2026-09-01 10:00"), CALENDAR, [pause("2026-09-01 11:30")])
    assert (standing.standing, standing.left) == (True, 3)


# --- steps ------------------------------------------------------------------------------------


def steps(due: Due) -> dict[str, datetime]:
    return {step.key: step.at for step in due.steps}


def test_steps_by_share_run_through_the_counted_days() -> None:
    spec = make_clock("k", 2, "workdays", steps=(
        Step("half", "REMIND", "ASSIGNEE", at=Decimal("0.5")),
        Step("three_quarters", "REMIND", "ASSIGNEE", at=Decimal("0.75")),
        Step("start", "REMIND", "ASSIGNEE", at=Decimal(0)),
        Step("end", "BREACH", "LEAD", at=Decimal(1)),
    ))  # fmt: skip
    due = due_at(spec, at("2026-09-30 10:00"), CALENDAR)
    assert steps(due) == {
        "start": at("2026-09-30 10:00"),
        "half": at("2026-10-09 00:00"),
        "three_quarters": at("2026-10-09 12:00"),
        "end": at("2026-10-10 00:00"),
    }
    assert [step.key for step in due.steps] == ["start", "half", "three_quarters", "end"]


def test_steps_by_offset_move_the_due_instant() -> None:
    spec = make_clock("k", 2, "workdays", steps=(
        Step("before", "REMIND", "ASSIGNEE", offset=-1, offset_unit="workdays"),
        Step("breach", "BREACH", "LEAD", offset=0, offset_unit="workdays"),
        Step("later", "ESCALATE", "MANAGER", offset=1, offset_unit="workdays"),
        Step("days", "ESCALATE", "MANAGER", offset=2, offset_unit="days"),
        Step("hours", "ESCALATE", "MANAGER", offset=3, offset_unit="hours"),
    ))  # fmt: skip
    assert steps(due_at(spec, at("2026-09-30 10:00"), CALENDAR)) == {
        "before": at("2026-10-09 00:00"),
        "breach": at("2026-10-10 00:00"),
        "hours": at("2026-10-10 03:00"),
        "later": at("2026-10-11 00:00"),  # 10 October is a make-up Saturday
        "days": at("2026-10-12 00:00"),
    }


def test_nothing_is_reminded_before_the_start() -> None:
    step = Step("before", "REMIND", "ASSIGNEE", offset=-9, offset_unit="days")
    due = due_at(make_clock("k", 2, "workdays", steps=(step,)), at("2026-09-16 10:00"), CALENDAR)
    assert steps(due)["before"] == at("2026-09-16 10:00")


def test_steps_of_hours_and_of_cut_offs() -> None:
    share = Step("most", "REMIND", "ASSIGNEE", at=Decimal("0.75"))
    assert steps(due_at(make_clock("k", 2, "hours", steps=(share,)), at("2026-09-16 10:00"), CALENDAR)) == {
        "most": at("2026-09-16 11:30")
    }
    early = Step("early", "REMIND", "MEMBER", offset=-1, offset_unit="days")
    spec = make_clock("k", 1, "workdays", direction="before", cutoff=time(14), steps=(early,))
    assert steps(due_at(spec, date(2026, 10, 12), CALENDAR)) == {"early": at("2026-10-09 14:00")}


def test_a_lead_time_has_no_share() -> None:
    share = Step("most", "REMIND", "ASSIGNEE", at=Decimal("0.75"))
    with pytest.raises(HandbookError):
        due_at(make_clock("k", 2, "days", direction="before", steps=(share,)), date(2026, 9, 16), CALENDAR)


def test_an_escalation_into_an_unpublished_year_is_marked_by_itself() -> None:
    step = Step("later", "ESCALATE", "MANAGER", offset=1, offset_unit="workdays")
    due = due_at(make_clock("k", 1, "workdays", steps=(step,)), at("2026-12-30 10:00"), CALENDAR)
    assert not due.provisional
    assert due.steps[0].provisional


# --- the slow model ---------------------------------------------------------------------------

STARTS = st.datetimes(datetime(2025, 6, 1), datetime(2027, 6, 1)).map(lambda moment: at(str(moment)))
OFFSETS = st.tuples(st.integers(-3, 40), st.integers(0, 20))


def slow_due(start: date, amount: int, working: bool, frozen: list[tuple[date, date]]) -> date:
    """Day by day: a day counts unless it lies in (pause, resume] or nobody works."""
    day, left = start, amount
    while left:
        day += timedelta(days=1)
        if any(first < day <= last for first, last in frozen):
            continue
        if not working or CALENDAR.is_workday(day):
            left -= 1
    return day


@given(STARTS, st.integers(0, 40), st.booleans(), st.lists(OFFSETS, max_size=4))
def test_the_fast_count_equals_the_obvious_one(
    start: datetime, amount: int, working: bool, pauses: list[tuple[int, int]]
) -> None:
    given_pauses = [
        Pause(start + timedelta(days=first), start + timedelta(days=first + length))
        for first, length in pauses
    ]
    frozen = [(local(p.start).date(), local(p.until).date()) for p in given_pauses if p.until]
    spec = make_clock("k", amount, "workdays" if working else "days")
    due = due_at(spec, start, CALENDAR, given_pauses)
    assert due.day == slow_due(start.date(), amount, working, frozen)
    assert len(due.counted) == amount
    assert list(due.counted) == sorted(set(due.counted))


@given(STARTS, st.integers(1, 40), st.lists(OFFSETS, max_size=4))
def test_a_pause_never_makes_a_promise_due_earlier(
    start: datetime, amount: int, pauses: list[tuple[int, int]]
) -> None:
    spec = make_clock("k", amount, "workdays")
    given_pauses = [Pause(start + timedelta(days=a), start + timedelta(days=a + b)) for a, b in pauses]
    assert due_at(spec, start, CALENDAR, given_pauses).at >= due_at(spec, start, CALENDAR).at


@given(STARTS, st.integers(1, 20), st.booleans())
def test_a_lead_keeps_the_distance(start: datetime, amount: int, working: bool) -> None:
    spec = make_clock("k", amount, "workdays" if working else "days", direction="before")
    due = due_at(spec, start.date(), CALENDAR)
    between = (due.day + timedelta(days=n) for n in range(1, (start.date() - due.day).days))
    assert sum(1 for day in between if not working or CALENDAR.is_workday(day)) == amount - 1


@given(STARTS, st.integers(1, 40))
def test_c6_in_time_is_exactly_before_the_due_instant(start: datetime, amount: int) -> None:
    spec = make_clock("k", amount, "workdays")
    due = due_at(spec, start, CALENDAR)
    assert in_time(spec, due.at - timedelta(microseconds=1), due)
    assert not in_time(spec, due.at, due)


def test_an_unknown_clock_set_is_named() -> None:
    with pytest.raises(HandbookError):
        consult_due(make_handbook(), at("2026-10-01 09:00"), CALENDAR)
