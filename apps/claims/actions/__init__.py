"""What can be done to a claim. Importing this package registers every action of the kind."""

from apps.cases.common import add_common_actions
from apps.claims.actions import correct, decide, intake, papers, payment, review, special
from apps.claims.actions.intake import coverage_check, report_claim
from apps.claims.workflow import KIND

add_common_actions(KIND)

__all__ = [
    "KIND", "correct", "coverage_check", "decide", "intake", "papers", "payment", "report_claim", "review", "special",
]  # fmt: skip
