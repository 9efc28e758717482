"""What can be done with an advance. Importing this registers every action."""

from __future__ import annotations

from apps.advances.actions import claim, discharge, entitlement, hospital, papers, request, review
from apps.advances.actions.request import apply_for_advance
from apps.advances.workflow import KIND
from apps.cases.common import add_common_actions

add_common_actions(KIND)

__all__ = [
    "KIND",
    "apply_for_advance",
    "claim",
    "discharge",
    "entitlement",
    "hospital",
    "papers",
    "request",
    "review",
]
