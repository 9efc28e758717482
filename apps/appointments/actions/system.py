"""What happens by itself: missed visits, cards that no longer serve, policies that ended, days that passed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.appointments import guards
from apps.appointments.actions.arrange import set_reminder
from apps.appointments.actions.request import close
from apps.appointments.judging import today
from apps.appointments.roles import MANAGERS
from apps.appointments.telling import cutoff_at, tell_family, tell_hospital, tell_leads
from apps.appointments.workflow import BOOKED, KIND
from apps.cards.models import Card, CardState
from apps.cards.queries import why_not
from apps.cases.context import Ctx
from apps.cases.inputs import ask
from apps.cases.kinds import Action, Blocker, NoInput
from apps.members.network import Why


@dataclass(frozen=True)
class EndInput:
    reason: str = ask(_("Reason"), max_length=400, min_length=2)


def stopped(ctx: Any) -> Why | None:
    """Why the card does not serve on the day of the visit: greyed, or the cover ended before (C9)."""
    if "stopped" not in ctx.loaded:
        ctx.loaded["stopped"] = _stopped(ctx)
    found: Why | None = ctx.loaded["stopped"]
    return found


def _stopped(ctx: Any) -> Why | None:
    case = ctx.case
    card = Card.objects.filter(policy=case.policy_id).first()
    day = ctx.subject.visit_on
    if card is None:
        last = case.policy.covered_until
        words = str(_("The cover ended on %(day)s.") % {"day": last})
        return Why("ENDED", words, "C9") if day > last else None
    card.policy = case.policy
    state = card.state_on(day)
    return why_not(card, state) if state in (CardState.GREYED, CardState.EXPIRED) else None


def _is_stopped(ctx: Any) -> Blocker | None:
    return None if stopped(ctx) else Blocker("serves", _("The card serves on the day of the visit."))


def _serves_again(ctx: Any) -> Blocker | None:
    why = stopped(ctx)
    return Blocker(why.code, why.words, why.rule) if why else None


def _to_be_ended(ctx: Any) -> Blocker | None:
    """A suspended one ends when its slot can no longer be given back in time; anything ends with its day
    or with the cover."""
    why, cutoff = stopped(ctx), cutoff_at(ctx.case)
    if ctx.subject.visit_on < today(ctx.now) or (why and why.code == "ENDED"):
        return None
    if ctx.case.state == "SUSPENDED" and why:
        over = ctx.now >= cutoff.at if cutoff and cutoff.binding else ctx.subject.visit_on <= today(ctx.now)
        if over:
            return None
    return Blocker("waits", _("There is still time."))


def _suspend(ctx: Ctx[NoInput]) -> None:
    """Family and staff are told at once; the slot is kept for now."""
    why = stopped(ctx)
    assert why is not None
    ctx.subject.remind_at = None
    ctx.update(ctx.subject, "remind_at")
    ctx.reason = why.words
    ctx.data |= {"code": why.code, "rule": why.rule}
    ctx.emit("card_stopped")
    if why.code == "ENDED":
        ctx.then("end")
        return
    tell_family(ctx, "suspended", reason=why.words)
    tell_leads(ctx, "suspended", reason=why.words)


def _restore(ctx: Ctx[NoInput]) -> None:
    set_reminder(ctx)
    tell_family(ctx, "restored")


def _end(ctx: Ctx[NoInput]) -> None:
    why = stopped(ctx)
    passed = ctx.subject.visit_on < today(ctx.now)
    ctx.reason = why.words if why else str(_("The day passed before anything was booked.")) if passed else ""
    if why:
        ctx.data |= {"code": why.code, "rule": why.rule}
    if ctx.case.state in BOOKED and not passed:
        tell_hospital(ctx, "canceled")
    close(ctx)
    ctx.emit("cancelled")
    tell_family(ctx, "ended", reason=ctx.reason)
    tell_leads(ctx, "ended", reason=ctx.reason)


def _miss(ctx: Ctx[NoInput]) -> None:
    """APT-12, APT-25: the fee is the family's; counted, and shown to a manager who decides."""
    ctx.subject.flagged = True
    ctx.update(ctx.subject, "flagged")
    close(ctx)
    tell_family(ctx, "no_show")
    tell_leads(ctx, "no_show")


for action in (
    Action("suspend", _("Suspend"), MANAGERS, _suspend, transition="suspend", guards=(_is_stopped,),
           event="suspended", system=True, manual=False),
    Action("restore", _("Serve again"), MANAGERS, _restore, transition="restore",
           guards=(guards.not_over, _serves_again), event="restored", system=True, order=20),
    Action("end", _("Cancel by the system"), frozenset(), _end, transition="end", guards=(_to_be_ended,),
           event="ended", system=True, manual=False),
    Action("miss", _("Not come"), frozenset(), _miss, transition="miss", guards=(guards.day_passed,),
           event="no_show", system=True, manual=False),
):  # fmt: skip
    KIND.action(action)
