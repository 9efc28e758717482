from typing import Any

import pytest

from apps.authorizations.tests.world import Rooms
from apps.claims.tests.conftest import now, own_folders

__all__ = ["now", "own_folders", "world"]


@pytest.fixture
def world(db: None, now: Any) -> Rooms:
    return Rooms()
