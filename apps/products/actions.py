"""The writers: publish a handbook or a plan, load a year of the calendar, edit a day."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import holidays
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from apps.accounts.actors import Actor
from apps.adjudication.handbook import Handbook
from apps.adjudication.handbook_diff import Difference, diff_handbooks
from apps.adjudication.parse import effective_date, parse_handbook
from apps.adjudication.parse_plan import parse_plan
from apps.adjudication.reading import HandbookErrors
from apps.core.errors import Conflict, DomainError, InvalidInput, InvalidInputs, NotAllowed
from apps.products.models import CalendarDay, CalendarYear, HandbookVersion, Plan

PUBLISHERS = frozenset({"manager"})
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class HandbookPreview:
    """What publishing a text would do. `current` is the version it would follow."""

    handbook: Handbook
    sha256: str
    effective_on: date | None
    current: HandbookVersion | None
    same: HandbookVersion | None  # the version that already has this very text
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Published:
    version: HandbookVersion
    created: bool
    differences: tuple[Difference, ...]


def preview_handbook(text: str) -> HandbookPreview:
    """Check a text and compare it with the current version of its series; writes nothing.

    Raises InvalidInputs with one entry per mistake: `field` is its place in the text, `data` has
    the value and what was expected.
    """
    handbook = _checked(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    versions = HandbookVersion.objects.filter(series=handbook.series, published=True)
    current = versions.order_by("-number").first()
    return HandbookPreview(
        handbook=handbook,
        sha256=digest,
        effective_on=effective_date(text),
        current=current,
        same=versions.filter(sha256=digest).first(),
        differences=diff_handbooks(current.handbook, handbook) if current else (),
    )


def publish_handbook(text: str, actor: Actor) -> Published:
    """Publish a text as the next version of its series, or do nothing if it is already there.

    All or nothing. Raises NotAllowed, InvalidInputs, or Conflict when somebody published a
    version of the series at the same moment or the text is an older version's.
    """
    _require_publisher(actor)
    preview = preview_handbook(text)
    if preview.same is not None:
        if preview.current is not None and preview.same.pk != preview.current.pk:
            raise Conflict(
                _("This text is version %(old)s, which version %(new)s has followed.")
                % {"old": preview.same.number, "new": preview.current.number},
                code="older_version",
            )
        return Published(preview.same, False, ())
    series = preview.handbook.series
    try:
        with transaction.atomic():
            last = HandbookVersion.objects.filter(series=series).aggregate(last=Max("number"))["last"]
            version = HandbookVersion.objects.create(
                series=series,
                number=(last or 0) + 1,
                sha256=preview.sha256,
                text=text,
                tpa=preview.handbook.tpa,
                effective_on=preview.effective_on,
                loaded_by_id=actor.user_id,
            )
    except IntegrityError as error:
        raise Conflict(_("Somebody else has just published a version of this series.")) from error
    return Published(version, True, preview.differences)


def publish_plan(text: str, actor: Actor) -> tuple[Plan, bool]:
    """Add a definition of a plan; returns it and whether it is new.

    The version it names must exist in the published handbook of its series, if there is one.
    """
    _require_publisher(actor)
    try:
        parsed = parse_plan(text)
    except HandbookErrors as error:
        raise _inputs(error) from error
    plan, digest = parsed.plan, hashlib.sha256(text.encode()).hexdigest()
    handbook = HandbookVersion.objects.filter(series=plan.series, published=True).order_by("-number").first()
    for name, value in (("version", plan.version), ("scheme", parsed.scheme)):
        if handbook and value and value not in handbook.handbook.versions:
            raise InvalidInput(
                _("%(value)s is no version of series %(series)s.") % {"value": value, "series": plan.series},
                field=f"plan.{name}",
                data={"value": value, "expected": sorted(handbook.handbook.versions)},
            )
    return Plan.every.get_or_create(
        series=plan.series,
        code=plan.code,
        sha256=digest,
        defaults={
            "version": plan.version,
            "scheme": parsed.scheme,
            "name": parsed.title.zh,
            "name_en": parsed.title.en,
            "text": text,
            "sample": plan.sample,
        },
    )


@transaction.atomic
def load_calendar(years: Iterable[int]) -> list[CalendarYear]:
    """Fill years from the published tables; days entered by hand stay as they are.

    A year without a single make-up day is not published yet: it stays provisional and gets no
    days, so that counting falls back to weekends and New Year's Day (C2).
    """
    loaded = []
    for year in sorted(set(years)):
        days = dict(published_days(year))
        provisional = not any(kind == CalendarDay.Kind.WORK for kind, _note in days.values())
        if provisional:
            days = {}
        _replace_seed(year, days)
        loaded.append(
            CalendarYear.objects.update_or_create(year=year, defaults={"provisional": provisional})[0]
        )
    return loaded


@cache
def published_days(year: int) -> Mapping[date, tuple[str, str]]:
    """Days of a year that differ from their weekday, with kind and name, as the library knows them."""
    table = holidays.CN(years=year, language="zh_CN")
    days: dict[date, tuple[str, str]] = {}
    day = date(year, 1, 1)
    while day.year == year:
        working, weekend = table.is_working_day(day), day.weekday() >= 5
        if working and weekend:
            days[day] = (CalendarDay.Kind.WORK, "")
        elif not working and not weekend:
            days[day] = (CalendarDay.Kind.OFF, str(table.get(day) or "")[:80])
        day += DAY
    return days


def _replace_seed(year: int, days: dict[date, tuple[str, str]]) -> None:
    kept = {row.date: row for row in CalendarDay.objects.filter(date__year=year)}
    for day, seeded in kept.items():
        if seeded.source == CalendarDay.Source.SEED and day not in days:
            seeded.delete()
    CalendarDay.objects.bulk_create(
        CalendarDay(date=day, kind=kind, note=note, source=CalendarDay.Source.SEED)
        for day, (kind, note) in days.items()
        if day not in kept
    )
    for day, row in kept.items():
        kind, note = days.get(day, (row.kind, row.note))
        if row.source == CalendarDay.Source.SEED and (row.kind, row.note) != (kind, note):
            row.kind, row.note = kind, note
            row.save()


def _require_publisher(actor: Actor) -> None:
    if not actor.is_system and not PUBLISHERS & actor.roles:
        raise NotAllowed(_("Only a manager may publish handbooks and plans."))


def _checked(text: str) -> Handbook:
    try:
        return parse_handbook(text)
    except HandbookErrors as error:
        raise _inputs(error) from error


def _inputs(error: HandbookErrors) -> InvalidInputs:
    found: list[DomainError] = [
        InvalidInput(
            _("%(value)s; expected %(expected)s") % {"value": repr(one.value), "expected": one.expected},
            code="handbook",
            field=one.where,
            data={"value": repr(one.value), "expected": one.expected},
        )
        for one in error.errors
    ]
    return InvalidInputs(found)
