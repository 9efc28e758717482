"""What is done on an appeal. Importing this package registers all actions."""

from apps.appeals.actions import ending, information, opening, review
from apps.appeals.actions.opening import open_appeal
from apps.appeals.workflow import KIND
from apps.cases.common import add_common_actions

__all__ = ["KIND", "ending", "information", "open_appeal", "opening", "review"]

add_common_actions(KIND)
review.take_the_place_of_common_actions()
