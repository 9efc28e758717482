"""Clocks on cases: started, paused, resumed and stopped by events; swept by their next moment.

What a clock counts stands in the handbook of the case (`ClockSpec`); when it is due is computed by
the pure core (`adjudication.clocks.due_at`). This module keeps the rows.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import SYSTEM
from apps.adjudication.clocks import HOURS, Due, Pause, due_at
from apps.adjudication.handbook import ClockSpec, Handbook, Step
from apps.adjudication.trace import observe
from apps.cases import subscribers
from apps.cases.kinds import KINDS
from apps.cases.models import CaseFile, Clock, ClockPause, ClockStep
from apps.core.bulk import exchange_rows, insert_new
from apps.core.errors import Blocked
from apps.core.queue import enqueue
from apps.products.models import PARSED
from apps.products.queries import working_calendar

if TYPE_CHECKING:
    from apps.cases.context import Batch, Ctx

log = logging.getLogger(__name__)
SWEEP_CHUNK = 200
RETRY_POISONED = timedelta(minutes=15)


@dataclass(frozen=True)
class Evidence:
    """What proves that a clock stands still or goes on: what happened, because of which paper (a notice or
    order, by number), and whom it reached by what way. A pause is only as good as its proof (LAW-02, PR-04)."""

    what: str
    paper: str = ""
    reached: str = ""

    @classmethod
    def of(cls, given: Evidence | str) -> Evidence:
        return given if isinstance(given, Evidence) else cls(given)


# --- Within an action ------------------------------------------------------------------------


def load(batch: Batch) -> None:
    """The open clocks of the locked cases: one query for the whole batch. Pauses follow when needed."""
    cases = [ctx.case.pk for ctx in batch.contexts]
    found: dict[int, list[Clock]] = defaultdict(list)
    rows = Clock.objects.filter(case__in=cases).exclude(state=Clock.State.STOPPED).order_by("pk")
    for clock in rows:
        found[clock.case_id].append(clock)
    batch.shared["clocks"] = found


def move(ctx: Ctx[Any]) -> None:
    """Apply the events and pauses of one action: stop, start, pause, resume; then the next due."""
    open_clocks = _open(ctx)
    for event, at in ctx.emitted.items():
        for clock in list(open_clocks):
            spec = spec_of(ctx.handbook, clock)
            if event in spec.stop:
                _stop(ctx, clock, spec, at)
                open_clocks.remove(clock)
        for spec in ctx.handbook.clocks:
            if spec.start == event and spec.direction == "after":
                _start(ctx, spec, at, open_clocks)
    for reason, begins, at, evidence in ctx.pauses:
        for clock in open_clocks:
            spec = spec_of(ctx.handbook, clock)
            if reason in spec.pauses:
                if begins:
                    _pause(ctx, clock, spec, reason, at, Evidence.of(evidence))
                else:
                    _resume(ctx, clock, spec, reason, at, Evidence.of(evidence))
    running = [clock.due_at for clock in open_clocks if clock.state == Clock.State.RUNNING]
    ctx.case.next_due = min(running, default=None)


def spec_of(handbook: Handbook, clock: Clock) -> ClockSpec:
    """What the clock counts; an unknown key means the handbook was exchanged under the case."""
    alike = _alike(handbook, clock.key, clock.spec_id)
    if clock.variant < len(alike):
        return alike[clock.variant]
    raise LookupError(f"handbook {handbook.series} has no clock {clock.key} ({clock.spec_id})")


def _alike(handbook: Handbook, key: str, spec_id: str) -> list[ClockSpec]:
    """Specs under one key and id: a printed one and the assumed one that borrows its figure (DL-34)."""
    return [spec for spec in handbook.clocks if spec.key == key and spec.id == spec_id]


def _open(ctx: Ctx[Any]) -> list[Clock]:
    by_case: dict[int, list[Clock]] = ctx.batch.shared.setdefault("clocks", defaultdict(list))
    return by_case[ctx.case.pk]


def _spans(ctx: Ctx[Any], clock: Clock) -> list[ClockPause]:
    """The pauses of a clock; read once for all clocks of the batch, and only when one is moved."""
    if "_spans" not in clock.__dict__:
        unread = {
            row.pk: row
            for rows in ctx.batch.shared["clocks"].values()
            for row in rows
            if "_spans" not in row.__dict__
        }
        for row in unread.values():
            row.__dict__["_spans"] = []
        for span in ClockPause.objects.filter(clock__in=list(unread)).order_by("pk"):
            unread[span.clock_id].__dict__["_spans"].append(span)
    spans: list[ClockPause] = clock.__dict__["_spans"]
    return spans


def _start(ctx: Ctx[Any], spec: ClockSpec, at: datetime, open_clocks: list[Clock]) -> None:
    kept = not ctx.kind.clocks or spec.key in ctx.kind.clocks
    running = any(clock.key == spec.key for clock in open_clocks)
    if running or not kept or not ctx.kind.clock_matches(ctx, spec.when):
        return
    variant = _alike(ctx.handbook, spec.key, spec.id).index(spec)
    clock = Clock(
        case=ctx.case, key=spec.key, spec_id=spec.id, variant=variant, statutory=spec.statutory, started_at=at
    )
    clock.__dict__["_spans"] = []
    _count(clock, spec)
    ctx.add(clock)
    open_clocks.append(clock)


def _stop(ctx: Ctx[Any], clock: Clock, spec: ClockSpec, at: datetime) -> None:
    """Kept in time? The last day ends before its due instant, running hours include theirs (C6)."""
    clock.breached = clock.breached or (at > clock.due_at if spec.unit == HOURS else at >= clock.due_at)
    clock.state, clock.stopped_at, clock.next_at = Clock.State.STOPPED, at, None
    if spec.start in ctx.emitted and clock.pk:  # it begins anew: the old one ends first
        clock.save(update_fields=["state", "stopped_at", "next_at", "breached"])
        return
    ctx.update(clock, "state", "stopped_at", "next_at", "breached")


def _pause(
    ctx: Ctx[Any], clock: Clock, spec: ClockSpec, reason: str, at: datetime, evidence: Evidence
) -> None:
    """Stand still from `at` (never before the clock began). Without proof nothing stands still."""
    if clock.state == Clock.State.PAUSED:
        return
    _need_proof(spec, evidence)
    span = ClockPause(
        clock=clock, reason=reason, started_at=max(at, clock.started_at), evidence=evidence.what[:200],
        paper=evidence.paper[:80], reached=evidence.reached[:120],
    )  # fmt: skip
    _spans(ctx, clock).append(span)
    ctx.add(span)
    clock.state, clock.next_at = Clock.State.PAUSED, None
    ctx.update(clock, "state", "next_at")


def _need_proof(spec: ClockSpec, evidence: Evidence) -> None:
    rule = spec.id if spec.statutory else "PR-04"
    if observe(rule, not evidence.what.strip()):
        raise Blocked(
            _("“%(clock)s” does not stand still without evidence: which paper reached whom, and when.")
            % {"clock": spec.title.zh if (get_language() or "zh").startswith("zh") else spec.title.en},
            code="no_evidence", field="evidence", rule=rule,
        )  # fmt: skip


def _resume(
    ctx: Ctx[Any], clock: Clock, spec: ClockSpec, reason: str, at: datetime, evidence: Evidence
) -> None:
    spans = _spans(ctx, clock)
    if clock.state != Clock.State.PAUSED or not spans or spans[-1].reason != reason:
        return
    spans[-1].ended_at = max(at, spans[-1].started_at)
    spans[-1].end_evidence = f"{evidence.what} {evidence.paper}".strip()[:200]
    ctx.update(spans[-1], "ended_at", "end_evidence")
    clock.state = Clock.State.RUNNING
    _count(clock, spec)
    ctx.update(clock, *COUNTED)


# --- Counting --------------------------------------------------------------------------------

COUNTED = ["state", "due_at", "day", "target_at", "act_by", "schedule", "position", "next_at", "provisional"]


def due_of(clock: Clock, spec: ClockSpec) -> Due:
    """The due time with the days counted, from the clock's start and pauses."""
    spans = clock.__dict__.get("_spans")
    spans = list(clock.pauses.all()) if spans is None else spans
    pauses = [Pause(start=span.started_at, until=span.ended_at, reason=span.reason) for span in spans]
    return due_at(spec, timezone.localtime(clock.started_at), working_calendar(), pauses)


