"""Request rates count a user and an API client apart."""

from dataclasses import dataclass

import pytest
from django.core.cache import cache
from rest_framework.test import APIRequestFactory

from claimsadmin.throttling import ActorRateThrottle


@dataclass
class Client:
    pk: int
    is_authenticated: bool = True


class User(Client):
    pass


class TwoAMinute(ActorRateThrottle):
    rate = "2/min"


def asks(actor: Client) -> bool:
    request = APIRequestFactory().get("/")
    request.user = actor
    return TwoAMinute().allow_request(request, view=None)


@pytest.fixture(autouse=True)
def empty_cache():
    cache.clear()


def test_the_third_request_in_a_minute_is_refused() -> None:
    assert [asks(User(5)) for _ in range(3)] == [True, True, False]


def test_user_5_and_client_5_do_not_share_a_rate() -> None:
    assert [asks(User(5)), asks(User(5)), asks(Client(5))] == [True, True, True]


def test_tests_run_without_rates() -> None:
    assert ActorRateThrottle().rate is None
