"""What can be done to a direct-billing claim. Importing this package registers every action of the kind."""

from apps.cases.common import add_common_actions
from apps.direct.actions import decide, intake, payment, review, stay, submit
from apps.direct.actions.stay import admit_child
from apps.direct.actions.submit import submit_direct
from apps.direct.workflow import KIND

add_common_actions(KIND)

__all__ = [
    "KIND",
    "admit_child",
    "decide",
    "intake",
    "payment",
    "review",
    "stay",
    "submit",
    "submit_direct",
]
