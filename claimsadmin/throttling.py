"""Request rates of the API."""

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import AnonRateThrottle, SimpleRateThrottle


class StrangerRateThrottle(AnonRateThrottle):
    """Requests without a known key or session, by address."""

    scope = "stranger"


class ActorRateThrottle(SimpleRateThrottle):
    """Requests of a user or an API client; user 5 and client 5 are counted apart."""

    scope = "actor"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        actor = request.user
        if not actor or not actor.is_authenticated:
            return None
        ident = f"{type(actor).__name__}:{actor.pk}"
        return self.cache_format % {"scope": self.scope, "ident": ident}
