"""The clock of the terms: statements whose day comes, and hospitals that wait without a statement.

A statement is no case, so `cases.clocks` does not count for it: its due day is fixed when it is made, pauses
by nothing and stands in one indexed column. A sweep once a day writes each reminder and escalation once
(compare-and-set).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.adjudication.trace import observe
from apps.core.money import format_yuan
from apps.messaging.models import Message
from apps.messaging.outbox import queue_message
from apps.products.calendars import working_calendar
from apps.settlements.models import OPEN_STATES, Statement

SOON = 2  # working days ahead of the due day


def remind(now: datetime | None = None) -> int:
    """Reminders to finance two working days ahead, escalations to its lead from the day after; how many."""
    today = timezone.localtime(now or timezone.now()).date()
    soon = working_calendar().next_workday(today, SOON)
    open_ones = Statement.objects.filter(state__in=OPEN_STATES).select_related("hospital")
    near = open_ones.filter(due_on__lte=soon, due_on__gte=today, reminded_on=None)
    late = open_ones.filter(due_on__lt=today, escalated_on=None)
    told = 0
    for rows, column, role in ((near, "reminded_on", "finance"), (late, "escalated_on", "finance_lead")):
        for statement in rows.order_by("due_on", "pk")[:500]:
            told += _tell(statement, column, role, today)
    return told


def _tell(statement: Statement, column: str, role: str, today: date) -> bool:
    with transaction.atomic():
        mine = Statement.objects.filter(pk=statement.pk, state=statement.state, **{column: None})
        if not mine.update(**{column: today}):
            return False
        observe("PR-25", column == "escalated_on")
        for person in _people(statement, role):
            queue_message(
                None,
                case=None,
                channel=Message.Channel.EMAIL,
                template="settlement_due",
                recipient=person.email,
                context={
                    "addressee": person.name or person.username,
                    "statement": statement.number,
                    "hospital": statement.hospital.name,
                    "total": format_yuan(statement.total_fen),
                    "due_on": statement.due_on,
                    "late": (today - statement.due_on).days if statement.due_on < today else 0,
                    "state": statement.get_state_display(),
                },
                key=f"{statement.number}:{column}:{person.pk}",
            )
    return True


def _people(statement: Statement, role: str) -> Iterable[User]:
    """Those who hold a role and may see the statement."""
    people = User.objects.filter(is_active=True, roles__code=role).exclude(email="").distinct().order_by("pk")
    return [
        person
        for person in people
        if (not person.series or statement.series in person.series)
        and (not person.tpa or person.tpa == statement.tpa)
        and not (person.hospital or person.provider or person.member)
    ]


def days_left(due_on: date, today: date | None = None) -> int:
    """Calendar days until a due day; negative when it is over."""
    return (due_on - (today or timezone.localdate())) // timedelta(days=1)