def _count(clock: Clock, spec: ClockSpec) -> None:
    """Fill the computed columns. Steps already carried out for an earlier due are not repeated."""
    due = due_of(clock, spec)
    done = clock.position
    clock.due_at, clock.day, clock.target_at, clock.act_by = due.at, due.day, due.target, due.act_by
    clock.provisional = due.provisional
    schedule = [
        {"key": step.key, "kind": step.kind, "to": step.to, "at": step.at.isoformat()} for step in due.steps
    ]
    if not any(step["kind"] == "BREACH" for step in schedule):
        schedule.append({"key": "breach", "kind": "BREACH", "to": "ASSIGNEE", "at": due.at.isoformat()})
    clock.schedule = sorted(schedule, key=lambda step: (step["at"], step["key"]))
    clock.position = min(done, len(schedule))
    _aim(clock)


def _aim(clock: Clock) -> None:
    """Point `next_at` at the next step of the schedule; None when all are done."""
    left = clock.schedule[clock.position :]
    clock.next_at = parse_datetime(left[0]["at"]) if left else None


# --- Sweep -----------------------------------------------------------------------------------


def sweep(now: datetime | None = None, limit: int = 5000) -> int:
    """Carry out every step that is due; returns how many. Safe with any number of sweepers.

    A chunk of clocks is locked with its cases, past those that somebody else works on: its steps, the
    messages of them and where the clocks stand next are one transaction and a constant number of statements.
    Each step is claimed by compare-and-set and recorded once (unique clock + step + due), so a crash or a
    stopped week never writes one twice. Cost grows with what is due.
    """
    now = now or timezone.now()
    done = 0
    while done < limit:
        carried_out = _together(now, min(SWEEP_CHUNK, limit - done))
        if carried_out is None:
            break
        done += carried_out
    return done


