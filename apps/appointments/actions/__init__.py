"""What can be done with an appointment. Importing this registers every action."""

from __future__ import annotations

from apps.appointments.actions import arrange, bans, change, request, system, visit
from apps.appointments.actions.request import may_book, request_appointment
from apps.appointments.workflow import KIND
from apps.cases.common import add_common_actions

add_common_actions(KIND)

__all__ = [
    "KIND", "arrange", "bans", "change", "may_book", "request", "request_appointment", "system", "visit",
]  # fmt: skip
