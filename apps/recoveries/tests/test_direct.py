"""Direct billing: the hospital was paid what the decision does not give (REC-01 to REC-05)."""

from __future__ import annotations

from typing import Any

import pytest

from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.claims.models import BillLine
from apps.core.errors import Blocked
from apps.direct.tests.world import Direct
from apps.documents.models import Letter
from apps.payments.actions import make_file, release_file
from apps.payments.models import PaymentOrder
from apps.payments.queries import payable_key
from apps.recoveries.actions import open_recovery
from apps.recoveries.models import Recovery
from apps.recoveries.tests.world import Recoveries, sums


class Both(Recoveries, Direct):
    def see(self, case: CaseFile) -> CaseFile:
        return Direct.see(self, case)

    def paid_direct(self, amount: str, series: str) -> CaseFile:
        bill = self.bill(lines=[self.line(amount)])
        case = self.decided(self.visit([bill], hospital="PRI"), series=series)
        return self.settle(case, "P26-000777")

    def lower(self, case: CaseFile, amount: str) -> CaseFile:
        self.do(case, "reopen", by="supervisor", reason="复查")
        lines = {line.position: line for line in BillLine.objects.filter(bill__visit__claim=case.pk)}
        billed = sum(line.amount_fen for line in lines.values())
        rest = f"{billed / 100 - float(amount):.2f}"
        changes = [{"place": "1.1.1", "field": "amount", "value": amount}]
        if 2 in lines:  # the bill stays what it was; a part of it turns out to be no benefit
            changes.append({"place": "1.1.2", "field": "amount", "value": rest})
        add = (
            []
            if 2 in lines
            else [{"bill": "1.1", "line": {"name": "爽约费", "kind": "NO_SHOW", "amount": rest}}]
        )
        self.do(case, "correct_facts", by="supervisor", reason="复查", changes=changes, add=add)
        return self.do(case, "decide", by="senior")


def paid_fen(case: CaseFile) -> int:
    found: int = CaseFile.objects.get(pk=case.pk).direct.paid_fen
    return found


@pytest.mark.both_databases
@pytest.mark.parametrize(("series", "rule"), [("2024", "REC-05"), ("2026", "REC-03")])
def test_rec03_what_the_hospital_was_paid_too_much_is_asked_of_the_family(
    db: None, now: Any, series: str, rule: str
) -> None:
    world = Both(series)
    origin = world.paid_direct("4000.00", series)
    before = paid_fen(origin)
    assert not Recovery.objects.exists()
    origin = world.lower(origin, "1000.00")
    case = world.recovery_of(origin)
    row = case.recovery
    assert row.amount_fen == before - origin.claim.decided_fen > 0
    assert (row.rule, row.payment) == (rule, "P26-000777")
    assert world.balance(payable_key(case)) == -row.amount_fen
    case = world.act(case, "notify")
    told = Letter.objects.get(case=case.pk, kind="RECOVERY").context
    assert told["paid_to"]["zh"] == origin.hospital.name
    assert (told["rule"], sum(line["amount_fen"] for line in told["lines"])) == (rule, row.amount_fen)
    case = world.refund(case, f"{row.amount_fen // 100}.00", "DB-1")
    assert (case.state, world.balance(payable_key(case))) == ("REFUNDED", 0)


def test_rec04_what_was_not_paid_the_hospital_settles_with_the_family(
    db: None, now: Any, rulebook: Any
) -> None:
    """The same lower decision asks nothing back before the payment, and everything after it."""
    world = Both("2026")
    origin = world.decided(world.visit([world.bill(lines=[world.line("4000.00")])], hospital="PRI"))
    with pytest.raises(Blocked) as caught:
        open_recovery(world.actor("clerk"), origin.number)
    assert (caught.value.code, caught.value.rule) == ("not_paid", "REC-04")
    origin = world.lower(origin, "3000.00")
    assert not Recovery.objects.exists()
    rulebook.fired("REC-04")
    origin = world.lower(world.settle(origin, "P26-000778"), "1000.00")
    assert world.recovery_of(origin).recovery.payment == "P26-000778"
    rulebook.fired("REC-04", False)


def test_an_overturned_decision_of_a_direct_claim_gives_back_by_a_payment_order(db: None, now: Any) -> None:
    world = Both("2026")
    origin = world.lower(world.paid_direct("4000.00", "2026"), "1000.00")
    case = world.act(world.recovery_of(origin), "notify")
    world.refund(case, "500.00", "DB-1")
    world.lower(origin, "4000.00")
    case = world.fresh(case)
    assert (case.state, case.open, sums(case)) == ("CANCELLED", True, (0, 0, 0, 0))
    with pytest.raises(Blocked) as nobody:
        world.act(case, "give_back", by="finance")
    assert nobody.value.code == "no_payee"
    payee = {
        "name": "王建国", "relation": "FATHER", "bank": "工商银行", "branch": "徐汇支行", "account": "6222021001098550830",
    }  # fmt: skip
    world.act(case, "set_payee", by="finance", **payee)
    world.act(case, "give_back", by="finance")
    order = PaymentOrder.objects.get(case=case.pk)
    assert order.amount_fen == 50_000
    with pytest.raises(Blocked):
        world.act(case, "give_back", by="finance")  # once
    release_file(world.actor("checker"), make_file(world.actor("finance"), [order.number]).number)
    perform(case.number, "payment_done", world.actor("finance"), order=order.number, bank_reference="B9")
    case = world.fresh(case)
    assert (case.open, world.balance(payable_key(case))) == (False, 0)
