"""The world of claims with children insured by identity card, and what they ask for beside claims."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from apps.accounts.actors import SYSTEM
from apps.accounts.tests.factories import ApiClientFactory, api_of
from apps.care.actions import order_test, request_service
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.claims.tests.world import SHANGHAI, World
from apps.members.models import Member

PROVIDER = "JD_HEALTH"
SITES = {"2024": "上海新华医院|镜朗高级专家诊疗部", "2026": "上海市儿童医院|泸定路院区"}
NEEDS: dict[str, dict[str, Any]] = {  # what each service asks beside the usual
    "ASSISTANCE": {"visit_type": "OUTPATIENT", "visit_on": "2026-09-21"},
    "VACCINATION": {"vaccine": "流感疫苗", "channel": "HOTLINE"},
    "HOSPITAL_CONSULT": {"hospital": "PRI"},
    "MANAGER": {"topic": "NUTRITION"},
    "GROWTH": {"way": "PHONE"},
}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


class Care(World):
    people = World.people | {
        "service": ("service_specialist",),
        "lead": ("service_lead",),
        "doctor": ("family_doctor_contact",),
        "auditor": ("auditor",),
    }

    def child(self, number: str, series: str, index: int = 0, **policy: Any) -> Member:
        member = super().child(number, series, index, **({"riders": ["VACCINE"]} | policy))
        member.id_type, member.id_number = "RESIDENT_ID", f"11010120210504{len(number)}{series[-1]}{index}X"
        member.save()
        return member

    def wish(self, series: str = "2026", **fields: Any) -> dict[str, Any]:
        member = Member.objects.get(number=fields.get("member", f"M{series}"))
        return {
            "member": member.number,
            "id_number": member.id_number,
            "address": "北京市朝阳区望京街9号",
        } | fields

    def order(
        self, series: str = "2026", *, by: str = "service", now: datetime | None = None, **fields: Any
    ) -> CaseFile:
        return order_test(self.actor(by), self.wish(series, **fields), now=now or self.now)

    def ask(self, service: str, series: str = "2026", **fields: Any) -> dict[str, Any]:
        site = {"site": SITES[series]} if service == "ASSISTANCE" else {}
        usual = {"member": f"M{series}", "service": service, "asker": "王建国", "text": "孩子咳嗽三天"}
        return usual | NEEDS.get(service, {}) | site | fields

    def request(
        self,
        service: str,
        series: str = "2026",
        *,
        by: str = "service",
        now: datetime | None = None,
        **fields: Any,
    ) -> CaseFile:
        return request_service(self.actor(by), self.ask(service, series, **fields), now=now or self.now)

    def act(
        self, case: CaseFile, action: str, *, by: str = "service", now: datetime | None = None, **data: Any
    ) -> CaseFile:
        actor = SYSTEM if by == "system" else self.actor(by)
        return perform(case.number, action, actor, now=now or self.now, **data)

    def sampled(self, **fields: Any) -> CaseFile:
        case = self.order(**fields)
        return self.act(case, "sample", now=fields.get("now"))

    def reported(self, **fields: Any) -> CaseFile:
        return self.act(self.sampled(**fields), "report", result="甲型流感病毒阳性", now=fields.get("now"))


def machine(kind: str, **fields: Any) -> Any:
    """A REST client of a machine that may read and do everything of cases."""
    return api_of(ApiClientFactory(kind=kind, scopes=["cases:read", "cases:write"], **fields))
