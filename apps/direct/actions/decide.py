"""Deciding: the same arithmetic, authority and second signature as for a claim of a family."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.cases.context import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action, Blocker, NoInput
from apps.claims import booking
from apps.claims import guards as claim_guards
from apps.claims.actions import decide as claims
from apps.claims.assess import assessment_in
from apps.direct.actions.intake import PHOTO_ID
from apps.direct.letters_end import end_letter
from apps.direct.roles import DECIDERS, SENIORS, SIGNERS
from apps.direct.workflow import KIND

WAYS = ("adjudicate",)


@dataclass(frozen=True)
class DecideInput(claims.DecideInput):
    """As of a claim; the outcome follows from the lines."""

    member_text: str = ask(_("Text for the family"), default="", widget="textarea", max_length=4000)


def papers_there(ctx: Any) -> Blocker | None:
    """A correction may ask for papers that were not needed before; a photo identity is asked for as a finding."""
    lacking = [entry for entry in assessment_in(ctx).lacking if entry.key != PHOTO_ID]
    if not lacking:
        return None
    titles = "、".join(entry.title.zh for entry in lacking)
    return Blocker("papers", _("Still missing: %(papers)s") % {"papers": titles}, lacking[0].rule)


def no_supplement_open(ctx: Any) -> Blocker | None:
    """DBI-03: while more is asked for on the letter, what it covers is not known."""
    own = assessment_in(ctx).rows.own
    if own is None or own.letter is None or own.letter.case.state in ("IN_USE", "CLOSED", "EXPIRED"):
        return None
    if own.letter.case.state in ("SUPPLEMENTARY_REVIEW", "SUPPLEMENT_SIGNING"):
        return Blocker("supplement", _("A supplement of the letter is under review."), "DBI-03")
    return None


def _deny(ctx: Ctx[NoInput]) -> None:
    """Nothing payable: the hospital settles with the family (REC-04); what the letter held is free."""
    end_letter(ctx)
    ctx.case.open, ctx.case.closed_at = False, ctx.now
    ctx.emit("refused")


KIND.action(
    Action(
        "decide", _("Decide"), DECIDERS, claims.decide, transition=claims.way, transitions=(*WAYS, "propose"),
        states=frozenset({"UNDER_REVIEW"}), input=DecideInput,
        guards=(claim_guards.nothing_open, claim_guards.inquiries_answered, papers_there, no_supplement_open), prepare=booking.prepare,
        initial=claims.prefilled, style="primary", order=10,
    )
)  # fmt: skip
KIND.action(
    Action(
        "sign", _("Sign"), SIGNERS, claims.sign, transition=claims.way, transitions=WAYS,
        states=frozenset({"SECOND_REVIEW"}), input=claims.SignInput, guards=(claim_guards.within_authority,),
        four_eyes=("decide",), prepare=booking.prepare, style="primary", order=10,
    )
)  # fmt: skip
KIND.action(
    Action(
        "return_to_reviewer", _("Return to reviewer"), SIGNERS | SENIORS, claims.return_to_reviewer,
        transition="send_back", input=claims.ReasonInput, event="returned_to_reviewer", order=20,
    )
)  # fmt: skip
KIND.action(
    Action(
        "deny", _("Decline"), frozenset(), _deny, transition="deny", event="refused", system=True, manual=False,
    )
)  # fmt: skip
