"""Request rates of the API."""

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import AnonRateThrottle, SimpleRateThrottle


class Counted(SimpleRateThrottle):
    """A rate kept as one counter a window, raised in one step of the cache.

    The library keeps a list of instants that it reads and writes back: of requests at the same instant all but
    one are forgotten, and a client with four connections goes far beyond its rate. Here each request counts. What
    counts at an instant is this window and the share of the last one that is less than a window ago. A refused
    request does not count.
    """

    num_requests: int  # the rate, which the library reads: so many in `duration` seconds
    duration: int

    def allow_request(self, request: Request, view: Any) -> bool:
        if self.rate is None or (key := self.get_cache_key(request, view)) is None:
            return True
        window, self.passed = divmod(self.timer(), self.duration)
        here = f"{key}:{window:.0f}"
        self.before = self.cache.get(f"{key}:{window - 1:.0f}", 0)
        self.cache.add(here, 0, 2 * self.duration)
        self.counted = self.cache.incr(here)
        if self.before * (1 - self.passed / self.duration) + self.counted <= self.num_requests:
            return True
        self.counted = self.cache.decr(here)
        return False

    def wait(self) -> float:
        """Seconds until one more request would be allowed."""
        room = self.num_requests - 1 - self.counted
        if room >= 0:  # the last window has to fade
            return self.duration * (1 - room / self.before) - self.passed
        return self.duration * (2 - (self.num_requests - 1) / self.counted) - self.passed


class StrangerRateThrottle(Counted, AnonRateThrottle):
    """Requests without a known key or session, by address."""

    scope = "stranger"


class ActorRateThrottle(Counted):
    """Requests of a user or an API client; user 5 and client 5 are counted apart."""

    scope = "actor"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        actor = request.user
        if not actor or not actor.is_authenticated:
            return None
        ident = f"{type(actor).__name__}:{actor.pk}"
        return self.cache_format % {"scope": self.scope, "ident": ident}
