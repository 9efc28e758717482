"""Claims that were paid and then decided lower, and the recoveries that follow."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from apps.accounts.actors import SYSTEM
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.claims.tests.world import World
from apps.ledger.models import MoneyAccount
from apps.recoveries.models import Recovery
from apps.recoveries.workflow import RecoveryFlow


class Recoveries(World):
    people = World.people | {
        "clerk": ("recovery",),
        "leader": ("recovery_lead",),
        "manager": ("manager",),
        "approver": ("supervisor",),
        "auditor": ("auditor",),
    }

    def paid(self, amount: str = "800.00", **fields: Any) -> CaseFile:
        """A claim over one line, decided and paid."""
        return self.closed(self.visit([self.bill(lines=[self.line(amount)])]), **fields)

    def decide_again(self, case: CaseFile, amount: str, *, now: datetime | None = None) -> CaseFile:
        """Reopened, the line and its bill corrected, decided: pays `amount`."""
        self.do(case, "reopen", by="supervisor", reason="复查", now=now)
        changes = [
            {"place": "1.1.1", "field": "amount", "value": amount},
            {"place": "1.1", "field": "amount", "value": amount},
        ]
        self.do(case, "correct_facts", by="supervisor", reason="复查", changes=changes, now=now)
        return self.do(case, "decide", by="senior", now=now)

    def overpaid(self, paid: str = "800.00", right: str = "300.00", **fields: Any) -> CaseFile:
        """The recovery of what a claim was paid too much."""
        return self.recovery_of(self.decide_again(self.paid(paid, **fields), right))

    def recovery_of(self, origin: CaseFile) -> CaseFile:
        return self.fresh(Recovery.objects.filter(origin=origin.pk).latest("case"))

    def fresh(self, row: Recovery | CaseFile) -> CaseFile:
        related = ("handbook", "member", "policy__plan", "recovery__origin")
        return RecoveryFlow.objects.select_related(*related).get(pk=row.pk)

    def act(
        self, case: CaseFile, action: str, *, by: str = "clerk", now: datetime | None = None, **data: Any
    ) -> CaseFile:
        perform(case.number, action, self.actor(by), now=now or self.now, **data)
        return self.fresh(case)

    def system(self, case: CaseFile, action: str, *, now: datetime | None = None, **data: Any) -> CaseFile:
        perform(case.number, action, SYSTEM, now=now or self.now, **data)
        return self.fresh(case)

    def refund(self, case: CaseFile, amount: str, reference: str, **more: Any) -> CaseFile:
        given = {"received_on": self.now.date().isoformat(), "by": "clerk"} | more
        return self.act(case, "record_refund", amount=amount, bank_reference=reference, **given)

    def notified(self, *args: Any, **fields: Any) -> CaseFile:
        return self.act(self.overpaid(*args, **fields), "notify")

    def escalated(self, *args: Any, **fields: Any) -> CaseFile:
        case = self.notified(*args, **fields)
        return self.system(case, "escalate", now=self.now + timedelta(days=31))

    def written_off(self, *args: Any, **fields: Any) -> CaseFile:
        case = self.act(self.escalated(*args, **fields), "propose_write_off", reason="家庭已移居国外")
        return self.act(case, "write_off", by="approver", reason="同意核销")

    def balance(self, key: str) -> int:
        return MoneyAccount.objects.filter(key=key).values_list("balance", flat=True).first() or 0


def sums(case: CaseFile) -> tuple[int, int, int, int]:
    """(amount, kept, written off, open) in yuan; the CHECKs hold what they say."""
    row = Recovery.objects.get(pk=case.pk)
    return tuple(fen // 100 for fen in (row.amount_fen, row.kept_fen, row.written_off_fen, row.open_fen))  # type: ignore[return-value]