class StepFailed(Exception):
    """A subscriber could not bear the step of this clock."""

    def __init__(self, clock: Clock):
        super().__init__(f"clock {clock.pk}: {clock.key}")
        self.clock = clock


def _together(now: datetime, size: int) -> int | None:
    """The next steps of as many clocks as that; None when none is due. Where one fails, nothing of the chunk
    was written: it is put off and the others are carried out each alone, so that the sweep comes to an end."""
    chunk: list[Clock] = []
    poisoned = 0
    try:
        with transaction.atomic():
            chunk = _due_chunk(now, size)
            return _carry_out(chunk) if chunk else None
    except StepFailed as failed:
        poisoned = failed.clock.pk
        _put_off(poisoned, now)
    except Exception:
        if not chunk:
            raise
        log.warning("clock steps failed together and are tried one by one", exc_info=True)
    return sum(_alone(clock.pk, now) for clock in chunk if clock.pk != poisoned)


def _alone(pk: int, now: datetime) -> int:
    try:
        with transaction.atomic():
            return _carry_out(_due_chunk(now, 1, pk=pk))
    except Exception:
        _put_off(pk, now)
        return 0


def _put_off(pk: int, now: datetime) -> None:
    log.exception("clock step failed", extra={"clock": pk})
    later = max(now, timezone.now()) + RETRY_POISONED
    Clock.objects.filter(pk=pk, next_at__lte=now, state=Clock.State.RUNNING).update(next_at=later)


def _due_chunk(now: datetime, size: int = SWEEP_CHUNK, **only: Any) -> list[Clock]:
    """Locked together with their cases, in which actions begin: neither waits for the other half-way."""
    related = ("case__handbook", "case__member", "case__assignee", "case__policy__policyholder")
    due = Clock.objects.filter(state=Clock.State.RUNNING, next_at__lte=now, **only).order_by("next_at")
    due = due.select_related(*related).select_for_update(of=("self", "case"), no_key=True, skip_locked=True)
    if PARSED:  # the text, 100 KB a row, is read to be parsed, once a process
        due = due.defer("case__handbook__text")
    return list(due[:size])


