"""Who reviews an appeal, and what they find: the decision stands, or it is made again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.appeals import guards
from apps.appeals.actions.reopening import reopen_claims
from apps.appeals.inputs import AssignInput, OverturnInput, UpholdInput
from apps.appeals.models import Appeal, Result
from apps.appeals.roles import REVIEWERS
from apps.appeals.target import compared, decision_of, takes_away
from apps.appeals.workflow import KIND, LIVE
from apps.cases.context import Ctx
from apps.cases.kinds import Action, NoInput
from apps.core.errors import InvalidInput

# --- Reviewer -------------------------------------------------------------------------------------------


def _assign(ctx: Ctx[AssignInput]) -> None:
    """Machine (h): somebody who had no part in the decision."""
    assert ctx.input is not None
    guards.refuse(guards.conflict_of(ctx.subject, ctx.input.assignee), "assignee")
    able = {user.pk: user for user in guards.reviewers(ctx.case, ())}
    person = able.get(ctx.input.assignee)
    if person is None:
        words = _("This person cannot review appeals of this administrator and series.")
        raise InvalidInput(words, code="not_a_reviewer", field="assignee", rule=guards.rule_of(ctx.handbook))
    ctx.case.assignee = person
    ctx.data["assignee"] = str(person)


def _take(ctx: Ctx[NoInput]) -> None:
    ctx.case.assignee_id = ctx.actor.person_id
    ctx.data["assignee"] = ctx.actor.label


def _begin(ctx: Ctx[Any]) -> str:
    return "assign" if ctx.case.state == "RECEIVED" else ""


def take_the_place_of_common_actions() -> None:
    """Assigning and taking begin the review here, and ask who had a part in the decision."""
    common = KIND.actions
    common["assign"] = replace(
        common["assign"], handler=_assign, input=AssignInput, transition=_begin, states=LIVE, order=10,
    )  # fmt: skip
    common["take"] = replace(
        common["take"], handler=_take, roles=REVIEWERS, transition=_begin, states=LIVE, guards=(guards.disinterested,),
        order=20,
    )  # fmt: skip


# --- Result ---------------------------------------------------------------------------------------------


def _decide(ctx: Ctx[Any], result: str, why: str, *more: str) -> Appeal:
    row: Appeal = ctx.subject
    row.result, row.why = result, why
    row.reviewed_by_id, row.reviewed_at = ctx.actor.person_id, ctx.now
    ctx.update(row, "result", "why", "reviewed_by", "reviewed_at", *more)
    ctx.reason = why
    ctx.data |= {"result": result, "claim": row.origin.number, "version": row.version}
    return row


def _uphold(ctx: Ctx[UpholdInput]) -> None:
    """The decision stands; the family reads why, rule by rule."""
    given = ctx.input
    assert given is not None
    rule = guards.rule_of(ctx.handbook)
    if not given.reasons:
        raise InvalidInput(_("Give at least one reason."), code="required", field="reasons", rule=rule)
    for index, reason in enumerate(given.reasons):
        if reason.rule not in ctx.handbook.rules:
            words = _("Series %(series)s has no rule %(rule)s.") % {
                "series": ctx.case.series,
                "rule": reason.rule,
            }
            raise InvalidInput(words, code="unknown_rule", field=f"reasons.{index}.rule", rule=rule)
    ctx.subject.reasons = [{"rule": reason.rule, "text": reason.text} for reason in given.reasons]
    why = given.note or "\n".join(f"{reason.rule} {reason.text}" for reason in given.reasons)
    _decide(ctx, Result.UPHELD, why, "reasons")


def _reasons_of_the_decision(ctx: Ctx[Any]) -> dict[str, Any]:
    """Why the decision took something away from the lines in question, to be put in words for this family."""
    row: Appeal = ctx.subject
    decision = decision_of(row, row.version)
    findings = [one for one in decision.result.get("findings", []) if takes_away(one)] if decision else []
    named = {ref for line in compared(row) if line.contested and line.before for ref in line.before.reasons}
    findings = [one for one in findings if one.get("ref") in named] or findings
    said = [(one["rule"], one.get("message_zh", "")) for one in findings]
    said = said or [(one.rule, "") for one in row.rules.all()]
    known = [{"rule": rule, "text": text} for rule, text in dict.fromkeys(said) if rule in ctx.handbook.rules]
    return {"reasons": known or [{"rule": row.rule}]}


def _overturn(ctx: Ctx[OverturnInput]) -> None:
    """The claim is opened and decided again; the former decision is kept (machine h)."""
    assert ctx.input is not None
    _decide(ctx, ctx.input.extent, ctx.input.reason)
    ctx.batch.after_flush(reopen_claims)


KIND.action(
    Action(
        "uphold", _("Uphold the decision"), REVIEWERS, _uphold, transition="uphold", input=UpholdInput,
        guards=(guards.disinterested,), initial=_reasons_of_the_decision, event="appeal_upheld",
        style="primary", order=40,
    )
)  # fmt: skip
KIND.action(
    Action(
        "overturn", _("Overturn the decision"), REVIEWERS, _overturn, transition="overturn", input=OverturnInput,
        guards=(guards.disinterested,), event="appeal_overturned", order=50,
    )
)  # fmt: skip
