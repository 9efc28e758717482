"""Demo appeals in every state of machine (h), both series, against claims of the demonstration's own; one against a
refusal at intake, and one that a complaint became."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from apps.accounts.actors import SYSTEM, Actor, actor_of_user
from apps.accounts.models import User
from apps.appeals.actions import open_appeal
from apps.appeals.models import Appeal
from apps.appeals.target import place_of
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.claims.demo import Demo as Claims
from apps.claims.demo import Stage, find_hospitals, make, pay, reject
from apps.claims.demo_reports import mixed, private
from apps.claims.models import DecisionLine
from apps.enquiries.actions import record
from apps.enquiries.models import Enquiry
from apps.members.models import Member

SERIES = ("2026", "2024")
SAID = "发票上的“爽约费”是医院系统的名称，实际为当日加号的诊察费，请复核。"
BEFORE = 6  # days from the report of a claim to the appeal, at least


class Demo:
    def __init__(self, now: datetime, series: str):
        self.now, self.series = now, series
        self.claims = Claims(
            now, numbers=itertools.count(8_000_000 + int(series), 10_000), turn=itertools.count(int(series) + 3)
        )  # fmt: skip
        find_hospitals(self.claims)
        children = Member.objects.filter(number__startswith=f"DEMO{series}", guardians__is_policyholder=True)
        self.claims.children[series] = list(children.order_by("pk").distinct())

    def actor(self, role: str) -> Actor:
        return actor_of_user(User.objects.get(username=role))

    def claim(self, days_ago: int, walk: Callable[..., Any] = pay, report: Callable[..., Any] = mixed) -> CaseFile:  # fmt: skip
        """A claim of its own, decided at least some days before the appeal."""
        made: list[CaseFile] = []

        def walked(demo: Claims, case: CaseFile, at: datetime) -> None:
            walk(demo, case, at)
            made.append(case)

        make(self.claims, Stage("appealed", walked, (), report), self.series, days_ago + BEFORE)
        return CaseFile.objects.get(pk=made[0].pk)

    def refused_line(self, claim: CaseFile) -> DecisionLine:
        rows = DecisionLine.objects.filter(decision__claim=claim.pk, line__kind="NO_SHOW")
        return rows.select_related("line__bill__visit").latest("pk")

    def received(self, days_ago: float, claim: CaseFile | None = None, **said: Any) -> Appeal:
        claim = claim or self.claim(int(days_ago))
        lines = () if claim.state == "REJECTED_INTAKE" else (place_of(self.refused_line(claim)),)
        data = {"claim": claim.number, "appellant": "母亲", "text": SAID, "lines": lines} | said
        at = self.now - timedelta(days=days_ago)
        return self.see(open_appeal(self.actor("service_specialist"), data, now=at))

    def reviewed(self, days_ago: float, claim: CaseFile | None = None, **said: Any) -> Appeal:
        row = self.received(days_ago, claim, **said)
        reviewer = self.actor("second_review").user_id
        return self.do(row, "assign", "adjuster_lead", hours=3, assignee=reviewer)

    def do(self, row: Appeal, action: str, role: str, *, hours: float, **data: Any) -> Appeal:
        """So many hours after the appeal was opened."""
        at = min(row.case.opened_at + timedelta(hours=hours), self.now)
        perform(row.case.number, action, SYSTEM if role == "system" else self.actor(role), now=at, **data)
        return self.see(row.case)

    def see(self, case: CaseFile) -> Appeal:
        return Appeal.objects.select_related("case", "origin").get(pk=case.pk)


def build(now: datetime | None = None) -> int:
    """Make the demo appeals; returns how many (0 when they are there)."""
    now = now or timezone.now()
    if Appeal.objects.exists():
        return 0
    for series in SERIES:
        demo = Demo(now, series)
        for stage in STAGES:
            stage(demo)
    return Appeal.objects.count()


def _received(demo: Demo) -> None:
    demo.received(0.2)


def _late(demo: Demo) -> None:
    demo.reviewed(17)


def _asked(demo: Demo) -> None:
    row = demo.reviewed(6)
    row = demo.do(
        row, "ask_information", "second_review", hours=28, text="请提供当日挂号凭证或医院出具的收费说明。"
    )
    at = row.case.opened_at + timedelta(hours=30)
    demo.do(
        row, "information_delivered", "system", hours=30, at=at, evidence="e-mail p***@example.com",
        reached="e-mail p***@example.com",
    )  # fmt: skip


def _upheld(demo: Demo, days_ago: int = 5) -> Appeal:
    row = demo.reviewed(days_ago)
    rule = row.rules.values_list("rule", flat=True).first() or row.rule
    said = "医院收费说明显示该项为未按约就诊的费用，不属于医疗费用。"
    return demo.do(row, "uphold", "second_review", hours=50, reasons=[{"rule": rule, "text": said}])


def _answered(demo: Demo) -> None:
    row = _upheld(demo, 20)
    demo.do(row, "answer", "second_review", hours=74, text="经由未参与原决定的审核人员复审，我们维持原决定。")


def _overturned(demo: Demo, days_ago: int = 7) -> Appeal:
    row = demo.reviewed(days_ago)
    why = "家长提供的挂号凭证证明该项为诊察费，应予赔付。"
    return demo.do(row, "overturn", "second_review", hours=30, extent="PARTLY", reason=why)


def _decided_again(demo: Demo) -> None:
    row = _overturned(demo, 12)
    line, reviewer = demo.refused_line(row.origin), demo.actor("second_review")
    at = row.case.opened_at + timedelta(hours=52)
    change = {"place": place_of(line), "field": "kind", "value": "CONSULT"}
    perform(
        row.origin.number, "correct_facts", reviewer, now=at, reason="申诉复审：实为诊察费", changes=[change]
    )
    perform(row.origin.number, "decide", reviewer, now=at)
    text = "经由未参与原决定的审核人员复审，原决定部分有误，我们予以部分改判，差额另行支付。"
    demo.do(row, "answer", "second_review", hours=54, text=text)


def _withdrawn(demo: Demo) -> None:
    row = demo.received(9)
    demo.do(row, "withdraw", "service_specialist", hours=20, reason="家长来电：与医院核实后不再申诉")


def _at_intake(demo: Demo) -> None:
    demo.reviewed(3, demo.claim(3, reject, private), text="就诊的是公立医院国际部，请核对医院名称。")


def _complaint(demo: Demo) -> None:
    """The complaint of `enquiries.demo` is taken up where the series prints that; else it waits in its list."""
    wished = (
        Enquiry.objects.filter(appeal_wished=True, case__series=demo.series).select_related("case").first()
    )
    if wished is None:
        claim = demo.claim(3)
        told = {"about": claim.number, "asker": "父亲", "sort": "COMPLAINT", "appeal": True, "text": SAID, "channel": "EMAIL"}  # fmt: skip
        record(demo.actor("service_specialist"), told, now=demo.now - timedelta(days=3))
        return
    open_appeal(demo.actor("service_specialist"), {"complaint": wished.case.number}, now=demo.now)


STAGES: tuple[Callable[[Demo], Any], ...] = (
    _answered, _late, _decided_again, _withdrawn, _overturned, _asked, _upheld, _at_intake, _received, _complaint,
)  # fmt: skip
