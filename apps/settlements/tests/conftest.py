from typing import Any

import pytest

from apps.direct.tests.conftest import now, own_folders
from apps.settlements.tests.world import Settled

__all__ = ["now", "own_folders", "world"]


@pytest.fixture
def world(db: None, now: Any) -> Settled:
    return Settled()
