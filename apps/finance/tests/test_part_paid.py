"""A part that is paid before the claim is decided (LAW-05) counts as paid, and as owed again when it comes back."""

from __future__ import annotations

import pytest
from django.db.models import Sum

from apps.cases.models import CaseFile
from apps.claims.tests.world import World
from apps.finance.models import Movement
from apps.payments.actions import BankResult, book_results, make_file, release_file
from apps.payments.models import PaymentOrder


def booked(case: CaseFile) -> int:
    return Movement.objects.filter(case=case).aggregate(total=Sum("paid_fen"))["total"] or 0


@pytest.mark.parametrize(("paid", "left"), [(True, 50_000), (False, 0)])
def test_law05_the_books_know_the_part(world: World, paid: bool, left: int) -> None:
    lines = [world.line("500.00"), world.line("300.00", name="CT")]
    case = world.review(world.visit([world.bill(lines=lines)]), papers=[{"kind": "OTHER", "form": "DATA"}])
    case = world.do(case, "open_dispute", by="supervisor", reason="费用与病历不符", lines=["1.1.2"])
    case = world.do(case, "pay_undisputed", by="senior", reason="医院尚未答复")
    order = PaymentOrder.objects.get(case=case)
    file = make_file(world.actor("finance"), [order.number], now=world.now)
    release_file(world.actor("checker"), file.number, now=world.now)
    result = BankResult(
        order=order.number, paid=paid, reference="B1", reason="" if paid else "account closed"
    )
    book_results(world.actor("finance"), [result], now=world.now)
    assert booked(case) == left
