"""What a kind of claim does in its own way: one a family reports, or one a hospital bills directly.

Tables, rules, booking and signatures are the same for all. A kind whose subject is a claim registers a
`Variant` under its code; whatever it does not say is as for a claim that a family reports.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from apps.adjudication.facts import Facts

if TYPE_CHECKING:
    from apps.cases.context import Batch, Ctx
    from apps.cases.models import CaseFile
    from apps.claims.assess import Assessment
    from apps.claims.booking import Verdict
    from apps.claims.rows import ClaimRows


class Variant:
    """`party` is whom the insurer owes what it decides to pay (`ledger.MoneyAccount.party`); `orders`
    whether a decision orders the payment itself."""

    party = "MEMBER"
    orders = True

    def prepare(self, batch: Batch) -> None:
        """Lock what a decision moves beside the claims; before anything of them is read."""

    def load(self, claims: Sequence[ClaimRows]) -> None:
        """Fill `rows.own` of claims of this kind; a constant number of queries."""

    def facts(self, rows: ClaimRows, facts: Facts) -> Facts:
        """What this kind knows beyond the rows of a claim. No query."""
        return facts

    def assessment(self, rows: ClaimRows, facts: Facts) -> Assessment:
        from apps.claims.assess import Assessment

        return Assessment(rows, facts)

    def held(self, rows: ClaimRows) -> dict[int, int]:
        """What is reserved for this very claim, in fen by id of the limit account: free for it."""
        return {}

    def before_booking(self, ctx: Ctx[Any], verdict: Verdict) -> None:
        """Move what a decision moves elsewhere; the limits are locked (`booking.limits_in`)."""

    def payable(self, ctx: Ctx[Any], *, change: int) -> int:
        """What is still to be ordered after a further decision, in fen; `change` beside the former one."""
        raise NotImplementedError

    def letter(self, found: Assessment, verdict: Verdict, on: date) -> Any:
        """The context of the letter that carries a decision; the preview shows the same. No query."""
        raise NotImplementedError

    def beside(self, found: Assessment) -> tuple[str, dict[str, Any]]:
        """Where the money would go, as the panel of the decision says it: a template and its context."""
        raise NotImplementedError

    def tell(self, ctx: Ctx[Any], verdict: Verdict) -> None:
        """Letters and messages of a decision."""
        raise NotImplementedError

    def go_on(self, ctx: Ctx[Any], verdict: Verdict) -> None:
        """Name the transition in `ctx.loaded["way"]`, emit the events, and say what follows."""
        raise NotImplementedError


PLAIN = Variant()
VARIANTS: dict[str, Variant] = {}


def add_variant(kind: str, variant: Variant) -> None:
    """Called once at start, by the app of the kind."""
    VARIANTS[kind] = variant


def variant_of(case: CaseFile) -> Variant:
    return VARIANTS.get(case.kind, PLAIN)
