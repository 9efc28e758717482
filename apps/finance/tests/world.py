"""Worlds with money in them, made once a process."""

from __future__ import annotations

from datetime import datetime

from apps.cases.models import CaseFile
from apps.claims.tests.world import SHANGHAI, World


class Paid(World):
    """One claim of 2026, closed in September: paid and confirmed by the bank."""

    def __init__(self) -> None:
        super().__init__()
        self.paid = self.closed()


class TwoMonths(World):
    """September: three claims, one paid, one withdrawn. October: one paid, one reported."""

    def __init__(self) -> None:
        super().__init__()
        cases = {
            "paid": self.closed(),
            "gone": self.do(self.claim(series="2024"), "withdraw", by="intake", reason="家长撤回"),
            "later": self.do(self.review(self.stay([self.bill("6000.00")])), "decide", by="senior"),
        }
        self.now = datetime(2026, 10, 8, 10, 0, tzinfo=SHANGHAI)
        self.pay(cases["later"], now=self.now)
        cases["new"] = self.claim(self.visit(started_on="2026-09-20"), series="2024")
        self.history: dict[str, CaseFile] = {name: self.see(case) for name, case in cases.items()}
