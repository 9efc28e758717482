from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.cache import cache

from apps.claims.tests.world import NOW, PEOPLE, World

PEOPLE |= {
    "service": ("service_specialist",),
    "lead": ("service_lead",),
    "manager": ("manager",),
    "auditor": ("auditor",),
    "insurer": ("insurer_user",),
}


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    cache.clear()


@pytest.fixture
def now() -> Iterator[Any]:
    with time_machine.travel(NOW, tick=False):
        yield NOW


@pytest.fixture
def world(db: None, now: Any) -> World:
    return World()
