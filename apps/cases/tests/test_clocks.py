"""Promises on cases: started, paused, resumed and stopped by events; contract and law side by side."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from apps.adjudication.clocks import Pause, due_at
from apps.cases import clocks, subscribers, tasks
from apps.cases.models import CaseFile, Clock, ClockPause
from apps.claims.tests.world import SHANGHAI, World
from apps.products.actions import load_calendar
from apps.products.models import CalendarDay, CalendarYear
from apps.products.queries import working_calendar

pytestmark = pytest.mark.both_databases
PAPER = {"kind": "CLAIM_FORM", "form": "E_SIGNED"}
NEW_YEAR = datetime(2026, 12, 29, 10, 0, tzinfo=SHANGHAI)


@pytest.fixture(autouse=True)
def calendar(db: None) -> None:
    load_calendar([2026, 2027])


def states(case: CaseFile) -> dict[str, str]:
    return {clock.key: clock.state for clock in Clock.objects.filter(case=case).order_by("pk")}


def running(case: CaseFile) -> set[str]:
    return {key for key, state in states(case).items() if state == "RUNNING"}


def with_papers(world: World, series: str = "2026", **fields: Any) -> CaseFile:
    return world.claim(series=series, papers=[PAPER], **fields)


# --- Start -----------------------------------------------------------------------------------


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_law_02_the_first_papers_start_the_statutory_clocks_beside_the_contract(
    world: World, series: str
) -> None:
    case = with_papers(world, series)
    assert running(case) == {"claim.small_notice", "law.decision", "law.undisputed"}
    world.papers(case)
    case = world.do(case, "check_materials", by="intake")
    assert running(case) == {"claim.decision", "law.decision", "law.undisputed"}
    assert {clock.key: clock.statutory for clock in case.clocks.filter(state="RUNNING")} == {
        "claim.decision": False, "law.decision": True, "law.undisputed": True,
    }  # fmt: skip


def test_no_papers_no_statutory_clock(world: World) -> None:
    assert running(world.claim()) == {"claim.small_notice"}


@pytest.mark.parametrize(("amount", "starts"), [("3000.00", True), ("3000.01", False)])
def test_pr_21_the_conditions_of_a_clock_decide_whether_it_starts(
    world: World, amount: str, starts: bool
) -> None:
    case = world.claim(world.visit([world.bill(amount)]))
    assert ("claim.small_notice" in running(case)) is starts


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_a_row_keeps_what_the_pure_function_counts(world: World, series: str) -> None:
    case = world.complete(series=series)
    clock = world.clock(case, "claim.decision")
    spec = clocks.spec_of(case.handbook.handbook, clock)
    due = due_at(spec, world.now, working_calendar())
    assert (clock.due_at, clock.day, clock.provisional) == (due.at, due.day, due.provisional)
    assert [step["key"] for step in clock.schedule] == [step.key for step in due.steps]
    assert clock.next_at == due.steps[0].at
    assert clock.started_at == world.now


def test_s21_five_working_days_cross_the_weekend_worked_on_sunday(world: World) -> None:
    """C2: complete on Wed 2026-09-16; Sun 2026-09-20 is worked, so Tue 2026-09-22 is the fifth day."""
    clock = world.clock(world.complete(), "claim.decision")
    assert clock.day == date(2026, 9, 22)
    assert clock.due_at == datetime(2026, 9, 23, tzinfo=SHANGHAI)


def test_a_clock_starts_when_it_happened_not_when_it_was_typed(world: World) -> None:
    arrived = world.now - timedelta(days=2)
    case = world.do(
        world.claim(world.visit([world.bill("12000.00")])), "log_originals", by="mail", arrived_at=arrived
    )
    assert world.clock(case, "law.decision").started_at == arrived


def test_a_clock_that_runs_is_not_started_again(world: World) -> None:
    case = with_papers(world)
    first = world.clock(case, "law.decision")
    case = world.do(
        case, "attach_paper", by="intake", kind="MEDICAL_RECORD", form="ORIGINAL", now=world.later(days=3)
    )
    assert world.clock(case, "law.decision") == first
    with pytest.raises(IntegrityError), transaction.atomic():
        Clock.objects.create(
            case=case, key="law.decision", started_at=world.now, due_at=world.now, day=world.now.date()
        )


# --- Stop ------------------------------------------------------------------------------------


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_law_03_deciding_stops_the_decision_clocks_and_starts_those_of_the_payment(
    world: World, series: str
) -> None:
    case = with_papers(world, series)
    world.papers(case)
    case = world.do(world.do(world.do(case, "check_materials", by="intake"), "start_review"), "decide")
    assert running(case) == {"claim.payment", "law.payment"}
    for key in ("claim.decision", "law.decision", "law.undisputed"):
        clock = world.clock(case, key)
        assert (clock.state, clock.stopped_at, clock.next_at, clock.breached) == (
            "STOPPED",
            world.now,
            None,
            False,
        )
    case = world.pay(case)
    assert running(case) == set()
    assert case.next_due is None


def test_a_promise_kept_too_late_is_marked(world: World) -> None:
    case, late = world.review(), world.later(days=30)
    case = world.do(case, "decide", now=late)
    assert world.clock(case, "claim.decision").breached
    assert not world.clock(case, "claim.payment").breached


@pytest.mark.parametrize(("minutes", "breached"), [(-1, False), (0, True), (1, True)])
def test_c6_the_last_day_is_over_at_its_end(world: World, minutes: int, breached: bool) -> None:
    """Due at 24:00 of the last day: acting then is acting on the next day."""
    case = world.review()
    due = world.clock(case, "claim.decision").due_at
    case = world.do(case, "decide", now=due + timedelta(minutes=minutes))
    assert world.clock(case, "claim.decision").breached is breached


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_withdrawing_ends_every_promise(world: World, series: str) -> None:
    case = world.do(with_papers(world, series), "withdraw", reason="reported twice")
    assert running(case) == set()
    assert case.next_due is None


# --- Pause and resume ------------------------------------------------------------------------


def asked(world: World, series: str) -> CaseFile:
    return world.do(with_papers(world, series), "check_materials", by="intake")


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_law_02_the_clock_stands_still_from_the_day_the_notice_arrives(world: World, series: str) -> None:
    case = asked(world, series)
    assert states(case)["law.decision"] == "RUNNING"
    reached, back = world.later(days=1), world.later(days=8)
    case = world.do(case, "supplement_delivered", by="system", at=reached, evidence="SMS 1", now=reached)
    clock = world.clock(case, "law.decision")
    assert (clock.state, clock.next_at) == ("PAUSED", None)
    assert states(case)["law.undisputed"] == "RUNNING"  # LAW-05 prints no pause
    before = clock.due_at
    case = world.do(case, "papers_arrived", by="intake", now=back)
    clock.refresh_from_db()
    span = ClockPause.objects.get(clock=clock)
    assert (clock.state, span.reason, span.started_at, span.ended_at) == (
        "RUNNING",
        "missing_papers",
        reached,
        back,
    )
    assert span.evidence == "SMS 1"
    assert span.paper.startswith("一次性补充材料通知书") or "L26" in span.paper
    assert span.end_evidence
    spec = clocks.spec_of(case.handbook.handbook, clock)
    assert (
        clock.due_at == due_at(spec, clock.started_at, working_calendar(), [Pause(reached, back)]).at > before
    )


@pytest.mark.parametrize(("series", "state"), [("2024", "RUNNING"), ("2026", "PAUSED")])
def test_pr_04_a_dispute_stops_only_the_clocks_whose_series_prints_it(
    world: World, series: str, state: str
) -> None:
    case = with_papers(world, series)
    world.papers(case)
    case = world.do(world.do(case, "check_materials", by="intake"), "start_review")
    case = world.do(case, "open_dispute", by="supervisor", reason="whose child?")
    assert states(case)["claim.decision"] == state
    assert states(case)["law.decision"] == "RUNNING"
    case = world.do(case, "close_dispute", by="senior", reason="settled", now=world.later(days=7))
    assert states(case)["claim.decision"] == "RUNNING"


def test_a_pause_ends_only_for_its_own_reason(world: World) -> None:
    case = world.review()
    case = world.do(case, "open_dispute", by="supervisor", reason="whose child?")
    case = world.do(case, "attach_paper", by="intake", kind="MEDICAL_RECORD", form="ORIGINAL")
    assert states(case)["claim.decision"] == "PAUSED"


def test_the_next_due_is_the_earliest_of_the_running_clocks(world: World) -> None:
    case = world.review(papers=[PAPER])
    contract, law = world.clock(case, "claim.decision"), world.clock(case, "law.decision")
    assert case.next_due == contract.due_at < law.due_at
    case = world.do(case, "open_dispute", by="supervisor", reason="whose child?")
    assert case.next_due == law.due_at
    case = world.do(case, "close_dispute", by="senior", reason="settled", now=world.later(days=2))
    assert case.next_due == world.clock(case, "claim.decision").due_at > contract.due_at


def test_steps_carried_out_before_a_pause_are_not_repeated_after_it(world: World) -> None:
    case = world.review()
    clock = world.clock(case, "claim.decision")
    assert clocks.sweep(clock.next_at) == 1
    world.do(case, "open_dispute", by="supervisor", reason="whose child?", now=clock.next_at)
    world.do(case, "close_dispute", by="senior", reason="settled", now=clock.next_at + timedelta(days=20))
    clock.refresh_from_db()
    assert clock.schedule[clock.position]["kind"] == "BREACH"
    clocks.sweep(clock.due_at + timedelta(days=30))
    assert [step.step for step in clock.steps.order_by("pk")] == ["remind", "breach", "escalate_1"]


def test_reopening_starts_the_clocks_anew(world: World) -> None:
    case = world.do(
        world.closed(), "reopen", by="supervisor", reason="a bill came up", now=world.later(days=60)
    )
    assert {"claim.decision", "law.decision"} <= running(case)
    assert Clock.objects.filter(case=case, key="claim.decision").count() == 2


# --- A year that is published (S56) ----------------------------------------------------------


def publish_2027() -> None:
    """As a person enters it: 1, 4 and 5 January are off, Sunday 3 January is worked."""
    for day, kind in ((1, "OFF"), (3, "WORK"), (4, "OFF"), (5, "OFF")):
        CalendarDay.objects.create(date=date(2027, 1, day), kind=kind)
    year = CalendarYear.objects.get(year=2027)
    year.provisional = False
    year.save()


@pytest.fixture
def over_new_year(world: World) -> World:
    """Complete on Tue 2026-12-29: 30, 31 December, 4, 5, 6 January as long as 2027 is a guess."""
    world.now = NEW_YEAR
    return world


def test_s56_what_runs_into_a_year_not_published_is_provisional_and_counted_again(
    over_new_year: World,
) -> None:
    world = over_new_year
    case = world.review()
    clock = world.clock(case, "claim.decision")
    assert (clock.provisional, clock.day) == (True, date(2027, 1, 6))
    untouched = world.clock(case, "claim.small_notice")
    publish_2027()
    assert clocks.recount(2027) == 1
    clock.refresh_from_db()
    assert (clock.provisional, clock.day) == (False, date(2027, 1, 7))  # 30, 31, Sun 3, Wed 6, Thu 7
    assert CaseFile.objects.get(pk=case.pk).next_due == clock.due_at == datetime(2027, 1, 8, tzinfo=SHANGHAI)
    assert Clock.objects.get(pk=untouched.pk).stopped_at == untouched.stopped_at
    assert clocks.recount(2027) == 0


def test_s56_editing_a_day_counts_again_by_itself(
    over_new_year: World, django_capture_on_commit_callbacks: Any, settings: Any
) -> None:
    """After the commit; at once where no queue answers."""
    settings.REDIS_IS_EMBEDDED, settings.REDIS_URL = True, "unix:///nowhere"
    clock = over_new_year.clock(over_new_year.review(), "claim.decision")
    with django_capture_on_commit_callbacks(execute=True):
        CalendarDay.objects.create(date=date(2027, 1, 4), kind="OFF")
    clock.refresh_from_db()
    assert clock.day == date(2027, 1, 7)
    assert tasks.recount_clocks(2027) == 0


def test_s56_steps_already_carried_out_are_not_lost_or_repeated(over_new_year: World) -> None:
    world = over_new_year
    clock = world.clock(world.review(), "claim.decision")
    clocks.sweep(clock.next_at)
    publish_2027()
    clocks.recount(2027)
    clock.refresh_from_db()
    assert clock.schedule[clock.position]["kind"] == "BREACH"
    clocks.sweep(clock.due_at)
    assert [step.step for step in clock.steps.order_by("pk")] == ["remind", "breach"]


def test_a_stopped_or_standing_clock_is_left_alone(over_new_year: World) -> None:
    world = over_new_year
    stopped = world.clock(world.do(world.review(), "withdraw", reason="reported twice"), "claim.decision")
    standing = world.clock(
        world.do(world.review(), "open_dispute", by="supervisor", reason="whose?"), "claim.decision"
    )
    publish_2027()
    assert clocks.recount(2027) == 0
    for clock in (stopped, standing):
        fresh = Clock.objects.get(pk=clock.pk)
        assert (fresh.state, fresh.due_at, fresh.next_at, fresh.schedule) == (
            clock.state,
            clock.due_at,
            None,
            clock.schedule,
        )


def test_every_clock_of_a_kind_can_be_counted_by_its_handbook(world: World) -> None:
    for case in (world.closed(), world.closed(series="2024")):
        for clock in case.clocks.all():
            assert clocks.spec_of(case.handbook.handbook, clock).key == clock.key


def test_a_subscriber_stands_once_in_the_registry() -> None:
    before = list(subscribers.STEPS)
    subscribers.subscribe_step(before[0])
    assert before == subscribers.STEPS
