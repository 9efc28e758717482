"""Words of the mailroom's templates."""

from __future__ import annotations

from typing import Any

from django import template

from apps.mailroom.actions.emails import STEPS

register = template.Library()


@register.filter
def mail_step(name: str) -> Any:
    """What a step of an e-mail is called."""
    return STEPS[name].label if name in STEPS else name
