"""The history of an endpoint; every writer adds to it."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from apps.accounts.actors import SYSTEM, Actor
from apps.webhooks.models import Endpoint, EndpointEvent


def log_event(
    actor: Actor | None, endpoint: Endpoint, kind: str, *, reason: str = "", **data: Any
) -> EndpointEvent:
    """`actor` None: the system. `data` never holds a secret."""
    who = actor or SYSTEM
    return EndpointEvent.objects.create(
        endpoint=endpoint,
        at=timezone.now(),
        kind=kind,
        actor_label=who.label,
        user_id=who.user_id,
        client_id=who.client_id,
        reason=reason[:300],
        data=data,
    )
