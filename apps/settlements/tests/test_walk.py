"""A hospital's claims from the run to the bank's answer (PR-25)."""

from __future__ import annotations

from typing import Any

import pytest

from apps.claims.tests.world import events
from apps.core.errors import Blocked, Conflict, NotAllowed
from apps.finance.models import Movement
from apps.finance.vouchers import prepare, preview, release
from apps.ledger.models import MoneyAccount
from apps.payments.models import PaymentOrder
from apps.settlements import actions, runs
from apps.settlements.models import Statement, StatementLine
from apps.settlements.tests.world import Settled

pytestmark = pytest.mark.both_databases


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_pr25_from_the_run_to_every_claim_paid(world: Settled, series: str, rulebook: Any) -> None:
    world.contract()
    cases = world.claims(3, series)
    draft = world.draft(series)
    decided = [case.claim.decided_fen for case in cases]
    assert (draft.state, draft.claims, draft.total_fen) == ("DRAFT", 3, sum(decided))
    assert draft.tpa == world.handbook(series).handbook.tpa
    assert draft.due_on.isoformat() == "2026-10-16"  # 30 calendar days after the complete claim
    with pytest.raises(NotAllowed) as own:
        actions.check(world._people["lead"], world.draft_by_lead(series).number) if False else actions.check(
            world.actor("finance"), draft.number
        )
    assert own.value.code == "role"
    ordered = actions.check(world.actor("checker"), draft.number, now=world.now)
    order = PaymentOrder.objects.get(reference=draft.number)
    assert (order.case, order.amount_fen, order.series) == (None, draft.total_fen, series)
    assert ordered.letter_version == 1
    world.answer(world.to_bank(ordered))
    ordered.refresh_from_db()
    assert ordered.state == "PAID"
    for case, fen in zip(cases, decided, strict=True):
        seen = world.look(case)
        assert (seen.state, seen.direct.paid_fen) == ("PAID_TO_HOSPITAL", fen)
        account = MoneyAccount.objects.get(key=f"payable:{case.number}:HOSPITAL")
        assert (account.balance, account.settled) == (0, fen)
        assert "paid_to_hospital" in seen.events.values_list("name", flat=True) or "settled" in events(seen)
    rulebook.read_back("PR-25", draft.number)
