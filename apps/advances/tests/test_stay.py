"""Signed, paid to the hospital, discharged, settled as a claim; and who sees nothing of it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from apps.accounts.models import User
from apps.accounts.tests.factories import make_actor, make_machine
from apps.advances.tests.test_walk import at
from apps.advances.tests.world import DISCHARGE, Advances
from apps.cases.clocks import sweep
from apps.cases.models import Clock
from apps.claims.tests.world import events
from apps.core.errors import Blocked, InvalidInput, InvalidInputs, NotAllowed, NotFound
from apps.documents.models import Letter, Paper
from apps.documents.rendering import render_html
from apps.messaging.models import Message


def test_s34_nothing_is_paid_unsigned_and_the_day_runs_from_the_signature(
    world: Advances, rulebook: Any
) -> None:
    case = world.approved()
    letter = Letter.objects.get(case=case, kind="ENTRUSTMENT")
    assert "安伴健康服务有限公司" in render_html(letter)
    assert world.clock(case, "advance.sign_reminder").day == date(2026, 9, 20)  # a Sunday made a working day
    rulebook.fired("DL-50")
    paid = {"third_party_funds": False, "litigation": False, "amount": "30000.00", "bank_reference": "FW-1"}
    with pytest.raises(Blocked):
        world.do(case, "pay_hospital", by="finance", paid_on=world.now.date(), **paid)
    assert not Clock.objects.filter(case=case, key="advance.payment").exists()
    rulebook.fired("DL-31", fired=False)
    with pytest.raises(Blocked) as unsigned:
        world.do(case, "sign", by="specialist", signed_at=world.now)
    assert unsigned.value.rule == "ADV-08"
    case = world.give(case, "ENTRUSTMENT_LETTER")
    case = world.do(case, "sign", by="specialist", now=at("2026-10-09", 17), signed_at=at("2026-10-09", 16))
    assert world.clock(case, "advance.payment").day == date(2026, 10, 10)
    rulebook.fired("DL-31")
    assert world.clock(case, "advance.sign_reminder").state == "STOPPED"
    rulebook.fired("DL-50", fired=False)
    later = at("2026-10-10")
    with pytest.raises(Blocked) as third:
        world.do(
            case, "pay_hospital", by="finance", now=later, paid_on=later.date(), **paid | {"litigation": True}
        )
    assert third.value.rule == "ADV-12"
    with pytest.raises(InvalidInput) as above:
        world.do(
            case,
            "pay_hospital",
            by="finance",
            now=later,
            paid_on=later.date(),
            **paid | {"amount": "30000.01"},
        )
    assert above.value.rule == "ADV-03"
    case = world.do(case, "pay_hospital", by="finance", now=later, paid_on=later.date(), **paid)
    assert (case.state, world.clock(case, "advance.payment").breached) == ("ADVANCED", False)
    told = case.events.get(name="advanced").data
    assert (told["payer"], told["payee"]) == ("PROVIDER", "HOSPITAL")


def test_dl50_who_has_not_signed_is_reminded_and_the_specialist_hears_of_it(world: Advances) -> None:
    User.objects.filter(pk=make_actor("specialist", username="told").user_id).update(email="told@example.com")
    case = world.approved()
    sweep(at("2026-09-21"))
    told = Message.objects.filter(case=case).order_by("-pk")[:2]
    assert {message.template for message in told} == {"member_reminder", "clock_escalation"}


def test_who_approved_does_not_pay(world: Advances) -> None:
    world.people["both"] = ("finance_lead", "final_approval")  # type: ignore[index]
    case = world.do(world.checked(), "approve", by="both", amount="30000.00")
    case = world.do(world.give(case, "ENTRUSTMENT_LETTER"), "sign", by="specialist", signed_at=world.now)
    with pytest.raises(NotAllowed):
        world.do(
            case, "pay_hospital", by="both", third_party_funds=False, litigation=False, amount="1.00",
            paid_on=world.now.date(), bank_reference="FW-1",
        )  # fmt: skip


# --- Discharge -------------------------------------------------------------------------------------------------


def test_adv09_the_same_day_is_flagged_and_a_new_day_moves_the_settlement(
    world: Advances, rulebook: Any
) -> None:
    case = world.advanced()
    assert not Clock.objects.filter(case=case, key="advance.settlement").exists()
    rulebook.fired("DL-33", fired=False)
    case = world.do(
        case, "notice_discharge", by="specialist", now=at("2026-10-07", 20), discharged_on="2026-10-08"
    )
    assert (case.state, world.row(case).notice_late) == ("DISCHARGE_NOTICED", False)
    assert world.clock(case, "advance.settlement").day == date(2026, 10, 8)
    case = world.do(
        case, "notice_discharge", by="specialist", now=at("2026-10-10", 9), discharged_on="2026-10-10"
    )
    assert world.row(case).notice_late is True
    assert [
        clock.day for clock in Clock.objects.filter(case=case, key="advance.settlement", state="RUNNING")
    ] == [date(2026, 10, 10)]
    rulebook.fired("DL-33")


def test_adv10_all_six_papers_on_the_day_and_the_claim_says_where_it_comes_from(world: Advances) -> None:
    case = world.advanced()
    with pytest.raises(Blocked) as lacking:
        world.settle(case)
    assert lacking.value.rule == "ADV-10"
    case = world.give(case, *DISCHARGE)
    with pytest.raises(InvalidInput) as early:
        world.settle(case, discharged_on="2026-09-20")
    assert early.value.rule == "ADV-10"
    case = world.settle(case)
    claim = world.claim_of(case)
    assert list(claim.external_numbers.values_list("system", "number")) == [("ADVANCE", case.number)]
    assert (claim.claim.category, claim.claim.assigned_fen) == ("REIMBURSEMENT", 3_000_000)
    seen = Paper.objects.filter(case=claim, kind="DISCHARGE_SUMMARY").get()
    assert (seen.legible, seen.checked_by_label) == (True, world.actor("specialist").label)
    assert not Paper.objects.filter(case=claim, kind="ENTRUSTMENT_LETTER").exists()


def test_a_wrong_bill_is_named_where_it_stands_and_nothing_is_filed(world: Advances) -> None:
    case = world.give(world.advanced(), *DISCHARGE)
    bad = world.bill(lines=[world.line("10.00")], issued_on="2026-09-16") | {"amount": "11.00"}
    with pytest.raises(InvalidInputs) as refused:
        world.settle(case, bills=[bad])
    assert [error.field for error in refused.value.errors] == ["bills.0.amount"]
    assert world.see(case).state == "ADVANCED"
    assert "settled" not in events(case)


# --- Who sees it -------------------------------------------------------------------------------------------------


def test_strangers_see_nothing_of_it(world: Advances) -> None:
    case = world.apply()
    for stranger in (
        make_machine("TPA", tpa="风石健康"),
        make_machine(hospital="CHC"),
        make_machine("MEMBER_APP", member="M2024"),
    ):
        world._people["x"] = stranger
        with pytest.raises((NotFound, NotAllowed)):
            world.do(case, "withdraw", by="x", reason="取消")
    with pytest.raises(NotAllowed):
        world.do(case, "verify", by="finance")
