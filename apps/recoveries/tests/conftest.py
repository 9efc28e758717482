from typing import Any

import pytest

from apps.claims.tests.conftest import now, own_folders
from apps.recoveries.tests.world import Recoveries

__all__ = ["now", "own_folders", "world"]


@pytest.fixture
def world(db: None, now: Any) -> Recoveries:
    return Recoveries("2026")
