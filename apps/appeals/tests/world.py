"""The world of claims, and appeals against what was decided in it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from apps.appeals.actions import open_appeal
from apps.appeals.workflow import AppealFlow
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.claims.tests.world import World

NO_SHOW = "NO_SHOW"  # a kind of line that no series pays


class Appeals(World):
    people = World.people | {
        "service": ("service_specialist",),
        "lead": ("adjuster_lead",),
        "manager": ("manager",),
        "auditor": ("auditor",),
        "inspector": ("quality_check",),
    }

    def partial(self, series: str = "2026", **fields: Any) -> CaseFile:
        """Two lines decided by the adjuster, 800.00 paid and closed, 90.00 refused."""
        lines = [self.line("800.00"), self.line("90.00", name="失约费", kind=NO_SHOW)]
        return self.closed(self.visit([self.bill(lines=lines)]), series=series, **fields)

    def refused_at_intake(self, series: str = "2026") -> CaseFile:
        """A visit at a private hospital: confirmed by intake."""
        report = self.claim(self.visit(hospital="PRI"), series=series)
        return self.do(report, "confirm_refusal", by="intake")

    def record(self, claim: CaseFile | None = None, *, by: str = "service", now: datetime | None = None, **fields: Any) -> CaseFile:  # fmt: skip
        data = {"appellant": "王建国", "text": "失约费不应由我们承担"} | fields
        if claim is not None:
            data["claim"] = claim.number
        return self.fresh(open_appeal(self.actor(by), data, now=now or self.now))

    def act(self, case: CaseFile, action: str, *, by: str = "second", now: datetime | None = None, **data: Any) -> CaseFile:  # fmt: skip
        perform(case.number, action, self.actor(by), now=now or self.now, **data)
        return self.fresh(case)

    def fresh(self, case: CaseFile) -> CaseFile:
        return AppealFlow.objects.select_related("handbook", "appeal__origin", "policy__plan", "member").get(
            pk=case.pk
        )

    def under_review(self, claim: CaseFile | None = None, series: str = "2026", **fields: Any) -> CaseFile:
        case = self.record(claim or self.partial(series), **fields)
        return self.act(case, "assign", by="lead", assignee=self.actor("second").user_id)

    def overturned(self, claim: CaseFile | None = None, series: str = "2026", **fields: Any) -> CaseFile:
        case = self.under_review(claim, series, **fields)
        return self.act(case, "overturn", extent="PARTLY", reason="失约费一项应予赔付")

    def upheld(self, claim: CaseFile | None = None, series: str = "2026") -> CaseFile:
        case = self.under_review(claim, series)
        rule = case.appeal.rules.values_list("rule", flat=True).first() or case.appeal.rule
        return self.act(case, "uphold", reasons=[{"rule": rule, "text": "失约费不属于医疗费用"}])

    def corrected(self, claim: CaseFile, by: str = "second") -> CaseFile:
        """The refused line turns out to be an examination, which is paid."""
        change = {"place": "1.1.2", "field": "kind", "value": "EXAM"}
        return self.do(claim, "correct_facts", by=by, reason="申诉复审", changes=[change])
