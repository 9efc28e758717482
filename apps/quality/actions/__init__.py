"""The writers: rules, straight-through runs, samples, inspections, replays."""

from apps.cases.common import add_common_actions
from apps.quality.actions import inspect
from apps.quality.workflow import KIND

add_common_actions(KIND)

__all__ = ["KIND", "inspect"]
