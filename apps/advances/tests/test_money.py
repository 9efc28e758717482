"""What the claim's decision makes of an advance (ADV-14, S38), who is paid what, and how it ends."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from apps.advances.models import Advance
from apps.advances.tests.world import DISCHARGE, Advances
from apps.cases.models import CaseFile, Clock
from apps.claims.actions.straight import why_not
from apps.claims.assess import assess
from apps.claims.tests.world import World, events
from apps.core.errors import Conflict, InvalidInput
from apps.documents.models import Letter
from apps.ledger.reservations import held_by
from apps.messaging.models import Message
from apps.payments.actions import BankResult, book_results, make_file, release_file
from apps.payments.models import PaymentOrder

S38 = {  # billed → what the claim pays of it
    "26500.00": (350_000, [(2_650_000, True, "ORDERED")]),
    "30000.00": (0, [(3_000_000, True, "ORDERED")]),
    "32000.00": (0, [(3_000_000, True, "ORDERED"), (200_000, False, "ORDERED")]),
}


def decide(world: Advances, case: CaseFile, **how: Any) -> CaseFile:
    """The claim of the stay through originals, papers and review to its decision."""
    claim = world.claim_of(case)
    if claim.state == "AWAITING_ORIGINALS":
        claim = World.do(world, claim, "log_originals", by="mail")
    World.papers(world, claim)
    for action, by in (("check_materials", "intake"), ("start_review", "adjuster"), ("decide", "final")):
        claim = World.do(world, claim, action, by=by)
    return claim


def pay(world: Advances, case: CaseFile) -> None:
    """Every order of the claim through a file and the bank's answer."""
    claim = world.claim_of(case)
    numbers = list(PaymentOrder.objects.filter(case=claim, state="ORDERED").values_list("number", flat=True))
    file = make_file(world.actor("finance"), numbers, now=world.now)
    release_file(world.actor("checker"), file.number, now=world.now)
    book_results(world.actor("finance"), [BankResult(number, True, f"B-{number}") for number in numbers])


@pytest.mark.both_databases
@pytest.mark.parametrize("billed", S38)
def test_s38_the_difference_is_the_providers_and_the_rest_the_familys(
    world: Advances, rulebook: Any, billed: str
) -> None:
    difference, orders = S38[billed]
    case = world.settled(billed)
    assert decide(world, case).claim.decided_fen == round(float(billed) * 100)
    row = world.row(case)
    assert (row.refund_fen, world.orders(case)) == (difference, orders)
    assert row.case.state == ("REFUND_DUE" if difference else "ADJUDICATED")
    assert not CaseFile.objects.filter(kind="recovery").exists()  # nor is a card greyed
    assert Clock.objects.filter(case=case, key="advance.refund").exists() is bool(difference)
    rulebook.fired("DL-42", fired=bool(difference))
    pay(world, case)
    assert world.claim_of(case).state == "CLOSED"
    paid = PaymentOrder.objects.filter(case=row.claim, assigned=True).get()
    assert (paid.state, paid.payee.provider) == ("PAID", "安伴健康服务有限公司")
    assert world.see(case).state == ("REFUND_DUE" if difference else "CLOSED")


def test_the_family_refunds_part_by_part_and_the_advance_closes(world: Advances, rulebook: Any) -> None:
    case = world.settled("26500.00")
    decide(world, case)
    row = world.row(case)
    assert row.refund_due_on == date(2026, 10, 16)  # DL-42: thirty calendar days
    assert world.clock(case, "advance.refund").state == "RUNNING"
    rulebook.fired("DL-42")
    letter = Letter.objects.get(case=case, kind="DIFFERENCE")
    assert letter.context["open_fen"] == 350_000
    assert letter.context["payee"]["account"] == "436742001234"
    with pytest.raises(InvalidInput, match="3,500"):
        refund(world, case, "3500.01")
    refund(world, case, "1500.00", "R-1")
    with pytest.raises(Conflict, match="R-1"):
        refund(world, case, "10.00", "R-1")
    assert world.row(case).claim.claim.assigned_fen == 2_850_000  # type: ignore[union-attr]
    case = refund(world, case, "2000.00", "R-2")
    assert case.state == "REFUNDED"  # the provider waits for the claim's part
    assert world.clock(case, "advance.refund").state == "STOPPED"
    pay(world, case)
    assert (world.see(case).state, world.see(case).open) == ("CLOSED", False)


