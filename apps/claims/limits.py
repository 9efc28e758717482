"""Names and figures of limits for people: 'outpatient, a year'."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.adjudication.accumulators import COUNT, kind_of
from apps.adjudication.codes import BENEFIT_NAMES
from apps.adjudication.money import pretty
from apps.cases.forms import CODE_WORDS

BENEFITS = {
    "OUTPATIENT": _("outpatient"),
    "EMERGENCY": _("emergency"),
    "INPATIENT": _("inpatient"),
    "VACCINE": _("vaccines"),
    "DENTAL": _("dental"),
    "EYE": _("eye"),
    "HEALTH_CHECK": _("health checks"),
    "MENTAL_HEALTH": _("counseling"),
}


def limit_title(key: str) -> Any:
    """What an accumulator (`adjudication.accumulators`) counts, in words."""
    what = key.rpartition("|")[2]
    kind, _colon, rest = what.partition(":")
    if kind == "annual":
        return _("Annual maximum")
    if kind == "home_test":  # ordered beside claims (TST-04)
        return _("Home tests of the policy period")
    benefit, _colon, tail = rest.partition(":")
    name = BENEFITS.get(benefit, BENEFIT_NAMES.get(benefit, benefit))
    if kind == "full":
        return _("%(benefit)s: fully paid visits") % {"benefit": name}
    if kind == "deductible":
        return _("%(benefit)s: deductible, %(span)s") % {"benefit": name, "span": _span(tail)}
    if kind == "item":
        item, _colon, tail = tail.partition(":")
        return _("%(benefit)s: %(item)s, %(span)s") % {
            "benefit": name, "item": CODE_WORDS.get(item, item), "span": _span(tail),
        }  # fmt: skip
    return _("%(benefit)s, %(span)s") % {"benefit": name, "span": _span(tail)}


def _span(tail: str) -> Any:
    span, _colon, place = tail.partition(":")
    if span == "day":
        return _("day %(day)s") % {"day": place}
    return {"year": _("a year"), "count": _("number a year"), "visit": _("this visit")}.get(span, span)


def shown(key: str, value: Decimal) -> str:
    """'1,000.00', or '8' for counts."""
    return f"{value:.0f}" if kind_of(key) == COUNT else pretty(value)
