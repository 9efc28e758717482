from typing import Any

import pytest

from apps.care.tests.world import Care
from apps.claims.tests.conftest import now, own_folders

__all__ = ["now", "own_folders", "world"]


@pytest.fixture
def world(db: None, now: Any) -> Care:
    return Care()
