"""Day 60: what is beyond dispute is paid first, the rest later, and nothing twice (LAW-05)."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from apps.accounts.tests.factories import UserFactory, make_actor
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.claims.letters import local_day
from apps.claims.models import Decision
from apps.claims.replay import replay
from apps.claims.tests.world import PAYEE, World, events
from apps.claims.undisputed import nearing_sixty, sixties
from apps.core.errors import Blocked, NotAllowed, NotFound
from apps.core.money import to_fen
from apps.documents.models import Letter
from apps.ledger.models import LimitAccount
from apps.payments.actions import BankResult, book_results, make_file, release_file
from apps.payments.models import PaymentOrder
from apps.payments.queries import payable_fen, unordered_fen

WHY = "医院尚未答复第二项费用"


def disputed(world: World, *lines: str, **fields: Any) -> CaseFile:
    """Two lines of 500 and 300; the second one is in dispute."""
    rows = [world.line("500.00"), world.line("300.00", name="CT")]
    case = world.review(
        world.visit([world.bill(lines=rows)]), papers=[{"kind": "OTHER", "form": "DATA"}], **fields
    )
    return world.do(
        case, "open_dispute", by="supervisor", reason="费用与病历不符", lines=list(lines or ["1.1.2"])
    )


def bank(world: World, order: PaymentOrder, *, paid: bool = True) -> CaseFile:
    file = make_file(world.actor("finance"), [order.number], now=world.now)
    release_file(world.actor("checker"), file.number, now=world.now)
    result = BankResult(
        order=order.number, paid=paid, reference="B1", reason="" if paid else "account closed"
    )
    return world.see(book_results(world.actor("finance"), [result], now=world.now)[0])


def orders(case: CaseFile) -> list[PaymentOrder]:
    return list(PaymentOrder.objects.filter(case=case).order_by("pk"))


def used(case: CaseFile) -> int:
    return sum(account.used for account in LimitAccount.objects.filter(policy=case.policy_id, key="annual"))


def finish(world: World, case: CaseFile) -> CaseFile:
    case = world.do(case, "close_dispute", by="supervisor", reason="医院已说明")
    return world.do(case, "decide", by="senior")


def test_law05_the_certain_part_is_paid_and_the_rest_later(world: World) -> None:
    case = world.do(disputed(world), "pay_undisputed", by="senior", reason=WHY)
    assert case.state == "DISPUTED"
    assert case.claim.decided_fen == 50_000
    [part] = orders(case)
    assert (part.amount_fen, part.decision_version) == (50_000, 1)
    assert world.clock(case, "law.undisputed").state == "STOPPED"
    assert world.clock(case, "law.decision").state == "RUNNING"
    ten = world.clock(case, "law.payment_undisputed")
    assert (ten.spec_id, ten.state, (ten.day - local_day(world.now)).days) == ("LAW-03", "RUNNING", 10)
    assert Letter.objects.get(case=case, kind="EOB").context["outcome"] == "UNDISPUTED"
    case = bank(world, part)
    assert (case.state, payable_fen(case)) == ("DISPUTED", 0)
    assert world.clock(case, "law.payment_undisputed").state == "STOPPED"
    case = finish(world, case)
    first, rest = orders(case)
    assert (case.state, rest.amount_fen, rest.decision_version) == ("PAYMENT_PENDING", 30_000, 2)
    case = bank(world, rest)
    assert (case.state, payable_fen(case), case.claim.decided_fen) == ("CLOSED", 0, 80_000)
    assert first.amount_fen + rest.amount_fen == 80_000


def test_law05_a_part_still_at_the_bank_is_not_paid_again(world: World) -> None:
    case = world.do(disputed(world), "pay_undisputed", by="senior", reason=WHY)
    case = finish(world, case)
    part, rest = orders(case)
    assert (part.amount_fen, rest.amount_fen, unordered_fen(case)) == (50_000, 30_000, 0)
    case = bank(world, part)
    assert (case.state, "part_paid" in events(case)) == ("PAYMENT_PENDING", True)
    case = bank(world, rest)
    assert (case.state, payable_fen(case)) == ("CLOSED", 0)


def test_law05_the_part_was_everything_in_the_end(world: World) -> None:
    case = world.do(disputed(world), "pay_undisputed", by="senior", reason=WHY)
    case = world.do(case, "close_dispute", by="supervisor", reason="家长放弃该项")
    world.do(
        case, "correct_facts", by="supervisor", reason="家长放弃该项",
        changes=[{"place": "1.1.2", "field": "third_party", "value": "300.00"}],
    )  # fmt: skip
    case = world.do(case, "decide", by="senior")
    [part] = orders(case)
    assert (case.state, part.state) == ("PAYMENT_PENDING", "ORDERED")
    assert bank(world, part).state == "CLOSED"


def test_law05_a_returned_part_is_owed_again(world: World) -> None:
    case = world.do(disputed(world), "pay_undisputed", by="senior", reason=WHY)
    case = bank(world, orders(case)[0], paid=False)
    assert (case.state, unordered_fen(case)) == ("DISPUTED", 50_000)
    with pytest.raises(Blocked) as again:
        world.do(case, "order_undisputed", by="finance")
    assert again.value.code == "account_returned"
    assert len(orders(case)) == 1
    world.do(case, "set_payee", by="adjuster", **(PAYEE | {"account": "6222021001098550848"}))
    case = world.do(case, "order_undisputed", by="finance")
    assert [(order.attempt, order.state) for order in orders(case)] == [(1, "RETURNED"), (2, "ORDERED")]
    assert bank(world, orders(case)[1]).state == "DISPUTED"


def test_law05_limits_are_used_once(world: World) -> None:
    case = world.do(disputed(world), "pay_undisputed", by="senior", reason=WHY)
    before = used(case)
    case = finish(world, case)
    assert (before, used(case)) == (50_000, 80_000)


def test_law05_is_replayed_like_any_decision(world: World) -> None:
    case = world.do(disputed(world), "pay_undisputed", by="senior", reason=WHY)
    row = Decision.objects.get(claim=case.pk)
    assert to_fen(replay(row).insurer) == row.insurer_fen == 50_000
    assert row.lines.count() == 1


@pytest.mark.parametrize("lines", [["1.1.1", "1.1.2"], []])
def test_law05_nothing_is_certain_of_a_claim_disputed_as_a_whole(world: World, lines: list[str]) -> None:
    rows = [world.line("500.00"), world.line("300.00")]
    case = world.review(world.visit([world.bill(lines=rows)]), papers=[{"kind": "OTHER", "form": "DATA"}])
    case = world.do(case, "open_dispute", by="supervisor", reason="真实性存疑", lines=lines)
    with pytest.raises(Blocked) as caught:
        world.do(case, "pay_undisputed", by="senior", reason=WHY)
    assert (caught.value.code, caught.value.rule) == ("nothing_certain", "LAW-05")
    assert not orders(case)


def test_law05_once_and_within_authority(world: World) -> None:
    case = disputed(world)
    world.authority("first_review", 100)
    with pytest.raises(NotAllowed) as refused:
        world.do(case, "pay_undisputed", by="adjuster", reason=WHY)
    assert refused.value.code == "authority"
    with pytest.raises(NotAllowed):
        world.do(case, "pay_undisputed", by="intake", reason=WHY)
    case = world.do(case, "pay_undisputed", by="senior", reason=WHY)
    with pytest.raises(Blocked) as caught:
        world.do(case, "pay_undisputed", by="senior", reason=WHY)
    assert caught.value.code == "decided_before"
    with pytest.raises(Blocked) as caught:
        world.do(case, "withdraw", by="intake", reason="不想理赔了")
    assert caught.value.code == "decided_before"


def test_law05_the_worklist_shows_day_and_amount(world: World, rulebook: Any) -> None:
    case, fresh = disputed(world), world.review()
    actor = world.actor("supervisor")
    assert list(nearing_sixty(actor, world.now)) == []
    later = world.later(days=50)
    [row] = [one for one in sixties(list(nearing_sixty(actor, later)), later) if one.case.pk == case.pk]
    assert (row.days, row.late, row.part is not None and row.part.fen) == (50, False, 50_000)
    assert row.day == world.clock(case, "law.undisputed").day
    rulebook.read_back("LAW-05", row.day)
    world.do(case, "pay_undisputed", by="senior", reason=WHY)
    assert case.pk not in {one.pk for one in nearing_sixty(actor, later)}
    assert fresh.pk not in {one.pk for one in nearing_sixty(actor, world.later(days=20))}


def test_law05_the_page_and_the_api_show_it(world: World, client: Any) -> None:
    case = disputed(world)
    with time_machine.travel(world.later(days=55), tick=False):
        client.force_login(UserFactory(username="lead", roles=("supervisor",)))
        page = client.get("/admin/claims/day-sixty/").content.decode()
        assert case.number in page
        assert "500.00" in page
        answer = client.get(f"/api/v1/claims/{case.number}/undisputed/").json()
    assert answer["amount"] == "500.00"
    assert answer["disputed"] == ["1.1.2"]
    assert answer["rule"] == "LAW-05"


def test_law05_others_claims_are_not_on_the_page(world: World) -> None:
    """The administrator of 2024 sees nothing of 2026 (GEN-04)."""
    case = disputed(world)
    tpa = make_actor("tpa_manager", username="tpa", tpa=world.handbook("2024").handbook.tpa)
    assert case.pk not in {one.pk for one in nearing_sixty(tpa, world.later(days=59))}
    with pytest.raises(NotFound):
        perform(case.number, "pay_undisputed", tpa, reason=WHY)
