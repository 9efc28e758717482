"""The deadlines of claims from event to row: the clock a claim gets, its last day, its target (§4 of the rules).

Dates are those of the rules' own examples, over the Mid-Autumn and National Day holidays of 2024 and 2026.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from apps.accounts.models import User
from apps.adjudication.clocks import due_at
from apps.cases import clocks
from apps.cases.models import CaseFile, Clock
from apps.cases.testing_rulebook import Reader
from apps.claims.assess import assess
from apps.claims.tests.world import SHANGHAI, World
from apps.members.models import Policy
from apps.products.actions import load_calendar
from apps.products.queries import working_calendar

IN_2024 = {
    "effective_on": "2024-01-01", "expires_on": "2024-12-31", "continuous_since": "2023-01-01",
    "concluded_on": "2023-01-01", "riders": [],
}  # fmt: skip


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.fixture(autouse=True)
def years(world: World) -> None:
    load_calendar([2024, 2026])
    Policy.objects.filter(series="2024").update(**IN_2024)
    Policy.objects.filter(series="2026").update(riders=["VACCINE"])


# --- Claims of each kind -----------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """A claim to be reported: its visit, its category."""

    visit: dict[str, Any]
    category: str = "REIMBURSEMENT"


def outpatient(world: World, day: str) -> Told:
    return Told(world.visit([world.bill(issued_on=day)], started_on=day))


def vaccine(world: World, day: str) -> Told:
    line = world.line("300.00", kind="VACCINE", name="流感疫苗")
    return Told(
        world.visit([world.bill(lines=[line], issued_on=day)], benefit="VACCINE", started_on=day), "VACCINE"
    )


def stay(world: World, day: str) -> Told:
    return Told(world.stay([world.bill(issued_on=day)], started_on=day, ended_on=day))


def internet(world: World, day: str) -> Told:
    entry = world.list_hospital("PRI", "2024")
    entry.campus.hospital.internet_licensed = True
    entry.campus.hospital.save()
    visit = world.visit(
        [world.bill(issued_on=day)], hospital="PRI", visit_type="INTERNET", follow_up=True,
        prior_reference="门诊病历 2024-08-01", started_on=day,
    )  # fmt: skip
    return Told(visit, "INTERNET")


Tell = Callable[[World, str], Told]


def completed(world: World, tell: Tell, series: str, now: datetime) -> CaseFile:
    """Reported, papers in, complete: everything at `now`."""
    told = tell(world, now.date().isoformat())
    case = world.claim(told.visit, series=series, category=told.category, now=now)
    assert case.state in ("ONLINE_SUBMITTED", "AWAITING_ORIGINALS"), case.state
    world.papers(case)
    if world.see(case).state == "AWAITING_ORIGINALS":
        world.do(case, "log_originals", by="mail", now=now)
    case = world.do(case, "check_materials", by="intake", now=now)
    assert case.state == "COMPLETE", [entry.ref for entry in assess(case, now).lacking]
    return case


def decided(world: World, case: CaseFile, now: datetime) -> CaseFile:
    case = world.do(case, "start_review", now=now)
    for finding in assess(case, now).open_findings:
        world.do(
            case, "answer_finding", by="senior", finding=finding.ref, accept=True, reason="seen", now=now
        )
    case = world.do(case, "decide", now=now)
    assert case.state == "PAYMENT_PENDING", case.state
    return case


def specs(world: World, series: str, key: str) -> dict[str, tuple[str, ...]]:
    """Ids of the clocks under a key with the rules they carry."""
    handbook = world.handbook(series).handbook
    return {spec.id: spec.rules for spec in handbook.clocks if spec.key == key}


def tell_rulebook(rulebook: Reader, world: World, series: str, row: Clock) -> None:
    """The clock that was started fired with its rules; its siblings under the key kept silent."""
    ids = specs(world, series, row.key)
    started = {row.spec_id, *ids[row.spec_id]}
    for rule in started:
        rulebook.fired(rule)
    for other, rules in ids.items():
        for rule in {other, *rules} - started:
            rulebook.fired(rule, fired=False)


# --- Decision ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("series", "tell", "complete", "clock", "day"),
    [
        ("2024", internet, "2024-10-12 10:00", "DL-08", "2024-10-16"),  # INT-04: Sat 12 Oct is worked
        ("2024", vaccine, "2024-09-27 10:00", "DL-11", "2024-10-08"),  # VAC-25: Sun 29 Sep is worked
        ("2024", stay, "2024-09-27 10:00", "DL-10", "2024-10-16"),  # RMB-40, S30
        ("2024", outpatient, "2024-09-27 10:00", "DL-14", "2024-10-08"),  # RMB-30, assumed
        ("2026", vaccine, "2026-09-16 10:00", "DL-34", "2026-09-22"),  # VAC-34: Sun 20 Sep is worked
        ("2026", vaccine, "2026-09-28 10:00", "DL-34", "2026-10-10"),  # S32
        ("2026", outpatient, "2026-09-16 10:00", "DL-34", "2026-09-22"),  # RMB-01, assumed
        ("2026", stay, "2026-09-16 10:00", "DL-34", "2026-09-22"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_decision_is_due_by_kind_of_claim(
    world: World, rulebook: Reader, series: str, tell: Tell, complete: str, clock: str, day: str
) -> None:
    now = at(complete)
    with time_machine.travel(now, tick=False):
        case = completed(world, tell, series, now)
    row = world.clock(case, "claim.decision")
    assert (row.spec_id, row.day.isoformat(), row.provisional) == (clock, day, False)
    assert row.due_at == at(day) + timedelta(days=1)  # until 24:00 of the last day (C3)
    spec = clocks.spec_of(world.handbook(series).handbook, row)
    assert str(spec.basis) == ("printed" if tell in (internet, vaccine) or clock == "DL-10" else "assumed")
    tell_rulebook(rulebook, world, series, row)


@pytest.mark.parametrize(("series", "rule"), [("2024", "VAC-25"), ("2026", "VAC-34")])
def test_incomplete_papers_start_no_decision_clock(
    world: World, rulebook: Reader, series: str, rule: str
) -> None:
    """Both series count from complete papers only (VAC-34 "资料齐全且无争议")."""
    now = at("2024-09-27 10:00") if series == "2024" else world.now
    with time_machine.travel(now, tick=False):
        told = vaccine(world, now.date().isoformat())
        case = world.claim(told.visit, series=series, category=told.category, now=now)
        case = world.do(case, "check_materials", by="intake", now=now)
    assert case.state == "MATERIALS_PENDING"
    assert not case.clocks.filter(key="claim.decision").exists()
    ids = specs(world, series, "claim.decision")
    assert rule in {cited for rules in ids.values() for cited in rules}
    for silent in {*ids, *(cited for rules in ids.values() for cited in rules)}:
        rulebook.fired(silent, fired=False)


@pytest.mark.parametrize(
    ("series", "opened", "closed", "day", "left"),
    [
        ("2026", "2026-09-30 10:00", "2026-10-09 10:00", "2026-10-13", True),  # S32: 2 used, 3 left
        ("2024", "2024-09-29 10:00", "2024-10-09 10:00", "2024-10-08", False),  # 2024 prints no dispute
    ],
)
def test_s32_a_dispute_stops_the_clock_where_the_series_prints_it(
    world: World, rulebook: Reader, series: str, opened: str, closed: str, day: str, left: bool
) -> None:
    """C12, PR-04, VAC-34: the days up to the pause are used, the rest counts from the resumption."""
    now = at("2026-09-28 10:00") if series == "2026" else at("2024-09-27 10:00")
    with time_machine.travel(now, tick=False):
        case = completed(world, vaccine, series, now)
        case = world.do(case, "start_review", now=now)
    before = world.clock(case, "claim.decision").day
    with time_machine.travel(at(opened), tick=False):
        world.do(case, "open_dispute", by="supervisor", reason="票据与病历不符", now=at(opened))
    assert world.clock(case, "claim.decision").state == ("PAUSED" if left else "RUNNING")
    with time_machine.travel(at(closed), tick=False):
        world.do(case, "close_dispute", by="senior", reason="已澄清", now=at(closed))
    row = world.clock(case, "claim.decision")
    assert (row.day.isoformat(), row.state) == (day, "RUNNING")
    assert (row.day > before) is left
    rulebook.fired("C12", fired=left)
    rulebook.fired("PR-04", fired=left)


# --- Payment -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("series", "tell", "on", "clock", "target", "day"),
    [
        ("2024", internet, "2024-10-16 10:00", "DL-09", "", "2024-10-18"),  # INT-05
        ("2024", vaccine, "2024-10-08 10:00", "DL-12", "", "2024-10-10"),  # VAC-26
        ("2024", outpatient, "2024-10-08 10:00", "DL-14", "", "2024-10-10"),  # RMB-30, assumed
        (
            "2026",
            vaccine,
            "2026-09-22 10:00",
            "DL-35",
            "2026-09-24",
            "2026-10-02",
        ),  # VAC-35: a holiday, not moved
        ("2026", outpatient, "2026-09-22 10:00", "DL-35", "2026-09-24", "2026-10-02"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_payment_is_due_by_kind_of_claim(
    world: World, rulebook: Reader, series: str, tell: Tell, on: str, clock: str, target: str, day: str
) -> None:
    """LAW-03 beside it: ten days from the decision, in every series."""
    now = at(on)
    with time_machine.travel(now, tick=False):
        case = completed(world, tell, series, now)
        assert not case.clocks.filter(key__in=["claim.payment", "law.payment"]).exists()
        rulebook.fired("LAW-03", fired=False)
        case = decided(world, case, now)
    row = world.clock(case, "claim.payment")
    assert (row.spec_id, row.day.isoformat()) == (clock, day)
    assert (row.target_at or at("2024-01-01")) == (
        at(target) + timedelta(days=1) if target else at("2024-01-01")
    )
    law = world.clock(case, "law.payment")
    assert (law.statutory, law.day) == (True, now.date() + timedelta(days=10))
    tell_rulebook(rulebook, world, series, row)
    rulebook.fired("LAW-03")
    with time_machine.travel(now, tick=False):
        world.pay(case, now=now)
    assert not case.clocks.filter(state="RUNNING").exists()


def test_before_a_decision_no_payment_is_due(world: World, rulebook: Reader) -> None:
    case = completed(world, vaccine, "2026", world.now)
    assert not case.clocks.filter(key="claim.payment").exists()
    for rule in ("VAC-35", "DL-35"):
        rulebook.fired(rule, fired=False)


# --- Act by (PR-22) and no roll-forward (C7) -----------------------------------------------------


@pytest.mark.parametrize(
    ("on", "day", "act_by"),
    [
        ("2026-09-22 10:00", "2026-10-02", "2026-09-30"),  # day ten is National Day
        ("2026-09-30 10:00", "2026-10-10", None),  # a Saturday, but a worked one
    ],
)
@pytest.mark.parametrize("key", ["claim.payment", "law.payment"])
def test_pr22_staff_see_the_last_working_day_before_a_holiday(
    world: World, rulebook: Reader, client: Client, on: str, day: str, act_by: str | None, key: str
) -> None:
    now = at(on)
    with time_machine.travel(now, tick=False):
        case = decided(world, completed(world, vaccine, "2026", now), now)
        row = world.clock(case, key)
        assert row.day.isoformat() == day  # the promise itself is kept literally: C7
        assert row.act_by == (date.fromisoformat(act_by) if act_by else None)
        page = case_page(client, world, case)
    assert ("(PR-22)" in page) is bool(act_by)
    assert act_by is None or f"<dd>{act_by[5:]} ·" in page
    rulebook.fired("PR-22", fired=bool(act_by))
    rulebook.fired("C7", fired=bool(act_by))


def case_page(client: Client, world: World, case: CaseFile) -> str:
    user = User.objects.get(pk=world.actor("adjuster").user_id)
    user.is_staff = True
    user.save()
    client.force_login(user)
    response = client.get(f"/admin/case/{case.number}/")
    assert response.status_code == 200
    return response.content.decode()


# --- The law's clocks --------------------------------------------------------------------------


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_law02_thirty_days_from_the_first_papers_less_the_time_of_the_notice(
    world: World, rulebook: Reader, series: str
) -> None:
    """30 calendar days after 16 September; the notice reaches on day 1, papers arrive on day 8: 7 days stand still."""
    Policy.objects.filter(series="2024").update(
        effective_on="2026-01-01", expires_on="2026-12-31", continuous_since="2025-01-01"
    )
    bare = world.claim(series=series)
    assert not bare.clocks.filter(statutory=True).exists()  # nothing received yet
    rulebook.fired("LAW-02", fired=False)
    rulebook.fired("LAW-05", fired=False)
    case = world.claim(series=series, papers=[{"kind": "CLAIM_FORM", "form": "E_SIGNED"}])
    assert world.clock(case, "law.decision").day == date(2026, 10, 16)
    assert world.clock(case, "law.undisputed").day == date(2026, 11, 15)
    world.do(case, "check_materials", by="intake")
    reached, back = world.later(days=1), world.later(days=8)
    world.do(case, "supplement_delivered", by="system", at=reached, evidence="SMS 1", now=reached)
    world.do(case, "papers_arrived", by="intake", now=back)
    law, sixty = world.clock(case, "law.decision"), world.clock(case, "law.undisputed")
    assert (law.day, law.statutory) == (date(2026, 10, 23), True)
    assert sixty.day == date(2026, 11, 15)  # LAW-05 counts from receipt, no pause
    assert [(step["key"], step["to"]) for step in sixty.schedule] == [
        ("remind", "ASSIGNEE"),
        ("breach", "manager"),
    ]
    rulebook.fired("LAW-02")
    rulebook.fired("LAW-05")


# --- Sending (INT-03) and identity before approval (DL-48) ----------------------------------------


@pytest.mark.parametrize(
    ("reported", "late"),
    [("2024-10-12 23:59", False), ("2024-10-13 00:00", True), ("2024-10-11 10:00", False)],
)
def test_dl07_an_internet_claim_is_sent_within_one_working_day_or_flagged(
    world: World, rulebook: Reader, reported: str, late: bool
) -> None:
    """Consult on Friday 11 October 2024: Saturday the 12th is worked. Late is a mark, never a refusal."""
    with time_machine.travel(at(reported), tick=False):
        told = internet(world, "2024-10-11")
        case = world.claim(told.visit, series="2024", category="INTERNET", now=at(reported))
        found = {finding.code: finding for finding in assess(world.see(case), at(reported)).intake}
    assert case.state == "ONLINE_SUBMITTED"
    assert ("INTERNET_LATE" in found) is late
    spec = next(
        spec for spec in world.handbook("2024").handbook.clocks if spec.key == "claim.internet_sending"
    )
    assert due_at(spec, at("2024-10-11 15:00"), working_calendar()).day == date(2024, 10, 12)
    rulebook.fired("DL-07", fired=late)
    rulebook.fired("INT-03", fired=late)
