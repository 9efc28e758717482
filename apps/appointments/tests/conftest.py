from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from apps.appointments.tests.world import NOW, Rooms
from apps.claims.tests.conftest import own_folders

__all__ = ["now", "own_folders", "world"]


@pytest.fixture
def now() -> Iterator[Any]:
    with time_machine.travel(NOW, tick=False):
        yield NOW


@pytest.fixture
def world(db: None, now: Any) -> Rooms:
    return Rooms()
