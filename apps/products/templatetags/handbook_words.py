"""Words of the handbook's vocabulary in templates."""

from __future__ import annotations

from django import template

from apps.products.labels import label

register = template.Library()


@register.simple_tag
def handbook_label(code: str) -> str:
    return label(code)
