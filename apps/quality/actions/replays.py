"""Replays as long work: asked, run by a worker in pieces, stopped, read."""

from __future__ import annotations

import dataclasses
import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import Actor
from apps.adjudication.parse_plan import parse_plan
from apps.adjudication.reading import HandbookErrors
from apps.claims.models import Decision
from apps.claims.replay import Comparison, Swap, compare
from apps.core.errors import Conflict, DomainError, InvalidInput, InvalidInputs, NotAllowed
from apps.products.actions import preview_handbook
from apps.quality.models import Replay, ReplayChange
from apps.quality.roles import LEADS

PIECE = 200  # comparisons written together
LONGEST_TEXT = 2_000_000
State = Replay.State


@dataclass(frozen=True)
class Question:
    """Which decisions, and under which texts: TOML, "" = the one in force when they were made."""

    series: str = ""
    since: date | None = None
    until: date | None = None  # inclusive
    handbook_text: str = ""
    handbook_name: str = ""
    plan_text: str = ""
    plan_name: str = ""


def swap_of(question: Question | Replay) -> tuple[Swap, str]:
    """The parsed texts and the series they are for. Raises InvalidInputs with every mistake and its
    place, InvalidInput when handbook and plan are of different series."""
    handbook, plans, series = None, {}, ""
    if question.handbook_text:
        handbook = preview_handbook(question.handbook_text).handbook
        series = handbook.series
    if question.plan_text:
        try:
            plan = parse_plan(question.plan_text).plan
        except HandbookErrors as error:
            raise InvalidInputs([_mistake(one) for one in error.errors]) from error
        if series and plan.series != series:
            raise InvalidInput(
                _("The handbook is of series %(book)s, the plan of %(plan)s.")
                % {"book": series, "plan": plan.series},
                code="series",
                field="plan",
            )
        plans, series = {plan.code: plan}, plan.series
    return Swap(handbook, plans), series


def _mistake(one: Any) -> InvalidInput:
    words = _("%(value)s; expected %(expected)s") % {"value": repr(one.value), "expected": one.expected}
    return InvalidInput(words, code="plan", field=one.where)


def decisions_of(question: Question | Replay, swap: Swap) -> QuerySet[Decision]:
    """What is compared: decisions of a series within days of decision, both inclusive, Shanghai time.

    Another text of a plan says nothing about the children of other plans; another handbook does.
    """
    found = Decision.objects.all()
    if swap.plans and swap.handbook is None:
        found = found.filter(claim__case__policy__plan__code__in=list(swap.plans))
    if question.series:
        found = found.filter(claim__case__series=question.series)
    if question.since:
        found = found.filter(decided_at__date__gte=question.since)
    if question.until:
        found = found.filter(decided_at__date__lte=question.until)
    return found


def ask_replay(actor: Actor, question: Question) -> Replay:
    """Check the texts and keep the question; a worker answers it. Raises NotAllowed, InvalidInputs."""
    if not actor.roles & LEADS or actor.restricted:
        raise NotAllowed(
            _("Replays read all decisions: a manager or supervisor of all series asks them."), code="role"
        )
    if question.since and question.until and question.until < question.since:
        raise InvalidInput(_("The last day lies before the first."), code="order", field="until")
    if max(len(question.handbook_text), len(question.plan_text)) > LONGEST_TEXT:
        raise InvalidInput(_("The text is too long."), code="too_large", field="handbook")
    series = swap_of(question)[1]
    if series and question.series and question.series != series:
        raise InvalidInput(
            _("The text is of series %(series)s.") % {"series": series}, code="series", field="series"
        )
    given = dataclasses.asdict(dataclasses.replace(question, series=question.series or series))
    return Replay.objects.create(**given, asked_by_id=actor.person_id)


def cancel(actor: Actor, pk: int) -> None:
    """Stop a running replay; what it found so far stays readable."""
    if not actor.roles & LEADS:
        raise NotAllowed(_("A manager or supervisor stops replays."), code="role")
    stopped = Replay.objects.filter(pk=pk, state__in=[State.QUEUED, State.RUNNING]).update(
        state=State.CANCELED, finished_at=timezone.now()
    )
    if not stopped:
        raise Conflict(_("It has ended already."), code="ended")


class _Stopped(Exception):
    """Somebody canceled, or another worker took the replay over."""


def run_replay(pk: int) -> Replay:
    """Answer a queued replay. Called again after a crash it starts over; two at once cannot mix."""
    token = uuid.uuid4().hex
    taken = Replay.objects.filter(pk=pk, state__in=[State.QUEUED, State.RUNNING])
    if not taken.update(state=State.RUNNING, run_token=token):
        return Replay.objects.get(pk=pk)
    replay = Replay.objects.get(pk=pk)
    try:
        _compare_all(replay)
        _write(replay, [], state=State.DONE, finished_at=timezone.now())
    except _Stopped:
        pass
    except DomainError as error:
        _end(replay, str(error.message))
    except Exception:
        _end(replay, str(_("It stopped because of a fault in the program.")))
        raise
    return Replay.objects.get(pk=pk)


def _compare_all(replay: Replay) -> None:
    replay.changes.all().delete()
    swap, _series = swap_of(replay)
    decisions = decisions_of(replay, swap)
    replay.total, replay.done = decisions.count(), 0
    replay.compared = replay.differing = replay.problems = replay.before_fen = replay.after_fen = 0
    changes: list[ReplayChange] = []
    for found in compare(decisions, swap):
        _count(replay, found)
        if not found.same:
            changes.append(_change(replay, found))
        if replay.done % PIECE == 0:
            _write(replay, changes)
            changes = []
    _write(replay, changes)


def _count(replay: Replay, found: Comparison) -> None:
    replay.done += 1
    replay.compared += not found.problem
    replay.problems += bool(found.problem)
    replay.differing += not (found.same or found.problem)
    replay.before_fen += found.before_fen
    replay.after_fen += found.after_fen


def _change(replay: Replay, found: Comparison) -> ReplayChange:
    return ReplayChange(
        replay=replay, case=found.row.claim.case, version=found.row.version, before_fen=found.before_fen,
        after_fen=found.after_fen, difference_fen=found.after_fen - found.before_fen, outcome=found.outcome,
        lines=[dataclasses.asdict(line) for line in found.lines], appeared=list(found.appeared),
        vanished=list(found.vanished), problem=found.problem,
    )  # fmt: skip


COUNTS = ("total", "done", "compared", "differing", "problems", "before_fen", "after_fen")


@transaction.atomic
def _write(replay: Replay, changes: list[ReplayChange], **values: Any) -> None:
    """Findings and figures of a piece together, and only while the replay is still ours."""
    values |= {name: getattr(replay, name) for name in COUNTS}
    mine = Replay.objects.filter(pk=replay.pk, run_token=replay.run_token, state=State.RUNNING)
    if not mine.update(**values):
        raise _Stopped
    ReplayChange.objects.bulk_create(changes, batch_size=PIECE)


def _end(replay: Replay, message: str) -> None:
    mine = Replay.objects.filter(pk=replay.pk, run_token=replay.run_token, state=State.RUNNING)
    mine.update(state=State.FAILED, message=message, finished_at=timezone.now())
