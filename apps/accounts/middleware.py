"""Who acts, on every request; and nobody on staff without a second factor, where the house asks for one."""

from __future__ import annotations

from collections.abc import Callable

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from apps.accounts.actors import attach_actor

GetResponse = Callable[[HttpRequest], HttpResponse]

# What somebody without a second factor still needs: to set it up, to change the language, to leave.
OPEN_VIEWS = frozenset(
    {
        "account_login", "account_logout", "account_reauthenticate", "account_change_password",
        "account_inactive", "set_language", "health", "health-workers", "metrics",
    }
)  # fmt: skip


class ActorMiddleware:
    """Set `request.actor` (an `accounts.actors.Actor`), worked out when somebody asks for it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        attach_actor(request)
        return self.get_response(request)


class SecondFactorMiddleware:
    """With settings.REQUIRE_MFA, lead staff without a second factor to its set-up page."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponse | None:
        if not getattr(settings, "REQUIRE_MFA", False) or not request.user.is_authenticated:
            return None
        name = request.resolver_match.url_name if request.resolver_match else None
        if name in OPEN_VIEWS or str(name).startswith("mfa_") or is_mfa_enabled(request.user):
            return None
        message = _("Your work needs a second factor. Please set it up now.")
        if request.path.startswith("/api/"):
            refusal = {"code": "second_factor_required", "message": message, "field": "", "rule": "LAW-09"}
            return JsonResponse(refusal, status=403)
        messages.warning(request, message)
        return redirect("mfa_activate_totp")
