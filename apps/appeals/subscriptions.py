"""What appeals listen to: claims reopened, decided again, taken in or ended; questions that reached a family."""

from __future__ import annotations

import logging
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.accounts.actors import SYSTEM
from apps.adjudication.trace import observe
from apps.appeals.actions.reopening import reopen_closed, waiting_on
from apps.appeals.guards import rule_of
from apps.appeals.models import Appeal
from apps.appeals.workflow import KIND
from apps.cases.context import Ctx
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.cases.subscribers import subscribe
from apps.core.errors import Blocked
from apps.core.money import format_yuan
from apps.messaging.models import Message
from apps.messaging.outbox import on_delivered

log = logging.getLogger(__name__)
CLAIMS = frozenset({"claim", "direct"})


def connect() -> None:
    subscribe("reopened", hand_over)
    subscribe("decision_proposed", not_less)
    for event in ("decided", "refused"):
        subscribe(event, decided_again)
    subscribe("overrule_refusal", taken_in)
    subscribe("withdrawn", ended)
    subscribe("closed", reopen_when_closed)
    on_delivered(question_delivered)


def _waiting(ctx: Ctx[Any]) -> Appeal | None:
    if ctx.kind.code not in CLAIMS:
        return None
    return next(iter(waiting_on([ctx.case.pk])), None)


def hand_over(ctx: Ctx[Any]) -> None:
    """The claim goes to whoever overturned its decision."""
    if (row := _waiting(ctx)) is not None:
        ctx.case.assignee_id = row.reviewed_by_id
        ctx.data["appeal"] = row.case.number


def not_less(ctx: Ctx[Any]) -> None:
    """An appeal does not end in the harm of the family. Costs nothing for first decisions."""
    if ctx.kind.code not in CLAIMS or ctx.case.claim.decided_fen is None:
        return
    row = _waiting(ctx)
    if row is not None:
        _refuse_less(ctx, row)


def _refuse_less(ctx: Ctx[Any], row: Appeal) -> None:
    rule = rule_of(ctx.handbook)
    if observe(rule, ctx.data["insurer_fen"] < row.former_fen):
        words = _(
            "This is %(amount)s, less than the %(former)s of the decision under appeal %(number)s: an appeal does not end in the family's harm. Decide at least as before; what was paid too much is taken up after the appeal."
        ) % {
            "amount": format_yuan(ctx.data["insurer_fen"]), "former": format_yuan(row.former_fen), "number": row.case.number,
        }  # fmt: skip
        raise Blocked(words, code="less_than_before", rule=rule)


def decided_again(ctx: Ctx[Any]) -> None:
    """Costs nothing for first decisions: only a reopened claim can have been sent back by an appeal."""
    version = ctx.data.get("version", 1)
    if version == 1 or (row := _waiting(ctx)) is None:
        return
    _refuse_less(ctx, row)
    perform(row.case.number, "settled", SYSTEM, now=ctx.now, decision=version, insurer_fen=ctx.data["insurer_fen"])  # fmt: skip


def taken_in(ctx: Ctx[Any]) -> None:
    """After an overturned refusal at intake (PR-06) the claim is taken in: the family can be answered."""
    if (row := _waiting(ctx)) is not None:
        perform(row.case.number, "settled", SYSTEM, now=ctx.now)


def ended(ctx: Ctx[Any]) -> None:
    """The family took the claim back, or its papers never came: no new decision follows."""
    if (row := _waiting(ctx)) is not None:
        perform(row.case.number, "settled", SYSTEM, now=ctx.now)


def reopen_when_closed(ctx: Ctx[Any]) -> None:
    """A claim that was still being paid when its decision was overturned. One query a batch of closings."""
    if ctx.kind.code == "claim":
        ctx.batch.after_flush(reopen_closed)


def question_delivered(message: Message) -> None:
    """PR-04: the clock stands still from the day the question reached the family."""
    if message.template != "appeal_information" or message.case_id is None:
        return
    case = CaseFile.objects.filter(pk=message.case_id, kind=KIND.code).first()
    if case is None or message.delivered_at is None:
        return
    to = f"{message.get_channel_display()} {message.recipient_masked}"
    try:
        perform(case, "information_delivered", SYSTEM, at=message.delivered_at, evidence=f"{to} #{message.pk}", reached=to)  # fmt: skip
    except Blocked:  # the papers came meanwhile
        log.info("delivery came after the appeal had moved on", extra={"case": case.number})
