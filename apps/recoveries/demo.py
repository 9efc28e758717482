"""Demo data of recoveries: claims paid too much, in every state of machine (j), both series."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from apps.accounts.actors import SYSTEM, Actor, actor_of_user
from apps.accounts.models import User
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.claims.models import DecisionLine
from apps.core.errors import DomainError
from apps.core.money import to_yuan
from apps.payments.models import PaymentOrder
from apps.recoveries.models import Recovery

SERIES = ("2026", "2024")
LEAST_FEN = 5_000  # of a line, so that the half of it is worth a recovery


class Demo:
    def __init__(self, now: datetime, series: str):
        self.now, self.series = now, series
        self.origins = self._origins()
        self.made = 0

    def actor(self, role: str) -> Actor:
        return actor_of_user(User.objects.get(username=role))

    def _origins(self) -> Iterator[CaseFile]:
        """Paid claims of one payment, the oldest first."""
        paid = PaymentOrder.objects.filter(case__series=self.series, case__state="CLOSED", case__kind="claim")
        seen: set[int] = set()
        for order in paid.filter(state="PAID").select_related("case").order_by("paid_at", "pk"):
            if order.case_id not in seen:
                seen.add(order.case_id)  # type: ignore[arg-type]
                yield order.case  # type: ignore[misc]

    def opened(self, days_ago: int) -> Recovery | None:
        """A claim decided lower `days_ago` days ago or as soon after its end as can be."""
        for case in self.origins:
            at = max(self.now - timedelta(days=days_ago), (case.closed_at or self.now) + timedelta(hours=3))
            found = self._lower(case, min(at, self.now))
            if found is not None:
                self.made += 1
                return found
        return None

    def _lower(self, case: CaseFile, at: datetime) -> Recovery | None:
        lines = DecisionLine.objects.filter(
            decision__claim=case.pk, insurer_fen__gte=LEAST_FEN, third_party_fen=0
        )
        row = lines.select_related("line__bill__visit").order_by("-insurer_fen").first()
        if row is None:
            return None
        line = row.line
        place = f"{line.bill.visit.position}.{line.bill.position}.{line.position}"
        half = to_yuan(row.billed_fen // 200 * 100)
        supervisor, reason = self.actor("supervisor"), "医保结算单显示该项目已由第三方支付一半"
        try:
            perform(case.number, "reopen", supervisor, now=at, reason=reason)
            changes = [{"place": place, "field": "third_party", "value": str(half)}]
            perform(case.number, "correct_facts", supervisor, now=at, reason=reason, changes=changes)
            perform(case.number, "decide", self.actor("final_approval"), now=at)
        except DomainError:  # something else is open on this claim; another one will do
            return None
        return Recovery.objects.filter(origin=case.pk).select_related("case").first()

    def do(self, row: Recovery, action: str, role: str, at: datetime, **data: Any) -> None:
        actor = SYSTEM if role == "system" else self.actor(role)
        perform(row.case.number, action, actor, now=min(max(at, row.case.opened_at), self.now), **data)
        row.refresh_from_db()

    def notified(self, days_ago: int) -> Recovery | None:
        row = self.opened(days_ago)
        if row is not None:
            self.do(row, "notify", "recovery", row.case.opened_at + timedelta(hours=2))
        return row

    def refund(self, row: Recovery, fen: int, at: datetime) -> None:
        at = min(at, self.now)
        self.do(
            row, "record_refund", "recovery", at, amount=to_yuan(fen), received_on=timezone.localtime(at).date(),
            bank_reference=f"DEMO{row.case.number[1:]}{row.postings}", payer="家长转账",
        )  # fmt: skip


def build(now: datetime | None = None) -> int:
    """Make the demo recoveries; returns how many (0 when they are there)."""
    now = now or timezone.now()
    if Recovery.objects.exists():
        return 0
    made = 0
    for series in SERIES:
        demo = Demo(now, series)
        for stage in STAGES:
            stage(demo)
        made += demo.made
    return made


def _opened(demo: Demo) -> None:
    demo.opened(0)


def _notified(demo: Demo) -> None:
    demo.notified(10)


def _part(demo: Demo) -> None:
    row = demo.notified(15)
    if row is not None:
        demo.refund(row, row.amount_fen // 300 * 100, demo.now - timedelta(days=5))


def _plan(demo: Demo) -> None:
    row = demo.notified(12)
    if row is None:
        return
    third = row.open_fen // 300 * 100
    today = timezone.localtime(demo.now).date()
    amounts = (third, third, row.open_fen - 2 * third)
    plan = [
        {"due_on": today + timedelta(days=30 * number), "amount": to_yuan(fen)}
        for number, fen in enumerate(amounts, 1)
    ]
    demo.do(row, "agree_plan", "recovery", demo.now, agreed_with="母亲", instalments=plan)


def _done(demo: Demo) -> None:
    row = demo.notified(25)
    if row is not None:
        demo.refund(row, row.open_fen, demo.now - timedelta(days=3))


def _overdue(demo: Demo) -> None:
    row = demo.notified(45)
    if row is not None and row.due_on is not None and row.due_on < timezone.localtime(demo.now).date():
        demo.do(row, "escalate", "system", demo.now)
        demo.do(row, "propose_write_off", "recovery_lead", demo.now, reason="家庭已移居国外，多次联系无果")


def _written_off(demo: Demo) -> None:
    row = demo.notified(70)
    if row is not None and row.due_on is not None and row.due_on < timezone.localtime(demo.now).date():
        demo.do(row, "escalate", "system", demo.now)
        demo.do(row, "propose_write_off", "recovery_lead", demo.now, reason="金额小于追讨成本")
        demo.do(row, "write_off", "final_approval", demo.now, reason="同意核销")


STAGES: tuple[Callable[[Demo], None], ...] = (
    _written_off, _overdue, _done, _part, _plan, _opened, _notified,
)  # fmt: skip
