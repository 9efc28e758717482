"""A receiver for trying things out, not in production: takes what an endpoint is sent, verifies it, shows it."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.contrib.admin.views.decorators import staff_member_required
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from apps.accounts.actors import actor_of
from apps.cases.site import site
from apps.webhooks import signing
from apps.webhooks.delivery import secrets_of
from apps.webhooks.models import Endpoint
from apps.webhooks.queries import endpoints_of

KEPT = 50
LARGEST = 20_000


@csrf_exempt
def receiver(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """POST: 204 for what is signed by the endpoint's secret, else 401. GET: the last fifty, for staff."""
    return _take(request, uid) if request.method == "POST" else _show(request, uid)


def _take(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    endpoint = Endpoint.objects.filter(uid=uid).exclude(state=Endpoint.State.REMOVED).first()
    body = request.body
    if endpoint is None or len(body) > LARGEST:
        raise Http404
    message_id, stamp = (request.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp"))
    given = request.headers.get("webhook-signature", "").split()
    expected = [
        signing.signature(secret, message_id, int(stamp) if stamp.isdecimal() else 0, body)
        for secret in secrets_of(endpoint, timezone.now())
    ]
    if not set(given) & set(expected):
        return HttpResponse("signature\n", status=401, content_type="text/plain")
    key = _key(uid)
    row = {
        "at": timezone.now(),
        "id": message_id,
        "text": json.dumps(json.loads(body), ensure_ascii=False, indent=2),
    }
    cache.set(key, [row, *cache.get(key, [])][:KEPT], None)
    return HttpResponse(status=204)


@staff_member_required
def _show(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    endpoint = endpoints_of(actor_of(request)).filter(uid=uid).first()
    if endpoint is None:
        raise Http404
    context: dict[str, Any] = {
        **site.each_context(request),
        "title": _("What the receiver got"),
        "endpoint": endpoint,
    }
    return TemplateResponse(request, "webhooks/receiver.html", context | {"rows": cache.get(_key(uid), [])})


def _key(uid: uuid.UUID) -> str:
    return f"webhooks:received:{uid}"
