"""The append-only history of a statement."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from apps.accounts.actors import Actor
from apps.settlements.models import Statement, StatementEvent


def note(
    statement: Statement, name: str, actor: Actor, now: datetime, *, reason: str = "", **data: Any
) -> StatementEvent:
    """Write what happened; its number is the statement's version after it."""
    return StatementEvent.objects.create(
        statement=statement,
        seq=statement.version,
        name=name,
        who=actor.label[:80],
        user_id=actor.user_id,
        at=now,
        reason=reason[:400],
        data=data,
    )
