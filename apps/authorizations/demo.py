"""Demo authorizations in every state, made by the same actions as real ones; dated around today.

`build()` does nothing when some are there, or when there are no demo children.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from apps.accounts.actors import SYSTEM, Actor, actor_of_user
from apps.accounts.models import User
from apps.authorizations.actions import request_authorization
from apps.authorizations.assess import SERVICE
from apps.authorizations.models import Authorization
from apps.authorizations.workflow import AuthorizationFlow
from apps.cards.actions import grey
from apps.cards.models import Card
from apps.cards.queries import grey_rule
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.documents.models import Paper
from apps.hospitals.models import Hospital, NetworkEntry
from apps.members.models import Policy
from apps.products.queries import current_handbook, network_group

SERIES = ("2026", "2024")
PLANS = (
    ("急性阑尾炎", "K35.800", "腹腔镜阑尾切除术", 5,
     [("腹腔镜阑尾切除术", "SURGERY", "9800.00"), ("床位费", "BED", "4500.00"), ("抗感染用药", "DRUG", "2600.00")]),
    ("支气管肺炎", "J18.000", "静脉抗感染、雾化治疗", 7,
     [("床位费", "BED", "6300.00"), ("抗感染用药", "DRUG", "5200.00"), ("胸部CT", "EXAM", "1200.00")]),
    ("腺样体肥大", "J35.200", "全麻下腺样体切除术", 3,
     [("腺样体切除术", "SURGERY", "12800.00"), ("麻醉费", "TREATMENT", "3600.00"), ("床位费", "BED", "2700.00")]),
)  # fmt: skip


@dataclass
class Demo:
    now: datetime
    series: str
    direct: Hospital
    elsewhere: Hospital
    policies: Iterator[Policy]
    made: list[CaseFile] = field(default_factory=list)

    def actor(self, role: str) -> Actor:
        return SYSTEM if role == "system" else actor_of_user(User.objects.get(username=role))

    def do(self, case: CaseFile, action: str, role: str, when: datetime, **data: Any) -> None:
        perform(case.number, action, self.actor(role), now=min(when, self.now), **data)

    def ask(self, days_ago: int, ahead: int = 8, **fields: Any) -> tuple[CaseFile, datetime]:
        """A request of some days ago for a treatment so many days after it."""
        at = self.now - timedelta(days=days_ago, hours=len(self.made) % 4)
        name, code, treatment, days, lines = PLANS[len(self.made) % len(PLANS)]
        service = current_handbook(self.series).handbook.service(SERVICE)
        assert service is not None
        data = {
            "member": next(self.policies).member.number, "hospital": self.direct.code, "visit_type": "INPATIENT",
            "planned_on": timezone.localtime(at).date() + timedelta(days=ahead), "planned_days": days,
            "channel": "HOTLINE" if "HOTLINE" in service.channels else service.channels[0], "department": "儿外科",
            "diagnosis": code, "diagnosis_name": name, "treatment": treatment, "requester": "王女士",
            "contact_name": "国际医疗部", "contact_email": f"{self.direct.code.lower()}@hospital.example",
            "lines": [{"name": item, "kind": kind, "amount": amount} for item, kind, amount in lines],
        } | fields  # fmt: skip
        case = request_authorization(self.actor("service_specialist"), data=data, now=at)
        self.made.append(case)
        return case, at

    def reviewed(self, days_ago: int, **fields: Any) -> tuple[CaseFile, datetime]:
        case, at = self.ask(days_ago, **fields)
        for kind in ("MEDICAL_RECORD", "COST_ESTIMATE", "PASSPORT"):
            Paper.objects.create(
                case_id=case.pk, kind=kind, form=Paper.Form.ORIGINAL, received_at=at, legible=True, color=True,
                has_photo=kind == "PASSPORT", pages=2, subject="INSURED" if kind == "PASSPORT" else "",
                checked_by_label="演示", checked_at=at,
            )  # fmt: skip
        self.do(case, "complete", "intake", at + timedelta(hours=3))
        return case, at

    def approved(self, days_ago: int, **fields: Any) -> tuple[CaseFile, datetime]:
        case, at = self.reviewed(days_ago, **fields)
        self.approve(case, at)
        return case, at

    def approve(self, case: CaseFile, at: datetime) -> None:
        given = Authorization.objects.get(case=case.pk)
        until = min(given.planned_on + timedelta(days=30), case.policy.covered_until)
        amount = f"{given.estimate_fen * 9 // 1000}.00"
        self.do(case, "approve", "senior_adjuster", at + timedelta(hours=6), amount=amount, valid_until=until)

    def admitted(self, days_ago: int, share: int, **fields: Any) -> tuple[CaseFile, datetime]:
        """In hospital since the day before yesterday or longer; `share` percent of the letter is used."""
        if share < 90:  # this one stays longer than planned, too
            fields["planned_days"] = days_ago
        case, at = self.approved(days_ago, ahead=2, **fields)
        start = at + timedelta(days=2)
        self.do(case, "admit", "service_specialist", start, admitted_on=timezone.localtime(start).date())
        cap = Authorization.objects.get(case=case.pk).approved_fen or 0
        amount = f"{cap * share // 10000}.00"
        self.do(case, "report_costs", "service_specialist", self.now, amount=amount)
        return case, at


def build(now: datetime | None = None) -> int:
    """Make the demo authorizations; returns how many."""
    now = now or timezone.now()
    if AuthorizationFlow.objects.filter(kind="authorization").exists():
        return 0
    return sum(_series(now, series) for series in SERIES)


def _series(now: datetime, series: str) -> int:
    demo = _demo(now, series)
    if demo is None:
        return 0
    for stage in STAGES:
        stage(demo)
    return len(demo.made)


def _demo(now: datetime, series: str) -> Demo | None:
    """A hospital that bills stays of these children's plan directly, one that does not, and the children."""
    today = timezone.localtime(now).date()
    policies = Policy.objects.filter(member__number__startswith="DEMO", series=series).select_related(
        "member", "plan"
    )
    policies = policies.exclude(card__greyed_at__isnull=False).order_by("-pk")
    found = [policy for policy in policies if policy.in_force_on(today)]
    if not found:
        return None
    group = network_group(found[0].plan, current_handbook(series).handbook)
    entries = NetworkEntry.objects.valid_on(today).filter(
        series=series, network_group=group, benefit="INPATIENT", department_group="GENERAL"
    )
    listed = [
        entry for entry in entries.select_related("campus__hospital") if "INPATIENT" in entry.direct_billing
    ]
    elsewhere = Hospital.objects.filter(active=True, ownership="PUBLIC").exclude(
        pk__in=NetworkEntry.objects.filter(series=series).values("campus__hospital")
    )
    if not listed or not elsewhere.exists():
        return None
    chosen = [policy for policy in found if policy.plan_id == found[0].plan_id]
    turns = (policy for _round in range(9) for policy in chosen)
    return Demo(now, series, listed[0].campus.hospital, elsewhere.order_by("pk")[0], turns)


