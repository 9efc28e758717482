"""What all tests share: profiles, no network, the browser. Data for tests comes from each app's factories."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Append-only tables let themselves be emptied between transactional tests.
pytest_plugins = ["apps.core.testing", "apps.cases.testing_rulebook"]

CHROMIUM = Path("/usr/bin/chromium")
LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1", "0.0.0.0", "::", "", None}

# Processes that tests start (workers, commands) are test processes, too.
os.environ.setdefault("CLAIMS_ENV", "test")

settings.register_profile(
    "ci",
    max_examples=25,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.register_profile("long", settings.get_profile("ci"), max_examples=300)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not CHROMIUM.exists():
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason="NO CHROMIUM ON THIS MACHINE: see `make doctor`"))


def pytest_collection_finish() -> None:
    from apps.core.memory import settle

    settle()


@pytest.fixture(scope="session", autouse=True)
def only_this_machine() -> Iterator[None]:
    """A test that would leave the machine fails at once and says where it wanted to go."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in LOCAL_HOSTS:
            raise RuntimeError(f"tests use no network, this one wanted {address}")
        connect(self, address)

    def guarded_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in LOCAL_HOSTS:
            raise RuntimeError(f"tests use no network, this one wanted {name}")
        return look_up(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket, "getaddrinfo", guarded_look_up)
        yield


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk() -> Iterator[None]:
    """What tests write need not outlast a power cut; the servers of `with_services.py` do not wait either."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _file: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def no_question_once_a_minute() -> Iterator[None]:
    """Tests count statements: what a process asks again each minute would be one more in one of them, now and
    then."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("apps.webhooks.recording.KEPT_SECONDS", 86_400.0)
        yield


@pytest.fixture(autouse=True)
def endpoints_gone_are_forgotten(request: pytest.FixtureRequest) -> Iterator[None]:
    """Endpoints that were committed go with the tables when the test ends, and nobody says so."""
    yield
    marker = request.node.get_closest_marker("django_db")
    committing = {"transactional_db", "live_server"} & set(request.fixturenames)
    if committing or (marker and marker.kwargs.get("transaction")):
        from apps.webhooks import recording

        recording._Kept.token = None


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Debian's Chromium for pytest-playwright's `page`, without the calls home it makes by itself."""
    # Playwright keeps an event loop running in this thread, which Django takes for async code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    arguments = ["--no-sandbox", "--disable-gpu", "--no-first-run"]
    arguments += [f"--disable-{what}" for what in ("background-networking", "component-update", "sync")]
    return {**browser_type_launch_args, "executable_path": str(CHROMIUM), "args": arguments}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "locale": "zh-CN", "timezone_id": "Asia/Shanghai"}
