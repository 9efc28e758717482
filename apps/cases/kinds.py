"""What a kind of case is: its workflow, its actions, and how its page is filled.

Each app registers its kind once (`AppConfig.ready`); everything else — buttons, API, search, *My
work*, the case page — reads the registry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django.utils.functional import Promise

from apps.adjudication.handbook import Condition

if TYPE_CHECKING:
    from apps.cases.context import Batch, Ctx
    from apps.cases.models import CaseFile

I = TypeVar("I")  # noqa: E741 - the input dataclass of an action
Text = str | Promise


@dataclass(frozen=True)
class Blocker:
    """Why an action is not possible now: rule id, words, and what would help."""

    code: str
    message: Text
    rule: str = ""


Guard = Callable[["Ctx[Any]"], Blocker | None]


@dataclass(frozen=True)
class NoInput:
    """For actions that ask for nothing."""


@dataclass(frozen=True)
class Action(Generic[I]):
    """One way a case changes.

    `transition` names a method of the kind's workflow, or picks one after the handler ran; with
    `transitions` listing all it may pick. `states` narrows where it is possible; without either it is
    possible while the case is open. `four_eyes` names earlier actions whose doer may not do this one.
    `event` is published to clocks and subscribers (default: the action's name).
    """

    name: str
    label: Text
    roles: frozenset[str]
    handler: Callable[[Ctx[I]], None]
    transition: str | Callable[[Ctx[I]], str] | None = None
    transitions: tuple[str, ...] = ()
    states: frozenset[str] = frozenset()
    input: type[Any] = NoInput
    guards: tuple[Guard, ...] = ()
    four_eyes: tuple[str, ...] = ()
    event: str = ""
    prepare: Callable[[Batch], None] | None = None
    initial: Callable[[Ctx[I]], dict[str, Any]] | None = None
    style: str = "default"  # primary | default | danger
    system: bool = False  # the sweep and subscribers may do it; people only with a role
    manual: bool = True  # shown as a button
    order: int = 100

    @property
    def candidates(self) -> tuple[str, ...]:
        return (self.transition,) if isinstance(self.transition, str) else self.transitions


@dataclass(frozen=True)
class Panel:
    """A block of the case page: a template and the function that fills it."""

    name: str
    title: Text
    template: str
    context: Callable[[CaseFile, Any], Mapping[str, Any]]
    side: str = "main"  # main | aside


@dataclass
class Kind:
    code: str  # "claim"
    label: Text
    prefix: str  # "C" → C26-000412
    workflow: type[CaseFile]
    subject: str  # related name of the kind's own row on CaseFile ("claim")
    states: Mapping[str, Text] = field(default_factory=dict)  # in the order of the day
    select_related: tuple[str, ...] = ()
    clock_matches: Callable[[Ctx[Any], Sequence[Condition]], bool] = lambda ctx, when: not when
    clocks: frozenset[str] = frozenset()  # keys of the clocks it runs; empty = whatever its events start
    actions: dict[str, Action[Any]] = field(default_factory=dict)
    panels: list[Panel] = field(default_factory=list)

    def action(self, action: Action[I]) -> Action[I]:
        """Register an action; names are unique within a kind."""
        if action.name in self.actions:
            raise ValueError(f"action {action.name} is registered twice for {self.code}")
        self.actions[action.name] = action
        return action


KINDS: dict[str, Kind] = {}


def kind_of(code: str) -> Kind:
    """The kind with this code; KeyError for one nobody registered."""
    return KINDS[code]


def register(kind: Kind) -> Kind:
    """Add a kind of case; called at import of the app's `workflow` or `actions`."""
    if kind.code in KINDS and KINDS[kind.code] is not kind:
        raise ValueError(f"kind {kind.code} is registered twice")
    KINDS[kind.code] = kind
    return kind
