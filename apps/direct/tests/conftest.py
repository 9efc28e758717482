from typing import Any

import pytest

from apps.claims.tests.conftest import now, own_folders
from apps.direct.tests.world import Direct

__all__ = ["now", "own_folders", "world"]


@pytest.fixture
def world(db: None, now: Any) -> Direct:
    return Direct()
