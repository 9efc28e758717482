"""The world of claims and letters, and what hospitals bill in it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from apps.accounts.actors import SYSTEM, Actor
from apps.authorizations.tests.world import MAIL, Rooms
from apps.authorizations.workflow import AuthorizationFlow
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.claims.assess import assess
from apps.direct.actions import admit_child, submit_direct
from apps.direct.models import DirectClaim
from apps.direct.workflow import DirectFlow
from apps.documents.models import Paper, StoredFile

TOLD = {"name": "王小明", "birth_date": "2021-05-04"}


class Direct(Rooms):
    """PRI bills visits and stays of both series directly; `file` stands for every scan."""

    def __init__(self, *series: str, **more: Any) -> None:
        super().__init__(*series, **more)
        self.file = StoredFile.objects.create(
            sha256="ab" * 32, name="scan.jpg", content_type="image/jpeg", size=1, path="x"
        )

    def submission(self, *visits: dict[str, Any], series: str = "2026", **fields: Any) -> dict[str, Any]:
        return {
            "member": {"number": f"M{series}"} | TOLD, "reporter": {"name": "国际部 李"},
            "visits": list(visits) or [self.visit(hospital="PRI")], "id_type": "PASSPORT", "id_photo": True,
            "contact_email": MAIL, "papers": self.kit(series),
        } | fields  # fmt: skip

    def kit(self, series: str = "2026", *more: str, without: str = "") -> list[dict[str, Any]]:
        """What the desk sends with a visit, signed electronically where it must be signed."""
        kinds = {"2024": ["SIGNED_BILL"], "2026": ["DIRECT_CLAIM_FORM", "SIGNED_RECEIPT"]}[series]
        papers = [{"kind": kind, "form": "E_SIGNED", "signed": True} for kind in kinds]
        papers += [{"kind": "CARD_CHECK", "form": "DATA"}]
        papers += [
            {"kind": kind, "form": "ORIGINAL"}
            for kind in ("MEDICAL_RECORD", "INVOICE", "ITEMIZED_BILL", *more)
        ]
        return [paper for paper in papers if paper["kind"] != without]

    def send(self, *visits: dict[str, Any], by: Any = "intake", **fields: Any) -> CaseFile:
        now = fields.pop("now", None) or self.now
        data = self.submission(*visits, **fields)
        actor = by if isinstance(by, Actor) else self.actor(by)
        return self.look(submit_direct(actor, data=data, now=now))

    def admit(
        self, *, by: Any = "intake", series: str = "2026", now: datetime | None = None, **fields: Any
    ) -> CaseFile:
        data = {
            "member": {"number": f"M{series}"} | TOLD, "hospital": "PRI", "department": "普外科",
            "admitted_on": "2026-09-16", "reporter": {"name": "住院处"}, "contact_email": MAIL, "id_type": "PASSPORT",
            "id_photo": True,
        } | fields  # fmt: skip
        actor = by if isinstance(by, Actor) else self.actor(by)
        return self.look(admit_child(actor, data=data, now=now or self.now))

    def seen(self, case: CaseFile) -> CaseFile:
        """Somebody looked at every paper and found it good."""
        self.seen_only(case)
        return self.do(case, "check_intake", by="intake")

    def seen_only(self, case: CaseFile) -> None:
        papers = Paper.objects.filter(case=case.pk, legible=None).exclude(form__in=["DATA", "E_SIGNED"])
        papers.update(legible=True, color=True, signed=True, has_photo=False)

    def review(self, *visits: dict[str, Any], **fields: Any) -> CaseFile:  # type: ignore[override]
        case = self.send(*visits, **fields)
        case = self.seen(case)
        assert case.state == "UNDER_REVIEW", (case.state, [e.ref for e in assess(case, self.now).lacking])
        return case

    def decided(self, *visits: dict[str, Any], **fields: Any) -> CaseFile:
        return self.do(self.review(*visits, **fields), "decide", by="senior")

    def settle(self, case: CaseFile, reference: str = "P26-1") -> CaseFile:
        perform(
            case.number,
            "settle",
            SYSTEM,
            now=self.now,
            statement="S26-1",
            reference=reference,
            paid_at=self.now,
        )
        return self.look(case)

    def look(self, case: CaseFile) -> CaseFile:
        related = (
            "handbook",
            "member",
            "policy__plan",
            "policy__policyholder",
            "claim",
            "direct",
            "hospital",
        )
        return DirectFlow.objects.select_related(*related).get(pk=case.pk)

    def see(self, case: CaseFile) -> CaseFile:
        return self.look(case) if case.number.startswith("D") else super().see(case)

    def cases(self, number: str) -> CaseFile:
        return CaseFile.objects.get(number=number)

    def direct(self, case: CaseFile) -> DirectClaim:
        return DirectClaim.objects.select_related("authorization__case").get(pk=case.pk)

    def letter_case(self, case: CaseFile) -> CaseFile:
        return AuthorizationFlow.objects.get(pk=case.pk)
