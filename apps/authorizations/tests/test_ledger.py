"""Reservations, draw-downs and releases: they always sum, also when two want the last yuan."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from apps.accounts.actors import SYSTEM
from apps.authorizations.tests.world import Rooms
from apps.cases.engine import perform
from apps.claims.tests.world import NOW, World
from apps.core.errors import Conflict, DomainError
from apps.ledger.actions import LimitSpec, lock_limits
from apps.ledger.models import LimitAccount, LimitEntry
from apps.ledger.reservations import draw_down, held_by, release, reserve
from tests.concurrency import in_processes

ROUNDS = 60


def sums_hold() -> None:
    """The balance of every account is the sum of its entries, nothing is negative or above the ceiling."""
    for account in LimitAccount.objects.all():
        entries = LimitEntry.objects.filter(account=account)
        assert account.used == sum(entry.used for entry in entries)
        assert account.reserved == sum(entry.reserved for entry in entries)
        assert 0 <= account.used <= account.used + account.reserved <= account.ceiling


@pytest.mark.both_databases
@pytest.mark.parametrize("seed", range(3))
def test_any_order_of_reserving_drawing_and_releasing_sums(world: Rooms, seed: int) -> None:
    chance, policy = random.Random(seed), world.policy_of("2026")
    promised: dict[str, int] = dict.fromkeys(("A26-1", "A26-10", "A26-2"), 0)
    for step in range(ROUNDS):
        number, amount = chance.choice(list(promised)), chance.randint(1, 500)
        specs = [LimitSpec("annual", "FEN", 2000), LimitSpec("benefit:INPATIENT:year", "FEN", 1500)]
        reference = f"{number}/{step}"
        try:
            match chance.choice(["reserve", "reserve", "draw", "release"]):
                case "reserve":
                    reserve(lock_limits(policy.pk, specs), amount, reference=reference, service_date=None)
                    promised[number] += amount
                case "draw":
                    if held_by(number):
                        draw_down(number, amount, reference=reference, service_date=None)
                        promised[number] -= min(amount, promised[number])
                case "release":
                    release(number, reference=reference)
                    promised[number] = 0
        except Conflict:
            pass  # too little was left: nothing moved
        sums_hold()
        for case, expected in promised.items():
            assert set(held_by(case).values()) <= {expected}


# --- At the same instant, with real processes -----------------------------------------------------

only_postgres = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has one writer at a time"
)


@pytest.fixture
def shared(transactional_db: None) -> Any:
    with time_machine.travel(NOW, tick=False):
        yield Rooms("2026")


def tighten(world: Rooms, fen: int) -> None:
    """Leave so much of the year that only one of two fits: the rest is used already."""
    account = LimitAccount.objects.get(policy=world.policy_of("2026"), key="annual")
    account.used = account.ceiling - fen
    account.save(update_fields=["used"])
    LimitEntry.objects.create(account=account, kind="USE", used=account.used, reference="before/1")


def attempt(number: str, action: str, actor: Any, **data: Any) -> str:
    try:
        perform(number, action, actor, now=NOW, **data)
    except DomainError as error:
        return error.code
    return "done"


APPROVAL = {"amount": "10000.00", "valid_until": "2026-10-31"}


@only_postgres
def test_two_authorizations_for_the_last_yuan(shared: Rooms) -> None:
    cases = [shared.review_of(), shared.review_of()]
    tighten(shared, 15_000_00)
    actor = shared.actor("senior")
    answers = in_processes(lambda index: attempt(cases[index].number, "approve", actor, **APPROVAL), 2)
    assert sorted(answers) in (["done", "limit"], ["done", "limit_race"])
    sums_hold()
    assert LimitAccount.objects.get(key="annual").reserved == 10_000_00


@only_postgres
def test_an_authorization_and_a_reimbursement_at_the_same_instant(shared: Rooms) -> None:
    promise = shared.review_of()
    desk = World.__new__(World)  # claims are walked by the claims' own steps
    desk.__dict__ = shared.__dict__
    claim = desk.review(desk.stay([desk.bill("10000.00")], hospital="PUB"))
    tighten(shared, 12_000_00)
    senior, adjuster = shared.actor("senior"), shared.actor("final")
    work = [
        lambda: attempt(promise.number, "approve", senior, **APPROVAL),
        lambda: attempt(claim.number, "decide", adjuster),
    ]
    answers = in_processes(lambda index: work[index](), 2)
    assert "done" in answers
    sums_hold()


@only_postgres
def test_admitted_in_the_moment_it_expires(shared: Rooms) -> None:
    case = shared.sent()
    over = NOW + timedelta(days=46)
    actor = shared.actor("intake")

    def run(index: int) -> str:
        try:
            if index:
                perform(case.number, "expire", SYSTEM, now=over)
            else:
                perform(case.number, "admit", actor, now=over, admitted_on=over.date())
        except DomainError as error:
            return error.code
        return "done"

    answers = in_processes(run, 2)
    assert answers[1] == "done"
    assert answers[0] in {"expired", "state"}
    sums_hold()
    assert LimitAccount.objects.get(key="annual").reserved == 0


@only_postgres
def test_a_letter_expires_while_a_bill_draws_it_down(shared: Rooms) -> None:
    """Admitted and billed in the last minute, while the sweep of midnight comes: one of the two, whole."""
    case = shared.sent()
    midnight = datetime(2026, 11, 1, tzinfo=timezone.get_current_timezone())
    last = midnight - timedelta(minutes=1)
    actor = shared.actor("intake")

    def run(index: int) -> str:
        try:
            if index:
                perform(case.number, "expire", SYSTEM, now=midnight)
            else:
                perform(case.number, "admit", actor, now=last, admitted_on=last.date())
                perform(case.number, "record_bill", actor, now=last, amount="6000.00", bill="F-1")
        except DomainError as error:
            return error.code
        return "done"

    answers = in_processes(run, 2)
    sums_hold()
    account = LimitAccount.objects.get(key="annual")
    expected = {("done", "state"): (6_000_00, 4_000_00), ("state", "done"): (0, 0)}
    assert expected[answers[0], answers[1]] == (account.used, account.reserved)


@only_postgres
def test_two_bills_at_once_draw_down_no_more_than_the_letter(shared: Rooms) -> None:
    case, actor = shared.admitted(), shared.actor("intake")
    answers = in_processes(
        lambda index: attempt(case.number, "record_bill", actor, amount="6000.00", bill=f"F-{index}"), 2
    )
    assert sorted(answers) == ["done", "over_letter"]
    sums_hold()
    account = LimitAccount.objects.get(key="annual")
    assert (account.used, account.reserved) == (6_000_00, 4_000_00)
