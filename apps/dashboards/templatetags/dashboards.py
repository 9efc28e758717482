"""Numbers of the dashboard as links to exactly the cases they count."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.core.days import start_of_day
from apps.dashboards.queries import Week

register = template.Library()


@register.simple_tag
def week_link(week: Week, what: str, number: int, back: int = 0) -> SafeString:
    """The cases `opened` or `closed` in a week, or in the same week `back` weeks earlier; a dot for none."""
    if not number:
        return format_html('<span class="c-muted">·</span>')
    start = week.start - timedelta(weeks=back)
    days = {f"{what}_at__gte": start, f"{what}_at__lt": start + timedelta(days=7)}
    query = urlencode({name: start_of_day(day).isoformat() for name, day in days.items()})
    return format_html('<a href="{}?{}">{}</a>', reverse("admin:cases_casefile_changelist"), query, number)
