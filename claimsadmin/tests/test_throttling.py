"""Request rates count a user and an API client apart."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from rest_framework.test import APIRequestFactory

from claimsadmin.filecache import FileCache
from claimsadmin.throttling import ActorRateThrottle


@dataclass
class Client:
    pk: int
    is_authenticated: bool = True


class User(Client):
    pass


class TwoAMinute(ActorRateThrottle):
    rate = "2/min"


class At(TwoAMinute):
    """A throttle whose clock stands at `now` seconds."""

    def __init__(self, now: float) -> None:
        super().__init__()
        self.timer = lambda: now


def asks(actor: Client, throttle: type[ActorRateThrottle] | At = TwoAMinute) -> bool:
    request = APIRequestFactory().get("/")
    request.user = actor
    asked: Any = throttle() if isinstance(throttle, type) else throttle
    return asked.allow_request(request, view=None)


@pytest.fixture(autouse=True)
def empty_cache():
    cache.clear()


def test_the_third_request_in_a_minute_is_refused() -> None:
    assert [asks(User(5)) for _ in range(3)] == [True, True, False]


def test_user_5_and_client_5_do_not_share_a_rate() -> None:
    assert [asks(User(5)), asks(User(5)), asks(Client(5))] == [True, True, True]


def test_four_connections_at_once_get_no_more_than_the_rate(tmp_path: Path) -> None:
    """Requests that read the counter at the same instant are all counted, also in files."""

    class FiftyAMinute(ActorRateThrottle):
        rate = "50/min"
        cache = FileCache(str(tmp_path / "cache"), {})
        timer = staticmethod(lambda: 90.0)

    with ThreadPoolExecutor(4) as connections:
        allowed = list(connections.map(lambda _: asks(User(5), FiftyAMinute), range(80)))
    # A request refused while another one is being refused may be refused one too early, never too late.
    assert 45 <= sum(allowed) <= 50


@pytest.mark.parametrize(("at", "wait"), [(119, 31), (121, 29), (149, 1)])
def test_a_refused_client_is_told_how_long_it_waits(at: float, wait: float) -> None:
    """Two requests at 61 s: one more when the half of them is a window ago."""
    assert [asks(User(5), At(61)) for _ in range(2)] == [True, True]
    throttle = At(at)
    assert not asks(User(5), throttle)
    assert throttle.wait() == pytest.approx(wait)
    assert [asks(User(5), At(at + wait + later)) for later in (-0.1, 0)] == [False, True]


def test_tests_run_without_rates() -> None:
    assert ActorRateThrottle().rate is None
