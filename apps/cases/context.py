"""What an action works on and fills: `Ctx`, one case, inside `Batch`, all cases of one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db import models, transaction

from apps.accounts.actors import Actor
from apps.adjudication.handbook import Handbook
from apps.cases import clocks
from apps.cases.kinds import Kind
from apps.cases.models import CaseFile
from apps.core.bulk import insert_rows, update_rows

I = TypeVar("I")  # noqa: E741


@dataclass
class Ctx(Generic[I]):
    """What guards and handlers see, and the unit of work they fill."""

    case: CaseFile
    kind: Kind
    actor: Actor
    now: datetime
    batch: Batch
    input: I | None = None
    action: str = ""
    reason: str = ""
    data: dict[str, Any] = field(default_factory=dict)  # kept in the event
    loaded: dict[str, Any] = field(default_factory=dict)  # filled by prepare() and handlers
    emitted: dict[str, datetime] = field(default_factory=dict)
    pauses: list[tuple[str, bool, datetime, clocks.Evidence | str]] = field(default_factory=list)
    following: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def handbook(self) -> Handbook:
        return self.case.handbook.handbook

    @property
    def subject(self) -> Any:
        """The kind's own row (claim, authorization, …)."""
        return getattr(self.case, self.kind.subject)

    def add(self, row: models.Model) -> None:
        """Queue a row for insertion; rows of one model go in with one statement."""
        self.batch.add(row)

    def update(self, row: models.Model, *fields: str) -> None:
        """Queue changed columns of an existing row."""
        self.batch.update(row, *fields)

    def emit(self, event: str, at: datetime | None = None) -> None:
        """Publish a further event to clocks and subscribers; `at` when it happened earlier."""
        self.emitted[event] = at or self.now

    def pause(self, reason: str, *, at: datetime | None = None, evidence: clocks.Evidence | str = "") -> None:
        """Stop the clocks whose series prints this reason (PR-04, LAW-02); without evidence Blocked."""
        self.pauses.append((reason, True, at or self.now, evidence))

    def resume(
        self, reason: str, *, at: datetime | None = None, evidence: clocks.Evidence | str = ""
    ) -> None:
        self.pauses.append((reason, False, at or self.now, evidence))

    def then(self, action: str, **data: Any) -> None:
        """Let the system go on with a further action in the same transaction; it has its own event."""
        self.following.append((action, data))

    def after_commit(self, effect: Callable[[], None]) -> None:
        transaction.on_commit(effect)


class Batch:
    """Everything one `perform` or `perform_many` writes, flushed with one statement a table.

    `contexts` are its cases, `shared` is what handlers of all of them have in common: what `prepare` read,
    numbers drawn together, rows that one hook writes for all.
    """

    def __init__(self, actor: Actor, now: datetime):
        self.actor, self.now = actor, now
        self.contexts: list[Ctx[Any]] = []
        self.shared: dict[str, Any] = {}
        self._hooks: list[Callable[[Batch], None]] = []
        self._sequels: list[Callable[[Batch], None]] = []
        self._inserts: dict[type[models.Model], list[models.Model]] = {}
        self._updates: dict[tuple[type[models.Model], tuple[str, ...]], dict[Any, models.Model]] = (
            defaultdict(dict)
        )

    def add(self, row: models.Model) -> None:
        self._inserts.setdefault(type(row), []).append(row)

    def update(self, row: models.Model, *fields: str) -> None:
        if row.pk is None or row._state.adding:
            return  # still queued for insertion; the insert carries the change
        self._updates[type(row), tuple(sorted(fields))][row.pk] = row

    def before_flush(self, hook: Callable[[Batch], None]) -> None:
        """Run `hook(batch)` once when all cases are done, to write for all of them together."""
        if hook not in self._hooks:
            self._hooks.append(hook)

    def after_flush(self, sequel: Callable[[Batch], None]) -> None:
        """Run `sequel(batch)` once when all is written, in the same transaction: for cases that follow
        from these and read what they wrote."""
        if sequel not in self._sequels:
            self._sequels.append(sequel)

    def flush(self) -> None:
        """Insert in the order of first use (parents were queued first), then update (`core.bulk`)."""
        for hook in self._hooks:
            hook(self)
        for rows in self._inserts.values():
            insert_rows(rows)
        for (_model, fields), changed in self._updates.items():
            update_rows(list(changed.values()), fields)
        self._inserts, self._updates = {}, defaultdict(dict)
        for sequel in self._sequels:
            sequel(self)
