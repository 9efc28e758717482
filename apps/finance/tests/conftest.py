"""The world of the claims' tests, with money in it for tests that ask for `closed` or `history`."""

from __future__ import annotations

from typing import Any

import pytest

from apps.cases.models import CaseFile
from apps.claims.tests.conftest import now, own_folders
from apps.claims.tests.world import World
from apps.finance.tests.world import Paid, TwoMonths

__all__ = ["now", "own_folders"]


@pytest.fixture
def world(db: None, now: Any, request: pytest.FixtureRequest) -> World:
    if "history" in request.fixturenames:
        return TwoMonths()
    return Paid() if "closed" in request.fixturenames else World()


@pytest.fixture
def closed(world: Paid) -> CaseFile:
    return world.paid


@pytest.fixture
def history(world: TwoMonths) -> dict[str, CaseFile]:
    return world.history
