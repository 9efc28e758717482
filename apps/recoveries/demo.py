"""Demo data of recoveries: claims paid too much, in every state of machine (j), both series, and a direct claim
whose hospital was paid for what is not covered. The claims are the demonstration's own: what else happens to
paid claims is shown on others."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

from django.utils import timezone

from apps.accounts.actors import SYSTEM, Actor, actor_of_user
from apps.accounts.models import User
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.claims.demo import Demo as Claims
from apps.claims.demo import Stage as Report
from apps.claims.demo import find_hospitals, make, pay
from apps.claims.demo_reports import ordinary
from apps.claims.models import DecisionLine
from apps.core.errors import DomainError
from apps.core.money import to_yuan
from apps.direct.models import DirectClaim
from apps.members.models import Member
from apps.recoveries.models import Recovery

SERIES = ("2026", "2024")
BEFORE = 7  # days from the report of a claim to its lower decision, at least
OVERPAID = "复核发票：该项目录入的数量是发票上的两倍"
NOT_COVERED = "复核病历：该项检查为健康体检，不属于疾病诊疗"


class Demo:
    def __init__(self, now: datetime, series: str):
        self.now, self.series = now, series
        self.claims = Claims(
            now, numbers=itertools.count(7_000_000 + int(series), 10_000), turn=itertools.count(int(series))
        )
        find_hospitals(self.claims)
        children = Member.objects.filter(number__startswith=f"DEMO{series}", guardians__is_policyholder=True)
        self.claims.children[series] = list(children.order_by("-pk").distinct())

    def actor(self, role: str) -> Actor:
        return actor_of_user(User.objects.get(username=role))

    def opened(self, days_ago: int) -> Recovery | None:
        """A claim of its own, paid, and decided lower so many days ago."""
        paid: list[CaseFile] = []
        report = Report("paid", lambda demo, case, at: paid.append(pay(demo, case, at)), (), ordinary)
        make(self.claims, report, self.series, days_ago + BEFORE)
        lines = DecisionLine.objects.filter(decision__claim=paid[0].pk).select_related("line__bill__visit")
        row = lines.order_by("-insurer_fen").first()
        assert row is not None  # it was decided
        return self.corrected(
            paid[0], row, -(row.billed_fen // 2), OVERPAID, self.now - timedelta(days=days_ago)
        )

    def direct(self, days_ago: int) -> Recovery | None:
        """What a hospital was paid for and is not covered (REC-03, REC-05)."""
        paid = DirectClaim.objects.filter(case__series=self.series, case__state="CLOSED", paid_fen__gt=0)
        for direct in paid.select_related("case").order_by("pk"):
            lines = DecisionLine.objects.filter(
                decision__claim=direct.pk, line__kind="EXAM", insurer_fen__gt=0
            )
            row = lines.select_related("line__bill__visit").order_by("-insurer_fen").first()
            if row is not None:
                at = self.now - timedelta(days=days_ago)
                return self.decided_again(direct.case, [change(row, "kind", "HEALTH_CHECK")], NOT_COVERED, at)
        return None

    def corrected(
        self, case: CaseFile, row: DecisionLine, more_fen: int, reason: str, at: datetime
    ) -> Recovery | None:
        """A line, and its bill with it, comes to so much more."""
        bill = row.line.bill
        changes = [
            change(row, "amount", str(to_yuan(row.line.amount_fen + more_fen))),
            {"place": place(row, 2), "field": "amount", "value": str(to_yuan(bill.amount_fen + more_fen))},
        ]
        return self.decided_again(case, changes, reason, at)

    def decided_again(
        self, case: CaseFile, changes: list[dict[str, str]], reason: str, at: datetime
    ) -> Recovery | None:
        """Reopened, corrected and decided; the recovery that stands then."""
        supervisor = self.actor("supervisor")
        case.refresh_from_db()
        at = min(max(at, (case.closed_at or at) + timedelta(hours=3)), self.now)
        try:
            perform(case.number, "reopen", supervisor, now=at, reason=reason)
            perform(case.number, "correct_facts", supervisor, now=at, reason=reason, changes=changes)
            perform(case.number, "decide", self.actor("final_approval"), now=at)
        except DomainError:  # something else is open on this claim
            return None
        return Recovery.objects.filter(origin=case.pk).select_related("case", "origin").first()

    def restored(self, row: Recovery, at: datetime) -> None:
        """The decision is overturned: the claim is paid as before."""
        lines = DecisionLine.objects.filter(decision__claim=row.origin_id).select_related("line__bill__visit")
        before = {line.line_id: line.billed_fen for line in lines.filter(decision__version=1)}
        after = next(
            line for line in lines.filter(decision__version=2) if line.billed_fen < before[line.line_id]
        )
        more = before[after.line_id] - after.billed_fen
        self.corrected(row.origin, after, more, "家长提供用药清单：数量无误", at)

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


def place(row: DecisionLine, depth: int = 3) -> str:
    """'1.1.3', or with a depth of 2 the bill's '1.1'."""
    line = row.line
    return ".".join(map(str, (line.bill.visit.position, line.bill.position, line.position)[:depth]))


def change(row: DecisionLine, field: str, value: str) -> dict[str, str]:
    return {"place": place(row), "field": field, "value": value}


def build(now: datetime | None = None) -> int:
    """Make the demo recoveries; returns how many (0 when they are there)."""
    now = now or timezone.now()
    if Recovery.objects.exists():
        return 0
    for series in SERIES:
        demo = Demo(now, series)
        for stage in STAGES:
            stage(demo)
    return Recovery.objects.count()


def _opened(demo: Demo) -> None:
    demo.opened(0)


def _direct(demo: Demo) -> None:
    row = demo.direct(4)
    if row is not None:
        demo.do(row, "notify", "recovery", row.case.opened_at + timedelta(hours=2))


def _canceled(demo: Demo) -> None:
    row = demo.notified(18)
    if row is not None:
        demo.restored(row, demo.now - timedelta(days=6))


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


def _escalated(demo: Demo, days_ago: int, reason: str) -> tuple[Recovery, datetime] | None:
    """Overdue since the morning after its last day; two days later a write-off is proposed."""
    row = demo.notified(days_ago)
    if row is None or row.due_on is None or row.due_on >= timezone.localtime(demo.now).date():
        return None
    over = timezone.make_aware(datetime.combine(row.due_on + timedelta(days=1), time(9)))
    demo.do(row, "escalate", "system", over)
    demo.do(row, "propose_write_off", "recovery_lead", over + timedelta(days=2), reason=reason)
    return row, over


def _overdue(demo: Demo) -> None:
    _escalated(demo, 45, "家庭已移居国外，多次联系无果")


def _written_off(demo: Demo) -> None:
    found = _escalated(demo, 70, "金额小于追讨成本")
    if found is not None:
        row, over = found
        demo.do(row, "write_off", "final_approval", over + timedelta(days=5), reason="同意核销")


STAGES: tuple[Callable[[Demo], None], ...] = (
    _written_off, _overdue, _done, _part, _plan, _opened, _canceled, _direct,
)  # fmt: skip
