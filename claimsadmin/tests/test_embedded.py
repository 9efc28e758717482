"""Where the embedded servers listen."""

import os
from pathlib import Path

import pytest

from claimsadmin.embedded import broker_url, cache_url, redis_socket


def test_the_socket_lies_in_the_checkout(tmp_path: Path) -> None:
    assert redis_socket(tmp_path) == tmp_path.resolve() / "redis.sock"


def test_a_long_checkout_path_gets_a_short_socket_of_its_own() -> None:
    one, other = redis_socket(Path("/srv") / ("a" * 120)), redis_socket(Path("/srv") / ("b" * 120))

    assert len(os.fsencode(one)) < 100
    assert one != other
    assert one == redis_socket(Path("/srv") / ("a" * 120))


@pytest.mark.parametrize(
    ("url", "broker", "cache"),
    [
        (
            "unix:///srv/var/redis.sock",
            "redis+socket:///srv/var/redis.sock?virtual_host=0",
            "unix:///srv/var/redis.sock?db=1",
        ),
        ("redis://host:6379/0", "redis://host:6379/0", "redis://host:6379/0?db=1"),
    ],
)
def test_queue_and_cache_are_two_databases_of_one_server(url: str, broker: str, cache: str) -> None:
    assert broker_url(url) == broker
    assert cache_url(url) == cache
