"""Who may do what with the money of hospitals.

Staff see the series and the administrator they work for: people of the TPA theirs only. A hospital's
machine reads its own statements once they are checked, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from apps.accounts.actors import Actor
from apps.accounts.roles import role_needed
from apps.core.errors import NotAllowed

MAKERS = frozenset({"finance", "finance_lead"})
CHECKERS = frozenset({"payment_check", "finance_lead"})
TERMS_MAKERS = frozenset({"finance", "finance_lead", "manager"})
TERMS_CHECKERS = frozenset({"finance_lead", "manager", "payment_check"})
RESOLVERS = MAKERS | {"supervisor", "adjuster_lead", "senior_adjuster", "tpa_manager"}
READERS = MAKERS | CHECKERS | TERMS_MAKERS | RESOLVERS | {"auditor", "recovery", "recovery_lead"}
MACHINES = frozenset({"api_hospital", "api_tpa"})
SCOPES = {"read": "settlements:read", "write": "settlements:write"}  # of API clients


def need(actor: Actor, roles: Iterable[str]) -> None:
    """Refuse who has none of the roles, and who belongs to a hospital, a provider or a member."""
    roles = frozenset(roles)
    if not roles & actor.roles:
        raise role_needed(actor, roles)
    if roles & MACHINES:
        return
    if actor.hospital or actor.provider or actor.member:
        raise NotAllowed(
            _("Payments of hospitals are for the insurer and its administrator."), code="house_only"
        )
