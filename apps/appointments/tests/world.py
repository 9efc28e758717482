"""The world of claims with houses that bill directly, and appointments in it.

PRI bills everything directly (brand 悦安), PR2 is another branch of the brand, OTH another brand;
PUB is public (2024: special-needs department only), POP a popular public one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from apps.accounts.actors import SYSTEM, Actor
from apps.accounts.tests.factories import make_machine
from apps.appointments.actions import request_appointment
from apps.appointments.workflow import AppointmentFlow
from apps.cards.models import Card
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.claims.tests.world import SHANGHAI, World
from apps.hospitals.models import Hospital
from apps.messaging.models import CallTask, Message
from apps.products.actions import load_calendar

RIDERS = ["VACCINE", "DENTAL", "EYE"]
OF_BENEFIT = ("VACCINE", "DENTAL", "EYE")
NOW = datetime(2026, 9, 16, 10, 0, tzinfo=SHANGHAI)  # a Wednesday


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


class Rooms(World):
    people = World.people | {
        "specialist": ("service_specialist",),
        "lead": ("booking_lead",),
        "boss": ("manager",),
        "tpa": ("tpa_manager",),
    }

    def __init__(self, *series: str, now: datetime = NOW) -> None:
        super().__init__(*series, now=now)
        load_calendar([2024, 2026])
        Hospital.objects.filter(code="PRI").update(brand="悦安")
        self.hospital("PR2", ownership="PRIVATE", grade=None, name="悦安二店", brand="悦安")
        self.hospital("OTH", ownership="PRIVATE", grade=None, name="康宁诊所", brand="康宁")
        self.hospital("POP", ownership="PUBLIC", grade=3, name="热门儿童医院", popular=True)
        for name in self.series:
            group = "SPECIAL" if name == "2024" else "GENERAL"
            for code in ("PRI", "PR2", "OTH"):
                for benefit in ("OUTPATIENT", "INPATIENT", *(OF_BENEFIT if name == "2026" else ("VACCINE",))):
                    self.list_hospital(code, name, benefit, direct_billing=[benefit])
            for code in ("PUB", "POP"):
                for benefit in ("OUTPATIENT", "INPATIENT"):
                    self.list_hospital(code, name, benefit, direct_billing=[benefit], department_group=group)

    def child(self, number: str, series: str, index: int = 0, **policy: Any) -> Any:
        return super().child(number, series, index, **({"riders": RIDERS} | policy))

    def wish(self, series: str = "2026", **fields: Any) -> dict[str, Any]:
        group = "SPECIAL" if series == "2024" and fields.get("hospital") in ("PUB", "POP") else "GENERAL"
        return {
            "member": f"M{series}", "hospital": "PRI", "visit_on": "2026-10-13", "department_group": group,
            "channel": "PHONE" if series == "2024" else "HOTLINE",
        } | fields  # fmt: skip

    def request(self, series: str = "2026", **fields: Any) -> dict[str, Any]:
        return self.wish(series, **({"department": "儿科", "complaint": "反复咳嗽"} | fields))

    def ask(
        self, series: str = "2026", *, by: str = "specialist", now: datetime | None = None, **fields: Any
    ) -> CaseFile:
        data = self.request(series, **fields)
        return self.see(request_appointment(self.actor(by), data=data, now=now or self.now))

    def confirmed(self, series: str = "2026", **fields: Any) -> CaseFile:
        now = fields.get("now")
        case = self.do(self.ask(series, **fields), "accept", by="specialist", now=now)
        return self.do(case, "confirm", by="specialist", now=now, time="09:30")

    def here(self, case: CaseFile, *, by: str = "specialist", **fields: Any) -> CaseFile:
        """The child stands at the counter on the day, with its own card and passport."""
        shown = {"card": self.card(case).number, "id_type": "PASSPORT", "photo": True} | fields
        return self.do(case, "check_in", by=by, now=self.morning(case), **shown)

    def visited(self, series: str = "2026", **fields: Any) -> CaseFile:
        case = self.here(self.confirmed(series, **fields))
        return self.do(
            case, "complete", by="specialist", now=self.morning(case), form_signed=True, receipt_signed=True,
            signed_by="王建国",
        )  # fmt: skip

    def morning(self, case: CaseFile) -> datetime:
        return datetime.combine(case.appointment.visit_on, self.now.time(), tzinfo=SHANGHAI)

    def card(self, case: CaseFile) -> Card:
        return Card.objects.select_related("policy").get(policy=case.policy_id)

    def see(self, case: CaseFile) -> CaseFile:
        related = ("handbook", "member", "policy__plan", "appointment__campus", "hospital")
        return AppointmentFlow.objects.select_related(*related).get(pk=case.pk)

    def system(self, case: CaseFile, action: str, now: datetime | None = None, **data: Any) -> CaseFile:
        perform(case.number, action, SYSTEM, now=now or self.now, **data)
        return self.see(case)

    def told(self, case: CaseFile, template: str = "appointment") -> list[Message]:
        return list(Message.objects.filter(case=case.pk, template=template).order_by("pk"))

    def calls(self, case: CaseFile) -> list[CallTask]:
        return list(CallTask.objects.filter(case=case.pk, purpose="appointment_hospital").order_by("pk"))

    def machine(self, kind: str = "HOSPITAL", **fields: Any) -> Actor:
        return make_machine(kind, **fields)

    def reasons(self, case: CaseFile) -> dict[str, str]:
        """code → rule of what refused it."""
        return {reason["code"]: reason["rule"] for reason in case.appointment.reasons}


def days(count: int) -> timedelta:
    return timedelta(days=count)