def refund(world: Advances, case: CaseFile, amount: str, reference: str = "R-0") -> CaseFile:
    return world.do(
        case,
        "record_refund",
        by="finance",
        amount=amount,
        received_on=world.now.date(),
        bank_reference=reference,
    )


def test_adv15_a_claim_after_an_advance_is_decided_by_a_person(world: Advances) -> None:
    claim = world.claim_of(world.settled("300.00", amount="200.00"))
    World.papers(world, claim)
    World.do(world, claim, "check_materials", by="intake")
    assert "垫付" in str(why_not(assess(World.see(world, claim), world.now), 10_000_000))


def test_a_refused_claim_leaves_all_of_it_to_the_family(world: Advances) -> None:
    case = world.settled("30000.00")
    World.do(world, world.claim_of(case), "withdraw", by="intake", reason="家长撤回")
    row = world.row(case)
    assert (row.case.state, row.adjudicated_fen, row.refund_fen) == ("REFUND_DUE", 0, 3_000_000)


def test_a_claim_decided_higher_lowers_the_difference(world: Advances) -> None:
    case = world.settled("26500.00")
    decide(world, case)
    pay(world, case)
    claim = world.claim_of(case)
    Advance.objects.filter(pk=case.pk).update(refunded_fen=100_000)
    claim.claim.assigned_fen = 2_900_000
    claim.claim.decided_fen = 2_800_000
    claim.claim.save()
    case = world.do(case, "adjudicate_again", by="system")
    row = world.row(case)
    assert (row.adjudicated_fen, row.refund_fen, row.open_fen) == (2_800_000, 200_000, 100_000)


def test_a_bank_return_of_the_providers_part_is_ordered_again_to_the_provider(world: Advances) -> None:
    case = world.settled("32000.00")
    decide(world, case)
    claim = world.claim_of(case)
    rows = list(PaymentOrder.objects.filter(case=claim).order_by("pk"))
    file = make_file(world.actor("finance"), [row.number for row in rows], now=world.now)
    release_file(world.actor("checker"), file.number, now=world.now)
    finance = world.actor("finance")
    book_results(finance, [BankResult(rows[1].number, True, "B-1")])
    book_results(finance, [BankResult(rows[0].number, False, reason="银行系统超时")])
    assert world.claim_of(case).state == "PAYMENT_FAILED"
    assert not Message.objects.filter(case=claim, template="payment_returned").exists()
    World.do(world, claim, "retry_payment", by="finance", reason="银行系统故障，已核实账户无误")
    assert world.orders(case)[2:] == [(3_000_000, True, "ORDERED")]
    assert world.see(case).state == "ADJUDICATED"


def test_the_approval_holds_the_limit_until_the_claim_is_filed(world: Advances) -> None:
    case = world.approved()
    assert set(held_by(case.number).values()) == {3_000_000}
    case = world.do(case, "withdraw", by="specialist", reason="家长自行付清")
    assert set(held_by(case.number).values()) == {0}


@pytest.mark.both_databases
def test_a_further_advance_of_the_stay_is_settled_with_the_first(world: Advances) -> None:
    """PR-18: the same checks, what the first one takes of the cover is taken, one claim for both."""
    first = world.advanced(amount="30000.00")
    second = world.do(world.checked(), "approve", by="senior", amount="5000.00")
    assert world.row(second).stay_id == first.pk
    with pytest.raises(InvalidInput) as refused:
        world.do(world.checked(), "approve", by="senior", amount="5000.01")
    assert refused.value.rule == "ADV-03"
    second = world.do(world.give(second, "ENTRUSTMENT_LETTER"), "sign", by="specialist", signed_at=world.now)
    world.do(
        second, "pay_hospital", by="finance", third_party_funds=False, litigation=False, amount="5000.00",
        paid_on=world.now.date(), bank_reference="FW-2",
    )  # fmt: skip
    world.settle(world.give(first, *DISCHARGE), "33000.00")
    assert {world.see(case).state for case in (first, second)} == {"SETTLED"}
    assert world.row(first).claim_id == world.row(second).claim_id
    decide(world, first)
    assert world.orders(first) == [(3_300_000, True, "ORDERED")]
    assert [world.row(case).refund_fen for case in (first, second)] == [0, 200_000]
    assert [world.see(case).state for case in (first, second)] == ["ADJUDICATED", "REFUND_DUE"]
    assert "adjudicated" in events(second)
