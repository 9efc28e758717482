"""Reads of handbooks, plans and the calendar that others may use."""

from __future__ import annotations

from datetime import date

from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from apps.adjudication.handbook import Handbook
from apps.core.errors import NotFound
from apps.products.calendars import calendar_changed, working_calendar
from apps.products.models import PARSED, HandbookVersion, Plan

__all__ = [
    "calendar_changed",
    "current_handbook",
    "current_handbooks",
    "handbook_for",
    "network_group",
    "plan_by_code",
    "plan_names",
    "scheme_names",
    "series_codes",
    "unless_administrator",
    "unless_series",
    "working_calendar",
]


def handbook_for(series: str, day: date | None = None) -> HandbookVersion:
    """The version of a series that speaks for a day of service (without a day: the current one).

    One query; raises NotFound when the series has no published handbook for the day.
    """
    versions = HandbookVersion.objects.filter(series=series, published=True)
    if day is not None:
        versions = versions.filter(Q(effective_on__isnull=True) | Q(effective_on__lte=day))
    version = versions.order_by("-number").first()
    if version is None:
        raise NotFound(
            _("No handbook of series %(series)s is published.") % {"series": series},
            code="no_handbook",
            field="series",
            data={"series": series},
        )
    return version


def current_handbook(series: str) -> HandbookVersion:
    """The version published last. One query; raises NotFound when there is none."""
    return handbook_for(series)


def current_handbooks() -> list[HandbookVersion]:
    """The version of every series published last, the newest series first.

    One query, and one more for texts that this process has not parsed yet.
    """
    newest: dict[str, HandbookVersion] = {}
    for version in HandbookVersion.objects.filter(published=True).order_by("-series", "-number"):
        newest.setdefault(version.series, version)
    unread = [version.pk for version in newest.values() if version.sha256 not in PARSED]
    if unread:
        texts = HandbookVersion.objects.filter(pk__in=unread).values_list("pk", "text")
        for pk, text in texts:
            next(version for version in newest.values() if version.pk == pk).text = text
    return list(newest.values())


def series_codes() -> list[str]:
    """Series with a published handbook, the newest first. One query."""
    published = HandbookVersion.objects.filter(published=True).order_by("-series")
    return list(published.values_list("series", flat=True).distinct())


def unless_series(code: str) -> list[str] | None:
    """None when the series is published, else those that are."""
    codes = series_codes()
    return None if code in codes else codes


def unless_administrator(code: str) -> list[str] | None:
    """None when a handbook names this TPA, else those that are named."""
    named = set(HandbookVersion.objects.exclude(tpa="").values_list("tpa", flat=True))
    return None if code in named else sorted(named)


def plan_names() -> dict[str, str]:
    """What each plan is called now, in the reader's language, by its code; one query."""
    return {plan.code: plan.label for plan in Plan.objects.all()}


def scheme_names() -> dict[tuple[str, str], str]:
    """What each scheme is called now, in the reader's language, by its series and code; one query."""
    english = (get_language() or "").startswith("en")
    return {
        (version.series, code): scheme.title.en if english else scheme.title.zh
        for version in current_handbooks()
        for code, scheme in version.handbook.versions.items()
    }


def plan_by_code(code: str, *, series: str = "") -> Plan:
    """The newest definition of a plan. One query; raises NotFound when there is none."""
    plans = Plan.objects.filter(code=code)
    if series:
        plans = plans.filter(series=series)
    plan = plans.order_by("-id").first()
    if plan is None:
        raise NotFound(
            _("There is no plan %(code)s.") % {"code": code},
            code="no_plan",
            field="plan",
            data={"code": code, "series": series},
        )
    return plan


def network_group(plan: Plan, handbook: Handbook) -> str:
    """The network group of a plan's version; "" when the handbook names none (GEN-03)."""
    version = handbook.versions.get(plan.version)
    return version.network_group if version else ""
