"""What the blocks of the case page show about a direct-billing claim."""

from __future__ import annotations

from apps.cases.kinds import Kind


def add_panels(kind: Kind) -> None: ...
