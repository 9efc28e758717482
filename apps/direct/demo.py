"""Demo direct-billing claims in different states, made by the same actions as real ones; dated around today.

`build()` does nothing when some are there, or when there are no demo children.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone

from apps.accounts.actors import Actor, actor_of_user
from apps.accounts.models import User
from apps.authorizations.models import Authorization
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.core.errors import DomainError
from apps.direct.actions import admit_child, submit_direct
from apps.direct.workflow import DirectFlow
from apps.documents.models import Paper
from apps.hospitals.models import DepartmentGroup, Hospital, NetworkEntry
from apps.ledger.actions import money_account, post_money
from apps.ledger.models import MoneyEntry
from apps.members.models import Policy
from apps.payments.queries import payable_key
from apps.products.queries import current_handbook, network_group

SERIES = ("2026", "2024")
REGULARLY = 3  # days between the visits of a child that comes often
SIGNED = {"2024": ("SIGNED_BILL",), "2026": ("DIRECT_CLAIM_FORM", "SIGNED_RECEIPT")}
VISITS: tuple[tuple[str, str, list[tuple[str, str, str]]], ...] = (
    ("急性支气管炎", "J20.900", [("诊察费", "CONSULT", "380.00"), ("血常规", "EXAM", "120.00"), ("雾化药物", "DRUG", "260.00")]),
    ("过敏性鼻炎", "J30.400", [("诊察费", "CONSULT", "380.00"), ("过敏原检测", "EXAM", "960.00")]),
    ("支气管哮喘", "J45.900", [("诊察费", "CONSULT", "380.00"), ("生物制剂", "DRUG", "3680.00"), ("胸部增强CT", "EXAM", "5200.00")]),
    ("腺样体肥大", "J35.200", [("诊察费", "CONSULT", "380.00"), ("爽约费", "NO_SHOW", "90.00"), ("鼻内镜检查", "EXAM", "680.00")]),
)  # fmt: skip


@dataclass
class Demo:
    now: datetime
    series: str
    place: Hospital
    own: list[Policy]
    entries: list[NetworkEntry]
    policies: Iterator[Policy]
    numbers: Iterator[int]
    made: list[CaseFile] = field(default_factory=list)

    def actor(self, role: str) -> Actor:
        return actor_of_user(User.objects.get(username=role))

    def do(self, case: CaseFile, action: str, role: str, when: datetime, **data: Any) -> CaseFile:
        return perform(case.number, action, self.actor(role), now=min(when, self.now), **data)

    def bill(self, day: date, lines: list[dict[str, Any]]) -> dict[str, Any]:
        total = sum(float(line["amount"]) for line in lines)
        return {
            "bill_type": "FISCAL_PAPER", "code": "31010224", "number": f"{next(self.numbers):010d}",
            "issued_on": day.isoformat(), "amount": f"{total:.2f}", "lines": lines,
        }  # fmt: skip

    def send(
        self, days_ago: int, which: int, *, without: str = "", collected: str = "0.00", policy: Policy | None = None,
        entry: NetworkEntry | None = None,
    ) -> tuple[CaseFile, datetime]:  # fmt: skip
        """A visit of a child at the usual place, or at the department group of a network entry."""
        at = self.now - timedelta(days=days_ago, hours=2)
        day = timezone.localtime(at).date()
        name, code, items = VISITS[which]
        lines = [
            {
                "name": item,
                "kind": kind,
                "amount": amount,
                "collected": collected if kind == "NO_SHOW" else "0.00",
            }
            for item, kind, amount in items
        ]
        member = (policy or next(self.policies)).member
        place = entry.campus.hospital if entry else self.place
        visit = {
            "visit_type": "OUTPATIENT", "hospital": place.code, "department": "儿科",
            "department_group": entry.department_group if entry else DepartmentGroup.GENERAL.value,
            "started_on": day.isoformat(), "diagnoses": [{"code": code, "name": name}], "bills": [self.bill(day, lines)],
        }  # fmt: skip
        kinds = [kind for kind in SIGNED[self.series] if kind != without]
        papers = [{"kind": kind, "form": "E_SIGNED", "signed": True} for kind in kinds]
        papers += [{"kind": "CARD_CHECK", "form": "DATA"}]
        papers += [
            {"kind": kind, "form": "ORIGINAL"} for kind in ("MEDICAL_RECORD", "INVOICE", "ITEMIZED_BILL")
        ]
        case = submit_direct(
            self.actor("intake"), now=at,
            data={
                "member": {"number": member.number}, "reporter": {"name": "国际医疗部 李护士"}, "visits": [visit],
                "papers": papers, "id_type": member.id_type, "id_photo": True, "contact_name": "国际医疗部",
                "contact_email": f"{place.code.lower()}@hospital.example",
            },
        )  # fmt: skip
        self.made.append(case)
        return case, at

    def seen(self, case: CaseFile, at: datetime) -> CaseFile:
        Paper.objects.filter(case=case.pk, legible=None).update(
            legible=True, color=True, signed=True, checked_by_label="演示", checked_at=at
        )
        return self.do(case, "check_intake", "intake", at)

    def decided(self, days_ago: int, which: int, **more: Any) -> tuple[CaseFile, datetime]:
        case, at = self.send(days_ago, which, **more)
        case = self.seen(case, at + timedelta(hours=3))
        if case.state == "PA_EXCEPTION":
            later = at + timedelta(hours=5)
            self.do(
                case,
                "decide_exception",
                "senior_adjuster",
                later,
                pay=False,
                reason="非紧急，治疗前未申请授权",
            )
        self.do(case, "decide", "senior_adjuster", at + timedelta(hours=6))
        return case, at


def build(now: datetime | None = None) -> int:
    """Make the demo claims; returns how many."""
    if DirectFlow.objects.filter(kind="direct", direct__source="DESK").exists():
        return 0
    return sum(_series(now or timezone.now(), series) for series in SERIES)


def _series(now: datetime, series: str) -> int:
    demo = _demo(now, series)
    if demo is None:
        return 0
    demo.send(1, 0)
    demo.send(2, 1, without=SIGNED[series][-1])
    case, at = demo.send(2, 2)
    demo.seen(case, at + timedelta(hours=4))  # without authorization
    case, at = demo.send(3, 1)
    demo.seen(case, at + timedelta(hours=4))
    demo.decided(5, 3, collected="90.00")
    demo.decided(6, 0)
    _paid(demo)
    _regular(demo)
    _in_hospital(demo)
    return len(demo.made)


def _paid(demo: Demo) -> None:
    case, at = demo.decided(12, 1)
    _settle(demo, case, at, turn="")


def _regular(demo: Demo) -> None:
    """A child whose plan pays a number of visits in full goes to a public hospital more often than that: the share
    of the visits beyond is billed (EPY-01). The last visit waits for its statement."""
    benefit = demo.own[0].plan.terms.benefit("OUTPATIENT")
    place = next((entry for entry in demo.entries if entry.campus.hospital.ownership == "PUBLIC"), None)
    if benefit is None or benefit.full_pay_visits is None or place is None:
        return
    visits = benefit.full_pay_visits + 3
    first = timezone.localtime(demo.now).date() - timedelta(days=REGULARLY * visits + 2)
    policy = next((row for row in reversed(demo.own) if row.in_force_on(first)), None)
    for turn in range(visits if policy is not None else 0):
        case, at = demo.decided(REGULARLY * (visits - turn), turn % 2, policy=policy, entry=place)
        if turn < visits - 1:
            _settle(demo, case, at, turn=f"-{turn + 1}")


def _settle(demo: Demo, case: CaseFile, at: datetime, *, turn: str) -> None:
    paid = min(at + timedelta(days=2), demo.now)
    reference = f"P-DEMO-{demo.series}{turn}"
    given = {"statement": f"S-DEMO-{demo.series}{turn}", "reference": reference, "paid_at": paid}
    demo.do(case, "settle", "finance", paid, **given)
    account = money_account(
        payable_key(case, "HOSPITAL"),
        party="HOSPITAL",
        reference=case.number,
        series=case.series,
        tpa=case.tpa,
    )
    owed = account.balance  # the book of money owed is the settlement's, which came before this demonstration
    post_money(account, MoneyEntry.Kind.PAID, -owed, reference=reference)
    demo.do(case, "close", "supervisor", paid + timedelta(days=1))


def _in_hospital(demo: Demo) -> None:
    """On the letter of a demo authorization: a child that is in hospital, or is to come."""
    today = timezone.localtime(demo.now).date()
    letters = Authorization.objects.filter(
        case__series=demo.series, case__state__in=("LETTER_SENT", "IN_USE"), valid_until__gte=today, direct_claims=None,
        discharged_on=None,
    )  # fmt: skip
    for letter in letters.select_related("case__member", "case__hospital").order_by("pk")[:1]:
        case, hospital = letter.case, letter.case.hospital
        assert hospital is not None  # every authorization names one
        try:
            admitted = admit_child(
                demo.actor("intake"), now=demo.now,
                data={
                    "member": {"number": case.member.number}, "hospital": hospital.code, "department": letter.department,
                    "admitted_on": (letter.admitted_on or today).isoformat(), "reporter": {"name": "住院处 张"}, "authorization": case.number,
                    "diagnosis": letter.diagnosis, "diagnosis_name": letter.diagnosis_name,
                    "id_type": case.member.id_type, "id_photo": True,
                },
            )  # fmt: skip
        except DomainError:  # its card was greyed meanwhile, or its days begin later
            continue
        amount = f"{(letter.approved_fen or 0) * 11 // 1000}.00"
        demo.do(admitted, "report_costs", "intake", demo.now, amount=amount)
        demo.made.append(admitted)


def _demo(now: datetime, series: str) -> Demo | None:
    """A hospital that bills outpatients of these children's plan directly, and the children."""
    today = timezone.localtime(now).date()
    policies = Policy.objects.filter(member__number__startswith="DEMO", series=series).select_related(
        "member", "plan"
    )
    recent = today - timedelta(days=20)
    found = [row for row in policies.order_by("pk") if row.in_force_on(today) and row.in_force_on(recent)]
    cards = Policy.objects.filter(card__greyed_at__isnull=False).values_list("pk", flat=True)
    greyed = set(cards)
    found = [row for row in found if row.pk not in greyed]
    if not found:
        return None
    group = network_group(found[0].plan, current_handbook(series).handbook)
    entries = NetworkEntry.objects.valid_on(recent).filter(
        series=series, network_group=group, benefit="OUTPATIENT"
    )
    listed = [row for row in entries.select_related("campus__hospital") if "OUTPATIENT" in row.direct_billing]
    general = [row for row in listed if row.department_group == DepartmentGroup.GENERAL]
    if not general:
        return None
    own = [policy for policy in found if policy.plan_id == found[0].plan_id]
    numbers = itertools.count(4_100_000_000 + int(series), 10_000)
    return Demo(now, series, general[0].campus.hospital, own, listed, itertools.cycle(own), numbers)
