from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from kombu.exceptions import OperationalError

from apps.accounts.actors import SYSTEM
from apps.accounts.models import ApiClient
from apps.accounts.tests.factories import ApiClientFactory
from apps.claims.tests.world import World
from apps.webhooks import actions, recording
from apps.webhooks.models import Endpoint
from apps.webhooks.tests.receiver import Receiver, listening

SCOPES = ["cases:read", "webhooks:read", "webhooks:write"]


@pytest.fixture(autouse=True)
def no_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweep does the work itself, as where the broker is away."""

    def away(*args: Any, **options: Any) -> None:
        raise OperationalError

    monkeypatch.setattr("apps.webhooks.tasks.deliver_to.apply_async", away)


@pytest.fixture(autouse=True)
def as_if_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests end by rolling back; what they change about endpoints counts at once."""
    monkeypatch.setattr("apps.webhooks.actions.changed", recording.renew)


@pytest.fixture(autouse=True)
def nothing_remembered(settings: Any, tmp_path: Any) -> Iterator[None]:
    settings.MEDIA_ROOT = tmp_path
    settings.WEBHOOK_TIMEOUT = 0.6
    cache.clear()
    recording._Kept.token = None
    yield
    recording._Kept.token = None


@pytest.fixture
def world(db: None) -> World:
    return World("2026")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as found:
        yield found


@pytest.fixture
def machine(db: None) -> Callable[..., ApiClient]:
    return lambda hospital="PUB", **fields: ApiClientFactory(hospital=hospital, scopes=SCOPES, **fields)


@pytest.fixture
def listen(machine: Any, receiver: Receiver) -> Callable[..., Endpoint]:
    """An endpoint of a hospital's machine at the receiver."""

    def make(*events: str, client: ApiClient | None = None, **fields: Any) -> Endpoint:
        names = events or ("claim.reported", "claim.decided")
        given = {"url": receiver.url, "events": names, **fields}
        return actions.create(SYSTEM, client or machine(), **given)[0]

    return make
