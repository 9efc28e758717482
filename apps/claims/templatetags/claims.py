"""Parts of claims' forms in templates."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils import timezone

from apps.claims.correction import parts_of

register = template.Library()


@register.simple_tag
def correctable(case: Any, form: Any) -> dict[str, Any]:
    """The facts of a claim for its correction form, and the errors that belong to none of them."""
    visits, given = parts_of(case, form, timezone.now())
    return {"visits": visits, "loose": given.loose}
