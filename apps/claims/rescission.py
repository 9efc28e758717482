"""Rescission for non-disclosure: how long it is still possible (LAW-12, PR-24)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.adjudication.counting import add_years
from apps.adjudication.handbook import Handbook
from apps.cases.models import CaseFile


@dataclass(frozen=True)
class Window:
    """`open` on the day asked; `until` the last day, None while nobody knows of a non-disclosure."""

    open: bool
    known_on: date | None
    bar_on: date | None  # last day before the two-year bar
    until: date | None
    days_left: int
    words: Any


def rescission_window(case: CaseFile, handbook: Handbook, today: date) -> Window:
    """The earlier of 30 days from knowledge and two years from conclusion of the contract."""
    days, years = int(handbook.value("rescission.days", 30)), int(handbook.value("rescission.years", 2))
    policy, known = case.policy, case.claim.knowledge_on
    concluded = policy.concluded_on or policy.continuous_since
    bar = add_years(concluded, years)
    if known is None:
        return Window(
            False, None, bar, None, 0, _("No day is recorded on which the non-disclosure became known.")
        )
    until = min(known + timedelta(days=days), bar)
    left = (until - today).days
    if left < 0:
        words = _(
            "The right to rescind ended on %(day)s (%(days)d days from knowledge, %(years)d years from conclusion)."
        )
        return Window(
            False, known, bar, until, 0, words % {"day": until.isoformat(), "days": days, "years": years}
        )
    return Window(True, known, bar, until, left, "")
