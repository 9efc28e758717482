"""Who may do what in finance.

Reserves, closed months and vouchers are the insurer's own books: people of an administrator, a
hospital or a service provider see nothing of them, not even for their own claims (what the insurer
expects to pay is not for the other side of an account). Staff of the house restricted to a series
read that series. Bank returns and member statements follow the visibility of cases, because the
administrator of a series talks to its members.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from apps.accounts.actors import Actor
from apps.accounts.roles import role_needed
from apps.core.errors import NotAllowed

READERS = frozenset({"finance", "finance_lead", "payment_check", "manager", "auditor", "final_approval"})
CLOSERS = frozenset({"finance_lead"})
VOUCHER_MAKERS = frozenset({"finance", "finance_lead"})
VOUCHER_RELEASERS = frozenset({"payment_check", "finance_lead"})
RETURN_DESK = frozenset(
    {
        "finance", "finance_lead", "payment_check", "manager", "auditor", "supervisor", "adjuster_lead",
        "tpa_manager", "service_specialist", "first_review", "second_review", "senior_adjuster",
    }
)  # fmt: skip
STATEMENT_DESK = frozenset(
    {
        "finance", "finance_lead", "manager", "service_specialist", "supervisor", "adjuster_lead", "tpa_manager",
        "senior_adjuster",
    }
)  # fmt: skip


def of_the_house(actor: Actor) -> bool:
    """Neither of an administrator, a hospital, a provider nor a member."""
    return not (actor.tpa or actor.hospital or actor.provider or actor.member) and actor.client_id is None


def may_read_books(actor: Actor) -> bool:
    return of_the_house(actor) and bool(READERS & actor.roles)


def need(actor: Actor, roles: Iterable[str], *, whole: bool = False) -> None:
    """Refuse who has none of the roles, who is not of the house, and — for what concerns all series
    (`whole`) — who sees only some."""
    roles = frozenset(roles)
    if not roles & actor.roles:
        raise role_needed(actor, roles)
    if not of_the_house(actor):
        raise NotAllowed(_("The insurer's books are for its own staff."), code="house_only")
    if whole and actor.series:
        raise NotAllowed(
            _("This concerns all series; you see only %(series)s.")
            % {"series": ", ".join(sorted(actor.series))},
            code="all_series",
        )


def need_series(actor: Actor, series: str) -> None:
    if actor.series and series not in actor.series:
        raise NotAllowed(_("You do not see series %(series)s.") % {"series": series}, code="series")
