"""Demo data of health services: a home test and a service in every state, both series, and an archive with plans."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count
from django.utils import timezone

from apps.accounts.actors import SYSTEM, Actor, actor_of_user
from apps.accounts.models import User
from apps.care.actions import add_record, order_test, request_service
from apps.care.models import HomeTest
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.members.models import Policy
from apps.products.queries import current_handbooks

Step = tuple[str, dict[str, Any]]
CANCEL: Step = ("cancel", {"reason": "家长来电：孩子已好转"})
SAMPLE: Step = ("sample", {})
REPORT: Step = ("report", {"result": "甲型流感病毒核酸阳性，其余十一项阴性"})
SHARE: Step = ("share", {})
ADVISE: Step = (
    "advise",
    {"outcome": "SEE_A_DOCTOR", "advice": "体温超过39℃或精神差时请线下就医。", "advised_by": "李医生"},
)
TESTS: tuple[tuple[Step, ...], ...] = (
    (),
    (CANCEL,),
    (("reject_address", {"reason": "小区不在上门范围"}),),
    (SAMPLE,),
    (SAMPLE, REPORT),
    (SAMPLE, REPORT, SHARE),
    (SAMPLE, REPORT, SHARE, ADVISE),
    (SAMPLE, REPORT, SHARE, ADVISE, ("close", {})),
)
ASSIGN: Step = ("assign_specialist", {"specialist": "赵敏"})
ANSWER: Step = (
    "respond",
    {"responder": "陈医生", "answer": "多饮水，物理降温，24 小时不退热请就诊。", "expert": True},
)
FINISH: Step = ("finish", {})
LATE: Step = ("fall_due", {})
FEVER = "孩子发热两天，咳嗽。"
NO: Step = ("reject", {"reason": "该需求不属于本服务"})
Wish = tuple[str, dict[str, Any], tuple[Step, ...]]


class Demo:
    def __init__(self, now: datetime):
        self.now = now
        self.desk, self.books = (
            self.actor("service_specialist"),
            {row.series: row.handbook for row in current_handbooks()},
        )

    def actor(self, role: str) -> Actor:
        return actor_of_user(User.objects.get(username=role))

    def children(self, series: str) -> Iterator[Policy]:
        """Children of the roster who are covered now by one policy, each for one case."""
        today = timezone.localdate(self.now)
        covered = Policy.objects.in_force_on(today).values("member").annotate(n=Count("pk")).filter(n=1)
        rows = Policy.objects.filter(
            series=series, policyholder__isnull=False, member__in=covered.values("member")
        )
        rows = rows.in_force_on(today).in_force_on(today + timedelta(days=14))
        yield from rows.select_related("member").order_by("-pk")[:200]

    def tests(self, series: str) -> int:
        book = self.books[series]
        cards = book.value("home_test.id_types")
        children = (policy for policy in self.children(series) if policy.member.id_type in cards)
        made = 0
        for policy, steps in zip(children, TESTS, strict=False):
            wish = {
                "member": policy.member.number, "id_number": policy.member.id_number, "address": "上海市徐汇区龙华中路600号",
                "recognized": "COVERED" if made % 2 else "",
            }  # fmt: skip
            self.walk(lambda at, wish=wish: order_test(self.desk, wish, now=at), steps, hours=30)  # type: ignore[misc]
            made += 1
        return made

    def services(self, series: str) -> int:
        made, children = 0, list(self.children(series))
        for code, fields, steps in self.wishes(series):
            rider = code == "VACCINATION"  # VAS-03
            policy = next((one for one in children if not rider or "VACCINE" in one.riders), None)
            if policy is None:
                continue
            children.remove(policy)
            wish = {"member": policy.member.number, "service": code, "asker": "母亲", "text": FEVER} | fields
            hours = 3 if LATE not in steps else self.since_yesterday()
            self.walk(lambda at, wish=wish: request_service(self.desk, wish, now=at), steps, hours)  # type: ignore[misc]
            made += 1
        return made

    def since_yesterday(self) -> float:
        """Hours since ten o'clock of the day before, within the hours of the service."""
        ten = timezone.localtime(self.now).replace(hour=10, minute=0) - timedelta(days=1)
        return (self.now - ten).total_seconds() / 3600

    def wishes(self, series: str) -> list[Wish]:
        """Every state of both machines, as far as the series offers the service."""
        site, soon = (
            self.books[series].value("assistance.sites")[0],
            timezone.localdate(self.now) + timedelta(days=2),
        )
        visit = {
            "site": site,
            "visit_type": "OUTPATIENT",
            "visit_on": soon,
            "text": "首次就诊，希望有人引导。",
        }
        vaccine = {"vaccine": "流感疫苗", "text": "想在周末接种流感疫苗。"}
        found: list[Wish] = [
            ("ASSISTANCE", visit, ()), ("ASSISTANCE", visit, (ASSIGN,)), ("ASSISTANCE", visit, (ASSIGN, ("arrive", {}))),
            ("ASSISTANCE", visit, (ASSIGN, ("arrive", {}), FINISH)),
            ("ASSISTANCE", visit, (("unavailable", {"reason": "当日该院区无驻点人员"}),)), ("ASSISTANCE", visit, (NO,)),
            ("ASSISTANCE", visit, (CANCEL,)), ("VACCINATION", vaccine, (ASSIGN, ANSWER, FINISH)),
        ]  # fmt: skip
        offers = self.books[series].service("phone_consult")
        if offers and offers.offered:
            found += [
                ("PHONE_CONSULT", {}, ()), ("PHONE_CONSULT", {}, (ASSIGN, LATE)), ("PHONE_CONSULT", {}, (ANSWER,)),
                ("TEXT_CONSULT", {}, (ANSWER, FINISH)), ("TRIAGE", {}, (ANSWER,)),
            ]  # fmt: skip
        else:
            said: Step = ("contact", {"channel": "WECOM", "text": "已约下周评估，请准备近三个月身高体重。"})
            found += [
                ("DOCTOR", {"entry": "POLICY_DETAIL"}, (ANSWER,)), ("MANAGER", {"topic": "NUTRITION"}, (ASSIGN, said)),
                ("GROWTH", {"way": "PHONE"}, (ASSIGN, ANSWER, FINISH)), ("CHECK_UP", {}, (ANSWER,)),
            ]  # fmt: skip
        return found

    def walk(self, opened: Callable[[datetime], CaseFile], steps: tuple[Step, ...], hours: float) -> None:
        """Opened so many hours ago, then step by step until now."""
        at = self.now - timedelta(hours=hours)
        case = opened(at)
        for number, (action, data) in enumerate(steps, start=1):
            actor = SYSTEM if action == "fall_due" else self.desk
            when = at + timedelta(hours=hours * number / (len(steps) + 1))
            perform(case, action, actor, now=self.now if actor is SYSTEM else when, **data)

    def archives(self, series: str) -> None:
        policy = next(self.children(series), None)
        today = timezone.localdate(self.now)
        for kind, title, days, key in (
            ("BASIC", "出生体重 3.4 千克，足月顺产", -200, "done_on"), ("CHECK_UP", "六岁儿童体检", -40, "done_on"),
            ("VACCINATION", "麻腮风疫苗第二剂", -20, "done_on"), ("VACCINATION", "流感疫苗", 3, "due_on"),
            ("VACCINATION", "乙脑疫苗", 14, "due_on"),
        ):  # fmt: skip
            if policy:
                day = max(today + timedelta(days=days), policy.member.birth_date)
                add_record(
                    self.desk,
                    {"member": policy.member.number, "kind": kind, "title": title, key: day},
                    now=self.now,
                )


def build(now: datetime | None = None) -> int:
    """Make the demo cases; returns how many (0 when they are there, or no demo children)."""
    now = now or timezone.now()
    if HomeTest.objects.exists():
        return 0
    demo = Demo(now)
    made = 0
    for series, book in demo.books.items():
        made += demo.services(series)
        if (test := book.service("home_test")) and test.offered:
            made += demo.tests(series)
        if (archive := book.service("health_archive")) and archive.offered:
            demo.archives(series)
    return made
