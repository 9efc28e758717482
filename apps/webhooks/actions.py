"""Writers of endpoints: made, changed and removed by their client or by a lead; tested; sent again.

An API client acts on its own endpoints only; people need one of `LEADS` and see those of their scope.
Errors are the house's; nothing is kept then. A secret is returned once and never again.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import Actor
from apps.accounts.models import ApiClient
from apps.accounts.roles import role_needed
from apps.core.errors import Blocked, Conflict, InvalidInput, InvalidInputs, NotAllowed, NotFound
from apps.core.queue import enqueue
from apps.webhooks import queries
from apps.webhooks.catalog import PING, VERSION, offered
from apps.webhooks.journal import log_event
from apps.webhooks.models import OPEN, Delivery, Endpoint, EndpointEvent
from apps.webhooks.recording import SCOPE, changed
from apps.webhooks.sending import check_url
from apps.webhooks.signing import new_secret

Kind = EndpointEvent.Kind
MOST_ENDPOINTS = 10  # of one client
BOTH_SIGN = timedelta(hours=24)  # the former secret after a rotation
SHORTEST_REASON = 4
LONGEST_REASON = 300
CHANGEABLE = ("url", "events", "language", "contact", "description")


def create(
    actor: Actor,
    client: ApiClient,
    *,
    url: str,
    events: Iterable[str],
    language: str = Endpoint.Language.CHINESE,
    contact: str = "",
    description: str = "",
) -> tuple[Endpoint, str]:
    """A new endpoint and its secret. InvalidInputs names every wrong field; Blocked beyond ten of a client."""
    _authorize(actor, client)
    if SCOPE not in client.scopes:
        raise NotAllowed(
            _("The API client needs the scope %(scope)s to hear of cases.") % {"scope": SCOPE}, code="missing_scope", rule="LAW-09",
        )  # fmt: skip
    given = {
        "url": url,
        "events": events,
        "language": language,
        "contact": contact,
        "description": description,
    }
    values, secret = _checked(given), new_secret()
    with transaction.atomic():
        ApiClient.objects.select_for_update().get(pk=client.pk)  # two at once would both count nine
        if client.endpoints.exclude(state=Endpoint.State.REMOVED).count() >= MOST_ENDPOINTS:
            raise Blocked(
                _("An API client has at most %(most)s endpoints.") % {"most": MOST_ENDPOINTS}, code="too_many"
            )
        endpoint = Endpoint.objects.create(client=client, secret=secret, created_at=timezone.now(), **values)
        log_event(actor, endpoint, Kind.CREATED, url=endpoint.url, events=endpoint.events)
        changed()
    return endpoint, secret


def change(actor: Actor, endpoint: Endpoint, **fields: Any) -> Endpoint:
    """Change what is given of `CHANGEABLE`. What is queued goes to the new address."""
    values = _checked(fields)
    with transaction.atomic():
        locked = _lock(actor, endpoint)
        before = {name: getattr(locked, name) for name in values}
        for name, value in values.items():
            setattr(locked, name, value)
        locked.save(update_fields=list(values))
        told = {name: [before[name], value] for name, value in values.items() if before[name] != value}
        if told:
            log_event(actor, locked, Kind.CHANGED, fields=told)
            changed()
    return locked


def rotate_secret(actor: Actor, endpoint: Endpoint) -> str:
    """A new secret; for 24 hours both sign, so that the receiver can change over without losing anything."""
    secret, now = new_secret(), timezone.now()
    with transaction.atomic():
        locked = _lock(actor, endpoint)
        locked.previous_secret, locked.previous_until = locked.secret, now + BOTH_SIGN
        locked.secret = secret
        locked.save(update_fields=["secret", "previous_secret", "previous_until"])
        log_event(actor, locked, Kind.ROTATED)
    return secret


def suspend(actor: Actor, endpoint: Endpoint, *, reason: str) -> Endpoint:
    """Stop sending for now; what happens meanwhile is kept and goes out after `resume`."""
    words = _reason(reason)
    with transaction.atomic():
        locked = _lock(actor, endpoint)
        if locked.state == Endpoint.State.SUSPENDED:
            raise Conflict(_("The endpoint is suspended already."), code="suspended")
        locked.state, locked.suspended_at, locked.suspended_for = (
            Endpoint.State.SUSPENDED,
            timezone.now(),
            words,
        )
        locked.save(update_fields=["state", "suspended_at", "suspended_for"])
        log_event(actor, locked, Kind.SUSPENDED, reason=words)
    return locked


def resume(actor: Actor, endpoint: Endpoint) -> Endpoint:
    """Send again; what waited is due now, in order."""
    now = timezone.now()
    with transaction.atomic():
        locked = _lock(actor, endpoint)
        if locked.state != Endpoint.State.SUSPENDED:
            raise Conflict(_("The endpoint is not suspended."), code="not_suspended")
        locked.state, locked.suspended_at, locked.suspended_for = Endpoint.State.ACTIVE, None, ""
        locked.failing_since, locked.failures, locked.unreachable, locked.resting_until = None, 0, 0, None
        locked.save()
        locked.deliveries.filter(state=Delivery.State.QUEUED).update(next_attempt_at=now)
        log_event(actor, locked, Kind.RESUMED)
        _send_soon(locked)
    return locked


def remove(actor: Actor, endpoint: Endpoint) -> None:
    """The endpoint hears nothing more; what was queued is canceled, its secrets are forgotten, its log stays."""
    with transaction.atomic():
        locked = _lock(actor, endpoint)
        locked.state, locked.secret, locked.previous_secret = Endpoint.State.REMOVED, "", ""
        locked.previous_until = None
        locked.save(update_fields=["state", "secret", "previous_secret", "previous_until"])
        locked.deliveries.filter(state__in=OPEN).update(state=Delivery.State.CANCELED, next_attempt_at=None)
        log_event(actor, locked, Kind.REMOVED)
        changed()


def ping(actor: Actor, endpoint: Endpoint) -> Delivery:
    """A test delivery, once and without retries, also to a suspended endpoint; its log tells how it went."""
    now = timezone.now()
    with transaction.atomic():
        locked = _lock(actor, endpoint)
        delivery = Delivery.objects.create(
            endpoint=locked, message_id=f"{PING}.{uuid.uuid4()}", version=VERSION, event=PING, occurred_at=now,
            created_at=now, next_attempt_at=now,
        )  # fmt: skip
        log_event(actor, locked, Kind.PINGED)
        _send_soon(locked)
    return delivery


def resend(actor: Actor, delivery: Delivery, *, reason: str) -> Delivery:
    """Send one delivery again that was delivered or given up, with all its attempts, under its old id."""
    words = _reason(reason)
    with transaction.atomic():
        endpoint = _lock(actor, delivery.endpoint)
        if delivery.event == PING or not _requeue(endpoint, Delivery.objects.filter(pk=delivery.pk)):
            raise Conflict(_("Only what was delivered or given up can be sent again."), code="not_sent")
        log_event(actor, endpoint, Kind.RESENT, reason=words, message=delivery.message_id)
        _send_soon(endpoint)
    delivery.refresh_from_db()
    return delivery


def resend_dead(actor: Actor, endpoint: Endpoint, *, reason: str) -> int:
    """The same for everything that was given up; returns how many. Each case keeps its order."""
    words = _reason(reason)
    with transaction.atomic():
        locked = _lock(actor, endpoint)
        dead = Delivery.objects.filter(endpoint=locked, state=Delivery.State.DEAD).exclude(event=PING)
        count = _requeue(locked, dead)
        log_event(actor, locked, Kind.RESENT, reason=words, count=count)
        _send_soon(locked)
    return count


def may_manage(actor: Actor) -> bool:
    """Whether a person may change endpoints at all."""
    return bool(actor.roles & queries.LEADS)


# --- Checks -----------------------------------------------------------------------------------


def _authorize(actor: Actor, client: ApiClient) -> None:
    if actor.is_system or actor.client_id == client.pk:
        return
    if actor.client_id is not None or not may_manage(actor):
        raise role_needed(actor, queries.LEADS)
    if not queries.clients_of(actor).filter(pk=client.pk).exists():
        raise NotFound(_("There is no such API client."))


def _lock(actor: Actor, endpoint: Endpoint) -> Endpoint:
    """The row as it is now; NotFound for one that is not the actor's or was removed."""
    visible = queries.endpoints_of(actor).exclude(state=Endpoint.State.REMOVED).filter(pk=endpoint.pk)
    locked = (
        Endpoint.objects.select_for_update(of=("self",))
        .select_related("client")
        .filter(pk__in=visible.values("pk"))
        .first()
    )
    if locked is None:
        raise NotFound(_("There is no such endpoint."))
    _authorize(actor, locked.client)
    return locked


