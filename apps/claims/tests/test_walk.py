"""Both series from the report to the closed claim, and opened again."""

import pytest

from apps.cases.models import CaseFile
from apps.claims.models import Decision
from apps.claims.tests.world import World, events
from apps.documents.models import Letter
from apps.ledger.models import LimitAccount, MoneyAccount
from apps.messaging.models import Message


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_report_to_closed(world: World, series: str) -> None:
    case = world.claim(series=series)
    assert case.state == "ONLINE_SUBMITTED"
    case = world.see(case)
    assert events(case) == ["reported", "routed"]
    world.papers(case)
    case = world.do(case, "check_materials", by="intake")
    assert case.state == "COMPLETE"
    case = world.do(case, "start_review")
    case = world.do(case, "decide", reason="")
    assert case.state == "PAYMENT_PENDING"
    case = world.pay(case)
    assert case.state == "CLOSED"
    assert not case.open
    assert {letter.kind for letter in Letter.objects.filter(case=case)} == {"ACCEPTANCE", "EOB"}
    assert Decision.objects.get(claim=case.pk).insurer_fen == case.claim.decided_fen
    assert MoneyAccount.objects.get(reference=case.number).balance == 0
    assert LimitAccount.objects.get(policy=case.policy, key="annual").used == case.claim.decided_fen
    assert Message.objects.filter(case=case).count() == 3
    assert CaseFile.objects.get(pk=case.pk).next_due is None
