"""Words of the mailroom's templates."""

from __future__ import annotations

from typing import Any

from django import template

from apps.mailroom.actions.emails import STEPS
from apps.mailroom.inputs import ANSWERS
from apps.mailroom.models import Email, EmailEvent
from apps.products.labels import paper_title

register = template.Library()


@register.filter
def mail_step(name: str) -> Any:
    """What a step of an e-mail is called."""
    return STEPS[name].label if name in STEPS else name


@register.filter
def mail_note(event: EmailEvent, email: Email) -> Any:
    """What was noted of a step, its codes in words."""
    if event.name == "answer":
        return dict(ANSWERS).get(event.note, event.note)
    name, arrow, kind = event.note.rpartition(" → ")
    if event.name == "sort" and arrow and email.case is not None:
        return f"{name} → {paper_title(email.case.handbook.handbook, kind)}"
    return event.note