def _requeue(endpoint: Endpoint, deliveries: Any) -> int:
    done = deliveries.filter(endpoint=endpoint, state__in=[Delivery.State.DELIVERED, Delivery.State.DEAD])
    count: int = done.update(
        state=Delivery.State.QUEUED, attempts=0, next_attempt_at=timezone.now(), delivered_at=None, error=""
    )
    return count


def _send_soon(endpoint: Endpoint) -> None:
    from apps.webhooks.tasks import deliver_to

    transaction.on_commit(lambda: enqueue(deliver_to, endpoint.pk))


def _reason(text: str) -> str:
    words = " ".join(text.split())
    if not SHORTEST_REASON <= len(words) <= LONGEST_REASON:
        raise InvalidInput(_("Give a reason of 4 to 300 characters."), field="reason", code="reason_required")
    return words


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    """The fields as they are stored; all mistakes at once."""
    checks = {
        "url": check_url,
        "events": _events,
        "language": _language,
        "contact": _contact,
        "description": _description,
    }
    values, wrong = {}, []
    for name, value in given.items():
        try:
            values[name] = checks[name](value)
        except InvalidInput as error:
            wrong.append(error)
    if wrong:
        raise InvalidInputs(list(wrong))
    return values


def _events(names: Iterable[str]) -> list[str]:
    chosen = list(dict.fromkeys(names))
    unknown = [name for name in chosen if name not in offered()]
    if unknown:
        raise InvalidInput(
            _("Unknown events: %(names)s.") % {"names": ", ".join(unknown)[:200]},
            field="events",
            code="unknown_event",
        )
    if not chosen:
        raise InvalidInput(_("Choose at least one event."), field="events", code="required")
    return chosen


def _language(code: str) -> str:
    if code not in Endpoint.Language.values:
        raise InvalidInput(_("Chinese (zh-hans) or English (en)."), field="language", code="invalid_choice")
    return code


def _contact(address: str) -> str:
    try:
        if address:
            validate_email(address)
    except ValidationError as error:
        raise InvalidInput(error.messages[0], field="contact", code="invalid_email") from error
    return address


def _description(text: str) -> str:
    if len(text) > 200:
        raise InvalidInput(_("At most 200 characters."), field="description", code="too_long")
    return text
