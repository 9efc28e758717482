"""Reminders and escalations of clocks become messages: to the member, the assignee, or a role."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from apps.accounts.models import User
from apps.adjudication.handbook import Step
from apps.cases import subscribers
from apps.cases.context import Ctx
from apps.cases.models import Clock
from apps.messaging.contacts import staff_for
from apps.messaging.models import Message
from apps.messaging.outbox import notify_member, queue_call, queue_message
from apps.messaging.texts import clock_title, words_for

MEMBER = "MEMBER"
GENTLE = {"REMIND", "TARGET"}
FALLBACK_ROLES = ("adjuster_lead", "tpa_manager", "manager")  # when nobody holds the role


def register() -> None:
    """Called from MessagingConfig.ready()."""
    subscribers.subscribe_step(on_clock_step)


def on_clock_step(ctx: Ctx[Any], clock: Clock, step: Step) -> None:
    """Queue the messages of one step. Their keys are as unique as the step: clock, step and due."""
    key = f"clock:{clock.pk}:{step.key}:{clock.due_at:%Y%m%d%H%M%S.%f}"
    context = _context(clock, step)
    if step.to == MEMBER:
        notify_member(ctx, case=clock.case, template="member_reminder", context=context, key=key)
        return
    template = "clock_reminder" if step.kind in GENTLE else "clock_escalation"
    people = _people(ctx, step)
    if not people:
        script = words_for(template, "CALL", "zh-hans", clock.case, context).body
        queue_call(ctx, case=clock.case, purpose=template, script=script, key=key, due_at=clock.due_at)
    for person in people:
        queue_message(
            ctx,
            case=clock.case,
            channel=Message.Channel.EMAIL,
            template=template,
            recipient=person.email,
            context=context | {"addressee": str(person)},
            key=f"{key}:{person.pk}",
        )


def _context(clock: Clock, step: Step) -> dict[str, object]:
    handbook = clock.case.handbook.handbook
    return {
        "title": {lang: clock_title(handbook, clock, lang) for lang in ("zh", "en")},
        "rule": clock.spec_id,
        "day": clock.day if getattr(clock, "day", None) else timezone.localdate(clock.due_at),
        "due_at": timezone.localtime(clock.due_at),
        "breached": step.kind == "BREACH",
        "statutory": clock.statutory,
    }


def _people(ctx: Ctx[Any], step: Step) -> list[User]:
    """Those the step names who have an address; else who leads them. Nobody must stay unaware."""
    for to in (step.to, *FALLBACK_ROLES):
        people = [person for person in staff_for(to, ctx.case, ctx.batch.shared) if person.email]
        if people:
            return people
    return []
