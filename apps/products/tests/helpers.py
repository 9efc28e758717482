"""Handbook and plan texts for tests of any app: `load("2026")`, `load("2027", plans=True)`."""

from __future__ import annotations

from pathlib import Path

from apps.accounts.actors import SYSTEM
from apps.core.testing_worlds import made_once
from apps.products.actions import publish_handbook, publish_plan
from apps.products.models import HandbookVersion

ROOT = Path(__file__).resolve().parents[3]
MADE_UP = ROOT / "apps/products/tests/data"


def text_of(series: str) -> str:
    folder = MADE_UP if series == "2027" else ROOT / "fixtures/handbooks"
    return (folder / f"{series}.toml").read_text(encoding="utf-8")


def load(*series: str, plans: bool = False) -> list[HandbookVersion]:
    """Publish the handbooks of these series, on request with their sample plans."""
    return made_once(("load", series, plans), lambda: _publish(*series, plans=plans))


def _publish(*series: str, plans: bool) -> list[HandbookVersion]:
    versions = [publish_handbook(text_of(name), SYSTEM).version for name in series]
    for name in series if plans else ():
        folder = MADE_UP if name == "2027" else ROOT / "fixtures/plans"
        for file in sorted(folder.glob(f"{name}-*.toml")):
            publish_plan(file.read_text(encoding="utf-8"), SYSTEM)
    return versions
