"""Demo bills around today in every state: reminded, called in vain, greyed, paid in parts, canceled, paid
electronically where a bill allows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from django.utils import timezone

from apps.accounts.actors import SYSTEM, Actor, actor_of_user
from apps.accounts.models import User
from apps.billing import epay
from apps.billing.actions import report_bill
from apps.billing.actions.notices import running_period
from apps.billing.actions.online import not_payable_online
from apps.billing.gateway import SandboxGateway, gateway
from apps.billing.models import BillReminder, OnlinePayment, SandboxCharge, SelfPayBill
from apps.billing.workflow import BillFlow
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.core.money import to_yuan
from apps.core.numbers import next_number
from apps.hospitals.models import Hospital
from apps.members.models import Policy
from apps.messaging.models import CallTask, Message

SERIES = "2026"


@dataclass
class Demo:
    now: datetime
    policies: list[Policy]
    hospitals: list[Hospital]
    made: list[CaseFile] = field(default_factory=list)

    def actor(self, role: str) -> Actor:
        return actor_of_user(User.objects.get(username=role))

    def bill(self, days_ago: int, amount: str, **fields: Any) -> CaseFile:
        """Reported so many days ago, at eleven; a bill is about a visit of four days before."""
        at = self.morning(days_ago)
        turn = len(self.made)
        policy, hospital = (
            self.policies[turn % len(self.policies)],
            self.hospitals[turn % len(self.hospitals)],
        )
        given = {
            "member": policy.number, "hospital": hospital.code, "visited_on": (at - timedelta(days=4)).date(),
            "visit_type": "OUTPATIENT", "amount": amount, "reference": f"DEMO-{turn + 1:04d}", "department": "儿科",
            "reason": ("NOT_COVERED", "ABOVE_LIMIT", "COINSURANCE", "EXCLUDED")[turn % 4],
        } | fields  # fmt: skip
        case = report_bill(self.actor("service_specialist"), data=given, now=at)
        self.made.append(case)
        return case

    def morning(self, days_ago: int) -> datetime:
        day = timezone.localtime(self.now).date() - timedelta(days=days_ago)
        return min(timezone.make_aware(datetime.combine(day, time(11, len(self.made) % 50))), self.now)

    def do(self, case: CaseFile, action: str, role: str, when: datetime, **data: Any) -> None:
        perform(
            case.number,
            action,
            SYSTEM if role == "system" else self.actor(role),
            now=min(when, self.now),
            **data,
        )

    def reached(self, case: CaseFile, when: datetime) -> None:
        """What is under way arrives: the e-mail is delivered, or the call answered."""
        reminder = BillReminder.objects.get(bill=case.pk, result="WAITING")
        if reminder.message_id:
            Message.objects.filter(pk=reminder.message_id).update(
                state=Message.State.DELIVERED, delivered_at=when, reported=True, next_attempt_at=None
            )
            self.do(case, "reminder_delivered", "system", when, reminder=reminder.pk, at=when)
        else:
            self.do(case, "record_call", "collections", when, task=reminder.call_id, outcome="ANSWERED",
                    note="家长表示会尽快支付")  # fmt: skip

    def reminded(self, days_ago: int, amount: str, times: int) -> tuple[CaseFile, datetime]:
        case = self.bill(days_ago, amount)
        when = self.morning(days_ago) + timedelta(minutes=2)
        self.reached(case, when)
        for _turn in range(times - 1):
            when += timedelta(days=7)
            self.do(case, "remind", "system", when)
            self.reached(case, when + timedelta(minutes=2))
        return case, when

    def exhausted(self, days_ago: int, amount: str) -> tuple[CaseFile, datetime]:
        case, when = self.reminded(days_ago, amount, 3)
        clock = running_period(case.pk)
        when = min(max(when, clock.due_at + timedelta(minutes=1) if clock else when), self.now)
        self.do(case, "exhaust", "system", when)
        return case, when


def build(now: datetime | None = None) -> int:
    """Make the demo bills; returns how many."""
    now = now or timezone.now()
    if BillFlow.objects.filter(kind="bill", self_pay__reference__startswith="DEMO-").exists():
        return 0
    today = timezone.localtime(now).date()
    # Not the first children: their cards show other states already.
    policies = [
        policy
        for policy in Policy.objects.filter(number__startswith="DEMO-P2026", series=SERIES).select_related(
            "member"
        )
        if policy.in_force_on(today) and policy.in_force_on(today - timedelta(days=60))
    ][6:16]
    hospitals = list(Hospital.objects.filter(active=True, ownership="PRIVATE").order_by("pk")[:4])
    people = User.objects.filter(username__in=["service_specialist", "collections", "service_lead"]).count()
    if len(policies) < 8 or not hospitals or people < 3:
        return 0
    demo = Demo(now, policies, hospitals)
    for stage in STAGES:
        stage(demo)
    _left_by_closed_claims(demo)
    _pay_electronically(demo)
    return len(demo.made)


def _waiting(demo: Demo) -> None:
    demo.bill(0, "260.00")
    case = demo.bill(3, "1480.00", collected="500.00")
    reminder = BillReminder.objects.get(bill=case.pk, result="WAITING")
    if reminder.message_id:  # the mail server refuses it for good; the outbox asks for a call
        Message.objects.filter(pk=reminder.message_id).update(
            state=Message.State.FAILED, next_attempt_at=None, attempts=8, error="550 5.1.1 no such user"
        )
        demo.do(case, "reminder_failed", "system", demo.morning(2))


def _in_round(demo: Demo) -> None:
    demo.reminded(4, "350.00", 1)
    case, when = demo.reminded(9, "820.00", 1)
    demo.do(case, "remind", "system", when + timedelta(days=7))
    case, when = demo.reminded(12, "96.50", 2)
    demo.do(case, "record_reminder", "collections", when + timedelta(days=2), channel="WECHAT", result="DELIVERED",
            note="家长要求发微信")  # fmt: skip
    case, when = demo.reminded(15, "2300.00", 3)
    demo.do(case, "record_payment", "collections", demo.now, amount="800.00",
            paid_on=timezone.localtime(demo.now).date(), reference="SJ-20391")  # fmt: skip


def _greyed(demo: Demo) -> None:
    demo.exhausted(30, "640.00")
    case, _when = demo.exhausted(33, "1150.00")
    demo.do(case, "record_payment", "collections", demo.now, amount="1150.00",
            paid_on=timezone.localtime(demo.now).date(), reference="SJ-20417")  # fmt: skip


def _ended(demo: Demo) -> None:
    case, when = demo.reminded(20, "430.00", 1)
    demo.do(case, "record_payment", "collections", when + timedelta(days=2), amount="430.00",
            paid_on=(when + timedelta(days=1)).date(), reference="SJ-20102")  # fmt: skip
    case = demo.bill(18, "705.00")
    demo.do(case, "cancel", "service_lead", demo.morning(16), reason="医院确认重复计费")


def _no_answer(demo: Demo) -> None:
    """A family without an e-mail address: called once in vain, to be called again."""
    case = demo.bill(2, "188.00")
    call = CallTask.objects.filter(case=case.pk, outcome=CallTask.Outcome.OPEN).first()
    if call is not None:
        demo.do(
            case,
            "record_call",
            "collections",
            demo.morning(1),
            task=call.pk,
            outcome="UNANSWERED",
            note="无人接听",
        )


STAGES: tuple[Callable[[Demo], None], ...] = (_waiting, _in_round, _greyed, _ended, _no_answer)


# --- 2024 -------------------------------------------------------------------------------------------


def _left_by_closed_claims(demo: Demo) -> None:
    """What closing left to families (BIL-20): paid in two parts, canceled, greyed after the one notice (BIL-21),
    and of a child that comes often, reminded."""
    bills = SelfPayBill.objects.filter(live=True, case__series="2024").select_related("case")
    old = [bill for bill in bills.order_by("case__opened_at", "pk") if not bill.full_visits_used]
    for bill, end in zip(old, (_in_parts, _by_mistake, _lapsed), strict=False):
        end(demo, bill)
    if often := bills.filter(full_visits_used=True).order_by("case__opened_at", "pk").last():
        demo.reached(
            often.case, max(often.case.opened_at, demo.now - timedelta(days=2)) + timedelta(minutes=3)
        )


def _in_parts(demo: Demo, bill: SelfPayBill) -> None:
    first = bill.open_fen // 300 * 100
    for days, fen, receipt in ((2, first, "SJ-24011"), (4, bill.open_fen - first, "SJ-24038")):
        when = bill.case.opened_at + timedelta(days=days)
        day = min(timezone.localtime(when).date(), timezone.localtime(demo.now).date())
        demo.do(
            bill.case,
            "record_payment",
            "collections",
            when,
            amount=to_yuan(fen),
            paid_on=day,
            reference=receipt,
        )


def _by_mistake(demo: Demo, bill: SelfPayBill) -> None:
    when = bill.case.opened_at + timedelta(days=1)
    demo.do(bill.case, "cancel", "service_lead", when, reason="医院确认当日已现场收取")


def _lapsed(demo: Demo, bill: SelfPayBill) -> None:
    demo.reached(bill.case, bill.case.opened_at + timedelta(minutes=3))
    clock = running_period(bill.case.pk)
    if clock is not None and clock.due_at < demo.now:
        demo.do(bill.case, "exhaust", "system", clock.due_at + timedelta(minutes=1))


def _pay_electronically(demo: Demo) -> None:
    """Shares after the fully paid visits: one paid, one pending, one paid though its notice was lost."""
    bills = [bill for bill in _payable() if not_payable_online(bill, bill.case.handbook.handbook) is None][:3]
    desk = gateway()
    if not isinstance(desk, SandboxGateway):
        return
    for turn, bill in enumerate(bills):
        at = max(demo.now - timedelta(hours=3 - turn), bill.case.opened_at)
        payment = OnlinePayment.objects.create(
            number=next_number(f"E{timezone.localtime(at):%y}"), bill=bill, amount_fen=bill.open_fen, gateway=desk.name,
            account="wx-demo", started_at=at, expires_at=at + timedelta(minutes=15),
        )  # fmt: skip
        opened = desk.open(
            number=payment.number, amount_fen=payment.amount_fen, expires_at=payment.expires_at,
            title=f"{bill.hospital} {bill.visited_on:%Y-%m-%d}",
        )  # fmt: skip
        payment.reference, payment.page = opened.reference, opened.page
        payment.save(update_fields=["reference", "page"])
        if turn == 1:
            continue
        headers, body = desk.decide(opened.reference, paid=True)
        SandboxCharge.objects.filter(reference=opened.reference).update(settled_at=at + timedelta(minutes=4))
        if turn == 0:
            epay.receive(headers, body)


def _payable() -> list[SelfPayBill]:
    bills = SelfPayBill.objects.filter(live=True, case__series="2024", full_visits_used=True)
    return list(bills.select_related("case__handbook", "case__member", "hospital").order_by("pk"))
