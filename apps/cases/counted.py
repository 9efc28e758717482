"""The arithmetic of the clocks of a case, line by line, in words: for the case page and the API (LAW-02, C12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.adjudication import arithmetic
from apps.adjudication.clocks import Pause
from apps.cases.clocks import due_of, spec_of
from apps.cases.models import CaseFile, Clock, ClockPause
from apps.cases.timeleft import length, words


@dataclass(frozen=True)
class Proof:
    """Why a clock stood still: what happened, because of which paper, whom it reached, and what ended it."""

    reason: str
    evidence: str
    paper: str
    reached: str
    ended_by: str


@dataclass(frozen=True)
class Line:
    kind: str
    first: date
    last: date
    days: int
    total: int
    rule: str
    words: str
    proof: Proof | None = None


@dataclass(frozen=True)
class Count:
    """How one clock was counted."""

    clock: Clock
    title: str
    rule: str
    length: str
    duration: int
    lines: tuple[Line, ...]
    standing: bool
    left: int
    day: date | None
    act_by: date | None

    def as_json(self) -> dict[str, Any]:
        """Dates in ISO form; days are calendar or working days as `unit` says."""
        return {
            "key": self.clock.key, "title": self.title, "rule": self.rule, "statutory": self.clock.statutory,
            "state": self.clock.state, "started_at": self.clock.started_at, "duration": self.duration,
            "length": self.length, "standing": self.standing, "left": self.left, "day": self.day,
            "act_by": self.act_by, "provisional": self.clock.provisional,
            "lines": [_line_json(line) for line in self.lines],
        }  # fmt: skip


def _line_json(line: Line) -> dict[str, Any]:
    proof = line.proof
    return {
        "kind": line.kind, "first": line.first, "last": line.last, "days": line.days, "total": line.total,
        "rule": line.rule, "words": line.words,
        "proof": proof and {
            "reason": proof.reason, "evidence": proof.evidence, "paper": proof.paper, "reached": proof.reached,
            "ended_by": proof.ended_by,
        },
    }  # fmt: skip


def counts(case: CaseFile, *, statutory: bool | None = None) -> list[Count]:
    """Every clock of the case with its arithmetic, statutory ones first, as they began; two queries."""
    clocks = (
        Clock.objects.filter(case=case.pk)
        .prefetch_related("pauses")
        .order_by("-statutory", "started_at", "pk")
    )
    if statutory is not None:
        clocks = clocks.filter(statutory=statutory)
    found = (_count(case, clock) for clock in clocks)
    return [count for count in found if count is not None]


def _count(case: CaseFile, clock: Clock) -> Count | None:
    """None when the handbook was exchanged under the case and knows the clock no more."""
    try:
        spec = spec_of(case.handbook.handbook, clock)
    except LookupError:
        return None
    spans = sorted(clock.pauses.all(), key=lambda span: (span.started_at, span.pk))
    pauses = [Pause(span.started_at, span.ended_at, span.reason) for span in spans]
    due = due_of(clock, spec)
    until = timezone.localtime(clock.stopped_at).date() if clock.stopped_at else timezone.localdate()
    lines = arithmetic.count_lines(spec, timezone.localtime(clock.started_at), due, pauses, until)
    return Count(
        clock=clock, title=words(spec.title), rule=spec.id, length=length(spec), duration=spec.duration,
        lines=tuple(_line(line, spans) for line in lines), standing=due.standing, left=due.left,
        day=None if due.standing else due.day, act_by=due.act_by,
    )  # fmt: skip


def _line(line: arithmetic.CountLine, spans: Sequence[ClockPause]) -> Line:
    proof = None
    if line.pause is not None:
        span = spans[line.pause]
        proof = Proof(reason_words(span.reason), span.evidence, span.paper, span.reached, span.end_evidence)
    return Line(line.kind, line.first, line.last, line.days, line.total, line.rule, _words(line), proof)


def _words(line: arithmetic.CountLine) -> str:
    if line.kind == arithmetic.START:
        return _("the event; this day is day 0")
    if line.kind == arithmetic.COUNTED:
        return _("counted: day %(first)d to %(last)d") % {
            "first": line.total - line.days + 1,
            "last": line.total,
        }
    if line.kind == arithmetic.PAUSED:
        return _("stands still, not counted")
    if line.kind == arithmetic.DAY_OFF:
        return _("days off, not counted")
    if line.kind == arithmetic.STANDING:
        return _("stands still; %(left)d days are left from the day it goes on") % {"left": line.days}
    return _("due at the end of this day")


def reason_words(reason: str) -> str:
    """Reasons to pause are words of the handbook's closed vocabulary."""
    known = {
        "missing_papers": _("papers are missing"), "dispute": _("dispute"), "investigation": _("investigation"),
        "information": _("information asked for"),
    }  # fmt: skip
    return known.get(reason, reason)
