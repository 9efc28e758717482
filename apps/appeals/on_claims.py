"""What appeals say about actions of claims and direct claims, which know nothing of them.

While an appeal is open its claim is not reopened; an overturned one is not decided again by those who decided
it, nor refused at intake once more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.adjudication.trace import observe
from apps.appeals.actions.reopening import waiting_on
from apps.appeals.guards import INTEREST, concerned, rule_of
from apps.appeals.models import Appeal
from apps.appeals.workflow import BEFORE_RESULT
from apps.cases.kinds import KINDS, Blocker, Guard

Found = Blocker | None
DECIDING = ("decide", "sign", "decide_ex_gratia", "compromise", "rescind")


def connect() -> None:
    for kind in ("claim", "direct"):
        _add(kind, ("reopen",), no_open_appeal)
        _add(kind, DECIDING, fresh_eyes)
    _add("claim", ("confirm_refusal",), not_refused_again)


def _add(kind: str, names: Iterable[str], guard: Guard) -> None:
    actions = KINDS[kind].actions
    for name in names:
        if name in actions:
            actions[name] = replace(actions[name], guards=(*actions[name].guards, guard))


def no_open_appeal(ctx: Any) -> Found:
    """Machine (d): the decision stays unchanged until the appeal against it ends."""
    running = Appeal.objects.filter(origin=ctx.case.pk, ended_at=None, case__state__in=BEFORE_RESULT)
    number = running.values_list("case__number", flat=True).first()
    rule = rule_of(ctx.handbook)
    if not observe(rule, number is not None):
        return None
    words = _("Appeal %(number)s is open; the decision stays as it is until it ends.") % {"number": number}
    return Blocker("appeal_open", words, rule)


def waiting_in(ctx: Any) -> Appeal | None:
    """The overturned appeal because of which the claim is being decided again; asked once an action or page."""
    if "appeal_waiting" not in ctx.loaded:
        ctx.loaded["appeal_waiting"] = next(iter(waiting_on([ctx.case.pk])), None)
    found: Appeal | None = ctx.loaded["appeal_waiting"]
    return found


def fresh_eyes(ctx: Any) -> Found:
    """Who had a part in the decision that was overturned does not make the new one; first decisions cost nothing."""
    if ctx.case.claim.decided_fen is None or ctx.actor.user_id is None:
        return None
    row = waiting_in(ctx)
    if row is None or not observe(INTEREST, ctx.actor.user_id in concerned(row)):
        return None
    words = _("Your decision was overturned by appeal %(number)s; somebody else decides again.")
    return Blocker("interested", words % {"number": row.case.number}, INTEREST)


def not_refused_again(ctx: Any) -> Found:
    row = waiting_in(ctx)
    if row is None:
        return None
    words = _("Appeal %(number)s overturned the refusal; correct the facts where needed and take the claim in.")  # fmt: skip
    return Blocker("overturned", words % {"number": row.case.number}, "PR-06")
