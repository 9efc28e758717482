"""What an authorization holds of the limits: reserved when approved, raised, drawn down, given back."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.authorizations.assess import trial_in
from apps.cases.context import Ctx
from apps.core.errors import Blocked
from apps.core.money import format_yuan
from apps.ledger.accounts import year_specs
from apps.ledger.actions import lock_limits
from apps.ledger.reservations import draw_down, hand_over, release, reserve


def held_keys(benefit: str) -> frozenset[str]:
    """The yearly ceilings an authorization counts against."""
    return frozenset({"annual", f"benefit:{benefit}:year"})


def promise(ctx: Ctx[Any], amount: int) -> None:
    """Reserve fen on the year's limits, locked; Blocked (PA-02) when less than that is left."""
    given = ctx.subject
    specs = year_specs(trial_in(ctx).facts)
    accounts = lock_limits(ctx.case.policy_id, specs)
    wanted = {key: accounts[key] for key in sorted(held_keys(given.benefit)) if key in accounts}
    left = min((account.left for account in wanted.values()), default=0)
    if amount > left:
        raise Blocked(
            _("Only %(left)s are left of the limits.") % {"left": format_yuan(left)},
            code="limit", field="amount", rule="PA-02", data={"left_fen": left},
        )  # fmt: skip
    reserve(wanted, amount, reference=_reference(ctx), service_date=given.planned_on)


def use(ctx: Ctx[Any], amount: int) -> None:
    """A bill of the hospital: out of the reservation first."""
    draw_down(ctx.case.number, amount, reference=_reference(ctx), service_date=ctx.subject.admitted_on)


def hand_to_claim(ctx: Ctx[Any], amount: int) -> None:
    """A claim of the hospital uses the limits itself: its share is reserved no longer."""
    hand_over(ctx.case.number, amount, reference=_reference(ctx))


def give_back(ctx: Ctx[Any]) -> None:
    """Release what is still held; the event says how much."""
    entries = release(ctx.case.number, reference=_reference(ctx))
    ctx.data["released_fen"] = max((-entry.reserved for entry in entries), default=0)


def _reference(ctx: Ctx[Any]) -> str:
    given = ctx.subject
    given.reservations += 1
    ctx.update(given, "reservations")
    return f"{ctx.case.number}/{given.reservations}"
