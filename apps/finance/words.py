"""Words for the codes of finance, in the screen's language."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, npgettext, pgettext_lazy

from apps.cases.forms import CODE_WORDS
from apps.finance.months import AGES

HEADINGS = (
    ("opening", pgettext_lazy("month of finance", "Opening")),
    ("reported", pgettext_lazy("month of finance", "Newly reported")),
    ("changed", pgettext_lazy("month of finance", "Changes")),
    ("reopened", pgettext_lazy("month of finance", "Reopened")),
    ("released", pgettext_lazy("month of finance", "Released")),
    ("paid", pgettext_lazy("month of finance", "Paid")),
    ("closing", pgettext_lazy("month of finance", "Closing")),
    ("incurred", pgettext_lazy("month of finance", "Incurred")),
)
COUNTS = (
    ("opening", pgettext_lazy("month of finance", "Opening")),
    ("reported", pgettext_lazy("month of finance", "Newly reported")),
    ("reopened", pgettext_lazy("month of finance", "Reopened")),
    ("closed", pgettext_lazy("month of finance", "Closed")),
    ("closing", pgettext_lazy("month of finance", "Closing")),
)
GROUP_TITLES = {
    "series": gettext_lazy("By series"),
    "product": gettext_lazy("By product"),
    "benefit": gettext_lazy("By benefit"),
    "visit_year": gettext_lazy("By year of visit"),
    "age": gettext_lazy("By age of the claim"),
}


def group_words(name: str, value: Any) -> str:
    if name == "age":
        return age_words(value)
    return str(CODE_WORDS.get(value, value)) if name == "benefit" else str(value)


def age_words(band: int) -> str:
    low, high = AGES[band]
    if high is None:
        return _("more than %(n)d months") % {"n": low - 1}
    if high == 0:
        return _("reported this month")
    return npgettext("age", "%(low)d to %(high)d month", "%(low)d to %(high)d months", high) % {
        "low": low,
        "high": high,
    }


def month_words(month: date) -> str:
    return f"{month:%Y-%m}"
