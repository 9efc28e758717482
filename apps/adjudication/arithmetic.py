"""How a due day was counted, line by line (LAW-02, C2, C3, C12): what a court or a claimant can check by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from apps.adjudication.calendar import DAY
from apps.adjudication.clocks import HOURS, WORKDAYS, Due, Pause, local
from apps.adjudication.counting import Frozen
from apps.adjudication.handbook import ClockSpec
from apps.adjudication.trace import observe

START, COUNTED, DAY_OFF, PAUSED, DUE, STANDING = "START", "COUNTED", "DAY_OFF", "PAUSED", "DUE", "STANDING"
LONGEST = 800  # days written out; no promise of a handbook is longer


@dataclass(frozen=True, slots=True)
class CountLine:
    """One stretch of days of one kind. `days` = how many there are, `total` = counted so far."""

    kind: str  # START | COUNTED | DAY_OFF | PAUSED | DUE | STANDING
    first: date
    last: date
    days: int
    total: int
    rule: str
    pause: int | None = None  # which of the pauses, in order of their start


def count_lines(
    spec: ClockSpec, start: datetime | date, due: Due, pauses: Sequence[Pause] = (), until: date | None = None,
) -> tuple[CountLine, ...]:  # fmt: skip
    """From the day of the event (day 0, C3) to the due day: counted stretches, days off (C2, only where
    working days count) and pauses (C12). A standing clock is written out to `until` (today)."""
    began = local(start).date()
    spans = sorted(
        ((local(p.start).date(), local(p.until).date() if p.until else None) for p in pauses),
        key=lambda span: span[0],
    )
    rule = spec.id
    lines = [CountLine(START, began, began, 0, 0, "C3")]
    last = due.day if not due.standing else (until or began)
    if spec.unit != HOURS:
        lines += _stretches(spec, began, last, due, spans)
    total = len(due.counted)
    if due.standing:
        standing = next((index for index, (_first, last_day) in enumerate(spans) if last_day is None), None)
        lines.append(CountLine(STANDING, last, last, due.left, total, "C12", standing))
    else:
        lines.append(CountLine(DUE, due.day, due.day, 0, total, rule))
    observe("C12", bool(spans))
    return tuple(lines)


def _stretches(
    spec: ClockSpec, began: date, last: date, due: Due, spans: Sequence[tuple[date, date | None]]
) -> list[CountLine]:
    counted, frozen = set(due.counted), Frozen.of(spans)
    found: list[CountLine] = []
    total, day = 0, began + DAY
    while day <= last and (day - began).days <= LONGEST:
        which = None
        if day in counted:
            kind, rule = COUNTED, "C3"
            total += 1
        elif frozen.beyond(day) is not None:
            kind, rule, which = PAUSED, "LAW-02" if spec.statutory else "PR-04", _pause_of(day, spans)
        else:
            kind, rule = DAY_OFF, "C2" if spec.unit == WORKDAYS else "C12"
        before = found[-1] if found else None
        if before is not None and (before.kind, before.pause) == (kind, which):
            found[-1] = CountLine(kind, before.first, day, before.days + 1, total, rule, which)
        else:
            found.append(CountLine(kind, day, day, 1, total, rule, which))
        day += DAY
    return found


def _pause_of(day: date, spans: Sequence[tuple[date, date | None]]) -> int | None:
    return next(
        (
            index
            for index, (first, until) in enumerate(spans)
            if first < day and (until is None or day <= until)
        ),
        None,
    )
