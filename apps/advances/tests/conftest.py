from typing import Any

import pytest

from apps.advances.tests.world import Advances
from apps.claims.tests.conftest import now, own_folders

__all__ = ["now", "own_folders", "world"]


@pytest.fixture
def world(db: None, now: Any) -> Advances:
    return Advances("2024", "2026")
