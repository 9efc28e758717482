"""A small world for the tests of claims: handbooks, plans, hospitals, a child, and reports to make.

world = World()                       2024 and 2026, both with a policy of the same kind of child
world.report()                        a report as data; every argument changes it
claim = world.claim(...)              reported by the desk
world.do(claim, "decide", by="senior")
"""

from __future__ import annotations

import itertools
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from apps.accounts.actors import SYSTEM, Actor, actor_of_user
from apps.accounts.models import Role, User
from apps.accounts.tests.factories import make_actor
from apps.cases.engine import perform
from apps.cases.models import CaseFile, Clock
from apps.claims.actions.intake import report_claim
from apps.claims.assess import assess
from apps.claims.workflow import ClaimFlow
from apps.core.testing_worlds import MadeOnce
from apps.documents.actions import Paper
from apps.hospitals.models import Campus, Hospital, NetworkEntry
from apps.members.models import Guardian, Member, Policy
from apps.payments.actions import make_file, release_file
from apps.payments.models import PaymentOrder
from apps.products.models import HandbookVersion, Plan
from apps.products.tests.helpers import load

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 9, 16, 10, 0, tzinfo=SHANGHAI)
PLANS = {"2024": "GROWTH_PLUS", "2026": "NATIONAL", "2027": "WEST"}
PEOPLE = {
    "intake": ("intake",),
    "mail": ("mailroom",),
    "adjuster": ("first_review",),
    "second": ("second_review",),
    "senior": ("senior_adjuster",),
    "final": ("final_approval",),
    "supervisor": ("supervisor",),
    "finance": ("finance",),
    "checker": ("payment_check",),
    "compliance": ("compliance",),
}
PAYEE = {
    "name": "王建国", "relation": "FATHER", "bank": "工商银行", "branch": "上海徐汇支行", "account": "6222021001098550830",
}  # fmt: skip
_numbers = itertools.count(1)


