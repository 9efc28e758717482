from typing import Any

import pytest

from apps.claims.tests.conftest import now, own_folders
from apps.enquiries.tests.world import Desk

__all__ = ["now", "own_folders", "world"]


@pytest.fixture
def world(db: None, now: Any) -> Desk:
    return Desk()
