"""Writers of accounts: the log of who read sensitive data (LAW-09), keys of API clients, limits of roles."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog
from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import Actor
from apps.accounts.keys import new_key
from apps.accounts.models import AccessLog, ApiClient, Role, User
from apps.core.errors import Conflict, InvalidInput, InvalidInputs, NotAllowed, NotFound
from apps.core.money import format_yuan

RULE = "LAW-09"
SHORTEST_REASON = 4
LONGEST_REASON = 200


def reveal(actor: Actor, *, subject: str, what: str, reason: str) -> AccessLog:
    """Log that a masked value is shown in full; call it before showing.

    Raises InvalidInput (LAW-09) for a reason of fewer than four characters, NotAllowed for nobody.
    """
    words = " ".join(reason.split())
    if len(words) < SHORTEST_REASON:
        raise InvalidInput(
            _("Say in at least four characters why you need to see this."),
            field="reason",
            rule=RULE,
            code="reason_required",
        )
    if len(words) > LONGEST_REASON:
        raise InvalidInput(_("The reason is too long."), field="reason", rule=RULE, code="reason_too_long")
    return _log(actor, subject=subject, what=what, reason=words)


def log_read(actor: Actor, *, subject: str, what: str) -> AccessLog:
    """Log that a medical paper was opened (LAW-09)."""
    return _log(actor, subject=subject, what=what)


def create_api_client(
    actor: Actor,
    *,
    name: str,
    kind: str,
    scopes: list[str],
    series: list[str] | None = None,
    tpa: str = "",
    hospital: str = "",
    provider: str = "",
    member: str = "",
    expires_at: datetime | None = None,
) -> tuple[ApiClient, str]:
    """A new machine and its key, which is shown once and stored nowhere. Logged.

    A machine of a hospital, a TPA or a provider sees that one's cases only, so its code is required.
    """
    client = ApiClient(
        name=name,
        kind=kind,
        scopes=scopes,
        series=series or [],
        tpa=tpa,
        hospital=hospital,
        provider=provider,
        member=member,
        expires_at=expires_at,
    )
    return client, register_api_client(actor, client)


def register_api_client(actor: Actor, client: ApiClient) -> str:
    """Save a new client with a key of its own; returns the key. Logged."""
    key = new_key()
    client.prefix, client.key_digest = key.prefix, key.digest
    _refuse_mistakes(client)
    with transaction.atomic():
        client.save(force_insert=True)
        _log_key(actor, client, "key created")
    return key.plain


def rotate_api_key(actor: Actor, client: ApiClient) -> str:
    """A new key for a client; the old one ends at once. Returns the key, shown once. Logged."""
    key = new_key()
    with transaction.atomic():
        locked = ApiClient.objects.select_for_update().filter(pk=client.pk).first()
        if locked is None:
            raise NotFound(_("There is no such API client."))
        locked.prefix, locked.key_digest = key.prefix, key.digest
        locked.save(update_fields=["prefix", "key_digest"])
        _log_key(actor, locked, "key rotated")
    client.prefix, client.key_digest = key.prefix, key.digest
    return key.plain


def reset_second_factor(actor: Actor, user: User) -> None:
    """Take a lost second factor away, recovery codes included. Logged."""
    with transaction.atomic():
        Authenticator.objects.filter(user=user).delete()
        _log(actor, subject=f"user:{user.pk}", what="second factor removed")


def set_authority(actor: Actor, role: Role, fen: int) -> bool:
    """A lower limit holds at once; a higher one waits for a second person. Whether it holds now. Logged."""
    with transaction.atomic():
        role = Role.objects.select_for_update().get(pk=role.pk)
        holds = fen <= role.authority_fen
        what = f"authority {format_yuan(role.authority_fen)} → {format_yuan(fen)}"
        if holds:
            role.authority_fen, role.asked_fen, role.asked_by_id = fen, None, None
        else:
            role.asked_fen, role.asked_by_id = fen, actor.person_id
        role.save(update_fields=["authority_fen", "asked_fen", "asked_by"])
        _log(actor, subject=f"role:{role.code}", what=what if holds else f"{what} asked for")
    return holds


def confirm_authority(actor: Actor, role: Role) -> int:
    """The higher limit somebody else asked for holds from now on; it is returned, in fen. Logged.

    Raises NotAllowed to who asked for it, Conflict when nothing is asked for any more.
    """
    with transaction.atomic():
        role = Role.objects.select_for_update().get(pk=role.pk)
        if role.asked_fen is None:
            raise Conflict(_("No higher limit is asked for."), code="nothing_asked")
        if role.asked_by_id == actor.person_id:
            raise NotAllowed(
                _("You asked for this limit; another administrator confirms it."), code="four_eyes"
            )
        what = f"authority {format_yuan(role.authority_fen)} → {format_yuan(role.asked_fen)} confirmed"
        role.authority_fen, role.asked_fen, role.asked_by_id = role.asked_fen, None, None
        role.save(update_fields=["authority_fen", "asked_fen", "asked_by"])
        _log(actor, subject=f"role:{role.code}", what=what)
    return role.authority_fen


def _refuse_mistakes(client: ApiClient) -> None:
    try:
        client.full_clean()
    except ValidationError as error:
        raise InvalidInputs(
            [
                InvalidInput(one.messages[0], field=field, code=one.code or "invalid")
                for field, errors in error.error_dict.items()
                for one in errors
            ]
        ) from error


def _log_key(actor: Actor, client: ApiClient, what: str) -> None:
    _log(actor, subject=f"api_client:{client.pk}", what=what)


def _log(actor: Actor, *, subject: str, what: str, **words: Any) -> AccessLog:
    if not actor.is_known:
        raise NotAllowed(_("Log in first."), rule=RULE)
    return AccessLog.objects.create(
        user_id=actor.user_id,
        client_id=actor.client_id,
        subject=subject,
        what=what,
        request_id=str(structlog.contextvars.get_contextvars().get("request_id", ""))[:64],
        **words,
    )
