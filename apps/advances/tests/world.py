"""The world of claims, and advances in it: PUB is public and bills nothing directly, PRI is private and does."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from apps.advances.actions import apply_for_advance
from apps.advances.models import Advance
from apps.advances.providers import confirm, enter
from apps.advances.workflow import AdvanceFlow
from apps.cases.models import CaseFile
from apps.claims.tests.world import PAYEE, World
from apps.documents.models import Paper
from apps.messaging.models import CallTask
from apps.payments.models import PaymentOrder
from apps.products.actions import load_calendar

BANK = {
    "name": "安伴健康服务有限公司", "bank": "中国银行", "branch": "上海市分行营业部", "account": "436742001234",
    "reason": "指定服务协议附件二",
}  # fmt: skip
PROVIDER = {"series": "2026", "provider": "安伴健康服务有限公司", "phone": "400-800-1234", "account": BANK}
REVIEW = ("ADMISSION_RECORD", "MEDICAL_RECORD", "EXAM_REPORT", "DIAGNOSIS_CERTIFICATE")
DISCHARGE = ("INVOICE", "DISCHARGE_SUMMARY", "INPATIENT_RECORD", "ITEMIZED_BILL")


class Advances(World):
    people = World.people | {
        "specialist": ("service_specialist",), "investigator": ("investigation",), "lead": ("adjuster_lead",),
        "finance_lead": ("finance_lead",), "provider": ("provider_lead",), "auditor": ("auditor",),
    }  # fmt: skip

    def __init__(self, *series: str) -> None:
        super().__init__(*series)
        load_calendar([2026])
        for name in self.series:
            self.list_hospital("PRI", name, "INPATIENT", direct_billing=["INPATIENT"])
        if "2026" in self.series:
            row = enter(self.actor("finance"), PROVIDER, now=self.now)
            confirm(self.actor("finance_lead"), row.pk, now=self.now)

    def told(self, *lines: dict[str, Any], series: str = "2026", **fields: Any) -> dict[str, Any]:
        return {
            "member": f"M{series}", "hospital": "PUB", "admitted_on": "2026-09-14", "department": "儿内科",
            "diagnosis_name": "重症肺炎", "diagnosis": "J18.900", "caller": "王建国", "need": True, "consent": True,
            "admitted": True, "lines": list(lines) or [{"name": "住院治疗费", "kind": "TREATMENT", "amount": "40000.00"}],
        } | fields  # fmt: skip

    def apply(
        self, *lines: dict[str, Any], by: str = "specialist", now: datetime | None = None, **fields: Any
    ) -> CaseFile:
        case = apply_for_advance(self.actor(by), data=self.told(*lines, **fields), now=now or self.now)
        return self.see(case)

    def see(self, case: CaseFile) -> CaseFile:
        if case.kind != "advance":
            return super().see(case)
        related = ("handbook", "member", "policy__plan", "advance__claim", "advance__provider", "hospital")
        return AdvanceFlow.objects.select_related(*related).get(pk=case.pk)

    def row(self, case: CaseFile) -> Advance:
        return Advance.objects.select_related("case", "claim__claim").get(pk=case.pk)

    # --- On the way -------------------------------------------------------------------------------

    def called(self, *lines: dict[str, Any], **fields: Any) -> CaseFile:
        case = self.do(self.apply(*lines, **fields), "verify", by="specialist")
        task = CallTask.objects.get(case=case)
        return self.do(
            case, "record_call", by="specialist", task=task.pk, outcome="ANSWERED", note="已了解费用"
        )

    def give(self, case: CaseFile, *kinds: str, **fields: Any) -> CaseFile:
        """Papers as the desk enters them: attached, then looked at, all at once."""
        before = set(Paper.objects.filter(case=case).values_list("pk", flat=True))
        for kind in kinds:
            form = "DATA" if kind == "PAPER_CONSENT" else "ORIGINAL"
            case = self.do(case, "attach_paper", by="specialist", kind=kind, form=form)
        fresh = Paper.objects.filter(case=case).exclude(pk__in=before).exclude(form="DATA")
        seen = {"legible": True, "color": True, "signed": True} | fields
        return self.do(case, "tick_paper", by="specialist", papers=[paper.pk for paper in fresh], **seen)

    def reviewed(self, *lines: dict[str, Any], **fields: Any) -> CaseFile:
        return self.give(self.called(*lines, **fields), *REVIEW)

    def checked(self, *lines: dict[str, Any], **found: Any) -> CaseFile:
        case = self.do(self.reviewed(*lines), "record_network", by="specialist", inside=True, note="安伴 李")
        checks = {"third_party_funds": False, "litigation": False} | found
        return self.do(case, "record_checks", by="senior", **checks)

    def approved(self, *lines: dict[str, Any], amount: str = "30000.00") -> CaseFile:
        return self.do(self.checked(*lines), "approve", by="senior", amount=amount)

    def signed(self, *lines: dict[str, Any], amount: str = "30000.00") -> CaseFile:
        case = self.give(self.approved(*lines, amount=amount), "ENTRUSTMENT_LETTER")
        return self.do(case, "sign", by="specialist", signed_at=self.now)

    def advanced(self, *lines: dict[str, Any], amount: str = "30000.00") -> CaseFile:
        case = self.signed(*lines, amount=amount)
        return self.do(
            case, "pay_hospital", by="finance", third_party_funds=False, litigation=False, amount=amount,
            paid_on=self.now.date(), bank_reference="FW-0001",
        )  # fmt: skip

    def settled(self, billed: str = "40000.00", amount: str = "30000.00", **fields: Any) -> CaseFile:
        """Settled on the day of the world; the claim of the stay is filed."""
        case = self.give(self.advanced(amount=amount), *DISCHARGE)
        return self.settle(case, billed, **fields)

    def settle(self, case: CaseFile, billed: str = "40000.00", **fields: Any) -> CaseFile:
        bill = self.bill(
            lines=[self.line(billed, name="住院费", kind="TREATMENT")], issued_on=str(self.now.date())
        )
        given = {"discharged_on": self.now.date(), "bills": [bill], "payee": dict(PAYEE)} | fields
        return self.do(case, "settle", by="specialist", **given)

    def claim_of(self, case: CaseFile) -> CaseFile:
        claim = self.row(case).claim
        assert claim is not None
        return World.see(self, claim)

    def orders(self, case: CaseFile) -> list[tuple[int, bool, str]]:
        rows = PaymentOrder.objects.filter(case=self.row(case).claim).order_by("pk")
        return [(row.amount_fen, row.assigned, row.state) for row in rows]
