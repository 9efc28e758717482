"""What a direct-billing claim takes out of the letter, when it is decided."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from apps.authorizations.assess import first_rule
from apps.authorizations.promises import hand_to_claim
from apps.authorizations.workflow import AT_HOSPITAL, KIND
from apps.cases.context import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action
from apps.core.errors import InvalidInput
from apps.core.money import format_yuan, to_fen


@dataclass(frozen=True)
class DrawInput:
    amount: Decimal = ask(_("Billed within the letter"), widget="money", minimum=Decimal("0.01"))
    claim: str = ask(_("Number of the bill or claim"), max_length=60, min_length=2)


def _draw(ctx: Ctx[DrawInput]) -> None:
    """The claim books the use itself, under its own decision; here its share of the reservation ends."""
    assert ctx.input is not None
    given, amount = ctx.subject, to_fen(ctx.input.amount)
    left = (given.approved_fen or 0) - given.drawn_fen
    if amount > left:
        words = _("%(left)s of the letter are left; more needs a supplement.") % {"left": format_yuan(left)}
        raise InvalidInput(
            words, code="over_letter", field="amount", rule=first_rule(ctx.handbook, "DBI-03", "DBI-01")
        )
    hand_to_claim(ctx, amount)
    given.drawn_fen += amount
    ctx.update(given, "drawn_fen")
    ctx.data |= {"amount_fen": amount, "bill": ctx.input.claim}


KIND.action(
    Action(
        "draw", _("Billed by a claim"), frozenset(), _draw, states=AT_HOSPITAL, input=DrawInput, event="billed",
        system=True, manual=False,
    )
)  # fmt: skip
