"""Clock steps become messages: to the member, the assignee, those who hold a role, or whoever leads."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.tests.factories import UserFactory
from apps.cases import subscribers as registry
from apps.cases.clocks import sweep
from apps.cases.models import CaseFile, Clock
from apps.documents.tests.factories import make_case, make_guardian
from apps.messaging.models import CallTask, Message
from apps.messaging.subscribers import on_clock_step

pytestmark = pytest.mark.django_db


def clock_on(case: CaseFile) -> Clock:
    spec = case.handbook.handbook.clocks[0]
    now = timezone.now()
    return Clock.objects.create(
        case=case, key=spec.key, spec_id=spec.id, started_at=now, due_at=now + timedelta(days=2), day=now.date(),
    )  # fmt: skip


def swept(clock: Clock, *steps: tuple[str, str]) -> None:
    """Whom the steps that are due now go to, and of what kind each is."""
    now = timezone.now()
    clock.schedule = [
        {"key": f"{kind}-{to}", "kind": kind, "to": to, "at": now.isoformat()} for to, kind in steps
    ]
    clock.position, clock.next_at = 0, now
    clock.save()
    sweep(now)


def test_sweep_calls_us():
    assert on_clock_step in registry.STEPS


def test_member_is_reminded():
    case = make_case()
    make_guardian(case.member, email="zhang@example.com")
    swept(clock_on(case), ("MEMBER", "REMIND"))
    assert Message.objects.get().template == "member_reminder"


def test_assignee_is_reminded_and_told_of_a_breach_once():
    case = make_case()
    case.assignee = UserFactory(email="desk@example.com")
    case.save()
    clock = clock_on(case)
    for _again in range(2):
        swept(clock, ("ASSIGNEE", "REMIND"), ("ASSIGNEE", "BREACH"))
    reminder, breach = Message.objects.order_by("pk")
    assert (reminder.recipient, reminder.template) == ("desk@example.com", "clock_reminder")
    assert "已超时" in breach.subject
    assert case.number in breach.subject


def test_moved_deadline_reminds_again():
    case = make_case()
    case.assignee = UserFactory(email="desk@example.com")
    case.save()
    clock = clock_on(case)
    swept(clock, ("ASSIGNEE", "REMIND"))
    clock.due_at += timedelta(days=3)
    swept(clock, ("ASSIGNEE", "REMIND"))
    assert Message.objects.count() == 2


def test_role_is_told_if_its_people_may_see_the_case():
    case = make_case("2026")
    UserFactory(roles=["senior_adjuster"], email="all@example.com")
    UserFactory(roles=["senior_adjuster"], email="old@example.com", series=["2024"])
    UserFactory(roles=["senior_adjuster"], email="tpa@example.com", tpa="WINDSTONE")
    UserFactory(roles=["senior_adjuster"], email="gone@example.com", is_active=False)
    swept(clock_on(case), ("senior_adjuster", "ESCALATE"))
    assert [message.recipient for message in Message.objects.all()] == ["all@example.com"]


def test_role_without_people_falls_to_who_leads_and_at_last_to_a_call():
    case = make_case()
    clock = clock_on(case)
    swept(clock, ("ASSIGNEE", "ESCALATE"))
    assert CallTask.objects.get().case == case
    UserFactory(roles=["manager"], email="boss@example.com")
    swept(clock, ("compliance", "ESCALATE"))
    assert Message.objects.get().recipient == "boss@example.com"
