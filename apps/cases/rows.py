"""One line of a list of cases, worked out for the template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import timezone

from apps.cases.models import CaseFile
from apps.cases.queries import next_step
from apps.cases.timeleft import NOTHING, TimeLeft, time_left
from apps.products.queries import working_calendar


@dataclass(frozen=True)
class Row:
    case: CaseFile
    left: TimeLeft
    kind: Any
    child: str
    age: int
    state: Any
    step: Any
    team: str
    assignee: str


def rows_of(cases: Sequence[CaseFile], now: datetime | None = None) -> list[Row]:
    """Rows of cases loaded with `queries.with_row_data`; no query a row."""
    now, calendar = now or timezone.now(), working_calendar()
    today = timezone.localtime(now).date()
    return [_row(case, time_left(case, now, calendar) if case.open else NOTHING, today) for case in cases]


def _row(case: CaseFile, left: TimeLeft, today: date) -> Row:
    step = next_step(case.kind, case.state) if case.open else None
    return Row(
        case=case,
        left=left,
        kind=case.get_kind_display(),
        child=case.member.masked_name,
        age=age_on(case.member.birth_date, today),
        state=case.get_state_display(),
        step=step.label if step else "",
        team=str(case.team or ""),
        assignee=str(case.assignee or ""),
    )


def age_on(birth: date, day: date) -> int:
    """Whole years."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))
