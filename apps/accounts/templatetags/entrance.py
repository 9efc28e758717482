"""The admin's name and colors for the log-in pages, which stand outside the admin."""

from __future__ import annotations

from typing import NamedTuple

from django import template
from django.conf import settings
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from unfold.settings import get_config
from unfold.utils import convert_color

register = template.Library()


class House(NamedTuple):
    brand: str
    name: str


@register.simple_tag
def house() -> House:
    """Brand and name, in the reader's language."""
    brand, name = settings.HOUSE
    return House(str(brand), str(name))


@register.simple_tag
def admin_colors() -> SafeString:
    """The custom properties that unfold writes into its pages."""
    config = get_config()
    rules = format_html_join(
        " ",
        "--color-{}-{}: {};",
        (
            (name, weight, mark_safe(convert_color(value)))
            for name, weights in config["COLORS"].items()
            for weight, value in weights.items()
        ),
    )
    return mark_safe(f":root {{ --border-radius: {config['BORDER_RADIUS']}; {rules} }}")
