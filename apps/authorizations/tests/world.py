"""The world of claims, and requests for authorization in it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from apps.accounts.actors import SYSTEM, Actor
from apps.accounts.tests.factories import make_machine
from apps.authorizations.actions import request_authorization
from apps.authorizations.workflow import AuthorizationFlow
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.claims.tests.world import NOW, World
from apps.documents.models import Letter, Paper
from apps.documents.tasks import render_letter
from apps.messaging.delivery import deliver_due
from apps.messaging.models import Message

MAIL = "insurance@hospital.example"


class Rooms(World):
    """PRI bills stays and visits of both series directly; PUB does not."""

    people = World.people | {"doctor": ("medical_review",), "lead": ("adjuster_lead",)}

    def __init__(self, *series: str, now: datetime = NOW) -> None:
        super().__init__(*series, now=now)
        for name in self.series:
            for benefit in ("INPATIENT", "OUTPATIENT"):
                self.list_hospital("PRI", name, benefit, direct_billing=[benefit])

    def plan(self, *lines: dict[str, Any], series: str = "2026", **fields: Any) -> dict[str, Any]:
        items = list(lines) or [{"name": "阑尾切除术", "kind": "SURGERY", "amount": "12000.00"}]
        return {
            "member": f"M{series}", "hospital": "PRI", "planned_on": "2026-09-28", "visit_type": "INPATIENT",
            "lines": items, "planned_days": 5, "diagnosis": "K35.800",
        } | fields  # fmt: skip

    def request(self, *lines: dict[str, Any], series: str = "2026", **fields: Any) -> dict[str, Any]:
        told = {
            "channel": "HOTLINE", "department": "普外科", "diagnosis_name": "急性阑尾炎", "treatment": "腹腔镜阑尾切除",
            "contact_name": "国际部", "contact_email": MAIL,
        }  # fmt: skip
        return self.plan(*lines, series=series, **(told | fields))

    def ask(
        self, *lines: dict[str, Any], by: str = "intake", now: datetime | None = None, **fields: Any
    ) -> CaseFile:
        data = self.request(*lines, **fields)
        return self.see(request_authorization(self.actor(by), data=data, now=now or self.now))

    def see(self, case: CaseFile) -> CaseFile:
        related = ("handbook", "member", "policy__plan", "authorization", "hospital")
        return AuthorizationFlow.objects.select_related(*related).get(pk=case.pk)

    def review_of(self, *lines: dict[str, Any], **fields: Any) -> CaseFile:
        """Papers there and looked at; the review began."""
        case = self.ask(*lines, **fields)
        for kind in ("MEDICAL_RECORD", "COST_ESTIMATE", "PASSPORT"):
            Paper.objects.create(
                case=case, kind=kind, form="ORIGINAL", received_at=self.now, legible=True, color=True, has_photo=True,
                pages=2, subject="INSURED" if kind == "PASSPORT" else "",
            )  # fmt: skip
        return self.do(case, "complete", by="intake")

    def approved(self, *lines: dict[str, Any], amount: str = "10000.00", **fields: Any) -> CaseFile:
        case = self.review_of(*lines, **fields)
        return self.do(case, "approve", by="senior", amount=amount, valid_until="2026-10-31")

    def sent(self, *lines: dict[str, Any], **fields: Any) -> CaseFile:
        case = self.approved(*lines, **fields)
        self.deliver()
        return self.see(case)

    def admitted(self, *lines: dict[str, Any], **fields: Any) -> CaseFile:
        return self.do(self.sent(*lines, **fields), "admit", by="intake", admitted_on=self.now.date())

    def deliver(self) -> list[Message]:
        """What worker and post do: render, then deliver."""
        for letter in Letter.objects.filter(state="QUEUED"):
            render_letter(letter.pk)
        deliver_due()
        return list(Message.objects.filter(case__kind="authorization").order_by("pk"))

    def letter(self, case: CaseFile) -> Letter:
        return Letter.objects.filter(case=case.pk, kind="GUARANTEE").latest("version")

    def system(self, case: CaseFile, action: str, **data: Any) -> CaseFile:
        perform(case.number, action, SYSTEM, **data)
        return self.see(case)

    def hospital_client(self, code: str) -> Actor:
        return make_machine(hospital=code)


def days(count: int) -> timedelta:
    return timedelta(days=count)


def on(text: str) -> date:
    return date.fromisoformat(text)
