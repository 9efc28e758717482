"""The one door through which a case changes: `open_case`, `perform`, `perform_many`.

Order inside the transaction: lock, version, role, guards → handler → transition → event → clocks →
subscribers → one flush of everything queued → commit → after commit (letters, deliveries).
Whatever raises leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_fsm import TransitionNotAllowed, can_proceed

from apps.accounts.actors import SYSTEM, Actor
from apps.accounts.roles import role_needed
from apps.accounts.visibility import visible_to
from apps.cases import clocks, subscribers
from apps.cases.context import Batch, Ctx
from apps.cases.inputs import parse_input
from apps.cases.kinds import KINDS, Action, Blocker, Kind
from apps.cases.models import CaseEvent, CaseFile
from apps.core.errors import Blocked, Conflict, DomainError, NotAllowed, NotFound
from apps.core.numbers import next_number
from apps.core.transactions import in_transaction
from apps.products.models import PARSED

CASE_COLUMNS = [
    "state", "assignee", "team", "priority", "amount_fen", "next_due", "open", "version", "closed_at", "hospital",
]  # fmt: skip


# --- Opening ---------------------------------------------------------------------------------


def open_case(
    kind_code: str,
    actor: Actor,
    *,
    case: CaseFile,
    state: str,
    fill: Callable[[Ctx[Any]], None],
    event: str = "opened",
    now: datetime | None = None,
) -> CaseFile:
    """Open a case of a kind: number it, let `fill(ctx)` queue its own rows, start its clocks.

    `case` is an unsaved workflow row with series, handbook, member and policy set. Raises the
    house's errors; nothing is kept then.
    """
    kind = KINDS[kind_code]
    now = now or timezone.now()

    def work() -> CaseFile:
        case.kind, case.state, case.opened_at, case.version = kind.code, state, now, 1
        case.number = next_number(f"{kind.prefix}{timezone.localtime(now):%y}")
        case.pk = None
        case._state.adding = True
        case.save(force_insert=True)
        batch = Batch(actor, now)
        ctx: Ctx[Any] = Ctx(case=case, kind=kind, actor=actor, now=now, batch=batch, action="open")
        batch.contexts.append(ctx)
        fill(ctx)
        ctx.emit(event)
        _settle(ctx, from_state="", event=event)
        batch.update(case, *CASE_COLUMNS)
        _go_on(ctx)
        batch.flush()
        return case

    return in_transaction(work)


# --- Performing ------------------------------------------------------------------------------


def perform(
    number: str | CaseFile,
    action: str,
    actor: Actor,
    *,
    version: int | None = None,
    now: datetime | None = None,
    **data: Any,
) -> CaseFile:
    """Do one action on one case; `data` are the fields of the action's input.

    `version` is what the actor saw: a newer case is a Conflict they understand. None is for
    machines inside the house (sweep, subscribers) that hold the lock anyway.
    """
    key = number.number if isinstance(number, CaseFile) else number
    versions = {} if version is None else {key: version}
    return perform_many([key], action, actor, versions=versions, now=now, data=data)[0]


def perform_many(
    numbers: Sequence[str],
    action: str,
    actor: Actor,
    *,
    versions: dict[str, int] | None = None,
    now: datetime | None = None,
    data: dict[str, Any] | None = None,
) -> list[CaseFile]:
    """The same for many cases of one kind, all or nothing; the cases come back by id.

    `data` is one input for all of them, read once; `versions` by case number, for those somebody saw. Errors
    are those of `perform`: the first case that refuses undoes the batch, so a caller who wants the others
    done asks beforehand which are ready (`available`, or for claims `claims.assess.adjudicate_many`).

    It costs about as many statements as one case: `Action.prepare(batch)` reads for all of them
    before the first handler runs, handlers queue rows (`Ctx.add`, `Ctx.update`), `Batch.before_flush` writes
    for all of them at the end. Handlers run one after the other and see in `batch.shared` what earlier
    ones did. Cases are locked by id, so that two batches never wait for each other in a circle; everything
    is locked until the commit, so some hundred cases a call are better than some thousand.
    """

    def work() -> list[CaseFile]:
        batch = Batch(actor, now or timezone.now())
        contexts = _lock(batch, numbers, action, versions or {})
        act = contexts[0].kind.actions[action]
        _authorize(act, actor)
        given = parse_input(act.input, data or {})
        for ctx in contexts:
            ctx.input = given
        if act.prepare:
            act.prepare(batch)
        clocks.load(batch)
        _four_eyes(act, batch)
        for ctx in contexts:
            _run(act, ctx)
        batch.flush()
        return [ctx.case for ctx in contexts]

    return in_transaction(work)


def perform_each(
    versions: dict[str, int],
    action: str,
    actor: Actor,
    *,
    now: datetime | None = None,
    data: dict[str, Any] | None = None,
) -> dict[str, DomainError | None]:
    """The same for cases that stand for themselves: all together, and when one refuses, one by one,
    so that it stops only itself. `versions` are numbers with what the actor saw, in the order of work;
    the answer says for each case what refused it, or None."""
    try:
        with transaction.atomic():
            perform_many(list(versions), action, actor, versions=versions, now=now, data=data)
        return dict.fromkeys(versions)
    except DomainError as error:
        if len(versions) == 1:
            return {next(iter(versions)): error}
    found: dict[str, DomainError | None] = {}
    for number, version in versions.items():
        found |= perform_each({number: version}, action, actor, now=now, data=data)
    return found


def _lock(batch: Batch, numbers: Sequence[str], action: str, versions: dict[str, int]) -> list[Ctx[Any]]:
    kind = _kind_of(numbers, action)
    queryset = visible_to(kind.workflow._default_manager.all(), batch.actor).filter(number__in=list(numbers))
    if _spans_relations(batch.actor):
        queryset = kind.workflow._default_manager.filter(pk__in=queryset.values("pk"))
    related = (
        "handbook",
        "member",
        "policy__plan",
        "policy__policyholder",
        kind.subject,
        *kind.select_related,
    )
    # Both rows: whoever waited for the case would read the other as it was before the wait.
    queryset = queryset.filter(**{f"{kind.subject}__isnull": False}).select_for_update(
        of=("self", kind.subject)
    )
    queryset = queryset.select_related(*related).order_by("pk")
    if PARSED:  # the text, 100 KB a row, is read to be parsed, once a process
        queryset = queryset.defer("handbook__text")
    cases = list(queryset)
    if len(cases) != len(set(numbers)):
        missing = sorted(set(numbers) - {case.number for case in cases})
        raise NotFound(
            _("No such case: %(numbers)s") % {"numbers": ", ".join(missing)}, data={"numbers": missing}
        )
    for case in cases:
        seen = versions.get(case.number)
        if seen is not None and seen != case.version:
            raise Conflict(
                _("%(number)s was changed by somebody else meanwhile. Reload it and look again.")
                % {"number": case.number},
                code="stale",
                data={"number": case.number, "version": case.version, "seen": seen},
            )
    batch.contexts = [
        Ctx(case=case, kind=kind, actor=batch.actor, now=batch.now, batch=batch, action=action)
        for case in cases
    ]
    return batch.contexts


def _spans_relations(actor: Actor) -> bool:
    """`FOR UPDATE OF self` cannot be combined with outer joins made by the visibility filter."""
    return bool(actor.hospital or actor.member)


def _kind_of(numbers: Sequence[str], action: str) -> Kind:
    """The kind is written into the number (C26-000412); an unknown prefix is an unknown case."""
    prefixes = {number[:1] for number in numbers}
    kinds = [kind for kind in KINDS.values() if {kind.prefix} == prefixes]
    if not kinds:
        raise NotFound(_("No such case: %(numbers)s") % {"numbers": ", ".join(numbers)})
    if action not in kinds[0].actions:
        raise NotFound(
            _("No such action: %(action)s") % {"action": action}, code="unknown_action", field="action"
        )
    return kinds[0]


def _authorize(act: Action[Any], actor: Actor) -> None:
    if not _may(act, actor):
        raise role_needed(actor, act.roles)


def _may(act: Action[Any], actor: Actor) -> bool:
    return act.system if actor.is_system else bool(act.roles & actor.roles)


def _four_eyes(act: Action[Any], batch: Batch) -> None:
    """Nobody does both sides of a four-eyes pair on one case (glossary: roles)."""
    if not act.four_eyes or batch.actor.user_id is None:
        return
    own = CaseEvent.objects.filter(
        case__in=[ctx.case.pk for ctx in batch.contexts], action__in=act.four_eyes, user=batch.actor.user_id
    )
    actions = batch.contexts[0].kind.actions
    for number, name in own.values_list("case__number", "action")[:1]:
        raise NotAllowed(
            _("Four eyes: you did “%(action)s” on %(number)s yourself; somebody else must go on.")
            % {"action": actions[name].label, "number": number},
            code="four_eyes",
        )


def _run(act: Action[Any], ctx: Ctx[Any]) -> None:
    before = ctx.case.state
    blocker = _state_blocker(act, ctx) or next((found for guard in act.guards if (found := guard(ctx))), None)
    if blocker:
        raise Blocked(blocker.message, code=blocker.code, rule=blocker.rule)
    act.handler(ctx)
    transition = act.transition(ctx) if callable(act.transition) else act.transition
    if transition:
        try:
            getattr(ctx.case, transition)()
        except TransitionNotAllowed as error:
            raise Blocked(_state_words(act, ctx), code="state") from error
    ctx.case.version += 1
    event = act.event or act.name
    if event not in ctx.emitted:
        ctx.emit(event)
    _settle(ctx, from_state=before, event=event)
    ctx.batch.update(ctx.case, *CASE_COLUMNS)
    _go_on(ctx)


def _go_on(ctx: Ctx[Any]) -> None:
    """Carry out what the handler asked to follow (`Ctx.then`), with guards and an event of its own."""
    for name, data in ctx.following:
        act = ctx.kind.actions[name]
        _authorize(act, SYSTEM)
        step: Ctx[Any] = Ctx(
            case=ctx.case,
            kind=ctx.kind,
            actor=SYSTEM,
            now=ctx.now,
            batch=ctx.batch,
            action=name,
            loaded=ctx.loaded,
        )
        step.input = parse_input(act.input, data)
        _run(act, step)


def _settle(ctx: Ctx[Any], *, from_state: str, event: str) -> None:
    """Write the event, move the clocks, call the subscribers."""
    ctx.add(
        CaseEvent(
            case=ctx.case,
            seq=ctx.case.version,
            name=event,
            action=ctx.action,
            from_state=from_state,
            to_state=ctx.case.state,
            actor_label=ctx.actor.label,
            user_id=ctx.actor.user_id,
            client_id=ctx.actor.client_id,
            at=ctx.now,
            reason=ctx.reason,
            data=ctx.data,
        )
    )
    published: set[str] = set()
    while fresh := [name for name in ctx.emitted if name not in published]:
        for name in fresh:
            published.add(name)
            subscribers.publish(ctx, name)
    for watcher in subscribers.WATCHERS:
        watcher(ctx, from_state)
    clocks.move(ctx)


def _state_blocker(act: Action[Any], ctx: Ctx[Any]) -> Blocker | None:
    candidates = act.candidates
    if act.states and ctx.case.state not in act.states:
        possible = False
    elif candidates:
        possible = any(can_proceed(getattr(ctx.case, name)) for name in candidates)
    else:
        possible = bool(act.states) or ctx.case.open
    return None if possible else Blocker("state", _state_words(act, ctx))


def _state_words(act: Action[Any], ctx: Ctx[Any]) -> Any:
    return _("“%(action)s” is not possible while the case is “%(state)s”.") % {
        "action": act.label,
        "state": ctx.case.get_state_display(),
    }


# --- What is possible ------------------------------------------------------------------------


@dataclass(frozen=True)
class Availability:
    """One action as the case page and the API show it."""

    action: Action[Any]
    allowed: bool
    blockers: tuple[Blocker, ...] = ()
    initial: dict[str, Any] = field(default_factory=dict)


def available(
    case: CaseFile, actor: Actor, *, now: datetime | None = None, loaded: dict[str, Any] | None = None
) -> list[Availability]:
    """Each action of the kind the actor's roles know, in order, and where blocked, why.

    Actions of other states are left out; actions whose guards refuse are listed with the reason.
    `loaded` is what guards read, where a page goes on with it (`CaseFile.looked`).
    """
    kind = KINDS[case.kind]
    flow = case if isinstance(case, kind.workflow) else _as_workflow(case, kind)
    ctx: Ctx[Any] = Ctx(
        case=flow, kind=kind, actor=actor, now=now or timezone.now(), batch=Batch(actor, timezone.now()),
        loaded={} if loaded is None else loaded,
    )  # fmt: skip
    found = []
    for act in sorted(kind.actions.values(), key=lambda action: action.order):
        if not act.manual or not _may(act, actor) or _state_blocker(act, ctx):
            continue
        ctx.action = act.name
        blockers = [blocker for guard in act.guards if (blocker := guard(ctx))]
        if act.four_eyes and not _done_by(ctx).isdisjoint(act.four_eyes):
            blockers.append(Blocker("four_eyes", _("Four eyes: somebody else must do this.")))
        initial = act.initial(ctx) if act.initial and not blockers else {}
        found.append(Availability(act, not blockers, tuple(blockers), initial))
    return found


def _done_by(ctx: Ctx[Any]) -> set[str]:
    """What the actor did on the case before; at most one query, however many actions ask."""
    if "done_by" not in ctx.loaded:
        own = CaseEvent.objects.filter(case=ctx.case.pk, user=ctx.actor.user_id)
        ctx.loaded["done_by"] = set(own.values_list("action", flat=True)) if ctx.actor.user_id else set()
    found: set[str] = ctx.loaded["done_by"]
    return found


def _as_workflow(case: CaseFile, kind: Kind) -> CaseFile:
    """The same row seen through the workflow's proxy class; relations already loaded stay."""
    flow = kind.workflow()
    flow.__dict__.update(case.__dict__)
    return flow