def _waiting(demo: Demo) -> None:
    case, at = demo.ask(1)
    demo.do(case, "ask_papers", "intake", at + timedelta(hours=1))
    demo.ask(0, ahead=1)  # late, expedited
    demo.ask(0, ahead=0, emergency_at=demo.now - timedelta(hours=9))


def _in_review(demo: Demo) -> None:
    demo.reviewed(1)
    case, at = demo.reviewed(1)
    demo.do(case, "ask_doctor", "senior_adjuster", at + timedelta(hours=5), question="手术指征是否充分？")
    case, at = demo.reviewed(1)
    until = min(timezone.localtime(at).date() + timedelta(days=40), case.policy.covered_until)
    demo.do(case, "propose", "first_review", at + timedelta(hours=5), amount="9000.00", valid_until=until)


def _refused(demo: Demo) -> None:
    for again in (False, True):
        case, at = demo.reviewed(5)
        demo.do(case, "reject", "first_review", at + timedelta(hours=8), reason="所附病历不支持住院指征")
        if again:
            demo.do(case, "reconsider", "intake", demo.now, reason="家长补充上级医院会诊意见")


def _with_letter(demo: Demo) -> None:
    demo.approved(2)
    demo.approved(3, hospital=demo.elsewhere.code)  # outside the network: no letter
    case, at = demo.approved(4)
    demo.do(case, "void", "supervisor", at + timedelta(days=1), reason="家长改在外地治疗")


def _in_hospital(demo: Demo) -> None:
    demo.admitted(6, 45)
    demo.admitted(9, 92)
    _more(demo)
    case, _at = demo.admitted(7, 70)
    lines = [{"name": "术后抗感染", "kind": "DRUG", "amount": "4800.00"}]
    demo.do(
        case, "ask_supplement", "service_specialist", demo.now, reason="术后感染，需延长住院", lines=lines
    )


def _more(demo: Demo) -> None:
    """A supplement above the reviewer's authority, waiting for the second signature."""
    case, _at = demo.admitted(8, 88)
    lines = [{"name": "二次手术清创引流", "kind": "SURGERY", "amount": "26000.00"}]
    demo.do(
        case, "ask_supplement", "service_specialist", demo.now, reason="切口感染，需再次手术", lines=lines
    )
    until = Authorization.objects.get(case=case.pk).valid_until
    demo.do(case, "propose_supplement", "first_review", demo.now, amount="24000.00", valid_until=until)


def _on_greyed_card(demo: Demo) -> None:
    """Approved while the family's card is greyed: the letter waits for their bill to be paid."""
    case, at = demo.reviewed(2)
    card = Card.objects.get(policy=case.policy_id)
    if card.greyed_at is None:
        rule = grey_rule(case.handbook.handbook)
        grey(SYSTEM, card, reason="自付账单逾期未付", rule=rule, now=at + timedelta(hours=4))
    demo.approve(case, at)


def _over(demo: Demo) -> None:
    case, _at = demo.admitted(20, 80)
    given = Authorization.objects.get(case=case.pk)
    amount = f"{(given.approved_fen or 0) * 8 // 1000}.00"
    demo.do(case, "record_bill", "intake", demo.now, amount=amount, bill="DEMO-BILL")
    demo.do(
        case, "discharge", "service_specialist", demo.now, discharged_on=timezone.localtime(demo.now).date()
    )
    demo.do(case, "close", "intake", demo.now)
    case, at = demo.ask(3)
    demo.do(case, "withdraw", "intake", at + timedelta(hours=2), reason="改期治疗")


STAGES: tuple[Callable[[Demo], None], ...] = (
    _waiting,
    _in_review,
    _refused,
    _with_letter,
    _in_hospital,
    _over,
    _on_greyed_card,
)
