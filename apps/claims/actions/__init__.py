"""What can be done to a claim. Importing this package registers every action of the kind."""

from apps.cases.common import add_common_actions
from apps.claims.actions import (
    admission,
    correct,
    decide,
    inquiries,
    intake,
    originals,
    papers,
    payment,
    review,
    special,
    straight,
    supplement,
    undisputed,
)
from apps.claims.actions.intake import coverage_check, report_claim
from apps.claims.workflow import KIND

add_common_actions(KIND)

__all__ = [
    "KIND",
    "admission",
    "correct",
    "coverage_check",
    "decide",
    "inquiries",
    "intake",
    "originals",
    "papers",
    "payment",
    "report_claim",
    "review",
    "special",
    "straight",
    "supplement",
    "undisputed",
]
