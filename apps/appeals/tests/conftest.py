from typing import Any

import pytest

from apps.appeals.tests.world import Appeals
from apps.claims.tests.conftest import now, own_folders

__all__ = ["now", "own_folders", "world"]


@pytest.fixture
def world(db: None, now: Any) -> Appeals:
    return Appeals()