class World(metaclass=MadeOnce):
    people: ClassVar[dict[str, tuple[str, ...]]] = PEOPLE  # roles by name; other worlds add their own

    def __init__(self, *series: str, now: datetime = NOW) -> None:
        self.now = now
        self.series = series or ("2024", "2026")
        for name in self.series:
            load(name, plans=True)
        self.hospital("PUB", ownership="PUBLIC", grade=3, name="市儿童医院")
        self.hospital("CHC", ownership="PUBLIC", grade=1, name="社区卫生服务中心")
        self.hospital("PRI", ownership="PRIVATE", grade=None, name="悦安诊所")
        for index, name in enumerate(self.series):
            self.child(f"M{name}", name, index)

    def hospital(self, code: str, **fields: Any) -> Hospital:
        row = Hospital.objects.create(code=code, city="上海", **fields)
        Campus.objects.create(hospital=row, code="MAIN", name="本部")
        return row

    def list_hospital(
        self, code: str, series: str, benefit: str = "OUTPATIENT", **fields: Any
    ) -> NetworkEntry:
        group = self.policy_of(series).plan.version
        handbook = self.handbook(series).handbook
        values = {"department_group": "GENERAL", "starts_on": date(2020, 1, 1)} | fields
        return NetworkEntry.objects.create(
            campus=Campus.objects.get(hospital__code=code), series=series, benefit=benefit,
            network_group=handbook.versions[group].network_group, **values,
        )  # fmt: skip

    def child(self, number: str, series: str, index: int = 0, **policy: Any) -> Member:
        member = Member.objects.create(
            number=number, name="王小明", sex="M", birth_date=date(2021, 5, 4), id_type="PASSPORT",
            id_number=f"E{number}{index}", social_insurance=False, email="",
        )  # fmt: skip
        father = Guardian.objects.create(
            member=member, name="王建国", relation="FATHER", id_type="PASSPORT", id_number=f"G{number}",
            mobile="13800138000", email="wang@example.com", is_policyholder=True,
        )  # fmt: skip
        values = {
            "effective_on": date(2026, 1, 1), "expires_on": date(2026, 12, 31), "continuous_since": date(2025, 1, 1),
            "concluded_on": date(2025, 1, 1), "renewed": True, "status": "IN_FORCE",
        } | policy  # fmt: skip
        Policy.objects.create(
            number=f"P-{number}", member=member, plan=Plan.objects.get(series=series, code=PLANS[series]), series=series,
            tpa=self.handbook(series).handbook.tpa, policyholder=father, **values,
        )  # fmt: skip
        return member

    def handbook(self, series: str) -> HandbookVersion:
        return HandbookVersion.objects.get(series=series)

    def policy_of(self, series: str) -> Policy:
        return Policy.objects.select_related("plan", "member").get(number=f"P-M{series}")

    # --- People ---------------------------------------------------------------------------------

    @cached_property
    def _people(self) -> dict[str, Actor]:
        return {}

    def actor(self, name: str) -> Actor:
        if name == "system":
            return SYSTEM
        if name not in self._people:
            known = User.objects.filter(username=name).first()
            self._people[name] = (
                actor_of_user(known) if known else make_actor(*self.people[name], username=name)
            )
        return self._people[name]

    def authority(self, role: str, yuan: int) -> None:
        Role.objects.filter(code=role).update(authority_fen=yuan * 100)
        self._people.clear()

    # --- Reports --------------------------------------------------------------------------------

    def line(self, amount: str = "800.00", **fields: Any) -> dict[str, Any]:
        return {"name": "血常规", "kind": "EXAM", "amount": amount} | fields

    def bill(
        self, amount: str = "800.00", lines: list[dict[str, Any]] | None = None, **fields: Any
    ) -> dict[str, Any]:
        lines = lines or [self.line(amount)]
        total = sum(Decimal(line["amount"]) for line in lines)
        return {
            "bill_type": "FISCAL_PAPER", "code": "01020304", "number": f"{next(_numbers):010d}",
            "issued_on": "2026-09-10", "amount": str(total), "lines": lines,
        } | fields  # fmt: skip

    def visit(self, bills: list[dict[str, Any]] | None = None, **fields: Any) -> dict[str, Any]:
        return {
            "visit_type": "OUTPATIENT", "hospital": "PUB", "department": "儿科", "started_on": "2026-09-10",
            "diagnoses": [{"code": "J20.900", "name": "急性支气管炎"}], "bills": bills or [self.bill()],
        } | fields  # fmt: skip

    def stay(self, bills: list[dict[str, Any]] | None = None, **fields: Any) -> dict[str, Any]:
        given = {
            "visit_type": "INPATIENT",
            "started_on": "2026-09-01",
            "ended_on": "2026-09-04",
            "admission_number": "ZY001",
        }
        return self.visit(bills, **(given | fields))

    def report(self, *visits: dict[str, Any], series: str = "2026", **fields: Any) -> dict[str, Any]:
        channel = "MINIPROGRAM" if series == "2026" else "ONLINE"
        return {
            "member": {"number": f"M{series}"},
            "reporter": {"name": "王建国", "relation": "FATHER", "phone": "13800138000"},
            "visits": list(visits) or [self.visit()], "channel": channel, "payee": dict(PAYEE), "e_signed": True,
        } | fields  # fmt: skip

    def claim(
        self, *visits: dict[str, Any], by: str = "intake", now: datetime | None = None, **fields: Any
    ) -> CaseFile:
        data = self.report(*visits, **fields)
        return report_claim(self.actor(by), data=data, now=now or self.now)

    # --- Walking --------------------------------------------------------------------------------

    def do(
        self, case: CaseFile, action: str, *, by: str = "adjuster", now: datetime | None = None, **data: Any
    ) -> CaseFile:
        perform(case.number, action, self.actor(by), now=now or self.now, **data)
        return self.see(case)

    def see(self, case: CaseFile) -> CaseFile:
        return ClaimFlow.objects.select_related("handbook", "member", "policy__plan", "claim__payee").get(
            pk=case.pk
        )

    def papers(self, case: CaseFile, *kinds: str, form: str = "ORIGINAL", **fields: Any) -> None:
        """Papers that somebody looked at and found good."""
        for kind in kinds:
            self._paper(case, kind, form, **fields)
        for _round in range(0 if kinds else 3):
            for entry in assess(self.see(case), self.now).lacking:
                if entry.key == "PHOTO_ID":  # of the child, and of the parent who is paid (PR-02)
                    self._paper(case, "GUARDIAN_ID", form)
                kind = entry.key.replace("INVOICE_ANNOTATION", "INVOICE")
                subject = entry.place if entry.place.startswith("bill:") else ""
                self._paper(case, kind, form, subject=subject)

    def _paper(self, case: CaseFile, kind: str, form: str, **fields: Any) -> None:
        ticks = {
            "legible": True,
            "color": True,
            "signed": True,
            "has_photo": True,
            "annotated": True,
            "pages": 2,
        }
        Paper.objects.create(case=case, kind=kind, form=form, received_at=self.now, **(ticks | fields))

    def complete(self, *visits: dict[str, Any], **fields: Any) -> CaseFile:
        """A claim whose papers are complete."""
        case = self.claim(*visits, **fields)
        self.papers(case)
        if self.see(case).state == "AWAITING_ORIGINALS":
            self.do(case, "log_originals", by="mail")
        return self.do(case, "check_materials", by="intake")

    def review(self, *visits: dict[str, Any], **fields: Any) -> CaseFile:
        return self.do(self.complete(*visits, **fields), "start_review")

    def pay(self, case: CaseFile, *, now: datetime | None = None) -> CaseFile:
        """Through a payment file and the bank's confirmation."""
        order = PaymentOrder.objects.filter(case=case, state="ORDERED").latest("pk")
        file = make_file(self.actor("finance"), [order.number], now=now or self.now)
        release_file(self.actor("checker"), file.number, now=now or self.now)
        return self.do(case, "payment_done", by="finance", order=order.number, bank_reference="B1", now=now)

    def closed(self, *visits: dict[str, Any], **fields: Any) -> CaseFile:
        case = self.do(self.review(*visits, **fields), "decide")
        return self.pay(case)

    def clock(self, case: CaseFile, key: str) -> Clock:
        return Clock.objects.filter(case=case, key=key).latest("pk")

    def later(self, **span: float) -> datetime:
        return self.now + timedelta(**span)


def events(case: CaseFile) -> list[str]:
    return list(case.events.order_by("seq").values_list("name", flat=True))
