"""What people do in the mailroom."""

from apps.mailroom.actions.emails import STEPS, act, mark_read

__all__ = ["STEPS", "act", "mark_read"]