def _carry_out(chunk: Sequence[Clock]) -> int:
    """One step of each clock, as it was read, that nobody else has carried out."""
    was = [copy(clock) for clock in chunk]
    steps = [_next_step(clock) for clock in chunk]
    claimed = exchange_rows(
        chunk, was, ["position", "next_at", "breached"], alike=["state", "next_at", "position", "due_at"]
    )
    kept = {clock.pk for clock in claimed}
    fresh = insert_new([step for step in steps if step.clock_id in kept], by="clock_id")
    _tell(fresh)
    return len(claimed)


def _next_step(clock: Clock) -> ClockStep:
    """Move the clock on in memory, past the step returned."""
    entry = clock.schedule[clock.position]
    clock.position += 1
    _aim(clock)
    clock.breached = clock.breached or entry["kind"] == "BREACH"
    return ClockStep(clock=clock, step=entry["key"], kind=entry["kind"], to=entry["to"], due_at=clock.due_at)


def _tell(carried_out: Sequence[ClockStep]) -> None:
    """Let the subscribers of all these steps queue what follows, and write it together."""
    from apps.cases.context import Batch, Ctx

    batch = Batch(SYSTEM, timezone.now())
    batch.contexts = [
        Ctx(case=case, kind=KINDS[case.kind], actor=SYSTEM, now=batch.now, batch=batch, action="sweep")
        for case in (row.clock.case for row in carried_out)
    ]
    for ctx, row in zip(batch.contexts, carried_out, strict=True):
        step = Step(key=row.step, kind=row.kind, to=row.to)
        try:
            for subscriber in subscribers.STEPS:
                subscriber(ctx, row.clock, step)
        except Exception as error:
            raise StepFailed(row.clock) from error
    batch.flush()


# --- Calendar changes ------------------------------------------------------------------------


def on_calendar_changed(sender: Any, years: Sequence[int], **kwargs: Any) -> None:
    """Somebody edited or published days: count again in the background what they may move."""
    from apps.cases.tasks import recount_clocks

    moved = bool(years) and _moved_by(min(years)).exists()
    if moved and not enqueue(recount_clocks, min(years)):
        recount(min(years))


def _moved_by(first_year: int) -> QuerySet[Clock]:
    affected = Q(provisional=True) | Q(day__gte=date(first_year, 1, 1))
    return Clock.objects.filter(affected, state=Clock.State.RUNNING)


def recount(first_year: int) -> int:
    """Recompute running clocks that a changed calendar may move (C2, S56); returns how many moved.

    One transaction a case under its lock, as for an action: neither overwrites what the other did.
    A paused clock is counted again anyway when it resumes.
    """
    cases = _moved_by(first_year).order_by("case").values_list("case", flat=True).distinct()
    return sum(_recount_case(pk, first_year) for pk in list(cases))


def _recount_case(pk: int, first_year: int) -> int:
    with transaction.atomic():
        case = CaseFile.objects.select_for_update(of=("self",)).select_related("handbook").get(pk=pk)
        clocks = _moved_by(first_year).filter(case=case).order_by("pk").prefetch_related("pauses")
        moved = sum(
            _recount_clock(clock, case.handbook.handbook) for clock in clocks.select_for_update(of=("self",))
        )
        if moved:
            refresh_next_due(case)
    return moved


def _recount_clock(clock: Clock, handbook: Handbook) -> bool:
    before = clock.due_at
    _count(clock, spec_of(handbook, clock))
    clock.save(update_fields=COUNTED)
    return clock.due_at != before


def refresh_next_due(case: CaseFile) -> None:
    """Keep `CaseFile.next_due` true after a clock moved outside an action."""
    earliest = (
        Clock.objects.filter(case=case, state=Clock.State.RUNNING)
        .order_by("due_at")
        .values_list("due_at", flat=True)
    )
    CaseFile.objects.filter(pk=case.pk).update(next_due=earliest.first())
