"""Words of the handbook's vocabulary in templates."""

from __future__ import annotations

from django import template

from apps.adjudication.handbook_diff import Difference
from apps.products.labels import label
from apps.products.pages import key_words

register = template.Library()


@register.simple_tag
def handbook_label(code: str) -> str:
    return label(code)


@register.simple_tag
def handbook_key(row: Difference) -> str:
    return key_words(row)
