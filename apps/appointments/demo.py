"""Demo appointments in every state, made by the same actions as real ones; dated around today.

`build()` does nothing when some are there, or when there are no demo children.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils import timezone

from apps.accounts.actors import SYSTEM, Actor, actor_of_user
from apps.accounts.models import User
from apps.appointments.actions import request_appointment
from apps.appointments.judging import Booking, judge
from apps.appointments.models import Appointment
from apps.cards.actions import grey
from apps.cards.models import Card
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.hospitals.models import Hospital, NetworkEntry
from apps.members.models import Policy
from apps.products.queries import handbook_for, network_group, working_calendar

SERIES = ("2026", "2024")
COMPLAINTS = ("反复咳嗽一周", "发热两天", "皮疹复诊", "过敏性鼻炎复诊", "生长发育评估")


@dataclass
class Demo:
    now: datetime
    series: str
    hospital: Hospital
    group: str
    policies: Iterator[Policy]
    made: list[CaseFile] = field(default_factory=list)

    @property
    def today(self) -> date:
        return timezone.localdate(self.now)

    def actor(self, role: str) -> Actor:
        return SYSTEM if role == "system" else actor_of_user(User.objects.get(username=role))

    def do(self, case: CaseFile, action: str, role: str, when: datetime, **data: Any) -> None:
        perform(case.number, action, self.actor(role), now=when, **data)

    def ask(self, day: date, *, ahead: int = 9, by: str = "service_specialist", **fields: Any) -> CaseFile:
        """A request for a day, made so many days before it."""
        data = {
            "member": fields.get("member") or next(self.policies).member.number, "hospital": self.hospital.code, "visit_on": day,
            "department_group": self.group, "department": "儿科", "complaint": COMPLAINTS[len(self.made) % len(COMPLAINTS)],
            "channel": "PHONE" if self.series == "2024" else "HOTLINE",
        } | fields  # fmt: skip
        asked_on = day - timedelta(days=ahead)
        asked_at = timezone.make_aware(datetime.combine(asked_on, time(9, 20 + len(self.made))))
        case = request_appointment(self.actor(by), data=data, now=min(asked_at, self.now))
        self.made.append(case)
        return case

    def confirmed(self, day: date, at: str, *, ahead: int = 9, **fields: Any) -> CaseFile:
        case = self.ask(day, ahead=ahead, **fields)
        when = min(case.opened_at + timedelta(hours=3), self.now)
        self.do(case, "accept", "service_specialist", when)
        self.do(case, "confirm", "service_specialist", when, time=at, reference=f"YY{case.pk:06d}")
        return case

    def arrived(self, day: date, at: str, **fields: Any) -> CaseFile:
        case = self.confirmed(day, at, **fields)
        card = Card.objects.select_related("policy__member").get(policy=case.policy_id)
        moment = timezone.make_aware(datetime.combine(day, time.fromisoformat(at))) - timedelta(minutes=8)
        self.do(case, "check_in", "supervisor", moment, card=card.number, id_type=card.policy.member.id_type, photo=True,
                override_reason="" if self.series == "2024" else "演示：证件已核对")  # fmt: skip
        return case

    def done(self, day: date, at: str, **fields: Any) -> CaseFile:
        case = self.arrived(day, at, **fields)
        moment = timezone.make_aware(datetime.combine(day, time.fromisoformat(at))) + timedelta(minutes=40)
        self.do(
            case,
            "complete",
            "service_specialist",
            moment,
            form_signed=True,
            receipt_signed=True,
            signed_by="王女士",
        )
        return case


def build(now: datetime | None = None) -> int:
    """Make them; returns how many."""
    now = now or timezone.now()
    if Appointment.objects.exists() or not User.objects.filter(username="service_specialist").exists():
        return 0
    return sum(_build(now, series) for series in SERIES)


def _build(now: datetime, series: str) -> int:
    place = _place(now, series)
    policies = list(
        Policy.objects.filter(number__startswith=f"DEMO-P{series}", series=series, card__greyed_at=None)
        .in_force_on(timezone.localdate(now)).select_related("member", "plan").order_by("-id")[:12]
    )  # fmt: skip
    if place is None or len(policies) < len(_STEPS):
        return 0
    demo = Demo(now, series, place[0], place[1], iter(policies))
    for step in _STEPS:
        step(demo)
    _suspended(demo)
    return len(demo.made)


def _place(now: datetime, series: str) -> tuple[Hospital, str] | None:
    """A private house that bills outpatient visits directly for the demo children of the series."""
    policy = (
        Policy.objects.filter(number__startswith=f"DEMO-P{series}").select_related("plan", "member").first()
    )
    if policy is None:
        return None
    handbook, day = handbook_for(series), timezone.localdate(now)
    entries = NetworkEntry.objects.valid_on(day + timedelta(days=20)).filter(
        series=series, network_group=network_group(policy.plan, handbook.handbook), benefit="OUTPATIENT",
        campus__hospital__ownership="PRIVATE", campus__hospital__active=True,
    )  # fmt: skip
    for entry in entries.select_related("campus__hospital").order_by("campus__hospital__code"):
        booking = Booking(
            member=policy.member, policy=policy, covered=True, handbook_row=handbook, hospital=entry.campus.hospital,
            campus=None, department_group=entry.department_group, visit_type="OUTPATIENT", benefit="OUTPATIENT",
            visit_on=day,
        )  # fmt: skip
        if judge(booking, now).place.direct:
            return entry.campus.hospital, entry.department_group
    return None


def _workday(demo: Demo, count: int) -> date:
    return working_calendar().next_workday(demo.today, count)


def _no_show(demo: Demo) -> None:
    day = working_calendar().previous_workday(demo.today, 2)
    case = demo.confirmed(day, "10:00")
    demo.do(case, "miss", "system", demo.now)


def _late(demo: Demo) -> None:
    case = demo.ask(
        demo.today + timedelta(days=2), ahead=0
    )  # asked today: late where the series prints a lead time
    if case.state == "REQUESTED":
        demo.do(case, "accept", "service_specialist", demo.now)
        demo.do(case, "unavailable", "service_specialist", demo.now, reason="当日号源已满")


def _suspended(demo: Demo) -> None:
    """Booked with a card that is greyed afterwards: what waits for the card, waits. The child is one that
    asked for something refused or let go before."""
    ended = next(case for case in reversed(demo.made) if not CaseFile.objects.get(pk=case.pk).open)
    case = demo.confirmed(_workday(demo, 7), "15:20", member=ended.member.number)
    card = Card.objects.select_related("policy").get(policy=case.policy_id)
    grey(demo.actor("service_lead"), card, reason="演示：家长报失手机，核实后恢复", now=demo.now)
    if CaseFile.objects.get(pk=case.pk).state == "CONFIRMED":  # not yet told: within a transaction
        demo.do(case, "suspend", "system", demo.now)


_STEPS: tuple[Callable[[Demo], Any], ...] = (
    lambda demo: demo.done(demo.today - timedelta(days=3), "09:30"),
    _no_show,
    lambda demo: demo.confirmed(demo.today, "09:30"),
    lambda demo: demo.confirmed(demo.today, "14:10"),
    lambda demo: demo.arrived(demo.today, "08:40"),
    lambda demo: demo.confirmed(_workday(demo, 1), "10:20"),
    lambda demo: demo.ask(_workday(demo, 8)),
    lambda demo: demo.do(demo.ask(_workday(demo, 9)), "accept", "service_specialist", demo.now),
    lambda demo: demo.do(demo.confirmed(_workday(demo, 10), "11:00"), "cancel", "service_specialist", demo.now,
                         reason="孩子已好转", channel="HOTLINE"),
    lambda demo: demo.ask(_workday(demo, 10), expert="张主任"),
    _late,
)  # fmt: skip
