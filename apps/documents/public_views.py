"""Anyone who holds a letter may ask whether it is valid; they learn nothing else.

A known and an unknown token take the same path: one query, one template, status 200.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db.models import Case, Q, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_safe

from apps.documents.models import Letter

REQUESTS_A_MINUTE = 30
LONGEST_TOKEN = 40
# valid | suspended | used | superseded | expired | void | unknown; number, version, days
Verdict = tuple[str, Mapping[str, Any] | None]
OTHERS: dict[str, Callable[[str], Verdict]] = {}
SAID: dict[str, list[Q]] = {"used": [], "suspended": []}  # the first that holds is said


@require_safe
def verify_letter(request: HttpRequest, token: str) -> HttpResponse:
    """Valid, suspended, used, superseded, expired, void or unknown."""
    if _too_many(request):
        return _answer(request, "busy", 429)
    prefix = token.partition(":")[0] + ":"
    verdict, row = OTHERS.get(prefix, _letter)(token[:LONGEST_TOKEN])
    return _answer(request, verdict, 200, row)


def verify_others(prefix: str, look: Callable[[str], Verdict]) -> None:
    """Letters that are no rows of ours: tokens with this prefix (`AB:`) are looked up by whoever printed them."""
    OTHERS[prefix] = look


def suspended_while(condition: Q) -> None:
    """Letters that must not be used as long as this holds; nothing is stored, so no moment is missed."""
    _say("suspended", condition)


def used_when(condition: Q) -> None:
    """Letters whose purpose is fulfilled, though their days are not over."""
    _say("used", condition)


def _say(verdict: str, condition: Q) -> None:
    if condition not in SAID[verdict]:
        SAID[verdict].append(condition)


def _letter(token: str) -> Verdict:
    known = [When(one, then=Value(verdict)) for verdict, conditions in SAID.items() for one in conditions]
    found = Letter.objects.filter(token=token).annotate(said=Case(*known, default=Value("valid")))
    row = found.values("state", "number", "version", "created_at", "valid_until", "said").first()
    if row is None:
        return "unknown", None
    gone = {Letter.State.SUPERSEDED.value: "superseded", Letter.State.VOID.value: "void"}
    over = row["valid_until"] is not None and row["valid_until"] < timezone.localdate()
    return gone.get(row["state"], "expired" if over else row["said"]), row


def _answer(request: HttpRequest, verdict: str, status: int, row: Any = None) -> HttpResponse:
    response = render(request, "letters/verify.html", {"verdict": verdict, "row": row}, status=status)
    add_never_cache_headers(response)
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    if status == 429:
        response["Retry-After"] = "60"
    return response


def _too_many(request: HttpRequest) -> bool:
    """More than REQUESTS_A_MINUTE from one address: nobody tries out tokens here."""
    key = f"verify:{_address(request)}"
    cache.add(key, 0, 60)
    try:
        return cache.incr(key) > REQUESTS_A_MINUTE
    except ValueError:  # the minute ended between the two
        return False


def _address(request: HttpRequest) -> str:
    """The visitor's address; behind proxies the one that the outermost trusted proxy saw."""
    proxies = getattr(settings, "ALLAUTH_TRUSTED_PROXY_COUNT", 0)
    chain = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    if proxies and len(chain) >= proxies:
        return chain[-proxies]
    return str(request.META.get("REMOTE_ADDR", ""))
