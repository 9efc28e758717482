"""What is done on a recovery. Importing this package registers all actions."""

from apps.cases.common import add_common_actions
from apps.recoveries.actions import contact, opening, overdue, plans, refunds, returning
from apps.recoveries.actions.opening import follow, open_recovery
from apps.recoveries.workflow import KIND

__all__ = [
    "KIND",
    "contact",
    "follow",
    "open_recovery",
    "opening",
    "overdue",
    "plans",
    "refunds",
    "returning",
]

add_common_actions(KIND)
