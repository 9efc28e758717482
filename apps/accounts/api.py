"""Who may call the API: clients by key, people by session; what each may do by scope and role."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from apps.accounts.actors import Actor, actor_of_principal, attach_actor
from apps.accounts.keys import Key, parse_key
from apps.accounts.models import ApiClient

if TYPE_CHECKING:
    from rest_framework.views import APIView  # imports the settings that name this module

SCHEME = "Api-Key"
NOTED_EVERY = timedelta(minutes=1)


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Api-Key <prefix>.<secret>`. `request.user` is then the ApiClient."""

    def authenticate(self, request: Request) -> tuple[ApiClient, Key] | None:
        scheme, _blank, text = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != SCHEME.lower():
            return None
        key = parse_key(text.strip())
        client = _client_of(key) if key else None
        if client is None or key is None:
            raise AuthenticationFailed(_("This API key is unknown."), code="unknown_key")
        if not client.active:
            raise AuthenticationFailed(_("This API client is switched off."), code="inactive_key")
        if client.expires_at is not None and client.expires_at <= timezone.now():
            raise AuthenticationFailed(_("This API key has expired."), code="expired_key")
        _note_use(client)
        attach_actor(request._request)
        return client, key

    def authenticate_header(self, request: Request) -> str:
        return SCHEME


class IsKnownActor(BasePermission):
    """Logged in, and with the scopes that the view declares (`required_scopes`).

    `required_scopes` is one scope, a list, or a mapping whose names are tried in this order: the
    action ("perform"), the method ("post"), "read" or "write". Scopes bind machines; people are
    bound by their roles, which each action checks.
    """

    undeclared_is_open = True

    def has_permission(self, request: Request, view: APIView) -> bool:
        actor = _actor(request)
        if not actor.is_known:
            return False
        if actor.client_id is None:
            return True
        required = required_scopes(view, request.method or "GET")
        if required is None:
            return self.undeclared_is_open
        lacking = sorted(required - actor.scopes)
        if lacking:
            message = _("This API key lacks the scope %(scope)s.") % {"scope": ", ".join(lacking)}
            raise PermissionDenied(message, code="missing_scope")
        return True


class HasScope(IsKnownActor):
    """The same, and shut to machines where the view declares no scope."""

    undeclared_is_open = False


def required_scopes(view: APIView, method: str) -> frozenset[str] | None:
    """What the view asks for this request; None when it declares nothing."""
    declared: Any = getattr(view, "required_scopes", None)
    if isinstance(declared, Mapping):
        kind = "read" if method in SAFE_METHODS else "write"
        names = [getattr(view, "action", None), method.lower(), kind]
        declared = next((declared[name] for name in names if name in declared), None)
    if declared is None:
        return None
    return frozenset([declared] if isinstance(declared, str) else declared)


class ApiKeyScheme(OpenApiAuthenticationExtension):
    target_class = ApiKeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": f"`Authorization: {SCHEME} <prefix>.<secret>`",
        }


def _actor(request: Request) -> Actor:
    """Of the request; worked out here where a test built the request without middleware."""
    actor: Actor | None = getattr(request._request, "actor", None)
    return actor if actor is not None else actor_of_principal(request.user)


def _client_of(key: Key) -> ApiClient | None:
    """The client whose key this is. One query; an unknown prefix takes as long as a wrong secret."""
    client = ApiClient.objects.filter(prefix=key.prefix).first()
    proven = key.proves(client.key_digest if client else "0" * 64)
    return client if proven else None


def _note_use(client: ApiClient) -> None:
    """At most one write a minute, whoever else notes it at the same time."""
    now = timezone.now()
    before = now - NOTED_EVERY
    if client.last_used_at is None or client.last_used_at <= before:
        stale = Q(last_used_at=None) | Q(last_used_at__lte=before)
        ApiClient.objects.filter(stale, pk=client.pk).update(last_used_at=now)
