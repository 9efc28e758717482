"""What direct billing listens to: a visit that was made, a refusal that reached the family."""

from __future__ import annotations

import logging
from typing import Any

from apps.accounts.actors import SYSTEM
from apps.appointments.queries import completed_visit
from apps.cases.context import Ctx
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.cases.subscribers import subscribe
from apps.claims.checks import STAYS
from apps.core.errors import Blocked
from apps.direct.actions.announce import announce
from apps.messaging.models import Message
from apps.messaging.outbox import on_delivered

log = logging.getLogger(__name__)


def connect() -> None:
    on_delivered(refusal_delivered)
    subscribe("visit_completed", visit_completed)


def visit_completed(ctx: Ctx[Any]) -> None:
    """A visit by appointment is announced with what its counter checked; the hospital's bills are to come.
    A stay comes with its admission."""
    visit = completed_visit(ctx.case)
    if visit.visit_type not in STAYS:
        announce(ctx, visit)


def refusal_delivered(message: Message) -> None:
    """LAW-04: the refusal with its reasons has gone out; its clock stops."""
    if message.template != "direct_refusal" or message.case_id is None:
        return
    case = CaseFile.objects.filter(pk=message.case_id, kind="direct").first()
    if case is None:
        return
    way = message.get_channel_display()
    evidence = f"{way} {message.recipient_masked} #{message.pk}"
    try:
        perform(
            case, "refusal_delivered", SYSTEM, at=message.delivered_at, evidence=evidence,
            reached=f"{way} {message.recipient_masked}",
        )  # fmt: skip
    except Blocked:  # reopened meanwhile; the delivery stands on the message
        log.info("delivery came after the claim had moved on", extra={"case": case.number})
