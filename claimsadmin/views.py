"""Health and metrics: what machines ask about the house itself."""

import hmac
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.shortcuts import redirect
from django.templatetags.static import static
from django_prometheus.exports import ExportToDjangoView
from health_check.contrib.celery import Ping
from health_check.contrib.redis import Redis as RedisCheck
from health_check.views import HealthCheckView
from redis.asyncio import Redis


def _redis() -> Redis:
    return Redis.from_url(settings.REDIS_URL)


class ReadyView(HealthCheckView):
    """May this web process be sent requests? Database, cache, file store and queue answer."""

    checks = (
        "health_check.checks.Database",
        "health_check.checks.Cache",
        "health_check.checks.Storage",
        (RedisCheck, {"client_factory": _redis}),
    )


class WorkersView(HealthCheckView):
    """Does at least one worker take tasks? Apart from ReadyView: pages work while workers restart."""

    checks: Any = (Ping,)


def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' page, for staff and for a scraper that sends `Authorization: Bearer METRICS_TOKEN`."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    token = settings.METRICS_TOKEN
    by_token = bool(token) and hmac.compare_digest(given.encode(), token.encode())
    if not by_token and not (request.user.is_active and request.user.is_staff):
        return HttpResponseForbidden("staff or METRICS_TOKEN only\n", content_type="text/plain")
    return ExportToDjangoView(request)


def favicon(request: HttpRequest) -> HttpResponse:
    """Browsers ask here before they have read the page that names the icon."""
    return redirect(static("claimsadmin/icon.svg"))
