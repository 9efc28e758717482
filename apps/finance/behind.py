"""The claims behind a number of the month: every figure of the report opens its cases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from apps.accounts.actors import Actor
from apps.accounts.visibility import visible_to
from apps.core.errors import InvalidInput
from apps.finance.access import READERS, need
from apps.finance.models import Movement
from apps.finance.months import AGES, band_months
from apps.finance.reckoning import Kind

MONEY = {
    "opening": Q(),
    "reported": Q(kind=Kind.OPENING),
    "changed": Q(kind=Kind.CHANGE),
    "reopened": Q(kind=Kind.REOPENING),
    "released": Q(kind=Kind.RELEASE),
    "paid": Q(kind__in=[Kind.PAYMENT, Kind.RETURN]),
    "closing": Q(),
    "incurred": Q(),
}
COUNTS = {
    "reported": Q(kind=Kind.OPENING, parts__gt=0),
    "reopened": ~Q(kind=Kind.OPENING) & Q(parts__gt=0),
    "closed": Q(parts__lt=0),
}
MEASURES = frozenset(MONEY) | frozenset(COUNTS)


@dataclass(frozen=True, slots=True)
class Behind:
    """Which number is opened: the month, the measure, and the group it stands in."""

    month: date
    measure: str
    unit: str = "fen"  # fen | count
    series: str = ""
    product: str = ""
    benefit: str = ""
    visit_year: int | None = None
    age: int | None = None


def asked(month: date, params: Mapping[str, str]) -> Behind:
    """From the query of a link; InvalidInput names what is wrong."""
    measure, unit = params.get("measure", "closing"), params.get("unit", "fen")
    if measure not in MEASURES or (unit == "fen" and measure not in MONEY) or unit not in ("fen", "count"):
        raise InvalidInput(
            _("“%(value)s” is not known. Expected: %(expected)s.")
            % {"value": measure[:40], "expected": ", ".join(sorted(MEASURES))},
            field="measure",
            code="unknown_code",
        )
    numbers: dict[str, int | None] = {"visit_year": None, "age": None}
    for name in numbers:
        if params.get(name):
            try:
                numbers[name] = int(params[name])
            except ValueError:
                raise InvalidInput(_("A whole number is expected."), field=name, code="type") from None
    age = numbers["age"]
    if age is not None and not 0 <= age < len(AGES):
        raise InvalidInput(_("A whole number is expected."), field="age", code="type")
    return Behind(
        month, measure, unit, params.get("series", ""), params.get("product", ""), params.get("benefit", ""), **numbers
    )  # fmt: skip


def cases_behind(actor: Actor, wanted: Behind) -> QuerySet[Movement, dict[str, Any]]:
    """Claims with their share of the number, largest first: case number, amount (fen) or count. One query."""
    need(actor, READERS)
    rows = visible_to(Movement.objects.all(), actor).filter(_in_group(wanted))
    here = Q(month=wanted.month)
    if wanted.unit == "count":
        if wanted.measure in COUNTS:
            rows = rows.filter(here, COUNTS[wanted.measure])
            return _by_case(rows, Count("pk"))
        rows = rows.filter(_until(wanted))
        return _by_case(rows, Sum("parts"))
    if wanted.measure == "incurred":
        # Reserve moved in the month, plus what was paid in it.
        return _by_case(rows.filter(here), Sum(F("reserve_fen") + F("paid_fen")))
    if wanted.measure in ("opening", "closing"):
        return _by_case(rows.filter(_until(wanted)), Sum("reserve_fen"))
    rows = rows.filter(here, MONEY[wanted.measure])
    return _by_case(rows, -Sum("reserve_fen") if wanted.measure == "paid" else Sum("reserve_fen"))


def _by_case(rows: QuerySet[Movement], amount: Any) -> QuerySet[Movement, dict[str, Any]]:
    columns = (
        "case__number",
        "case__kind",
        "case__state",
        "case__open",
        "case__opened_at",
        "series",
        "product",
    )
    return (
        rows.order_by()
        .values(*columns)
        .annotate(amount=amount)
        .exclude(amount=0)
        .order_by("-amount", "case__number")
    )


def _until(wanted: Behind) -> Q:
    return Q(month__lt=wanted.month) if wanted.measure == "opening" else Q(month__lte=wanted.month)


def _in_group(wanted: Behind) -> Q:
    found = Q()
    for name in ("series", "product", "benefit"):
        if value := getattr(wanted, name):
            found &= Q(**{name: value})
    if wanted.visit_year is not None:
        found &= Q(visit_year=wanted.visit_year)
    if wanted.age is not None:
        first, last = band_months(wanted.age, wanted.month)
        found &= Q(reported_month__lte=last) if wanted.age else Q(reported_month__gte=last)
        if first is not None and wanted.age:
            found &= Q(reported_month__gte=first)
    return found
