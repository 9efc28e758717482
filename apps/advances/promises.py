"""What an advance holds of the limits: reserved when approved, given back when it ends or its claim is filed."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.advances.assess import look_in
from apps.authorizations.promises import held_keys
from apps.cases.context import Ctx
from apps.core.errors import Blocked
from apps.core.money import format_yuan
from apps.ledger.accounts import year_specs
from apps.ledger.actions import lock_limits
from apps.ledger.reservations import release, reserve


def promise(ctx: Ctx[Any], amount: int) -> None:
    """Reserve fen on the year's limits, locked; Blocked (ADV-03) when less than that is left."""
    given = ctx.subject
    accounts = lock_limits(ctx.case.policy_id, year_specs(look_in(ctx).facts))
    wanted = {key: accounts[key] for key in sorted(held_keys(given.visit_type)) if key in accounts}
    left = min((account.left for account in wanted.values()), default=0)
    if amount > left:
        raise Blocked(
            _("Only %(left)s are left of the limits.") % {"left": format_yuan(left)},
            code="limit", field="amount", rule="ADV-03", data={"left_fen": left},
        )  # fmt: skip
    reserve(wanted, amount, reference=_reference(ctx), service_date=given.admitted_on)


def give_back(ctx: Ctx[Any]) -> None:
    """Release what is held, where something is."""
    if ctx.subject.reservations:
        release(ctx.case.number, reference=_reference(ctx))


def _reference(ctx: Ctx[Any]) -> str:
    given = ctx.subject
    given.reservations += 1
    ctx.update(given, "reservations")
    return f"{ctx.case.number}/{given.reservations}"
