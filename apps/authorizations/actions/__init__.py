"""What can be done with an authorization. Importing this registers every action."""

from __future__ import annotations

from apps.authorizations.actions import claim, letter, papers, request, review, stay
from apps.authorizations.actions.request import ask_whether, request_authorization
from apps.authorizations.workflow import KIND
from apps.cases.common import add_common_actions

add_common_actions(KIND)

__all__ = [
    "KIND",
    "ask_whether",
    "claim",
    "letter",
    "papers",
    "request",
    "request_authorization",
    "review",
    "stay",
]
