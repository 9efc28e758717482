"""A bill that was lowered after its payment: the hospital's next statement sets it off, once (PR-25)."""

from __future__ import annotations

from datetime import date

import pytest

from apps.accounts.actors import SYSTEM
from apps.cases.models import CaseFile
from apps.core.errors import Blocked
from apps.direct.models import HospitalPayment
from apps.direct.panels import shares
from apps.direct.queries import hospital_owes_fen, overpaid, paid_not_covered, self_pay
from apps.finance import months
from apps.ledger.models import MoneyAccount
from apps.payments.models import PaymentOrder
from apps.recoveries.models import Recovery
from apps.settlements import actions, letters, queries, runs
from apps.settlements.tests.world import Settled


def lowered(world: Settled, case: CaseFile, amount: str, series: str) -> CaseFile:
    """The hospital billed too much: the bill itself is corrected, and the claim decided anew."""
    world.do(case, "reopen", by="supervisor", reason="医院多计费，更正账单")
    changes = [{"place": place, "field": "amount", "value": amount} for place in ("1.1.1", "1.1")]
    world.do(case, "correct_facts", by="supervisor", reason="医院更正账单", changes=changes)
    return world.do(case, "decide", by="senior")


def balance(case: CaseFile) -> int:
    return MoneyAccount.objects.get(key=f"payable:{case.number}:HOSPITAL").balance


@pytest.mark.both_databases
@pytest.mark.parametrize("series", ["2024", "2026"])
def test_pr25_a_lowered_bill_is_set_off_by_the_next_statement(world: Settled, series: str) -> None:
    world.contract(series)
    world.paid(1, series)
    case = world.look(CaseFile.objects.get(kind="direct"))
    before = case.direct.paid_fen
    case = lowered(world, case, "500.00", series)
    owed = hospital_owes_fen(case)
    assert case.state == "CLOSED"
    assert (
        owed == before - case.claim.decided_fen > 0
    )  # the family bears what it bore before, at the hospital
    assert (paid_not_covered(case), Recovery.objects.count()) == ([], 0)
    assert self_pay(case).open_fen == 500_00 - case.claim.decided_fen
    shown = shares(case, SYSTEM)
    assert (shown["owed_fen"], shown["over"]) == (owed, [])
    assert [row.owes_fen for row in overpaid(hospital_id=case.hospital_id)] == [owed]
    with pytest.raises(Blocked) as nothing:  # there must be something to pay
        world.draft(series)
    assert nothing.value.code == "nothing"
    (waits,) = queries.waiting(world.actor("finance"))
    assert (waits.claims, waits.amount_fen, waits.set_off_fen) == (0, 0, owed)
    other = world.decided(world.visit(hospital="PRI", started_on="2026-09-14"), series=series)
    draft = world.draft(series)
    assert (draft.claims, draft.total_fen) == (2, other.claim.decided_fen - owed)
    statement = actions.check(world.actor("checker"), draft.number, now=world.now)
    assert "†" in letters.render_html(statement)
    number = world.to_bank(statement)
    world.answer(number)
    assert PaymentOrder.objects.get(number=number).amount_fen == other.claim.decided_fen - owed
    case, other = world.look(case), world.look(other)
    assert (case.state, case.direct.paid_fen, hospital_owes_fen(case)) == (
        "CLOSED",
        case.claim.decided_fen,
        0,
    )
    assert other.state == "PAID_TO_HOSPITAL"
    assert (balance(case), balance(other)) == (0, 0)
    assert not overpaid().exists()
    assert months.differences() == []
    world.answer(number, paid=False)  # the bank sends all of it back: both stand as before
    case, other = world.look(case), world.look(other)
    assert (case.direct.paid_fen, hospital_owes_fen(case), other.state) == (before, owed, "ADJUDICATED")
    assert balance(case) == -owed
    assert months.differences() == []
    again = actions.order_again(world.actor("finance"), statement.number, reason="账户已更正", now=world.now)
    world.answer(world.to_bank(again))
    assert hospital_owes_fen(world.look(case)) == 0
    assert list(HospitalPayment.objects.filter(direct=case.pk).order_by("pk").values_list("amount_fen", flat=True)) == [
        before, -owed, owed, -owed,
    ]  # fmt: skip


def test_more_than_the_next_statement_pays_waits_and_is_not_set_off_twice(world: Settled) -> None:
    world.contract("2026")
    world.paid(1)
    case = lowered(world, world.look(CaseFile.objects.get(kind="direct")), "100.00", "2026")
    owed = hospital_owes_fen(case)
    small = world.visit([world.bill("300.00")], hospital="PRI", started_on="2026-09-13")
    assert 0 < world.decided(small).claim.decided_fen < owed
    draft = world.draft()
    assert draft.claims == 1  # what is owed back does not fit
    world.decided(world.visit([world.bill("2500.00")], hospital="PRI", started_on="2026-09-14"))
    second = world.draft()
    assert (second.claims, second.lines.filter(amount_fen=-owed).count()) == (2, 1)
    world.decided(world.visit([world.bill("2500.00")], hospital="PRI", started_on="2026-09-15"))
    third = runs.make(world.actor("finance"), "PRI", date(2026, 9, 16), now=world.now)[0]
    assert (third.claims, third.lines.filter(amount_fen__lt=0).count()) == (1, 0)


def test_decided_higher_while_the_bank_has_it_what_was_withheld_is_owed_again(world: Settled) -> None:
    world.contract("2026")
    world.paid(1)
    case = lowered(world, world.look(CaseFile.objects.get(kind="direct")), "500.00", "2026")
    world.decided(world.visit([world.bill("2500.00")], hospital="PRI", started_on="2026-09-14"))
    statement = actions.check(world.actor("checker"), world.draft().number, now=world.now)
    number, withheld = world.to_bank(statement), case.claim.decided_fen
    case = lowered(world, case, "800.00", "2026")  # the first bill was right after all
    world.answer(number)
    case = world.look(case)
    assert (case.state, case.open, case.direct.paid_fen) == ("ADJUDICATED", True, withheld)
    assert balance(case) == case.claim.decided_fen - withheld > 0
    assert not Recovery.objects.filter(case__open=True, amount_fen__gt=0).exists()


def test_what_the_family_bears_more_is_asked_of_it_and_the_rest_of_the_hospital(world: Settled) -> None:
    """Both at once: the bill falls to 500, and half of it turns out to be no benefit."""
    world.contract("2026")
    world.paid(1)
    case = world.look(CaseFile.objects.get(kind="direct"))
    before, borne = case.direct.paid_fen, case.direct.borne_fen
    world.do(case, "reopen", by="supervisor", reason="医院更正账单")
    changes = [
        {"place": "1.1.1", "field": "amount", "value": "250.00"},
        {"place": "1.1", "field": "amount", "value": "500.00"},
    ]
    add = [{"bill": "1.1", "line": {"name": "爽约费", "kind": "NO_SHOW", "amount": "250.00"}}]
    world.do(case, "correct_facts", by="supervisor", reason="医院更正账单", changes=changes, add=add)
    case = world.do(case, "decide", by="senior")
    decided = case.claim.decided_fen
    family = (500_00 - decided) - borne
    assert hospital_owes_fen(case) == before - decided - family > 0
    assert sum(fen for _why, fen, _order in paid_not_covered(case)) == family > 0
    assert Recovery.objects.get().amount_fen == family
    assert self_pay(case).open_fen == borne
