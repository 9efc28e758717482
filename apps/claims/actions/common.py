"""What several actions of a claim share: a reason, and a person's answer to a finding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.cases.context import Ctx
from apps.cases.inputs import ask
from apps.claims.assess import assessment_in
from apps.claims.models import Override
from apps.core.errors import InvalidInput


@dataclass(frozen=True)
class ReasonInput:
    reason: str = ask(_("Reason"), widget="textarea", min_length=2, max_length=2000)


def reason_required(reason: str, rule: str = "") -> str:
    if len(reason.strip()) < 2:
        raise InvalidInput(_("A reason is required."), code="required", field="reason", rule=rule)
    return reason


def answer_row(ctx: Ctx[Any], finding: str, rule: str, *, accept: bool, reason: str) -> Override:
    """Queue a person's answer; the last one counts, all are kept."""
    claim = ctx.case.claim
    earlier = [row.round for row in assessment_in(ctx).rows.overrides if row.finding == finding]
    override = Override(
        claim=claim, finding=finding, rule=rule, accept=accept, reason=reason, user_id=ctx.actor.person_id, at=ctx.now,
        round=max(earlier, default=0) + 1,
    )  # fmt: skip
    ctx.add(override)
    claim.answers += 1
    ctx.update(claim, "answers")
    return override
