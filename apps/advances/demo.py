"""Demo advances in every state, made by the same actions as real ones; dated around today.

`build()` does nothing when some are there, or when there are no demo children.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from apps.accounts.actors import Actor, actor_of_user
from apps.accounts.models import User
from apps.advances.actions import apply_for_advance
from apps.advances.models import Advance, Provider
from apps.advances.providers import confirm, enter
from apps.advances.workflow import AdvanceFlow
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.claims.assess import assess
from apps.claims.demo import Demo as Claims
from apps.claims.demo import decide as decide_claim
from apps.claims.demo import tick
from apps.documents.models import Paper
from apps.hospitals.models import Hospital, NetworkEntry
from apps.members.models import Policy
from apps.messaging.models import CallTask
from apps.payments.actions import BankResult, book_results, make_file, release_file
from apps.payments.models import PaymentOrder
from apps.products.models import HandbookVersion
from apps.products.queries import current_handbooks, network_group

ACCOUNT = {
    "bank": "中国银行", "branch": "上海市分行营业部", "account": "436742001234567",
    "reason": "与指定服务商的协议附件二",
}  # fmt: skip
STAYS = (
    (
        "重症肺炎",
        "J18.900",
        "ILLNESS",
        "儿内科",
        [("住院治疗费", "TREATMENT", 26000), ("抗感染用药", "DRUG", 9000)],
    ),
    (
        "股骨干骨折",
        "S72.300",
        "ACCIDENT",
        "骨科",
        [("切开复位内固定术", "SURGERY", 28000), ("床位费", "BED", 4000)],
    ),
    (
        "川崎病",
        "M30.300",
        "ILLNESS",
        "心内科",
        [("丙种球蛋白", "DRUG", 21000), ("住院治疗费", "TREATMENT", 8000)],
    ),
)
REVIEW = ("ADMISSION_RECORD", "MEDICAL_RECORD", "EXAM_REPORT", "DIAGNOSIS_CERTIFICATE")
DISCHARGE = ("INVOICE", "DISCHARGE_SUMMARY", "INPATIENT_RECORD", "ITEMIZED_BILL")


@dataclass
class Demo:
    now: datetime
    series: str
    public: Hospital
    direct: Hospital | None
    policies: Iterator[Policy]
    made: list[CaseFile] = field(default_factory=list)
    actors: dict[str, Actor] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(8_000_001))

    def actor(self, role: str) -> Actor:
        if role not in self.actors:
            self.actors[role] = actor_of_user(User.objects.get(username=role))
        return self.actors[role]

    def do(self, case: CaseFile, action: str, role: str, when: datetime, **data: Any) -> None:
        perform(case.number, action, self.actor(role), now=min(when, self.now), **data)

    # --- On the way -----------------------------------------------------------------------------

    def applied(self, days_ago: int, *, stay: int = -1, **fields: Any) -> tuple[CaseFile, datetime]:
        at = self.now - timedelta(days=days_ago, hours=len(self.made) % 4)
        name, code, cause, department, costs = STAYS[stay if stay >= 0 else len(self.made) % len(STAYS)]
        data = {
            "member": next(self.policies).member.number, "hospital": self.public.code, "department": department,
            "admitted_on": timezone.localtime(at).date() - timedelta(days=2), "admitted": True, "diagnosis": code,
            "diagnosis_name": name, "cause": cause, "caller": "王女士（母亲）", "need": True, "consent": True,
            "admission_number": f"ZY{len(self.made) + 260001}", "planned_days": 12,
            "lines": [{"name": item, "kind": kind, "amount": amount} for item, kind, amount in costs],
        } | fields  # fmt: skip
        case = apply_for_advance(self.actor("service_specialist"), data=data, now=at)
        self.made.append(case)
        return case, at

    def verified(self, days_ago: int, **fields: Any) -> tuple[CaseFile, datetime]:
        case, at = self.applied(days_ago, **fields)
        self.do(case, "verify", "service_specialist", at + timedelta(hours=1))
        return case, at

    def called(self, days_ago: int, **fields: Any) -> tuple[CaseFile, datetime]:
        case, at = self.verified(days_ago, **fields)
        task = CallTask.objects.get(case=case)
        note = "已入院，医院要求补交治疗费；无第三方责任，使用本地医保。"
        self.do(
            case,
            "record_call",
            "service_specialist",
            at + timedelta(hours=3),
            task=task.pk,
            outcome="ANSWERED",
            note=note,
        )
        return case, at

    def give(self, case: CaseFile, when: datetime, *kinds: str) -> None:
        before = set(Paper.objects.filter(case=case).values_list("pk", flat=True))
        for kind in kinds:
            self.do(case, "attach_paper", "service_specialist", when, kind=kind, form="ORIGINAL")
        papers = list(Paper.objects.filter(case=case).exclude(pk__in=before).values_list("pk", flat=True))
        seen = {"legible": True, "color": True, "signed": True}
        self.do(case, "tick_paper", "service_specialist", when, papers=papers, **seen)

    def complete(self, days_ago: int, **fields: Any) -> tuple[CaseFile, datetime]:
        case, at = self.called(days_ago, **fields)
        accident = Advance.objects.get(pk=case.pk).cause == "ACCIDENT"
        self.give(case, at + timedelta(hours=5), *REVIEW, *(["ACCIDENT_EVIDENCE"] if accident else []))
        note = "服务商 李经理 电话确认"
        self.do(case, "record_network", "service_specialist", at + timedelta(hours=5), inside=True, note=note)
        return case, at

    def checked(self, days_ago: int, *, stay: int = -1, **found: Any) -> tuple[CaseFile, datetime]:
        case, at = self.complete(days_ago, stay=stay)
        checks = {"third_party_funds": False, "litigation": False, "note": "病历与诊断相符"} | found
        self.do(case, "record_checks", "senior_adjuster", at + timedelta(hours=6), **checks)
        return case, at

    def approved(self, days_ago: int) -> tuple[CaseFile, datetime]:
        case, at = self.checked(days_ago)
        self.do(case, "approve", "senior_adjuster", at + timedelta(hours=7), amount="15000.00")
        return case, at

    def signed(self, days_ago: int) -> tuple[CaseFile, datetime]:
        case, at = self.approved(days_ago)
        when = at + timedelta(hours=9)
        self.give(case, when, "ENTRUSTMENT_LETTER")
        self.do(case, "sign", "service_specialist", when, signed_at=min(when, self.now))
        return case, at

    def advanced(self, days_ago: int) -> tuple[CaseFile, datetime]:
        case, at = self.signed(days_ago)
        when = min(at + timedelta(hours=20), self.now)
        self.do(
            case, "pay_hospital", "finance", when, third_party_funds=False, litigation=False, amount="15000.00",
            paid_on=timezone.localtime(when).date(), bank_reference=f"AB{case.number[1:]}",
        )  # fmt: skip
        return case, at

    def settled(self, days_ago: int, billed: str) -> tuple[CaseFile, datetime]:
        """Settled after six days; `billed` is what the hospital asked for in the end."""
        case, at = self.advanced(days_ago)
        when = at + timedelta(days=6)
        day = timezone.localtime(when).date()
        self.do(case, "notice_discharge", "service_specialist", when - timedelta(days=2), discharged_on=day)
        self.give(case, when, *DISCHARGE)
        line = {"name": "住院费用", "kind": "TREATMENT", "amount": billed}
        bill = {
            "bill_type": "FISCAL_PAPER", "code": "01020304", "number": f"{next(self.numbers):010d}",
            "issued_on": day, "amount": billed, "lines": [line],
        }  # fmt: skip
        payee = {
            "name": "王建国", "relation": "FATHER", "bank": "工商银行", "branch": "上海徐汇支行",
            "account": "6222021001098550830",
        }  # fmt: skip
        self.do(case, "settle", "service_specialist", when, discharged_on=day, bills=[bill], payee=payee)
        return case, when

    def decided(self, days_ago: int, billed: str) -> tuple[CaseFile, datetime]:
        case, when = self.settled(days_ago, billed)
        claims = Claims(self.now)
        claim = Advance.objects.get(pk=case.pk).claim
        assert claim is not None  # it was settled
        self.bring(claims, claim, when)
        decide_claim(claims, claims.see(claim), when)
        return case, when + timedelta(days=2)

    def bring(self, claims: Claims, claim: CaseFile, when: datetime) -> None:
        """What a claim asks for beyond the papers of the discharge: the form, who the child and the payee are."""
        for _round in range(2):
            for entry in assess(claims.see(claim), min(when, self.now)).lacking:
                kinds = ("PASSPORT", "GUARDIAN_ID") if entry.key == "PHOTO_ID" else (entry.key,)
                for kind in kinds if entry.key not in DISCHARGE else ():
                    subject = "INSURED" if kind == "PASSPORT" else "PAYEE" if kind == "GUARDIAN_ID" else ""
                    self.do(
                        claim, "attach_paper", "intake", when, kind=kind, form="ORIGINAL", subject=subject
                    )
            tick(claims, claims.see(claim), min(when, self.now))

    def paid(self, case: CaseFile, when: datetime) -> None:
        """What the claim owes, through a file and the bank's answer."""
        when = min(when, self.now)
        claim = Advance.objects.get(pk=case.pk).claim
        numbers = list(
            PaymentOrder.objects.filter(case=claim, state="ORDERED").values_list("number", flat=True)
        )
        if not numbers:
            return
        file = make_file(self.actor("finance"), numbers, now=when)
        release_file(self.actor("payment_check"), file.number, now=when)
        answers = [BankResult(number, True, f"ICBC{number}") for number in numbers]
        book_results(self.actor("finance"), answers, now=when)

    def refund(self, case: CaseFile, when: datetime, share: int = 100) -> None:
        row = Advance.objects.get(pk=case.pk)
        when = min(when, self.now)
        if row.open_fen:
            self.do(
                case, "record_refund", "finance", when, amount=Decimal(row.open_fen * share // 100) / 100,
                received_on=timezone.localtime(when).date(), bank_reference=f"FR{case.number[1:]}",
            )  # fmt: skip


def build(now: datetime | None = None) -> int:
    """Make the demo advances; returns how many."""
    now = now or timezone.now()
    if AdvanceFlow.objects.filter(kind="advance").exists():
        return 0
    made = 0
    for book in current_handbooks():
        service = book.handbook.service("advance")
        if service is not None and service.offered:
            demo = _demo(now, book)
            for stage in STAGES if demo is not None else ():
                assert demo is not None
                stage(demo)
            made += len(demo.made) if demo else 0
    return made


def _demo(now: datetime, book: HandbookVersion) -> Demo | None:
    """A public hospital that bills nothing directly, one that bills stays directly, and the children."""
    series, today = book.series, timezone.localtime(now).date()
    policies = Policy.objects.filter(member__number__startswith="DEMO", series=series).select_related(
        "member", "plan"
    )
    found = [policy for policy in policies.order_by("pk") if policy.in_force_on(today - timedelta(days=40))]
    listed = NetworkEntry.objects.filter(series=series)
    public = Hospital.objects.filter(active=True, ownership="PUBLIC").exclude(
        pk__in=listed.values("campus__hospital")
    )
    if not found or not public.exists():
        return None
    group = network_group(found[0].plan, book.handbook)
    listed = listed.filter(network_group=group, benefit="INPATIENT", department_group="GENERAL")
    direct = [
        entry.campus.hospital
        for entry in listed.valid_on(today).select_related("campus__hospital")
        if "INPATIENT" in entry.direct_billing
    ]
    found = [policy for policy in found if policy.plan_id == found[0].plan_id]
    _designate(series, now)
    turns = (policy for _round in range(9) for policy in found)
    return Demo(now, series, public.order_by("pk")[0], direct[0] if direct else None, turns)


def _designate(series: str, now: datetime) -> None:
    if Provider.objects.filter(series=series).exists():
        return
    name = "安伴健康服务有限公司（演示）"
    data = {"series": series, "provider": name, "phone": "400-800-1234", "account": ACCOUNT | {"name": name}}
    row = enter(actor_of_user(User.objects.get(username="finance")), data, now=now)
    confirm(actor_of_user(User.objects.get(username="finance_lead")), row.pk, now=now)


def _before_papers(demo: Demo) -> None:
    demo.applied(0)
    if demo.direct is not None:
        demo.applied(0, hospital=demo.direct.code)  # direct billing first
    case, at = demo.applied(1, cost="DEPOSIT")
    demo.do(case, "find_ineligible", "service_specialist", at + timedelta(hours=1))
    demo.verified(0)
    demo.called(0)
    case, at = demo.called(1)
    demo.give(case, at + timedelta(hours=5), *REVIEW[:2])
    demo.do(case, "ask_papers", "service_specialist", at + timedelta(hours=5))


def _in_review(demo: Demo) -> None:
    demo.complete(1)
    case, at = demo.checked(1)
    demo.do(case, "propose", "first_review", at + timedelta(hours=7), amount="16000.00")
    case, at = demo.complete(4, stay=1)
    reason = "受伤经过前后陈述不一，需核实"
    demo.do(case, "open_investigation", "supervisor", at + timedelta(hours=8), reason=reason)
    case, at = demo.checked(5, stay=1, litigation=True, note="家长已起诉肇事方")
    reason = "就本次受伤已提起诉讼，按约定不能垫付"
    demo.do(
        case, "terminate", "senior_adjuster", at + timedelta(hours=8), because="LITIGATION", reason=reason
    )
    case, at = demo.called(6)
    demo.do(case, "withdraw", "service_specialist", at + timedelta(hours=8), reason="家长已自行付清")


def _paying(demo: Demo) -> None:
    demo.approved(1)
    demo.signed(1)
    demo.advanced(3)
    case, _at = demo.advanced(5)
    day = timezone.localtime(demo.now).date()
    demo.do(case, "notice_discharge", "service_specialist", demo.now, discharged_on=day)  # too late


def _in_claim(demo: Demo) -> None:
    demo.settled(9, "21000.00")
    demo.decided(14, "23000.00")  # more than was advanced: the rest goes to the family
    case, when = demo.decided(20, "11000.00")
    demo.refund(case, when + timedelta(days=2), share=40)
    case, when = demo.decided(21, "12000.00")
    demo.refund(case, when + timedelta(days=2))
    case, when = demo.decided(30, "12500.00")
    demo.refund(case, when + timedelta(days=1))
    demo.paid(case, when + timedelta(days=3))


STAGES: tuple[Callable[[Demo], None], ...] = (_before_papers, _in_review, _paying, _in_claim)
