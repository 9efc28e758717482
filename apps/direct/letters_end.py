"""The end of the letter with its last claim: the rest of what it held is free again."""

from __future__ import annotations

from typing import Any

from apps.accounts.actors import SYSTEM
from apps.cases.context import Ctx
from apps.cases.engine import perform
from apps.core.errors import Blocked
from apps.direct.models import DirectClaim
from apps.direct.workflow import FINAL


def end_letter(ctx: Ctx[Any]) -> None:
    """Close the authorization when no other claim on it is open; one that is used further stays. The child has
    left: a supplement that was open at the discharge had kept the letter from knowing."""
    letter = ctx.subject.authorization
    if letter is None or letter.case.state not in ("IN_USE",):
        return
    others = DirectClaim.objects.filter(authorization=letter).exclude(case=ctx.case.pk)
    if others.exclude(case__state__in=FINAL).exists():
        return
    try:
        if letter.discharged_on is None and ctx.subject.discharged_on is not None:
            perform(letter.case, "discharge", SYSTEM, now=ctx.now, discharged_on=ctx.subject.discharged_on)
        perform(letter.case, "close", SYSTEM, now=ctx.now)
    except Blocked as error:  # the child is in hospital still, on the same letter
        ctx.data["letter"] = str(error.message)
    else:
        letter.case.state = "CLOSED"
        ctx.data["letter_closed"] = letter.case.number
