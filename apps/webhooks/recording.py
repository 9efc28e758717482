"""From an event of a case to rows for those who may hear of it, in the transaction of the event.

While nobody subscribes to an event this costs no statement: which names are wanted is remembered in the
process for as long as a token in the cache stays the same, at most a minute. Whoever changes an endpoint
changes the token. With subscribers a batch costs two statements and, where hospitals were not loaded, a third.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.core.cache import cache
from django.db import transaction
from django.db.models import prefetch_related_objects

from apps.accounts.actors import Actor, actor_of_client
from apps.accounts.visibility import sees
from apps.cases.context import Batch, Ctx
from apps.cases.models import CaseFile
from apps.core.queue import enqueue
from apps.webhooks.catalog import EVENTS, VERSION
from apps.webhooks.models import Delivery, Endpoint

log = logging.getLogger(__name__)
TOKEN = "webhooks:wanted"
KEPT_SECONDS = 60.0
SCOPE = "cases:read"  # who may not read cases by the API hears nothing of them


class _Noted(NamedTuple):
    case: CaseFile
    event: str  # without the kind
    seq: int
    from_state: str
    to_state: str
    at: Any


def note(ctx: Ctx[Any], from_state: str) -> None:
    """Called by the engine after each event; keeps what is in the catalog until the batch is written."""
    public = EVENTS.get(ctx.kind.code)
    if not public:
        return
    case = ctx.case
    found = [
        _Noted(case, event, case.version, from_state, case.state, at)
        for event, at in ctx.emitted.items()
        if event in public
    ]
    if found:
        ctx.batch.shared.setdefault("webhooks", []).extend(found)
        ctx.batch.before_flush(write)


def write(batch: Batch) -> None:
    """Queue a delivery for each event and endpoint that wants it and whose client may see the case."""
    names = wanted()
    noted: list[_Noted] = [one for one in batch.shared.pop("webhooks", []) if _name(one) in names]
    if not noted:
        return
    listeners = _listeners({_name(one) for one in noted})
    if not listeners:
        return
    prefetch_related_objects([one.case for one in noted], "hospital", "member")
    touched = set()
    for one in noted:
        for endpoint, actor in listeners:
            if _name(one) in endpoint.events and sees(actor, one.case):
                batch.add(_delivery(endpoint, one, batch))
                touched.add(endpoint.pk)
    if touched:
        transaction.on_commit(lambda: hand_over(sorted(touched)))


def hand_over(endpoints: Iterable[int]) -> None:
    """Ask the workers to send; without a queue the next sweep does."""
    from apps.webhooks.tasks import deliver_to

    for pk in endpoints:
        if not enqueue(deliver_to, pk):
            return


def _name(noted: _Noted) -> str:
    return f"{noted.case.kind}.{noted.event}"


def _listeners(names: set[str]) -> list[tuple[Endpoint, Actor]]:
    """One statement. A suspended endpoint's rows wait for it."""
    rows = Endpoint.objects.exclude(state=Endpoint.State.REMOVED).filter(client__active=True)
    found = []
    for endpoint in rows.select_related("client").defer("secret", "previous_secret").order_by("pk"):
        actor = actor_of_client(endpoint.client)
        if SCOPE in actor.scopes and names.intersection(endpoint.events):
            found.append((endpoint, actor))
    return found


def _delivery(endpoint: Endpoint, one: _Noted, batch: Batch) -> Delivery:
    return Delivery(
        endpoint=endpoint,
        message_id=f"{one.case.number}.{one.seq}.{one.event}",
        version=VERSION,
        event=_name(one),
        case=one.case,
        seq=one.seq,
        from_state=one.from_state,
        to_state=one.to_state,
        occurred_at=one.at,
        created_at=batch.now,
        next_attempt_at=batch.now,
    )


# --- Which events anybody wants ---------------------------------------------------------------


class _Kept:
    token: str | None = None
    names: frozenset[str] = frozenset()
    until = 0.0


def wanted() -> frozenset[str]:
    """Names that some endpoint subscribed to. No statement while the token of the cache is the known one."""
    token = _token()
    if token is None or token != _Kept.token or time.monotonic() >= _Kept.until:
        rows = Endpoint.objects.exclude(state=Endpoint.State.REMOVED).values_list("events", flat=True)
        _Kept.names = frozenset(name for names in rows for name in names)
        _Kept.token, _Kept.until = token, time.monotonic() + KEPT_SECONDS
    return _Kept.names


def changed() -> None:
    """An endpoint is changed: every process looks again once this is committed."""
    transaction.on_commit(renew)


def renew() -> None:
    try:
        cache.set(TOKEN, uuid.uuid4().hex, None)
    except Exception:
        log.warning("the cache does not answer; webhooks are looked up each time", exc_info=True)


def _token() -> str | None:
    """None when the cache does not answer: then the table is asked, so that no event is missed.

    A cache that was emptied gets this process's token back; the others look again.
    """
    try:
        own = _Kept.token or uuid.uuid4().hex
        found: str | None = cache.get_or_set(TOKEN, own, None)
        return found
    except Exception:
        return None
