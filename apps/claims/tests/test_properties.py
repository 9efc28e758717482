"""Over any sequence of claims no limit is exceeded, every line balances, and replay agrees."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.claims.models import Decision, DecisionLine
from apps.claims.replay import compare
from apps.claims.tests.world import World
from apps.ledger.models import LimitAccount, LimitEntry, MoneyAccount
from apps.members.models import Policy
from apps.payments.models import PaymentOrder

KINDS = ("EXAM", "DRUG", "TREATMENT", "BED", "POSTAGE", "NO_SHOW", "REGISTRATION")
amounts = st.integers(1, 900_000).map(lambda fen: str(Decimal(fen) / 100))
a_line = st.fixed_dictionaries({"name": st.just("x"), "kind": st.sampled_from(KINDS), "amount": amounts})
a_claim = st.tuples(
    st.sampled_from(["2024", "2026"]),
    st.sampled_from(["OUTPATIENT", "EMERGENCY", "INPATIENT", "VACCINE"]),
    st.lists(a_line, min_size=1, max_size=4),
    st.booleans(),  # opened again and decided once more
)


def visit(world: World, benefit: str, lines: list[dict[str, Any]]) -> dict[str, Any]:
    if benefit == "VACCINE":
        lines = [line | {"kind": "VACCINE"} for line in lines]
    bill = world.bill(lines=lines)
    if benefit == "INPATIENT":
        return world.stay([bill])
    return world.visit(
        [bill], visit_type="EMERGENCY" if benefit == "EMERGENCY" else "OUTPATIENT", benefit=benefit
    )


def walk(world: World, series: str, benefit: str, lines: list[dict[str, Any]], again: bool) -> None:
    category = "VACCINE" if benefit == "VACCINE" else "REIMBURSEMENT"
    case = world.review(visit(world, benefit, lines), series=series, category=category)
    case = world.do(case, "decide", by="final")
    if case.state == "PAYMENT_PENDING":
        case = world.pay(case)
    if again:
        case = world.do(case, "reopen", by="supervisor", reason="look again")
        world.do(case, "decide", by="final")


def check(world: World) -> None:
    for account in LimitAccount.objects.all():
        entries = LimitEntry.objects.filter(account=account)
        assert account.used == sum(entries.values_list("used", flat=True))
        assert 0 <= account.used + account.reserved <= account.ceiling
    assert all(found.same for found in compare(Decision.objects.all()))
    for row in Decision.objects.prefetch_related("lines"):
        assert row.insurer_fen == sum(line.insurer_fen for line in row.lines.all())
    for line in DecisionLine.objects.all():
        parts = (
            line.third_party_fen
            + line.disallowed_fen
            + line.deductible_fen
            + line.member_fen
            + line.insurer_fen
        )
        assert parts == line.billed_fen
        assert line.insurer_fen >= 0
    for account in MoneyAccount.objects.all():
        last = Decision.objects.filter(claim__case__number=account.reference).latest("version").insurer_fen
        paid = sum(
            PaymentOrder.objects.filter(case__number=account.reference, state="PAID").values_list(
                "amount_fen", flat=True
            )
        )
        assert account.balance == last - paid


@pytest.mark.django_db(transaction=False)
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(claims=st.lists(a_claim, min_size=1, max_size=4))
def test_any_sequence_of_claims(now: Any, claims: list[Any]) -> None:
    with transaction.atomic():
        world = World()
        world.authority("final_approval", 10**9)
        Policy.objects.update(riders=["VACCINE"])
        for series, benefit, lines, again in claims:
            walk(world, series, benefit, lines, again)
        check(world)
        transaction.set_rollback(True)
